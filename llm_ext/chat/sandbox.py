"""The environment that chat templates run in.

Templates come with model files and are untrusted. Jinja's immutable sandbox keeps them
from attributes that lead out of it and from changing what they are given; on top of
that, loops, texts and the output are bounded here, because a template could otherwise
take all memory before anybody notices the time.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TypeVar

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from .bounds import (
    MAX_TEXT,
    Rounds,
    check_call,
    check_growth,
    check_operation,
    check_size,
    check_weight,
)

ROUNDS = "rounds of loops"
"""The variable that holds the :class:`Rounds`; no template can write its name."""

_COUNT = "count rounds"
_JOIN = "join texts"
_KEEP = "keep a text"
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with bounds.

    What templates may use beside Jinja's own is what those in the field do:
    ``raise_exception``, ``strftime_now``, ``tojson`` without HTML escapes, loop
    controls and ``generation`` blocks (as in the transformers library, which defined
    the format).
    """

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
            extensions=[loopcontrols, _GenerationBlocks],
            # Constants would be computed, and kept, before any bound holds.
            optimized=False,
        )
        self.filters["tojson"] = _tojson
        self.filters[_COUNT] = _count_rounds
        self.filters[_JOIN] = _join_texts
        self.filters[_KEEP] = _kept
        self.filters |= {
            name: _checked(self.filters[name], _FILTER_CHECKS.get(name))
            for name in (*_TEXT_FILTERS, *_FILTER_CHECKS)
        }
        # It has no use in a template but to compute for ever.
        del self.globals["lipsum"]
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = _strftime_now

    def call_binop(
        self,
        context: Context,
        operator: str,
        left: Any,  # noqa: ANN401  # any operand
        right: Any,  # noqa: ANN401  # any operand
    ) -> Any:  # noqa: ANN401  # any result
        """Compute, within bounds."""
        check_operation(operator, left, right)
        value = super().call_binop(context, operator, left, right)
        check_size(value)
        return value

    def call(
        self,
        context: Context,
        function: Any,  # noqa: ANN401  # anything callable
        *arguments: Any,  # noqa: ANN401  # its arguments
        **named: Any,  # noqa: ANN401  # its arguments
    ) -> Any:  # noqa: ANN401  # any result
        """Call, within bounds."""
        check_call(function, [*arguments, *named.values()])
        value = super().call(context, function, *arguments, **named)
        check_size(value)
        return value

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        bounded: nodes.Template = _Bounded().visit(tree)
        return bounded


class _Bounded(NodeTransformer):
    """Puts bounds around loops, and around all texts that are put together.

    Nothing may be computed while a template is compiled, when there is no limit yet.
    """

    def visit_ScopedEvalContextModifier(  # noqa: N802  # Jinja's names
        self, node: nodes.ScopedEvalContextModifier
    ) -> NoReturn:
        raise TemplateSyntaxError("a prompt is no HTML to escape", node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  # likewise
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _COUNT)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802  # likewise
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _JOIN)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Const:  # noqa: N802  # likewise
        # As any other value that is shown: in a loop it becomes much.
        return nodes.Const(node.data, lineno=node.lineno)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:  # noqa: N802  # likewise
        self.generic_visit(node)
        kept = nodes.Filter(node.filter, _KEEP, [], [], None, None, lineno=node.lineno)
        node.filter = kept
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802  # likewise
        self.generic_visit(node)
        whole = not isinstance(node.arg, nodes.Slice)
        return node if whole else _filtered(node, _KEEP)


class _GenerationBlocks(Extension):
    """``{% generation %}``: marks what an assistant said; for training alone."""

    tags = {"generation"}  # noqa: RUF012  # as the base class has it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@jinja2.pass_context
def _count_rounds(context: Context, items: Iterable[Any]) -> Iterable[Any]:
    rounds: Rounds = context[ROUNDS]
    # What has no length yet keeps none: a list would be computed as a whole.
    if isinstance(items, list | tuple | dict | str):
        return _Counted(items, rounds)
    return rounds.count(items)


class _Counted:
    """A sequence whose items are counted; its length is known to ``loop``."""

    def __init__(self, items: Any, rounds: Rounds) -> None:  # noqa: ANN401  # any sequence
        self._items = items
        self._rounds = rounds

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return self._rounds.count(self._items)


