"""Trains the model that ships with the project: ``python -m tools.demo_model.build``.

Torch, NumPy, tokenizers and gguf are needed here and nowhere else.
"""

import os

# Read when torch is first imported. Threads that wait must not keep a processor busy:
# beside any other program, training is several times slower otherwise.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
