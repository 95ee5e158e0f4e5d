"""YAML text to plain values, with the place of every one of them.

Only the plain part of YAML is understood: mappings, lists, texts, whole numbers, true and false, null, anchors and
`<<`. Keys are always text (`null:` and `on:` are words here), and a number that is not written plainly (007, 1.50) is
the text that stands there. Nothing in a file can make Python objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from migrator.errors import Problem

Path = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_VALUES = 50_000
MAX_DEPTH = 100

_CORE = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_TAGS = {
    ScalarNode: frozenset(_CORE + name for name in ("str", "int", "float", "bool", "null", "timestamp", "merge")),
    SequenceNode: frozenset((_CORE + "seq",)),
    MappingNode: frozenset((_CORE + "map",)),
}


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Where something stands: 1-based."""

    line: int
    column: int


@dataclass(frozen=True)
class SourceMap:
    """A file's text and where its values stand, by path (`("embed", "items", "from")`)."""

    file: str
    lines: tuple[str, ...] = ()
    values: dict[Path, FilePosition] = field(default_factory=dict)
    keys: dict[Path, FilePosition] = field(default_factory=dict)

    def has(self, path: Path) -> bool:
        return path in self.values

    def nearest(self, path: Path) -> Path:
        """`path`, or what of it stands in the file: short forms leave the last steps out."""
        while path and path not in self.values:
            path = path[:-1]
        return path

    def problem(self, path: Path, message: str, suggestion: str = "", *, at_key: bool = False) -> Problem:
        """A mistake in the value (or in the key) at `path`, shown with its line."""
        path = self.nearest(path)
        mark = self.keys.get(path) if at_key else None
        mark = mark or self.values.get(path, FilePosition(1, 1))
        return self.problem_at(mark, message, suggestion)

    def problem_at(self, mark: FilePosition, message: str, suggestion: str = "") -> Problem:
        text = self.lines[mark.line - 1].strip() if 0 < mark.line <= len(self.lines) else ""
        return Problem(self.file, mark.line, mark.column, message, text, suggestion)


@dataclass(frozen=True)
class YamlDocument:
    """A file's content: plain values (`data`, None when the file can't be read), places, and mistakes of its YAML."""

    data: Any
    places: SourceMap
    problems: tuple[Problem, ...]


def read_document(file: str, content: bytes) -> YamlDocument:
    """Reads a YAML file's bytes. `file` is how problems name it. Raises nothing: mistakes are in the result."""
    if len(content) > MAX_BYTES:
        return _unreadable(SourceMap(file), f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(file, line, 0, "the file is not UTF-8", suggestion="save it with the encoding UTF-8")
        return YamlDocument(None, SourceMap(file), (problem,))
    places = SourceMap(file, tuple(text.splitlines()))
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        return _syntax(places, error)
    except RecursionError:
        return _unreadable(places, "brackets are nested too deeply")
    except YAMLError as error:
        return _unreadable(places, f"this is not YAML: {str(error).splitlines()[0]}")
    if node is None:
        return _unreadable(places, "the file is empty", "a mapping starts with `collection:` and `from:`")
    reader = _Reader(places)
    try:
        data = reader.value(node, (), ())
    except _LimitExceeded as error:
        return YamlDocument(None, places, (*reader.problems, places.problem_at(error.mark, error.message)))
    return YamlDocument(data, places, tuple(reader.problems))


def _unreadable(places: SourceMap, message: str, suggestion: str = "") -> YamlDocument:
    return YamlDocument(None, places, (Problem(places.file, 0, 0, message, suggestion=suggestion),))


def _syntax(places: SourceMap, error: MarkedYAMLError) -> YamlDocument:
    found = error.problem_mark or error.context_mark
    mark = FilePosition(found.line + 1, found.column + 1) if found else FilePosition(0, 0)
    message = f"this is not YAML: {error.problem}"
    suggestion = ""
    if "but found another document" in (error.problem or ""):
        message, suggestion = "the file holds several documents", "write one collection a file"
    elif "found character '\\t'" in (error.problem or ""):
        message, suggestion = "there is a tab where YAML requires spaces", "indent with spaces"
    elif "mapping values are not allowed here" in (error.problem or ""):
        suggestion = "look at the indentation, and put text that holds ': ' in quotes"
    elif "undefined alias" in (error.problem or ""):
        message = f"this is not YAML: {error.problem}"
        suggestion = "put text that starts with * in quotes"
    return YamlDocument(None, places, (places.problem_at(mark, message, suggestion),))


class _LimitExceeded(Exception):
    def __init__(self, mark: FilePosition, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message


class _Reader:
    """Turns composed nodes into values, noting places and mistakes on the way."""

    def __init__(self, places: SourceMap) -> None:
        self.places = places
        self.problems: list[Problem] = []
        self.count = 0

    def value(self, node: Node, path: Path, inside: tuple[Node, ...]) -> Any:
        mark = _mark(node)
        self.places.values.setdefault(path, mark)
        self.count += 1
        if self.count > MAX_VALUES:
            raise _LimitExceeded(mark, f"the file has more than {MAX_VALUES} values once its anchors are filled in")
        if any(node is outer for outer in inside):
            raise _LimitExceeded(mark, "an anchor that contains itself has no end")
        if len(inside) >= MAX_DEPTH:
            raise _LimitExceeded(mark, "brackets are nested too deeply")
        if str(node.tag) not in _TAGS[type(node)]:
            self._report(mark, "tags such as `!x` have no meaning here", "leave the tag out")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*inside, node))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, number), (*inside, node)) for number, item in enumerate(node.value)]
        return _scalar(str(node.tag), str(node.value))

    def _mapping(self, node: MappingNode, path: Path, inside: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Node] = []
        first: dict[str, FilePosition] = {}
        for key, value in node.value:
            mark = _mark(key)
            if not isinstance(key, ScalarNode):
                self._report(mark, "a key must be plain text", "put text that starts with { or [ in quotes")
            elif str(key.tag) == _CORE + "merge":
                merged.append(value)
            elif key.value in first:
                self._report(mark, f"`{key.value}` occurs twice: first in line {first[key.value].line}")
            else:
                first[key.value] = mark
                self.places.keys.setdefault((*path, key.value), mark)
                found[key.value] = self.value(value, (*path, key.value), inside)
        for node_in in merged:
            for key, value in self._merge(node_in, inside):
                if key.value not in found:
                    self.places.keys.setdefault((*path, key.value), _mark(key))
                    found[key.value] = self.value(value, (*path, key.value), inside)
        return found

    def _merge(self, node: Node, inside: tuple[Node, ...]) -> Iterator[tuple[ScalarNode, Node]]:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._report(_mark(node), "`<<` takes an anchor of a block of keys")
                continue
            if len(inside) >= MAX_DEPTH or any(source is outer for outer in inside):
                raise _LimitExceeded(_mark(node), "an anchor that contains itself has no end")
            for key, value in source.value:
                if not isinstance(key, ScalarNode):
                    continue
                if str(key.tag) == _CORE + "merge":
                    yield from self._merge(value, (*inside, source))
                else:
                    yield key, value

    def _report(self, mark: FilePosition, message: str, suggestion: str = "") -> None:
        self.problems.append(self.places.problem_at(mark, message, suggestion))


def _mark(node: Node) -> FilePosition:
    return FilePosition(node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(tag: str, text: str) -> str | int | bool | None:
    tag = tag.removeprefix(_CORE)
    if tag == "null":
        return None
    if tag == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if tag == "int" and _WHOLE.fullmatch(text):
        return int(text)
    return text
