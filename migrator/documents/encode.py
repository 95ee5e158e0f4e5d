"""Compiles a node of the tree into a function from one row (and its children's finished elements) to BSON.

Generated code instead of a loop over fields: the loop's own work would cost more than the conversions. What is
generated is one `b"".join` of constants and conversions; `RowEncoder.source` shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import error as StructError
from typing import Any

from migrator import compiling
from migrator.documents.reader import Row
from migrator.documents.values import Codec, Misfit, codec_for, companion_codec
from migrator.documents.values.codec import ARRAY, DOCUMENT, NULL, Typed
from migrator.documents.values.numbers import pack_int32
from migrator.model.bson_elements import elements
from migrator.model.mapping.row_layout import Layout, aggregate_item, column_item, field_item, layout, map_key_item
from migrator.model.mapping.tree import Aggregate, Field, Node
from migrator.model.schema.tables import Column

# What pairs rows with their parents: the bare value where there is one column (cheaper as a key), else a tuple.
Match = bytes | None | tuple[bytes | None, ...]

EMPTY_DOCUMENT = b"\x05\x00\x00\x00\x00"


def element_head(type_byte: bytes, name: str) -> bytes:
    """The bytes of a BSON element before its payload."""
    return type_byte + name.encode() + b"\x00"


def document(body: bytes) -> bytes:
    """A BSON document around its elements."""
    return pack_int32(len(body) + 5) + body + b"\x00"


@dataclass(frozen=True, slots=True)
class ValueAt:
    """A field of a node, with the place of its value in a row and its conversion."""

    field: Field
    position: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class ChildLink:
    """How a row finds its child's finished element: by the values at `positions`; `absent` stands there without one.

    `joined` are the positions of the join's own values, which differ from `positions` where a key is carried.
    """

    node: Node
    positions: tuple[int, ...]
    absent: bytes
    joined: tuple[int, ...]

    def key(self, row: Row) -> Match:
        if len(self.positions) == 1:
            return row[self.positions[0]]
        return tuple([row[position] for position in self.positions])


# What conversions raise for values of another type than the column's.
_NO_VALUE = (ValueError, ArithmeticError, LookupError, StructError)


@dataclass(frozen=True)
class RowEncoder:
    """One node, compiled.

    Attributes:
        node: what was compiled.
        layout: the order of values in its rows.
        links: one per child, in the children's order.
        head: what stands before the node's element in its parent: type and name; b"" for the root and for `flatten`.
        body: (row, one dict per child: key -> element) -> the elements of the row's document, without length and end.
            Raises some exception when a value doesn't fit; `misfits` then tells which values those are.
        value: for `scalars` and `map`: row -> type and payload, None for a NULL that is left out.
        values: all fields that every row has.
        variant: position of the variant column's value, None without variants.
        cases: further fields by the variant column's value.
        key_positions: where the row's own key is.
        map_key: for `map`: where the key's text is.
        source: the generated code of `body`, for people who want to see it.
    """

    node: Node
    layout: Layout
    links: tuple[ChildLink, ...]
    head: bytes
    body: Callable[..., bytes]
    value: Callable[[Row], Typed | None]
    values: tuple[ValueAt, ...]
    variant: int | None
    cases: dict[bytes, tuple[ValueAt, ...]]
    key_positions: tuple[int, ...]
    map_key: int | None
    source: str

    def misfits(self, row: Row) -> list[tuple[ValueAt, str]]:
        """The values of a row that don't fit, each with the reason."""
        mine = self.values
        if self.variant is not None:
            mine = (*mine, *self.cases.get(row[self.variant] or b"", ()))
        found = []
        for value in mine:
            raw = row[value.position]
            column = value.field.column
            if raw is None:
                if not column.nullable and value.field.sql is None:
                    found.append((value, "is NULL, and the column was known as NOT NULL"))
                continue
            try:
                value.codec.convert(raw)
            except Misfit as misfit:
                found.append((value, misfit.reason))
            except _NO_VALUE:
                # The table was altered, and the statement isn't read yet: the row comes again after it.
                reason = f"is no value of {column.column_type}, as which the column was known"
                found.append((value, reason))
        return found

    def key(self, row: Row) -> tuple[bytes, ...]:
        """The row's own key; () for a table without one."""
        return tuple([row[position] or b"" for position in self.key_positions])