@jinja2.pass_context  # without one, constants are shown when it is compiled
def _shown(_context: Context, value: Any) -> Any:  # noqa: ANN401  # any value
    """Return what a template writes, before it becomes a text."""
    check_weight(value)
    return _kept(value)


def _kept(value: Any) -> Any:  # noqa: ANN401  # any value
    check_size(value)
    return value


def _join_texts(parts: list[Any]) -> str:
    check_weight(parts)
    text = "".join(str(part) for part in parts)
    check_size(text)
    return text


def _check_join(items: Any, separator: object = "", *_rest: object) -> None:  # noqa: ANN401  # any items
    if hasattr(items, "__len__"):
        check_growth(len(items), len(str(separator)))


def _check_replace(text: object, _old: object, new: object, *_rest: object) -> None:
    check_growth(len(str(text)), len(str(new)))


def _check_width(_text: object, *widths: object) -> None:
    for width in widths:
        if isinstance(width, int):
            check_growth(width, 1)


def _check_indent(text: object, width: object = 4, *_rest: object) -> None:
    size = width if isinstance(width, int) else len(str(width))
    check_growth(str(text).count("\n") + 1, size)


def _check_count(_items: object, count: object, *_rest: object) -> None:
    if isinstance(count, int):
        check_growth(count, 1)


def _check_round(_number: object, precision: object = 0, *_rest: object) -> None:
    if isinstance(precision, int):
        check_operation("**", 10, precision)


def _check_sum(_items: object, *options: object) -> None:
    if any(isinstance(option, list | tuple) for option in options):
        raise SecurityError("it adds up lists")


def _check_format(text: object, *_values: object) -> None:
    check_operation("%", str(text), ())


_FILTER_CHECKS: dict[str, Callable[..., None]] = {
    "join": _check_join,
    "replace": _check_replace,
    "center": _check_width,
    "indent": _check_indent,
    "format": _check_format,
    "batch": _check_count,
    "slice": _check_count,
    "round": _check_round,
    "sum": _check_sum,
}
"""What is checked before filters that make much from little.

The environment or its context, which some of them are given first, is left out.
"""


_TEXT_FILTERS = (
    *("capitalize", "e", "escape", "forceescape", "lower", "pprint", "safe", "string"),
    *("striptags", "title", "trim", "truncate", "upper", "urlencode", "urlize"),
    *("wordcount", "wordwrap", "xmlattr"),
)
"""Filters that make a text of what they are given, whatever that is."""


def _checked(wrapped: _Function, check: Callable[..., None] | None) -> _Function:
    """Return the filter with checks before it, and one of its result."""
    passes = hasattr(wrapped, "jinja_pass_arg")

    def filtered(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # any filter's
        arguments = tuple(_listed(argument) for argument in arguments)
        given = [*arguments[passes:], *named.values()]
        check_weight(given)
        if check is not None:
            check(*given)
        value = wrapped(*arguments, **named)
        check_size(value)
        return value

    if passes:
        filtered.jinja_pass_arg = wrapped.jinja_pass_arg  # type: ignore[attr-defined]  # Jinja's mark
    return filtered  # type: ignore[return-value]  # the same parameters


def _listed(value: Any) -> Any:  # noqa: ANN401  # any value
    """Return a value that can be looked at without being used up."""
    return list(value) if isinstance(value, Iterator) else value


def _tojson(
    value: Any,  # noqa: ANN401  # any JSON
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002  # as templates give it
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002  # as templates give it
) -> str:
    check_weight(value)
    _check_width("", indent)
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
        default=_plain,
    )
    parts: list[str] = []
    size = 0
    for part in encoder.iterencode(value):
        size += len(part)
        if size > MAX_TEXT:
            raise SecurityError(f"it writes more than {MAX_TEXT} characters")
        parts.append(part)
    return "".join(parts)


def _plain(value: object) -> object:
    """Return what filters such as ``map`` give as a list."""
    if isinstance(value, Iterator):
        found = list(value)
        check_weight(found)
        return found
    raise TypeError(f"{type(value).__name__} is no JSON")


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _strftime_now(form: str) -> str:
    return dt.datetime.now().astimezone().strftime(form)
