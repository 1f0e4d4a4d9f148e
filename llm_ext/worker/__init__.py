"""The process that holds one model: ``python -m llm_ext.worker``.

The main thread reads commands and prepares requests (template, tokens); the engine
thread loads the model and then steps; both write reports. Nothing here is shared but
the engine thread's inbox.
"""
