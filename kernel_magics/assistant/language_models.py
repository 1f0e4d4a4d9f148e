"""The models of a Jupyter server, as a Python object."""

import base64
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kernel_magics.answer import Answer
from kernel_magics.conversation import messages
from kernel_magics.errors import DownloadFailedError, NoModelError
from kernel_magics.exchange import Exchange, Question

from .aio import AsyncLLM
from .models import Models
from .progress import bar
from .stream import Stream
from .talk import Talk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from openai import AsyncOpenAI, OpenAI

    from kernel_magics.client import Client

MAX_INPUTS = 256
"""Texts that are embedded by one request."""

Prompt = str | Sequence[Mapping[str, Any]]
"""A question, or OpenAI's messages."""


class LLM:
    """The models of the server that this process belongs to.

    The server is looked for when it is first needed, and again after it was lost; where
    there is none a private one is started. Every method that needs it raises:

    - ``ServerNotFoundError`` or ``PrivateServerError``: there is no server;
    - ``ServerGoneError``: it does not answer;
    - ``RefusedError``: it says no, and why.

    Args:
        model: The model that is asked where none is named; empty takes the server's
            default.
        url: The server, where it is known; ends in ``/llm/``.
        token: Its token.
        private: Whether a private server may be started.
    """

    def __init__(
        self,
        model: str = "",
        *,
        url: str = "",
        token: str = "",
        private: bool = True,
    ) -> None:
        self.model = model
        self.aio = AsyncLLM(self)
        self._where = {"url": url, "token": token}
        self._private = private
        self._known: Client | None = None
        self._looking = threading.Lock()

    @property
    def client(self) -> "Client":
        """The client of the server."""
        # Threads that come at once look for one server, and start one.
        with self._looking:
            if self._known is None or self._known.lost:
                from kernel_magics.private import connect  # noqa: PLC0415  # brings httpx

                self._known = connect(**self._where, private=self._private)
            return self._known

    def __call__(self, prompt: Prompt, /, **options: Any) -> Answer:  # noqa: ANN401  # those of chat
        """Ask, and return the whole answer; arguments as for :meth:`chat`.

        Raises:
            SchemaError: The answer is none of what the schema wants.
        """
        return self.chat(prompt, **options).answer

    def chat(
        self,
        prompt: Prompt,
        /,
        *,
        model: str | None = None,
        system: str = "",
        schema: object = None,
        tools: Sequence[Callable[..., Any]] = (),
        confirm: bool = True,
        **options: Any,  # noqa: ANN401  # any field of OpenAI's request
    ) -> Stream:
        """Return the answer as a stream; nothing is sent before that is used.

        Args:
            prompt: A question, or OpenAI's messages.
            model: The model to ask.
            system: What the model should be or do.
            schema: What the answer has to be: a JSON Schema, a Pydantic model, a
                dataclass, a TypedDict or another plain type. The object is the
                answer's ``value``.
            tools: Functions that the model may have called.
            confirm: Whether each call is asked for first.
            options: Other fields of OpenAI's request, such as ``temperature``.
        """
        # Not with the module: what these bring takes longer than all the rest.
        from kernel_magics.consent import Consent, everything  # noqa: PLC0415  # see above
        from kernel_magics.functions import Toolbox  # noqa: PLC0415  # see above
        from kernel_magics.schema import schema_of  # noqa: PLC0415  # see above

        written = _messages(prompt, system)
        toolbox = Toolbox(tools) if tools else None
        consent = everything
        if toolbox is not None and confirm:
            consent = partial(Consent(beforehand="confirm=False"), toolbox)
        wanted = None if schema is None else schema_of(schema)

        def begin() -> "tuple[Client, Exchange]":
            question = Question(
                model=model or self._default(),
                messages=written,
                options=options,
                schema=wanted,
                toolbox=toolbox,
            )
            return self.client, Exchange(question, consent=consent)

        return Stream(begin)

    def conversation(self, *, system: str = "", **options: Any) -> Talk:  # noqa: ANN401  # those of chat
        """Return a conversation; options as for :meth:`chat`, for all its questions."""
        return Talk(self, system=system, options=options)

    def embed(
        self, texts: str | Sequence[str], *, model: str | None = None
    ) -> "NDArray[np.float32]":
        """Return the vector of a text, or the matrix of texts, a row for each.

        Every row has length 1, so that a product of two rows is their similarity.
        """
        import numpy as np  # noqa: PLC0415  # only this needs it

        single = isinstance(texts, str)
        listed = [texts] if isinstance(texts, str) else list(texts)
        name = model or self._default()
        rows = [
            np.frombuffer(base64.b64decode(data["embedding"]), dtype="<f4")
            for batch in _batches(listed)
            for data in self.client.embed(name, batch)["data"]
        ]
        if single:
            return rows[0].astype(np.float32)
        width = len(rows[0]) if rows else 0
        return np.array(rows, dtype=np.float32).reshape(len(rows), width)

    def models(self) -> Models:
        """Return the models of the server."""
        return Models(self.client.models())

    def load(
        self,
        name: str,
        *,
        keep_alive: float | str | None = None,
        pinned: bool | None = None,
        **options: Any,  # noqa: ANN401  # any load option
    ) -> dict[str, Any]:
        """Load a model, showing how far it is, and return its state.

        Args:
            name: The model's id.
            keep_alive: How long it stays without requests: seconds, or such as "10m".
            pinned: Whether it stays, whoever needs room.
            options: Load options, such as ``context_length`` or ``slots``.
        """
        client = self.client
        with bar() as shown:
            for status in client.load(
                name, options=options or None, keep_alive=keep_alive, pinned=pinned
            ):
                shown.progress(f"{name}: {status.text}", status.fraction)
        return client.model(name)

    def unload(self, name: str, *, force: bool = False) -> dict[str, Any]:
        """Give a model's memory back; ``force`` ends running requests."""
        return self.client.unload(name, force=force)

    def pull(self, reference: str) -> str:
        """Download a model, showing how far it is, and return its id.

        Raises:
            DownloadFailedError: It could not be had; says why.
        """
        last: dict[str, Any] = {}
        with bar() as shown:
            for last in self.client.pull(reference):
                fraction = last["done"] / last["total"] if last["total"] else None
                shown.progress(f"{reference}: {last['state']}", fraction)
        if last.get("state") != "done":
            raise DownloadFailedError.of(last)
        return str(last["model"])

    def openai(self, **options: Any) -> "OpenAI":  # noqa: ANN401  # OpenAI's own
        """Return OpenAI's client for this server; ``options`` are its own."""
        import openai  # noqa: PLC0415  # only this needs it

        from kernel_magics.transport import open_http  # noqa: PLC0415  # brings httpx

        http: Any = open_http(self.client.connection)
        return openai.OpenAI(
            **self._openai_options(http.cookies, options), http_client=http
        )

    def async_openai(self, **options: Any) -> "AsyncOpenAI":  # noqa: ANN401  # OpenAI's own
        """Return OpenAI's client for ``async`` code; ``options`` are its own."""
        import openai  # noqa: PLC0415  # only this needs it

        from kernel_magics.transport import open_async_http  # noqa: PLC0415  # httpx

        http: Any = open_async_http(self.client.connection)
        return openai.AsyncOpenAI(
            **self._openai_options(http.cookies, options), http_client=http
        )

    def __repr__(self) -> str:
        """Without a search: it may take long."""
        where = self._known.connection.url if self._known else "not looked for yet"
        return f"LLM(model={self.model!r}, server={where})"

    def _openai_options(self, cookies: Any, options: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  # httpx's
        connection = self.client.connection
        cookies.update(self.client.cookies())
        return {
            "base_url": f"{connection.url}v1",
            "api_key": connection.token or "none",
            **options,
            "default_headers": {
                **self.client.write_headers(),
                **options.get("default_headers", {}),
            },
        }

    def _default(self) -> str:
        if self.model:
            return self.model
        default = self.client.models()["default"]
        if default is None:
            raise NoModelError
        return str(default)


def _messages(prompt: Prompt, system: str) -> tuple[Mapping[str, Any], ...]:
    if isinstance(prompt, str):
        return tuple(messages(prompt, system=system))
    first = [{"role": "system", "content": system}] if system else []
    return (*first, *prompt)


def _batches(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), MAX_INPUTS):
        yield texts[start : start + MAX_INPUTS]
