"""Values that every part agrees on. Standard library and msgspec only."""
