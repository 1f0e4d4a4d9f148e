"""Types as JSON Schemas, with names and words that readers understand."""

import inspect
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

PREFIX = "#/components/schemas/"

_ROLE = re.compile(r":\w+:`~?\.?([^`]+)`")
_ATTRIBUTE = re.compile(r"    (\w+): (.*)")
_MSGSPEC_NAME = "{name}"


class Schemas:
    """The schemas of all types that are described.

    Attributes:
        components: By name, what ``components/schemas`` holds.
    """

    def __init__(self, types: Iterable[object]) -> None:
        self._types = list(dict.fromkeys(types))
        found, components = msgspec.json.schema_components(
            self._types, ref_template=PREFIX + _MSGSPEC_NAME
        )
        names = _names(_structs(self._types))
        self._of: dict[object, dict[str, Any]] = dict(
            zip(self._types, _renamed(found, names), strict=True)
        )
        self.components: dict[str, Any] = {
            names.get(name, name): _worded(_renamed(schema, names), names[name])
            for name, schema in sorted(components.items(), key=lambda c: names[c[0]])
        }

    def of(self, kind: object) -> dict[str, Any]:
        """Return the schema of a type, mostly a reference."""
        return self._of[kind]

    def name(self, kind: object) -> str:
        """Return what a struct is called."""
        return str(self.of(kind)["$ref"]).removeprefix(PREFIX)


def _structs(types: list[object]) -> set[type]:
    """Return every struct that the types mention."""
    found: set[type] = set()
    todo: list[object] = list(msgspec.inspect.multi_type_info(types))
    while todo:
        info = todo.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                continue
            found.add(info.cls)
        if isinstance(info, (list, tuple)):
            todo += info
        elif isinstance(info, (msgspec.inspect.Type, msgspec.inspect.Field)):
            todo += [getattr(info, name) for name in info.__struct_fields__]
    return found


def _names(structs: set[type]) -> dict[str, str]:
    """Return by msgspec's name of each struct the one that readers see.

    Raises:
        ValueError: Two structs would have one name.
    """
    theirs = Counter(kind.__name__ for kind in structs)
    ours = Counter(_name(kind) for kind in structs)
    names = {}
    for kind in structs:
        full = f"{kind.__module__}.{kind.__qualname__}"
        of_file = ours[_name(kind)] > 1 or kind.__name__.startswith("_")
        theirs_name = kind.__name__ if theirs[kind.__name__] == 1 else full
        names[theirs_name] = _name(kind, of_file=of_file)
    if twice := [name for name, n in Counter(names.values()).items() if n > 1]:
        raise ValueError(f"several types would be called {twice}")
    return names


def _name(kind: type, *, of_file: bool = False) -> str:
    """Return a struct's name, after that of its dialect, and of its file if need be.

    OpenAI's dialect is the usual one.
    """
    folder, _, file = kind.__module__.rpartition(".")
    dialect = folder.rpartition("llm_ext.wire.")[2] if ".wire." in folder else ""
    parts = [dialect] if dialect not in {"", "openai"} else []
    if of_file:
        parts.append(file)
    return ".".join([*parts, kind.__name__.lstrip("_")])


def _renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401  # JSON
    """Return a schema in which references have the readers' names."""
    if isinstance(value, str) and value.startswith(PREFIX):
        return PREFIX + names[value.removeprefix(PREFIX)]
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(item, names) for item in value]
    return value


def _worded(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema with its docstring's words, those of attributes at each."""
    text, attributes = _parted(inspect.cleandoc(schema.get("description", "")))
    schema = {**schema, "title": name}
    schema.pop("description", None)
    if text:
        schema["description"] = text
    for field, words in attributes.items():
        if field in schema.get("properties", {}):
            schema["properties"][field]["description"] = words
    return schema


def _parted(docstring: str) -> tuple[str, dict[str, str]]:
    text, _, section = docstring.partition("Attributes:\n")
    attributes: dict[str, str] = {}
    last = ""
    for line in section.splitlines():
        if match := _ATTRIBUTE.fullmatch(line):
            last = match[1]
            attributes[last] = match[2]
        elif last and line.strip():
            attributes[last] += " " + line.strip()
    return plain(text), {name: plain(words) for name, words in attributes.items()}


def plain(text: str) -> str:
    """Return a docstring's text as Markdown, each paragraph in one line."""
    text = _ROLE.sub(r"`\1`", text.strip()).replace("``", "`")
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)
