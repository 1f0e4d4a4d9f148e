"""The version, whose one source is ``labextension/package.json``."""

from importlib.metadata import version

__version__ = version("jupyter-llm-ext")
