"""What the administrator or user configured, as one frozen value."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from .load_options import LoadOptions

ModelSource = Literal["folder", "huggingface", "ollama", "lmstudio", "bundled"]
"""Where a model was found: a configured folder, another program's store (which is only
read), or this package."""


class ModelSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What one model has of its own; None takes what holds for all.

    Attributes:
        load: How it is loaded.
        keep_alive: Seconds that it stays without requests; negative is for ever.
        published: Whether it is offered to others in the catalog's resources.
    """

    load: LoadOptions | None = None
    keep_alive: float | None = None
    published: bool = True


class ProviderSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A server beyond this machine that answers as OpenAI's does.

    Attributes:
        url: As OpenAI's clients take it, such as "http://lab:8000/v1".
        token: What it wants to see as a bearer token; "" for nothing.
        token_file: The file that holds that, read for each request.
        token_env: The environment variable that holds that.
        models: The models to offer; empty for all that it lists.
        timeout: Seconds of silence after which a request is given up.
        connect_timeout: Seconds that a connection may take.
        rename: Fields of requests, by the name that they go by there instead; a field
            that is renamed to "" is left out.
        grammars: Whether it obeys regular expressions, choices and grammars, as vLLM
            and this project do; to others such requests are not sent.
    """

    url: str
    token: str = ""
    token_file: str = ""
    token_env: str = ""
    models: tuple[str, ...] = ()
    timeout: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    connect_timeout: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    rename: dict[str, str] = {}
    grammars: bool = False

    def __repr__(self) -> str:
        """Return what may stand in a log: the token may not."""
        return f"ProviderSettings(url={self.url!r})"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is taken on; 0 is no limit.

    Attributes:
        waiting: Requests that may wait for a model.
        waiting_tokens: Prompt tokens that may wait for a model.
        waiting_per_user: Requests of one user that may wait for a model.
        requests_per_minute: Of one user.
        tokens_per_minute: Of one user, prompts and answers.
    """

    waiting: int = 64
    waiting_tokens: int = 0
    waiting_per_user: int = 0
    requests_per_minute: int = 0
    tokens_per_minute: int = 0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """See :mod:`llm_ext.config` for the meaning and default of each field."""

    model_folders: tuple[Path, ...]
    data_folder: Path
    model_sources: tuple[ModelSource, ...] = ()
    default_model: str = ""
    aliases: dict[str, str] = {}
    models: dict[str, ModelSettings] = {}
    load: LoadOptions = LoadOptions()
    load_stall_timeout: float = 300.0
    stream_interval: float = 0.07
    prefix_memory: int = 0
    keep_alive: float = 600.0
    preload: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    max_loaded_models: int = 0
    memory_fraction: float = 0.8
    worker_memory: int = 0
    limits: Limits = Limits()
    offline: bool = False
    allowed_repositories: tuple[str, ...] = ("*",)
    public_catalog: bool = False
    catalog_service_url: str = ""
    providers: dict[str, ProviderSettings] = {}
    fallbacks: dict[str, str] = {}
