"""OpenAI's dialect, after its public API reference."""
