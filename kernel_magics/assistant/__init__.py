"""``llm``: the models of the Jupyter server, as a Python object."""

from .language_models import LLM

__all__ = ["LLM", "llm"]

llm = LLM()
"""Asks the server that this process belongs to; it is looked for at the first use."""
