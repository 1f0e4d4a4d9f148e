"""Conversations as files: written here, and read back."""
