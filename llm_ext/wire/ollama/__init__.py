"""Ollama's dialect, by its API documentation and its clients' types."""
