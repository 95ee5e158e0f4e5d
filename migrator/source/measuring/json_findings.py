"""What JSON values hold that has no exact place in a document: found by converting them as the copy does.

No SQL tells all of it: servers differ in what they take for JSON, and none counts names that an object has twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import Any

from migrator.documents.encode import child_level
from migrator.documents.values import Misfit, codec_for
from migrator.model.mapping.tree import Field, Node
from migrator.model.plan.plan import DOLLAR_NAMES, Finding
from migrator.source.measuring.context import MeasureContext, unchecked
from migrator.source.measuring.node_rows import all_fields, example_text, key_as_text, rows_text
from migrator.source.measuring.queries import TimeLimit
from migrator.source.measuring.row_queries import Some, TablePart
from migrator.source.measuring.table_facts import TableFacts
from migrator.source.measuring.value_checks import REJECTED, of_names

_REPORT_ROWS = 100_000


@dataclass
class _JsonMistake:
    """Rows with one thing that is wrong, and the key of the first."""

    rows: int = 0
    example: bytes | None = None

    def add(self, key: bytes | None) -> None:
        if not self.rows:
            self.example = key
        self.rows += 1


@dataclass
class _JsonContents:
    """What the values of one field hold.

    Attributes:
        names: names with '.', or with '$' in front.
        dollars: names with '$' in front.
        twice: names that an object has twice.
        unfit: by reason: values that the copy rejects.
    """

    names: _JsonMistake = field(default_factory=_JsonMistake)
    dollars: _JsonMistake = field(default_factory=_JsonMistake)
    twice: _JsonMistake = field(default_factory=_JsonMistake)
    unfit: dict[str, _JsonMistake] = field(default_factory=dict)


@dataclass(frozen=True)
class _JsonField:
    """A JSON field of a node, and the level of the (sub-)document that it is in."""

    field: Field
    where: str
    level: int


def json_findings(context: MeasureContext, path: Sequence[Node]) -> Iterator[Finding]:
    """What is wrong with the JSON values of the last node of a path from the root."""
    node, level = path[-1], 1
    for one in path[1:]:
        level = child_level(one, level)
    columns = [_placed(node, each, level) for each in all_fields(node) if each.value.kind == "json"]
    own = [each for each in columns if not each.field.from_link]
    linked = [each for each in columns if each.field.from_link]
    try:
        if own:
            part = TablePart.of(node)
            example = key_as_text(part, [one.name for one in node.key], node.key)
            yield from _scan(context, part, context.facts_of(node), context.some(node), example, own)
        if linked and node.link is not None:
            part = TablePart.of_link(node.link)
            example = key_as_text(part, node.link.key, ())
            yield from _scan(
                context, part, context.link_facts(node.link), context.some_of_link(node.link), example, linked
            )
    except TimeLimit as reason:
        yield unchecked(node.id, reason)


def _placed(node: Node, each: Field, level: int) -> _JsonField:
    where = f"{node.id}: {'.'.join(each.path)}" if each.path else node.id
    return _JsonField(each, where, level + max(0, len(each.path) - 1))


def _scan(
    context: MeasureContext, part: TablePart, facts: TableFacts, some: Some, example: str, columns: Sequence[_JsonField]
) -> Iterator[Finding]:
    values = {"k": example} | {f"v{place}": _as_utf8(part, each.field) for place, each in enumerate(columns)}
    seen = [_JsonContents() for _ in columns]
    converts = [codec_for(each.field.column, each.field.value, each.level).convert for each in columns]
    looked = 0
    purpose = f"look at the JSON of {facts.qualified}"
    for key, *row in context.ask.each(purpose, part.select(values, some)):
        looked += 1
        if looked % _REPORT_ROWS == 0:
            context.report(f"{facts.qualified}: JSON of {looked:,} rows checked")
        for value, each, mine, convert in zip(row, columns, seen, converts, strict=True):
            if value is not None:
                _add(mine, key, value, convert, each.field.value.policies.json_keys)
    for each, mine in zip(columns, seen, strict=True):
        yield from _findings(each, mine, facts, None if some is None else looked)


def _as_utf8(part: TablePart, each: Field) -> str:
    """A field's value as the copy reads it: text in UTF-8, bytes as they are."""
    value = part.value(each)
    return value if each.value.family == "binary" else f"CAST(CONVERT({value} USING utf8mb4) AS BINARY)"


def _add(seen: _JsonContents, key: bytes | None, value: bytes, convert: Callable[[bytes], object], policy: str) -> None:
    names = _names_of(value)
    if any("." in name or name.startswith("$") for name in names.every):
        seen.names.add(key)
        if policy == "reject":
            return  # for this reason
    if any(name.startswith("$") for name in names.every):
        seen.dollars.add(key)
    if names.repeated:
        seen.twice.add(key)
    try:
        convert(value)
    except Misfit as misfit:
        seen.unfit.setdefault(misfit.reason, _JsonMistake()).add(key)


@dataclass
class _ObjectNames:
    """The names of all objects of a value, and whether one has a name twice."""

    every: set[str] = field(default_factory=set)
    repeated: bool = False

    def take(self, pairs: list[tuple[str, Any]]) -> None:
        names = {name for name, _ in pairs}
        self.repeated |= len(names) < len(pairs)
        self.every |= names


def _names_of(value: bytes) -> _ObjectNames:
    names = _ObjectNames()
    try:
        loads(value, object_pairs_hook=names.take)
    except (ValueError, RecursionError):
        return _ObjectNames()  # the copy's own conversion says what is wrong with it
    return names


def _findings(column: _JsonField, seen: _JsonContents, facts: TableFacts, looked: int | None) -> Iterator[Finding]:
    policy = column.field.value.policies.json_keys
    if seen.names.rows:
        severity, then, fix = of_names(policy)
        text = f"JSON keys with '.', or with '$' in front, in {_rows(seen.names, facts, looked)}; {then}"
        yield Finding(severity, "json-keys", column.where, text, fix)
    if seen.dollars.rows and policy == "keep":
        text = f"JSON names with '$' in front in {_rows(seen.dollars, facts, looked)}"
        yield Finding("info", DOLLAR_NAMES, column.where, text)
    if seen.twice.rows:
        text = f"JSON objects that have a name twice in {_rows(seen.twice, facts, looked)}; the last value counts"
        fix = "Write `type: string` at the field to keep the text as it is, or fix the rows."
        yield Finding("warning", "json-names-twice", column.where, text, fix)
    for reason, found in seen.unfit.items():
        text = f"the value {reason}, in {_rows(found, facts, looked)}; {REJECTED}"
        yield Finding("warning", "unfit-value", column.where, text, "Fix the rows, or choose another `type:`.")


def _rows(found: _JsonMistake, facts: TableFacts, looked: int | None) -> str:
    return f"{rows_text(found.rows, looked)} of {facts.qualified}{example_text(found.example)}"