def compile_node(node: Node, parent: Node | None, level: int) -> RowEncoder:
    """Compiles one node, `parent` being the one above it; children are compiled by themselves.

    `level` says how deep its (sub-)documents are nested, 1 for the root's.
    """
    order = layout(node, parent)
    links = tuple(_link(child, node, order, level) for child in node.children)
    values = _values(node.fields, order, level, node.aggregate)
    cases = {}
    variant = None
    if node.variants is not None:
        variant = order.position(column_item(node.variants.column))
        cases = {text.encode(): _values(fields, order, level) for text, fields in node.variants.cases}
    plain = node.shape in ("scalars", "map", "value")
    body, source = (_no_body, "") if plain else _body(node, order, values, links, variant, cases)
    return RowEncoder(
        node=node,
        layout=order,
        links=links,
        head=_head(node),
        body=body,
        value=_single(values[0]) if plain else _no_value,
        values=values,
        variant=variant,
        cases=cases,
        key_positions=() if node.aggregate else tuple(order.position(column_item(column)) for column in node.key),
        map_key=None if node.map_key is None else order.position(map_key_item(node, node.map_key)),
        source=source,
    )


def child_level(node: Node, level: int) -> int:
    """How deep the documents (or plain values) of `node` are nested in a parent whose own are at `level`."""
    if node.flatten:
        return level
    return level + len(node.path) + (1 if node.shape == "many" or node.duplicates == "all" else 0)


def absent_element(node: Node, level: int) -> bytes:
    """What stands in a parent that has no row in `node` (docs/documents.md: NULL, nothing, and empty)."""
    if node.flatten:
        values = _values(node.fields, layout(node, None), level)
        return b"".join(_absent_group(_tree(values, node.children), node.children, level))
    if node.shape == "one":
        return b"" if node.omit_null else element_head(NULL, node.path[-1])
    if node.aggregate is not None:
        return _absent_value(node, node.aggregate)
    return _head(node) + EMPTY_DOCUMENT


def _absent_value(node: Node, aggregate: Aggregate) -> bytes:
    """The value of no rows: their count is 0, they don't exist, everything else is NULL."""
    (field,) = node.fields
    name = node.path[-1]
    if aggregate.function not in ("count", "exists"):
        return b"" if field.value.policies.null == "omit" else element_head(NULL, name)
    typed = codec_for(field.column, field.value, 1).convert(b"0")
    assert typed is not None, "zero is a value"
    return element_head(typed[0], name) + typed[1]


def _head(node: Node) -> bytes:
    if node.shape in ("root", "value") or node.flatten:
        return b""
    return element_head(ARRAY if node.shape in ("many", "scalars") else DOCUMENT, node.path[-1])


class MapKeyTwice(Exception):
    """Two of the tables that fill one map have the same key."""

    def __init__(self, place: str, key: str) -> None:
        super().__init__(f"{place}: {key}")
        self.place = place
        self.key = key


def merged_map(head: bytes, maps: Sequence[bytes]) -> bytes:
    """One object of the finished maps of several children, all of which stand under the name in `head`.

    Raises:
        MapKeyTwice: when two of them have the same key.
        TypeError: when one of them couldn't be made.
    """
    if not all(isinstance(each, bytes) for each in maps):
        raise TypeError("one of the maps couldn't be made")
    documents = [each[len(head) :] for each in maps]
    filled = [each for each in documents if len(each) > len(EMPTY_DOCUMENT)]
    if len(filled) > 1:
        seen: set[str] = set()
        for each in filled:
            names = {element.name for element in elements(each)}
            if twice := sorted(seen & names):
                raise MapKeyTwice(head[1:-1].decode(), twice[0])
            seen |= names
    return head + document(b"".join(each[4:-1] for each in filled))


# A (sub-)document's parts by name, in order: a field, the numbers of children, or a dotted path's own sub-document.
# Only maps stand in one place together.
Group = dict[str, "ValueAt | tuple[int, ...] | Group"]


def _tree(values: Sequence[ValueAt], children: Sequence[Node]) -> Group:
    top: Group = {}
    for value in values:
        _group(top, value.field.path[:-1])[value.field.path[-1]] = value
    for number, child in enumerate(children):
        # A flattened child has no name of its own; no field name is empty, so this can't collide.
        name = "\x00" + child.id if child.flatten else child.path[-1]
        group = _group(top, child.path[:-1])
        others = group.get(name, ())
        assert isinstance(others, tuple), f"{name} is a field and a sub-document"
        group[name] = (*others, number)
    return top


