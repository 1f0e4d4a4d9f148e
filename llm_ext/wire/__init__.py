"""Dialects: JSON to core requests, core events to JSON. Pure, without Tornado."""
