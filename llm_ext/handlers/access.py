"""Who may ask: Jupyter's own users, their kernels, and inference keys."""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_server.auth import Authorizer, IdentityProvider, User
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin

from llm_ext.core.api_key import OwnedKey
from llm_ext.errors import BodyTooLargeError, LLMError
from llm_ext.services import Services
from llm_ext.store.keys import PREFIX

SERVICES_KEY = "llm_ext_services"
"""Where the extension puts its services into the web application's settings."""

TOKEN_USER = "token"  # noqa: S105  # a name, no secret
"""The name of whoever has Jupyter's token, or its password."""

MAX_BODY = 64 * 1024 * 1024
"""Bytes that a request may carry."""

API_KEY = "x-api-key"
"""Where Anthropic's clients put their key."""

PROVIDER = "X-LLM-Provider"
"""The header that tells who answers: this machine, or another server."""

IGNORED = "X-Ignored-Fields"
"""The header that names fields of the request which mean nothing here."""

_LIMITS = [
    f"x-ratelimit-{which}-{what}"
    for which in ("limit", "remaining", "reset")
    for what in ("requests", "tokens")
]
_FOR_PAGES = [
    PROVIDER,
    IGNORED,
    "Retry-After",
    "x-should-retry",
    "request-id",
    *_LIMITS,
]
"""Headers of answers that a page of another site may read, too."""

KERNEL_TOKEN_KEY = "llm_ext_kernel_token"  # noqa: S105  # a name, no secret
"""Where the extension puts the token of its kernels, on a server that has none."""

_SCHEMES = ("bearer ", "token ")
_OF_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site")
"""Headers of which a browser sends at least one with each request of a page."""


