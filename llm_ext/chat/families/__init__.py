"""How models write tool calls: one file a family."""
