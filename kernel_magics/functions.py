"""Python functions that a model may ask for, and what they say when they are called."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, get_type_hints

import msgspec

from .context.describe import describe, shortened
from .errors import ToolError
from .pieces import ToolCall
from .schema import finite

RESULT_LIMIT = 4000
"""Characters that a model is told of one result."""

_POSITIONAL = inspect.Parameter.POSITIONAL_ONLY
_PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Tool:
    """A function, described by its name, docstring and type hints."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = getattr(function, "__name__", "")
        self.function = function
        self._arguments = _struct(self.name, function)

    @property
    def definition(self) -> dict[str, Any]:
        """The function in OpenAI's shape."""
        parts = msgspec.json.schema(self._arguments)["$defs"]
        parameters = finite(parts.pop(self._arguments.__name__))
        parameters.pop("title", None)
        if parts:
            parameters["$defs"] = finite(parts)
        function = {
            "name": self.name,
            "description": inspect.getdoc(self.function) or "",
            "parameters": parameters,
        }
        return {"type": "function", "function": function}

    def call(self, arguments: str) -> str:
        """Call the function with ``arguments``, a JSON object; return what to tell.

        Whatever the function raises is told to the model as well: it may know better.
        """
        try:
            return _told(_finished(self._called(arguments)))
        # A function of the user's may raise anything; an interrupt goes on.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # see above
            return _failed(error)

    async def call_async(self, arguments: str) -> str:
        """Do as :meth:`call`; what the function would have awaited is awaited here."""
        try:
            result = self._called(arguments)
            return _told(await result if inspect.isawaitable(result) else result)
        except Exception as error:  # noqa: BLE001  # a function of the user's
            return _failed(error)

    def _called(self, arguments: str) -> Any:  # noqa: ANN401  # whatever a function returns
        given = msgspec.json.decode(arguments or "{}", type=self._arguments)
        fields = {
            name: getattr(given, name)
            for name in self._arguments.__struct_fields__
            if getattr(given, name) is not msgspec.UNSET
        }
        return self.function(**fields)


class Toolbox:
    """The functions that come with one question.

    Raises:
        ToolError: One cannot be offered to a model, or two have the same name.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]]) -> None:
        self._tools: dict[str, Tool] = {}
        for function in functions:
            tool = Tool(function)
            if tool.name in self._tools:
                raise ToolError(
                    f"two functions are called {tool.name}, and a model could not tell "
                    "them apart."
                )
            self._tools[tool.name] = tool

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """All functions in OpenAI's shape."""
        return [tool.definition for tool in self._tools.values()]

    def __contains__(self, name: str) -> bool:
        """Whether there is a function of this name."""
        return name in self._tools

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function of this name, which is one of them."""
        return self._tools[name].function

    def call(self, call: ToolCall) -> str:
        """Make a call and return what the model is told of it."""
        tool = self._tools.get(call.name)
        return tool.call(call.arguments) if tool else self._missing(call)

    async def call_async(self, call: ToolCall) -> str:
        """Do as :meth:`call`, in the caller's loop: it may need what lives there."""
        tool = self._tools.get(call.name)
        return await tool.call_async(call.arguments) if tool else self._missing(call)

    def _missing(self, call: ToolCall) -> str:
        known = ", ".join(self._tools)
        return f"Error: there is no function {call.name!r}; there are {known}."


def written(call: ToolCall) -> str:
    """Return a call as it would stand in Python."""
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return _printable(f"{call.name}({shortened(call.arguments, RESULT_LIMIT)})")
    inside = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return _printable(f"{call.name}({shortened(inside, RESULT_LIMIT)})")


def _printable(text: str) -> str:
    """Return ``text`` without what a terminal would obey rather than show."""
    return "".join(c if c.isprintable() else " " for c in text)


def _struct(name: str, function: Callable[..., Any]) -> type[msgspec.Struct]:
    """Return a type that holds the function's arguments."""
    if not name.isidentifier():
        raise ToolError(f"{function!r} has no name; define it with 'def'.")
    try:
        struct = msgspec.defstruct(
            f"{name}_arguments",
            [_field(parameter, hint) for parameter, hint in _parameters(function)],
            kw_only=True,
            forbid_unknown_fields=True,
        )
        msgspec.json.schema(struct)
        msgspec.json.Decoder(struct)
    except (TypeError, ValueError, NameError) as error:
        raise ToolError(
            f"{name} cannot be offered to a model: {error}. A tool is a function "
            f"whose parameters are named, and of plain types."
        ) from error
    else:
        return struct


def _parameters(
    function: Callable[..., Any],
) -> Iterator[tuple[inspect.Parameter, Any]]:
    """Yield the parameters that can be given by name, with their types."""
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in _PLAIN:
            yield parameter, hints.get(parameter.name, Any)
        elif parameter.kind is _POSITIONAL and parameter.default is parameter.empty:
            raise TypeError(f"{parameter.name} can only be given by its place")


def _field(
    parameter: inspect.Parameter,
    hint: Any,  # noqa: ANN401  # any type
) -> tuple[str, Any] | tuple[str, Any, Any]:
    if parameter.default is parameter.empty:
        return (parameter.name, hint)
    return (parameter.name, hint | msgspec.UnsetType, msgspec.UNSET)


def _finished(result: Any) -> Any:  # noqa: ANN401  # whatever a function returns
    """Return a function's result; that of a coroutine once it has run.

    It runs in a thread of its own: the notebook's loop waits for this very cell.
    """
    if not inspect.iscoroutine(result):
        return result
    started: Future[Callable[[], object]] = Future()
    outcome: Future[Any] = Future()
    work = threading.Thread(target=_run, args=(result, started, outcome), daemon=True)
    try:
        work.start()
        return outcome.result()
    finally:
        # It may end by itself at this very moment.
        with suppress(RuntimeError):
            if not outcome.done():
                started.result()()


def _run(
    coroutine: Coroutine[Any, Any, Any],
    started: "Future[Callable[[], object]]",
    outcome: "Future[Any]",
) -> None:
    """Run a coroutine; ``started`` becomes what cancels it from another thread."""

    async def main() -> Any:  # noqa: ANN401  # see _finished
        task, loop = asyncio.ensure_future(coroutine), asyncio.get_running_loop()
        started.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
        return await task

    try:
        outcome.set_result(asyncio.run(main()))
    except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
        outcome.set_exception(error)


def _failed(error: BaseException) -> str:
    return f"Error: {type(error).__name__}: {error}"


def _told(result: Any) -> str:  # noqa: ANN401  # whatever a function returns
    if isinstance(result, str):
        return shortened(result, RESULT_LIMIT)
    try:
        text = msgspec.json.encode(result).decode()
    except (TypeError, ValueError, OverflowError):
        return describe(result, RESULT_LIMIT)
    return text if len(text) <= RESULT_LIMIT else describe(result, RESULT_LIMIT)
