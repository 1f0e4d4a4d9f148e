"""Tiny models, generated: a few hundred kilobytes that llama.cpp loads for real."""
