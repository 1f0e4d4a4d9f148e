"""Configuration: traitlets, to one frozen :class:`~llm_ext.core.settings.Settings`.

Each option can also come from an environment variable, ``LLM_EXT_`` and its name in
capitals. What a configuration file or the command line says wins over it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import jupyter_data_dir
from traitlets import (
    Bool,
    Dict,
    Enum,
    Float,
    Int,
    List,
    TraitError,
    Unicode,
    Union,
    default,
    validate,
)
from traitlets.config import Configurable
from traitlets.utils.bunch import Bunch

from llm_ext.core.duration import seconds
from llm_ext.core.load_options import (
    MAX_DEFAULT_CONTEXT,
    MAX_THREADS,
    LoadOptions,
)
from llm_ext.core.settings import Limits, ModelSettings, ModelSource, Settings
from llm_ext.errors import InvalidRequestError

from .provider_config import fallbacks, provider_settings

PREFIX = "LLM_EXT_"
"""What an option's environment variable begins with."""

EARLIER_NAMES = {
    "model_folders": "MODELS_PATH",
    "max_loaded_models": "MAX_LOADED_MODELS",
    "keep_alive": "IDLE_TIMEOUT_MS",
    "gpu_layers": "DEFAULT_GPU_LAYERS",
    "threads": "DEFAULT_THREADS",
    "catalog_service_url": "CATALOG_SERVICE_URL",
}
"""Environment variables of an earlier service, which are honoured too."""


