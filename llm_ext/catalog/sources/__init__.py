"""Where model files lie: the user's folders, and other programs' stores, only read."""
