"""The only importer of ``llama_cpp``: one C object family a file, each closed by ``with``.

Loaded only inside worker processes: llama.cpp can abort the process that holds it.
"""
