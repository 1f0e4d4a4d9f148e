"""A child process for what needs llama.cpp, but no loaded model.

``python -m llm_ext.probe``. It lists devices, asks llama.cpp what a load would take,
and tokenises with a model's vocabulary alone. A file that makes llama.cpp abort ends
nothing but it.
"""
