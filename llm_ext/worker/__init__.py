"""The process that holds one model: ``python -m llm_ext.worker``.

The main thread reads commands; the preparer's threads make requests into sequences
(template, tokens, constraint); the engine thread loads the model and then steps; all of
them write reports. They hand over through queues, and share nothing else.
"""
