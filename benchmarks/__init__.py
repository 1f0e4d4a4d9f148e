"""Measurements: each a command, each a ratio or a percentile, none of them a test."""
