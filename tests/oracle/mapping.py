"""A mapping file read as docs and format say, without checking it: the oracle is only given right ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.oracle.aggregates import FUNCTIONS, Aggregate
from tests.oracle.catalog import Catalog, Column, ForeignKey, Table

_FIELD_POLICIES = [
    "null",
    "zero_date",
    "submillisecond",
    "big_decimal",
    "unsigned_overflow",
    "invalid_text",
    "json_keys",
    "datetime_zone",
]


@dataclass(frozen=True)
class Field:
    """One value of a row. `sql` is an expression over the row's table, else `column` is selected.

    `case`: value of the variants column with which the field is there; None: always.
    """

    path: tuple[str, ...]
    column: Column
    sql: str | None
    type: str | None
    policies: dict[str, Any]
    link: bool = False
    case: str | None = None


@dataclass(frozen=True)
class Link:
    table: Table
    to_parent: list[tuple[str, str]]
    to_child: list[tuple[str, str]]
    conditions: list[str]


@dataclass
class Node:
    """`join` are (column of the parent, column of this table), or of the link's two sides in `link`."""

    place: str
    table: Table
    shape: str
    path: tuple[str, ...]
    key: list[str]
    fields: list[Field]
    conditions: list[str]
    order: list[str]
    policies: dict[str, Any]
    join: list[tuple[str, str]] = field(default_factory=list)
    link: Link | None = None
    limit: int | None = None
    flatten: bool = False
    parent_holds_key: bool = False
    map_key: Column | None = None
    map_key_from_link: bool = False
    duplicates: str = "reject"
    aggregate: Aggregate | None = None
    variant: Column | None = None
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterable[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Collection:
    name: str
    root: Node
    keyless: bool


def read_folder(folder: Path, catalog: Catalog, database: str, policies: dict[str, Any]) -> list[Collection]:
    """Every mapping of a folder; `policies` are the project's."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    return [read_file(path, catalog, database, policies) for path in files]


def read_file(path: Path, catalog: Catalog, database: str, policies: dict[str, Any]) -> Collection:
    """One mapping; tables without a schema are in `database`."""
    spec = _null_spelled_out(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
    return _Reader(catalog, database).collection(spec, policies)


def _null_spelled_out(value: Any) -> Any:
    """`null: omit` and `zero_date: null` as written: YAML makes its own null of the bare word."""
    if isinstance(value, dict):
        return {"null" if key is None else key: _null_spelled_out(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_null_spelled_out(inner) for inner in value]
    return "null" if value is None else value


class _Reader:
    def __init__(self, catalog: Catalog, database: str) -> None:
        self._catalog = catalog
        self._database = database

    def collection(self, spec: dict[str, Any], project: dict[str, Any]) -> Collection:
        table = self._table(spec["from"])
        policies = _inner(project, spec)
        keyless = spec.get("key") == "none"
        key = [] if keyless else _list(spec.get("key")) or table.primary_key
        assert key or keyless, f"{table.name} has no key"
        columns = [table.column(name) for name in key]
        ids = []
        for column in columns:
            # A field with the name of a key column says how that part of `_id` is written.
            own = self._explicit(table, {column.name: (spec.get("fields") or {}).get(column.name, {})}, policies)[0]
            ids.append(replace(own, path=("_id",) if len(columns) == 1 else ("_id", column.name)))
        root = Node(
            place=spec["collection"],
            table=table,
            shape="root",
            path=(),
            key=key,
            fields=[*ids, *self._fields(table, spec, policies, hidden=key)],
            conditions=self._conditions(table, spec, policies),
            order=[],
            policies=policies,
            variant=_variant(table, spec),
        )
        self._embeds(root, spec)
        return Collection(spec["collection"], root, keyless)

    def _table(self, text: str) -> Table:
        return self._catalog.table(text if "." in text else f"{self._database}.{text}")

    def _embeds(self, parent: Node, spec: dict[str, Any]) -> None:
        for name, given in (spec.get("fields") or {}).items():
            if _function(given):
                parent.children.append(self._aggregate(parent, name, given))
        for name, embed in (spec.get("embed") or {}).items():
            parent.children.append(self._embed(parent, name, embed, int(embed.get("depth", 1))))

    def _embed(self, parent: Node, name: str, spec: dict[str, Any], depth: int) -> Node:
        table = self._table(spec["from"])
        policies = _inner(parent.policies, spec)
        if "orphans" in spec:
            policies["orphans"] = spec["orphans"]
        shape = "one"
        if spec.get("many"):
            shape = "scalars" if "value" in spec else "many"
        if spec.get("as") == "map":
            shape = "map"
        parent_holds_key = shape == "one" and not spec.get("one")
        key = table.row_key if shape == "map" else _list(spec.get("key")) or table.row_key
        link = self._link(parent.table, table, spec["through"], spec, policies) if "through" in spec else None
        map_key, from_link = _own_or_linked(table, link, spec["key"]) if shape == "map" else (None, False)
        linked_value = False
        if "value" in spec:
            value = dict(spec["value"]) if isinstance(spec["value"], dict) else {"column": spec["value"]}
            if "column" in value:
                found, linked_value = _own_or_linked(table, link, value["column"])
                value["column"] = found.name
            spec = {**spec, "columns": [], "fields": {"": value}}
        fields = self._fields(link.table if linked_value and link else table, spec, policies, link=linked_value)
        if link and not linked_value and isinstance(spec["through"], dict):
            link_spec = {"columns": [], **spec["through"]}
            own = [given for given in fields if given.case is None]
            cases = [given for given in fields if given.case is not None]
            fields = own + self._fields(link.table, link_spec, policies, link=True) + cases
        node = Node(
            place=f"{parent.place}.{name}",
            table=table,
            shape=shape,
            path=() if spec.get("flatten") else tuple(spec.get("into", name).split(".")),
            key=key,
            fields=fields,
            conditions=self._conditions(table, spec, policies),
            order=_list(spec.get("order_by")) or ([_order_of(map_key, link, from_link)] if map_key else []),
            policies=policies,
            join=[] if link else self._join(parent.table, table, spec.get("on"), parent_holds_key),
            link=link,
            limit=1 if spec.get("one") and spec.get("order_by") else spec.get("limit"),
            flatten=bool(spec.get("flatten")),
            parent_holds_key=parent_holds_key,
            map_key=map_key,
            map_key_from_link=from_link,
            duplicates="all" if shape == "map" and spec.get("many") else spec.get("on_duplicate", "reject"),
            variant=_variant(table, spec),
        )
        self._embeds(node, spec)
        if depth > 1:
            node.children.append(self._embed(node, name, spec, depth - 1))
        return node

    def _aggregate(self, parent: Node, name: str, spec: dict[str, Any]) -> Node:
        function = _function(spec)
        written = str(spec[function])
        named = written if function in ("count", "exists") else written.rpartition(".")[0]
        table = self._table(named)
        column = None if named == written else table.column(written.rpartition(".")[2])
        policies = parent.policies | (spec.get("policies") or {})
        policies |= {key: spec[key] for key in _FIELD_POLICIES if key in spec}
        fields = [Field((), column, None, "string", {}, case=None)] if column is not None else []
        return Node(
            place=f"{parent.place}.{name}",
            table=table,
            shape="value",
            path=tuple(name.split(".")),
            key=[],
            fields=fields,
            conditions=self._conditions(table, spec, policies),
            order=[],
            policies=policies,
            join=self._join(parent.table, table, spec.get("on"), parent_holds_key=False),
            aggregate=Aggregate(function, column, spec.get("round"), spec.get("type"), policies),
        )

    def _link(self, parent: Table, child: Table, through: Any, spec: dict[str, Any], policies: dict[str, Any]) -> Link:
        settings = {"table": through} if isinstance(through, str) else through
        table = self._table(settings["table"])
        to_child = settings.get("to")
        return Link(
            table,
            self._join(parent, table, settings.get("on", spec.get("on")), parent_holds_key=False),
            list(to_child.items()) if to_child else self._join(table, child, None, parent_holds_key=True),
            self._conditions(
                table, {key: settings[key] for key in ("where", "soft_delete") if key in settings}, policies
            ),
        )

    def _join(self, parent: Table, child: Table, on: Any, parent_holds_key: bool) -> list[tuple[str, str]]:
        if on:
            return list(on.items())
        holder, held = (parent, child) if parent_holds_key else (child, parent)
        fitting: list[ForeignKey] = [key for key in holder.foreign_keys if key.parent == held.name]
        assert len(fitting) == 1, f"{len(fitting)} foreign keys from {holder.name} to {held.name}"
        mine, theirs = fitting[0].columns, fitting[0].parent_columns
        return list(zip(mine, theirs, strict=True)) if parent_holds_key else list(zip(theirs, mine, strict=True))

    def _conditions(self, table: Table, spec: dict[str, Any], policies: dict[str, Any]) -> list[str]:
        found = [str(spec["where"])] if spec.get("where") else []
        for column, constant in (spec.get("match") or {}).items():
            text = str(constant).replace("\\", "\\\\").replace("'", "''")
            found.append(f"`{column}` = '{text}'")
        soft_delete = policies.get("soft_delete")
        if soft_delete and spec.get("soft_delete") is not False:
            column = soft_delete["column"]
            if any(column == known.name for known in table.columns):
                found.append(soft_delete.get("keep") or f"`{column}` IS NULL")
        return found

    def _fields(
        self,
        table: Table,
        spec: dict[str, Any],
        policies: dict[str, Any],
        *,
        hidden: Iterable[str] = (),
        link: bool = False,
    ) -> list[Field]:
        """Columns in table order with their fields at their place, then expressions in mapping order, then variants."""
        given = {name: field for name, field in (spec.get("fields") or {}).items() if name not in hidden}
        cases = (spec.get("variants") or {}).get("cases", {})
        shapes = [self._explicit(table, shape.get("fields"), policies, link) for shape in cases.values()]
        in_cases = [field for fields in shapes for field in fields if field.sql is None]
        mentioned = {field.column.name for field in in_cases}
        mentioned |= {column for shape in cases.values() for column in _list(shape.get("columns"))}
        skipped = {*hidden, *mentioned}
        found = _in_order(table, self._explicit(table, given, policies, link), spec, policies, skipped, link)
        for (case, shape), fields in zip(cases.items(), shapes, strict=True):
            listed = {"columns": _list(shape.get("columns"))}
            own = _in_order(table, fields, listed, policies, (), link)
            found += [replace(field, case=str(case)) for field in own]
        return found

    def _explicit(
        self, table: Table, specs: dict[str, Any] | None, policies: dict[str, Any], link: bool = False
    ) -> list[Field]:
        found = []
        for name, given in (specs or {}).items():
            if _function(given):
                continue
            spec = {"column": given} if isinstance(given, str) else given
            own = policies | (spec.get("policies") or {}) | {key: spec[key] for key in _FIELD_POLICIES if key in spec}
            sql = spec.get("sql")
            if sql is not None:
                sql = str(sql)
                column = self._catalog.expression(table.name, sql)
            else:
                column = table.column(spec.get("column", name))
            path = tuple(name.split(".")) if name else ()
            found.append(Field(path, column, sql, spec.get("type"), own, link))
        return found


def _function(spec: Any) -> str:
    """Which function of child rows a field is, "" for none."""
    return next((name for name in FUNCTIONS if isinstance(spec, dict) and name in spec), "")


def _own_or_linked(table: Table, link: Link | None, name: str) -> tuple[Column, bool]:
    """A column of the embedded table, or of the link table if that is named or alone has it."""
    if link is None or any(own.name.lower() == name.lower() for own in table.columns):
        return table.column(name), False
    if name.startswith(f"{table.name.split('.')[-1]}."):
        return table.column(name.partition(".")[2]), False
    return link.table.column(name.removeprefix(f"{link.table.name.split('.')[-1]}.")), True


def _order_of(key: Column, link: Link | None, from_link: bool) -> str:
    return f"{link.table.name.split('.')[-1]}.{key.name}" if link is not None and from_link else key.name


def _in_order(
    table: Table,
    explicit: list[Field],
    spec: dict[str, Any],
    policies: dict[str, Any],
    skipped: Iterable[str],
    link: bool,
) -> list[Field]:
    mentioned = {field.column.name for field in explicit if field.sql is None}
    found: list[Field] = []
    for column in table.columns:
        found += [field for field in explicit if field.sql is None and field.column.name == column.name]
        if column.name not in mentioned and column.name not in skipped and _is_selected(column, spec):
            found.append(Field((column.name,), column, None, None, policies, link))
    return found + [field for field in explicit if field.sql is not None]


def _is_selected(column: Column, spec: dict[str, Any]) -> bool:
    if column.generated_key:
        return False
    wanted = spec.get("columns", "all")
    if wanted == "all":
        return True
    if isinstance(wanted, dict):
        return column.name not in wanted["except"]
    return column.name in wanted


def _variant(table: Table, spec: dict[str, Any]) -> Column | None:
    variants = spec.get("variants")
    return table.column(variants["column"]) if variants else None


def _inner(outer: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The outer policies with those of a collection or an embed over them."""
    policies = {**outer, **(spec.get("policies") or {})}
    if "null" in spec:
        policies["null"] = spec["null"]
    return policies


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
