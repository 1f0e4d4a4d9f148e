"""Routes that do not exist."""

from http import HTTPStatus
from typing import NoReturn

from jupyter_server.auth.decorator import authorized
from tornado import web

from .base import LLMHandler


class MissingHandler(LLMHandler):
    """Says so in the dialect's own shape: Jupyter's page is no answer to a client.

    Attributes:
        below: What the routes of the dialect begin with.
    """

    below = ""

    @web.authenticated
    @authorized
    def get(self, path: str) -> NoReturn:
        """Refuse."""
        self._refuse(path)

    @web.authenticated
    @authorized
    def post(self, path: str) -> NoReturn:
        """Refuse."""
        self._refuse(path)

    @web.authenticated
    @authorized
    def put(self, path: str) -> NoReturn:
        """Refuse."""
        self._refuse(path)

    @web.authenticated
    @authorized
    def delete(self, path: str) -> NoReturn:
        """Refuse."""
        self._refuse(path)

    def _refuse(self, path: str) -> NoReturn:
        raise web.HTTPError(
            HTTPStatus.NOT_FOUND, f"This version has no route '{self.below}{path}'."
        )