def _group(top: Group, path: Sequence[str]) -> Group:
    for name in path:
        inner = top.setdefault(name, {})
        assert isinstance(inner, dict), f"{name} is a field and a sub-document"
        top = inner
    return top


def _absent_group(group: Group, children: Sequence[Node], level: int) -> list[bytes]:
    parts = []
    for name, part in group.items():
        if isinstance(part, dict):
            inner = b"".join(_absent_group(part, children, level))
            parts.append(element_head(DOCUMENT, name) + document(inner))
        elif isinstance(part, tuple):
            # Of maps in one place, one empty object is all.
            parts.append(absent_element(children[part[0]], level))
        elif part.field.value.policies.null == "null":
            parts.append(element_head(NULL, name))
            if part.field.value.companion:
                parts.append(element_head(NULL, companion_name(name)))
    return parts


def companion_name(name: str) -> str:
    """The field that holds the microseconds under policy submillisecond: companion."""
    return f"{name}_micros"


def _no_body(*_: object) -> bytes:
    raise AssertionError("rows of this shape are plain values")


def _no_value(_: Row) -> Typed | None:
    raise AssertionError("rows of this shape are documents")


def _values(
    fields: Sequence[Field], order: Layout, level: int, aggregate: Aggregate | None = None
) -> tuple[ValueAt, ...]:
    found = []
    for field in fields:
        codec = codec_for(field.column, field.value, level + max(0, len(field.path) - 1))
        item = field_item(field) if aggregate is None else aggregate_item(field)
        found.append(ValueAt(field, order.position(item), codec))
    return tuple(found)


def _link(child: Node, node: Node, order: Layout, level: int) -> ChildLink:
    join = child.parent_join()
    assert join is not None, f"{child.id} has no join"
    # An inexact join is matched by the parent's own key, carried through SQL (Identity in docs/invariants.md).
    columns: Sequence[Column] = join.parent if join.exact else node.key
    positions = tuple(order.position(column_item(column)) for column in columns)
    joined = tuple(order.position(column_item(column)) for column in join.parent)
    return ChildLink(child, positions, absent_element(child, level), joined)


def _single(value: ValueAt) -> Callable[[Row], Typed | None]:
    position, convert = value.position, value.codec.convert
    null = None if value.field.value.policies.null == "omit" else (NULL, b"")

    def single(row: Row) -> Typed | None:
        raw = row[position]
        converted = None if raw is None else convert(raw)
        return null if converted is None else converted

    return single


def _body(
    node: Node,
    order: Layout,
    values: Sequence[ValueAt],
    links: Sequence[ChildLink],
    variant: int | None,
    cases: dict[bytes, tuple[ValueAt, ...]],
) -> tuple[Callable[..., bytes], str]:
    common, source = _Generator(node, order, links).compile(values)
    if variant is None:
        return common, source
    compiled = {}
    for text, more in cases.items():
        compiled[text], code = _Generator(node, order, links).compile((*values, *more))
        source += f"\n# where {node.variants.column.name if node.variants else ''} = {text!r}\n{code}"
    at = variant

    def dispatch(row: Row, *elements: dict[Any, Any]) -> bytes:
        return compiled.get(row[at] or b"", common)(row, *elements)

    return dispatch, source


# Writes a field's element: name, conversion, position, what stands for NULL, whether NULL can occur.
WriteElement = Callable[[str, Codec, int, bytes, bool], "list[bytes | str]"]


