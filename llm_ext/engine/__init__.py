"""Continuous batching, pure: no llama.cpp, no JSON, no sockets, no clock.

One thread owns an :class:`~llm_ext.engine.engine.Engine` and calls its ``step`` again
and again. A step schedules (:mod:`.scheduler`), decodes one batch through the
:class:`~llm_ext.engine.backend.Backend`, draws a token for every sequence whose known
tokens are all computed, and returns what happened.
"""
