"""Configuration: traitlets, to one frozen :class:`~llm_ext.core.settings.Settings`."""

import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from traitlets import Float, Int, List, Unicode, default
from traitlets.config import Configurable

from llm_ext.core.load_options import MAX_DEFAULT_CONTEXT, LoadOptions
from llm_ext.core.settings import Settings


class LLMConfig(Configurable):
    """Options of the extension; ``c.LLMExt.<name>`` or ``--LLMExt.<name>=...``."""

    model_folders = List(
        Unicode(),
        config=True,
        help="""Folders in which, and below which, GGUF files are found.

        The default is what the environment variable MODELS_PATH names (several folders
        are separated as in PATH), else 'llm/models' in Jupyter's data folder.
        """,
    )
    default_model = Unicode(
        "",
        config=True,
        help="""The model for people who name none.

        By default the one that is loaded, else the first of the user's own, else the
        one that ships with this package.
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
    slots = Int(
        4,
        min=1,
        max=256,
        config=True,
        help="Requests that a model computes at once; more of them wait.",
    )
    gpu_layers = Int(
        -1,
        min=-1,
        config=True,
        help="""Layers of a model that are put on the GPU; -1 is all.

        It has no effect where llama-cpp-python was built without GPU support.
        """,
    )
    threads = Int(
        0,
        min=0,
        config=True,
        help="""CPU threads of each model.

        0 takes one for each usable processor, and a single one for a tiny model.
        """,
    )
    max_waiting = Int(
        64,
        min=1,
        config=True,
        help="Requests that may wait for a model; more get status 429.",
    )
    load_stall_timeout = Float(
        300.0,
        min=1,
        config=True,
        help="Seconds without progress after which loading a model is given up.",
    )

    @default("model_folders")
    def _default_model_folders(self) -> list[str]:
        named = os.environ.get("MODELS_PATH", "")
        folders = [folder for folder in named.split(os.pathsep) if folder]
        return folders or [str(Path(jupyter_data_dir()) / "llm" / "models")]

    def to_settings(self) -> Settings:
        """Return the options as one frozen value."""
        return Settings(
            model_folders=tuple(
                Path(folder).expanduser().absolute() for folder in self.model_folders
            ),
            default_model=self.default_model,
            load=LoadOptions(
                context_length=self.context_length,
                slots=self.slots,
                gpu_layers=self.gpu_layers,
                threads=self.threads,
            ),
            max_waiting=self.max_waiting,
            load_stall_timeout=self.load_stall_timeout,
        )
