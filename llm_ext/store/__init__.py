"""What the server remembers: one SQLite file. Blocks on the disk; never on the loop."""