class LLMConfig(Configurable):
    """Options of the extension; ``c.LLMExt.<name>`` or ``--LLMExt.<name>=...``."""

    model_folders = List(
        Unicode(),
        config=True,
        help="""Folders in which, and below which, GGUF files are found.

        Downloads go into the first. The default is 'llm/models' in Jupyter's data
        folder. In the environment, folders are separated as in PATH.
        """,
    )
    data_folder = Unicode(
        config=True,
        help="""Where the server keeps its own file, and unfinished downloads.

        The default is 'llm' in Jupyter's data folder.
        """,
    )
    model_sources = List(
        Enum(["huggingface", "ollama", "lmstudio"]),
        ["huggingface", "ollama", "lmstudio"],
        config=True,
        help="Programs whose downloaded models are offered too; they are only read.",
    )
    default_model = Unicode(
        "",
        config=True,
        help="""The model for people who name none.

        By default the one that is loaded, else the first of the user's own, else the
        one that ships with this package.
        """,
    )
    aliases = Dict(
        per_key_traits=None,
        value_trait=Unicode(),
        key_trait=Unicode(),
        config=True,
        help="Further names of models, such as {'gpt-4o-mini': 'llama-3-2-1b'}.",
    )
    models = Dict(
        value_trait=Dict(),
        key_trait=Unicode(),
        config=True,
        help="""What single models have of their own, by id.

        Such as {'llama-3-2-1b': {'keep_alive': '1h', 'published': False, 'load':
        {'context_length': 4096}}}; 'load' takes what a load request takes, and what it
        does not name is as for all models.
        """,
    )
    context_length = Int(
        0,
        min=0,
        config=True,
        help=f"""Tokens that fit into a loaded model's cache, prompts and answers.

        All running requests share them, and the cache takes memory beside the weights.
        0 takes {MAX_DEFAULT_CONTEXT}. It is never more than a model was trained with.
        """,
    )
    fit_context = Bool(
        default_value=False,
        config=True,
        help="Take a shorter context where memory does not allow context_length.",
    )
    slots = Int(
        4,
        min=1,
        max=256,
        config=True,
        help="Requests that a model computes at once; more of them wait.",
    )
    gpu_layers = Union(
        [Int(min=-1, max=2**31 - 1), Enum(["auto", "all"])],
        default_value="auto",
        config=True,
        help="""Layers of a model that are put on the GPU.

        A number, 'all' (or -1), or 'auto': as many as fit. It has no effect where
        llama-cpp-python was built without GPU support.
        """,
    )
    devices = List(
        Unicode(),
        config=True,
        help="Names of the GPUs to use, as 'status' lists them; empty uses all.",
    )
    tensor_split = List(
        Float(min=0),
        config=True,
        help="Shares of a model for each device; empty shares it by free memory.",
    )
    threads = Int(
        0,
        min=0,
        max=MAX_THREADS,
        config=True,
        help="""CPU threads of each model.

        0 takes one for each usable processor, and a single one for a tiny model.
        """,
    )
    kv_type = Enum(
        ["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"],
        "f16",
        config=True,
        help="How the cache stores what was read; less precise types take less memory.",
    )
    flash_attention = Enum(
        ["auto", "on", "off"],
        "auto",
        config=True,
        help="Whether the fused attention kernel is used; quantised caches need it.",
    )
    fallback_chat_template = Unicode(
        "",
        config=True,
        help="""A chat template for models that carry none.

        Jinja, or the path of a file that holds it. Without one, such models answer
        plain completions only.
        """,
    )
    load_stall_timeout = Float(
        300.0,
        min=1,
        config=True,
        help="Seconds without progress after which loading a model is given up.",
    )
    stream_interval = Float(
        0.07,
        min=0,
        config=True,
        help="""For how many seconds the tokens of a stream are told together.

        The first comes at once, and so does the end. More takes less of the processors
        that also compute; 0 tells of each token by itself.
        """,
    )
    prefix_memory = Int(
        256 * 1024 * 1024,
        min=0,
        config=True,
        help="""Bytes of main memory that a model may take to remember what it read.

        Chats that wait for their next turn are kept in the model's cache, where they
        slow down all others, or here. Only what is left over is taken; 0 takes none.
        """,
    )
    keep_alive = Union(
        [Float(), Unicode()],
        default_value="10m",
        config=True,
        help="""How long a model stays loaded without requests.

        Seconds, or a duration such as '10m' or '1h30m'; 0 unloads at once, and a
        negative one never does.
        """,
    )
    preload = List(
        Unicode(), config=True, help="Models that are loaded when the server starts."
    )
    pinned = List(
        Unicode(),
        config=True,
        help="Models that are never unloaded to make room, nor for being idle.",
    )
    max_loaded_models = Int(
        0,
        min=0,
        config=True,
        help="Models that are loaded at once; 0 is as many as memory holds.",
    )
    memory_fraction = Float(
        0.8,
        min=0.01,
        max=1,
        config=True,
        help="Share of each device's memory, and of main memory, that models may take.",
    )
    worker_memory = Int(
        0,
        min=0,
        config=True,
        help="Bytes that one model may take; 0 is no limit of its own.",
    )
    max_waiting = Int(
        64,
        min=1,
        config=True,
        help="Requests that may wait for a model; more get status 429.",
    )
    max_waiting_tokens = Int(
        0,
        min=0,
        config=True,
        help="Prompt tokens that may wait for a model; 0 is no limit.",
    )
    max_waiting_per_user = Int(
        0,
        min=0,
        config=True,
        help="Requests of one user that may wait for a model; 0 is no limit.",
    )
    requests_per_minute = Int(
        0, min=0, config=True, help="Requests of one user; 0 is no limit."
    )
    tokens_per_minute = Int(
        0,
        min=0,
        config=True,
        help="Tokens of one user, prompts and answers; 0 is no limit.",
    )
    offline = Bool(
        default_value=False,
        config=True,
        help="Never use the network: no downloads. HF_HUB_OFFLINE does the same.",
    )
    allowed_repositories = List(
        Unicode(),
        ["*"],
        config=True,
        help="Patterns of repositories that may be downloaded, such as 'ggml-org/*'.",
    )
    public_catalog = Bool(
        default_value=False,
        config=True,
        help="Whether the catalog's resources can be read without a token.",
    )
    providers = Dict(
        value_trait=Dict(),
        key_trait=Unicode(),
        config=True,
        help="""Servers beyond this machine that answer, too, by names of your choice.

        Such as {'lab': {'url': 'http://lab:8000/v1', 'token_file': '/run/lab.token'}};
        their models are 'lab/<name>'. None by default.
        """,
    )
    fallbacks = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        config=True,
        help="""Which provider's model answers where one of this machine cannot.

        Such as {'llama-3-2-1b': 'lab/llama-3.2-1b', '*': 'lab/small'}; '*' is for all
        models. The answer tells who gave it. None by default.
        """,
    )
    catalog_service_url = Unicode(
        "",
        config=True,
        help="""Address of a catalog service where each model is registered too.

        Not while offline is set.
        """,
    )

    @default("model_folders")
    def _default_model_folders(self) -> list[str]:
        return [str(Path(jupyter_data_dir()) / "llm" / "models")]

    @default("data_folder")
    def _default_data_folder(self) -> str:
        return str(Path(jupyter_data_dir()) / "llm")

    @validate("keep_alive")
    def _duration(self, proposal: Bunch) -> float | str:
        value: float | str = proposal.value
        try:
            seconds(value)
        except InvalidRequestError as error:
            raise TraitError(str(error)) from error
        return value

    @validate("models")
    def _model_settings(self, proposal: Bunch) -> dict[str, Any]:
        value: dict[str, Any] = proposal.value
        _model_settings(value, LoadOptions())
        return value

    @validate("providers")
    def _providers(self, proposal: Bunch) -> dict[str, Any]:
        value: dict[str, Any] = proposal.value
        provider_settings(value)
        return value

    def to_settings(self, environment: Mapping[str, str] = os.environ) -> Settings:
        """Return the options as one frozen value.

        Raises:
            TraitError: An environment variable is wrong; says which, and why.
        """
        self._read(environment)
        sources: list[ModelSource] = self.model_sources
        load = self._load_options()
        return Settings(
            model_folders=tuple(_path(folder) for folder in self.model_folders),
            data_folder=_path(self.data_folder),
            model_sources=tuple(sources),
            default_model=self.default_model,
            aliases=dict(self.aliases),
            models=_model_settings(self.models, load),
            load=load,
            load_stall_timeout=self.load_stall_timeout,
            stream_interval=self.stream_interval,
            prefix_memory=self.prefix_memory,
            keep_alive=seconds(self.keep_alive),
            preload=tuple(self.preload),
            pinned=tuple(self.pinned),
            max_loaded_models=self.max_loaded_models,
            memory_fraction=self.memory_fraction,
            worker_memory=self.worker_memory,
            limits=Limits(
                waiting=self.max_waiting,
                waiting_tokens=self.max_waiting_tokens,
                waiting_per_user=self.max_waiting_per_user,
                requests_per_minute=self.requests_per_minute,
                tokens_per_minute=self.tokens_per_minute,
            ),
            offline=self.offline,
            allowed_repositories=tuple(self.allowed_repositories),
            public_catalog=self.public_catalog,
            catalog_service_url=self.catalog_service_url,
            providers=(providers := provider_settings(self.providers)),
            fallbacks=fallbacks(self.fallbacks, providers),
        )

    def _load_options(self) -> LoadOptions:
        options = {
            "context_length": self.context_length,
            "fit": self.fit_context,
            "slots": self.slots,
            "gpu_layers": "all" if self.gpu_layers == -1 else self.gpu_layers,
            "devices": self.devices,
            "tensor_split": self.tensor_split,
            "threads": self.threads,
            "kv_type": self.kv_type,
            "flash_attention": self.flash_attention,
            "fallback_chat_template": self.fallback_chat_template,
        }
        return msgspec.convert(options, LoadOptions)

    def _read(self, environment: Mapping[str, str]) -> None:
        """Take from the environment what nothing else has set."""
        kinds = [kind for kind in type(self).__mro__ if issubclass(kind, LLMConfig)]
        sections = [self.config.get(kind.__name__, {}) for kind in kinds]
        for name in LLMConfig.class_own_traits(config=True):
            if any(name in section for section in sections):
                continue
            for variable in (PREFIX + name.upper(), EARLIER_NAMES.get(name)):
                text = environment.get(variable or "", "")
                if variable is not None and text:
                    self._set(name, variable, text)
                    break

    def _set(self, name: str, variable: str, text: str) -> None:
        try:
            setattr(self, name, self._value(name, variable, text))
        except (TraitError, ValueError) as error:
            raise TraitError(f"The environment variable {variable}: {error}") from error

    def _value(self, name: str, variable: str, text: str) -> object:
        if variable == "IDLE_TIMEOUT_MS":
            return float(text) / 1000
        if name == "model_folders":
            return [folder for folder in text.split(os.pathsep) if folder]
        trait = self.traits()[name]
        if isinstance(trait, (List, Dict)):
            if text.lstrip().startswith(("[", "{")):
                return msgspec.json.decode(text)
            items = [item.strip() for item in text.split(",") if item.strip()]
            return trait.from_string_list(items)
        return trait.from_string(text)


def _path(folder: str) -> Path:
    return Path(folder).expanduser().absolute()


def _model_settings(
    models: Mapping[str, Mapping[str, Any]], load: LoadOptions
) -> dict[str, ModelSettings]:
    """Return what models have of their own; ``load`` holds where they say nothing."""
    found = {}
    for name, given in models.items():
        options = dict(given)
        try:
            if options.get("keep_alive") is not None:
                options["keep_alive"] = seconds(options["keep_alive"])
            if isinstance(options.get("load"), Mapping):
                options["load"] = load.but(options["load"])
            found[name] = msgspec.convert(options, ModelSettings)
        except (msgspec.ValidationError, InvalidRequestError) as error:
            raise TraitError(f"models[{name!r}]: {error}") from error
    return found