class _Generator:
    """Writes the code of one `body` function: one that takes every value for a usual one, and where there are
    others a second that the first falls back to."""

    def __init__(self, node: Node, order: Layout, links: Sequence[ChildLink]) -> None:
        self._node = node
        self._width = len(order.items)
        self._links = links
        self._names: dict[str, Any] = {"join": b"".join, "pack_int32": pack_int32, "len": len}
        self._lines: list[str] = []

    def compile(self, values: Sequence[ValueAt]) -> tuple[Callable[..., bytes], str]:
        """The function and its source."""
        tree = _tree(values, self._node.children)
        children = "".join(f", c{number}" for number in range(len(self._links)))
        source = self._function("body", children, tree, self._usual)
        if any(value.codec.varies for value in values):
            careful = self._function("careful", children, tree, self._any)
            # Entering a `try` costs nothing, and unusual values are few.
            head, *lines = source.split("\n")
            indented = [f"    {line}" for line in lines]
            fallback = ["    except Exception:", f"        return careful(row{children})"]
            source = "\n".join([careful, "", head, "    try:", *indented, *fallback])
        space = compiling.run(source, f"row encoder of {self._node.id}", self._names)
        body: Callable[..., bytes] = space["body"]
        return body, source

    def _function(self, name: str, children: str, tree: Group, element: WriteElement) -> str:
        self._lines = []
        result = self._joined(self._parts(tree, element))
        row = "".join(f"v{position}, " for position in range(self._width))
        lines = [f"({row}) = row", *self._lines, f"return {result}"]
        return "\n".join([f"def {name}(row{children}):", *(f"    {line}" for line in lines)])

    def _parts(self, group: Group, element: WriteElement) -> list[bytes | str]:
        """Constants as bytes, everything else as expressions."""
        parts: list[bytes | str] = []
        for name, part in group.items():
            if isinstance(part, dict):
                # Groups inside this one come first: their lines must stand before this one's.
                code = self._joined(self._parts(part, element))
                inner = f"g{len(self._lines)}"
                self._lines.append(f"{inner} = {code}")
                parts += [element_head(DOCUMENT, name), f"pack_int32(len({inner}) + 5)", inner, b"\x00"]
            elif isinstance(part, tuple):
                parts.append(self._children(part))
            else:
                parts += self._field(name, part, element)
        return parts

    def _joined(self, parts: Sequence[bytes | str]) -> str:
        merged: list[bytes | str] = []
        for part in parts:
            if isinstance(part, bytes) and merged and isinstance(merged[-1], bytes):
                merged[-1] += part
            elif part != b"":
                merged.append(part)
        code = ", ".join(repr(part) if isinstance(part, bytes) else part for part in merged)
        return f"join(({code},))" if merged else "b''"

    def _children(self, numbers: Sequence[int]) -> str:
        if len(numbers) == 1:
            return self._child(numbers[0])
        head = self._links[numbers[0]].absent[: -len(EMPTY_DOCUMENT)]
        maps = ", ".join(self._child(number) for number in numbers)
        return f"{self._bind('merged_map', merged_map)}({head!r}, ({maps},))"

    def _child(self, number: int) -> str:
        link = self._links[number]
        key = ", ".join(f"v{position}" for position in link.positions)
        return f"c{number}.get({key if len(link.positions) == 1 else f'({key})'}, {link.absent!r})"

    def _field(self, name: str, value: ValueAt, element: WriteElement) -> list[bytes | str]:
        field = value.field
        null = b"" if field.value.policies.null == "omit" else element_head(NULL, name)
        nullable = field.column.nullable or field.sql is not None
        parts = element(name, value.codec, value.position, null, nullable)
        if field.value.companion:
            second = companion_name(name)
            absent = element_head(NULL, second) if null else b""
            parts += self._any(second, companion_codec(field.column, field.value), value.position, absent, True)
        return parts

    def _usual(self, name: str, codec: Codec, position: int, null: bytes, nullable: bool) -> list[bytes | str]:
        if codec.type is None:
            return self._any(name, codec, position, null, nullable)
        variable = f"v{position}"
        head = element_head(codec.type, name)
        payload = self._inline(codec).replace("{v}", variable)
        if not nullable:
            return [head, payload]
        return [f"({head!r} + {payload} if {variable} is not None else {null!r})"]

    def _any(self, name: str, codec: Codec, position: int, null: bytes, nullable: bool) -> list[bytes | str]:
        if not codec.varies:
            return self._usual(name, codec, position, null, nullable)
        convert, key = codec.convert, name.encode() + b"\x00"

        def element(raw: bytes) -> bytes:
            typed = convert(raw)
            return null if typed is None else typed[0] + key + typed[1]

        variable = f"v{position}"
        return [f"({self._bind('element', element)}({variable}) if {variable} is not None else {null!r})"]

    def _inline(self, codec: Codec) -> str:
        code = codec.inline
        for name, value in codec.names.items():
            bound = self._bind(name, value)
            if bound != name:
                code = re.sub(rf"\b{name}\b", bound, code)
        return code

    def _bind(self, name: str, value: Any) -> str:
        """A name for `value` in the generated code, `name` itself where it is free."""
        bound = name
        while self._names.setdefault(bound, value) is not value:
            bound = f"{name}_{len(self._names)}"
        return bound
