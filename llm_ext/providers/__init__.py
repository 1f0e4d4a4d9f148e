"""Completions from servers beyond this machine, as events like those of the pool."""
