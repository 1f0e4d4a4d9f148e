"""``python -m tools.openapi`` writes the description that the server sends."""

from llm_ext.handlers.openapi import FILE

from .document import encoded

if __name__ == "__main__":
    FILE.write_bytes(encoded())
    print(f"{FILE}: written")