def _secrets_of(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield what a request carries where a token or a key may stand."""
    for given in (headers.get("Authorization", ""), headers.get(API_KEY, "")):
        scheme = next((s for s in _SCHEMES if given.lower().startswith(s)), "")
        yield given[len(scheme) :].strip()


def _key_of(headers: Mapping[str, str]) -> str | None:
    """Return the inference key that a request carries; None if it carries none."""
    given = (secret for secret in _secrets_of(headers) if secret.startswith(PREFIX))
    return next(given, None)


def _of_a_program(headers: Mapping[str, str]) -> bool:
    """Return whether no page in a browser can have made the request."""
    return not any(name in headers for name in _OF_BROWSERS)


def invents_users(provider: IdentityProvider) -> bool:
    """Return whether users' names say nothing.

    Jupyter's own providers know a token and a password, but no people: they make up a
    name for each browser, and for each request of a program.
    """
    return type(provider) in {IdentityProvider, PasswordIdentityProvider}


class KnownIdentity(IdentityProvider):
    """Knows the one whose secret a request has carried."""

    def __init__(self, username: str, name: str) -> None:
        super().__init__()
        self._user = User(username=username, name=name)

    def get_user(self, handler: Any) -> User:  # noqa: ANN401, ARG002  # Jupyter's signature
        """Return the user, whatever else the request carries."""
        return self._user

    def is_token_authenticated(self, handler: Any) -> bool:  # noqa: ANN401, ARG002  # Jupyter's signature
        """Return True: no page can make a browser send a key that it does not know."""
        return True


class KeyAuthorizer(Authorizer):
    """Allows what keys are for. Whether their maker may infer was asked at the making.

    A hub's authorizer could not be asked now: it knows the users of the hub only.
    """

    def is_authorized(
        self,
        handler: Any,  # noqa: ANN401  # Jupyter's signature
        user: Any,  # noqa: ANN401, ARG002  # the same
        action: str,  # noqa: ARG002  # the same
        resource: str,  # noqa: ARG002  # the same
    ) -> bool:
        """Return whether the route takes keys."""
        return bool(handler.accepts_keys)


class AccessHandler(ExtensionHandlerMixin, APIHandler):
    """Finds out who asks, and from where it is asked.

    Attributes:
        accepts_keys: Whether an inference key opens the route.
        key: The inference key that the request came with.
    """

    accepts_keys = False
    key: OwnedKey | None = None
    _known_identity: IdentityProvider | None = None

    @property
    def services(self) -> Services:
        """The extension's services."""
        services: Services = self.settings[SERVICES_KEY]
        return services

    @property
    def user(self) -> str:
        """Who asks, as far as limits, turns and what is stored depend on it.

        Where Jupyter invents users, all of them are the one who has the token.
        """
        if self.key is not None:
            return self.key.user
        if invents_users(self.identity_provider):
            return TOKEN_USER
        return str(getattr(self.current_user, "username", ""))

    @property
    def owner(self) -> str:
        """Whose streams and responses the caller's are: a key has its own."""
        return self.user if self.key is None else self.key.name

    async def prepare(self) -> None:  # type: ignore[override]  # as in APIHandler
        """Find out who asks.

        Raises:
            KeyRefusedError: The request carries an inference key that opens nothing.
            BodyTooLargeError: The body is too large.
        """
        try:
            if self._is_own_kernel():
                self._known_identity = KnownIdentity(TOKEN_USER, "kernel")
            elif self.accepts_keys:
                await self._accept_key()
            if len(self.request.body) > MAX_BODY:
                raise BodyTooLargeError(size=len(self.request.body), limit=MAX_BODY)
        except LLMError:
            self.current_user = self._jupyter_current_user = None
            raise
        await super().prepare()

    def _is_own_kernel(self) -> bool:
        """Return whether a kernel of this server asks, where kernels have a token."""
        token = str(self.settings.get(KERNEL_TOKEN_KEY, ""))
        given = _secrets_of(self.request.headers)
        return bool(token) and any(
            hmac.compare_digest(secret.encode(), token.encode()) for secret in given
        )

    async def _accept_key(self) -> None:
        headers = self.request.headers
        secret = _key_of(headers)
        if secret is not None:
            self.key = await self.services.keyring.use(secret)
            name = f"key {self.key.key.name}"
            self._known_identity = KnownIdentity(self.key.user, name)
        elif API_KEY in headers and "Authorization" not in headers:
            # Whoever knows Jupyter's tokens looks for them there.
            headers["Authorization"] = f"Bearer {headers[API_KEY]}"

    @property
    def identity_provider(self) -> IdentityProvider:
        """Who knows the caller: what opened to him, if that is ours, else Jupyter."""
        return self._known_identity or super().identity_provider

    @property
    def authorizer(self) -> Authorizer:
        """Who says what the caller may do."""
        if self.key is not None:
            return KeyAuthorizer()
        return super().authorizer

    def check_xsrf_cookie(self) -> None:
        """Refuse what another site's page may have made a browser send.

        On a server without a token any program may infer, and programs do not have
        the cookie that is asked for; what comes from no browser needs none.
        """
        if getattr(self, "_jupyter_current_user", self) is None:
            self.get_login_url()  # raises: a wrong token is no missing cookie
        open_to_all = not self.identity_provider.auth_enabled
        if self.accepts_keys and open_to_all and _of_a_program(self.request.headers):
            return
        super().check_xsrf_cookie()

    @allow_unauthenticated
    def options(self, *args: str, **kwargs: str) -> None:
        """Tell a page of another site what it may send, where Jupyter lets it.

        Clients in pages send many headers of their own.
        """
        super().options(*args, **kwargs)
        asked = self.request.headers.get("Access-Control-Request-Headers")
        if (
            asked
            and self.accepts_keys
            and self._is_free("Access-Control-Allow-Headers")
        ):
            self.set_header("Access-Control-Allow-Headers", asked)

    def set_cors_headers(self) -> None:
        """Let pages of other sites read our headers, where Jupyter lets them ask."""
        super().set_cors_headers()
        let_in = "Access-Control-Allow-Origin" in self._headers
        if let_in and self._is_free("Access-Control-Expose-Headers"):
            self.set_header("Access-Control-Expose-Headers", ", ".join(_FOR_PAGES))

    def _is_free(self, header: str) -> bool:
        """Return whether the administrator leaves a header to the server."""
        return header not in self.settings.get("headers", {})
