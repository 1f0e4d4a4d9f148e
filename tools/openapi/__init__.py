"""Describes every route for programs, in OpenAPI 3.1."""
