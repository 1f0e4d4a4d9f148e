"""The only importer of ``llama_cpp``: one family of C objects a file.

What is opened is closed by ``with closing(...)``.

Loaded only inside worker processes: llama.cpp can abort the process that holds it.
"""
