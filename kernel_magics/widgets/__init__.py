"""Widgets: models to manage, and a panel to chat in."""
