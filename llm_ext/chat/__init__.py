"""Chats to prompts: pure text work, in the worker process."""
