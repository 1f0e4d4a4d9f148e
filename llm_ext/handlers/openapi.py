"""``openapi.json``: what there is, for programs."""

from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web

from .base import LLMHandler

FILE = Path(__file__).parents[1] / "openapi.json"
"""The description; ``python -m tools.openapi`` writes it."""


class DescriptionHandler(LLMHandler):
    """``openapi.json``."""

    _track_activity = False

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Describe every route, in OpenAPI 3.1."""
        self.finish(FILE.read_bytes(), set_content_type="application/json")
