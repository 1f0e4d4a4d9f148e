"""HTTP: who may ask, what a disconnect means, how errors look. Thin on purpose."""
