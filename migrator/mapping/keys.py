"""What identifies a document: the root's key and its form in `_id`."""

from __future__ import annotations

from migrator.mapping.catalog import columns
from migrator.mapping.fields import LocatedField
from migrator.mapping.file.structure import name_mistake
from migrator.mapping.location import Location
from migrator.mapping.suggest import grant_reading
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import Representation, Unrepresentable, represent
from migrator.model.mapping.spec import CollectionSpec, FieldSpec, overlay
from migrator.model.mapping.tree import Field
from migrator.model.schema.tables import Column, Table

# Character sets whose bytes are the same in utf8mb4.
_SENT_AS_STORED = ("utf8mb4", "utf8mb3", "utf8", "ascii")

_WITHOUT_VIEW = "map the tables that it reads, or copy it without a key: `key: none`"


def root_key(spec: CollectionSpec, table: Table, location: Location) -> tuple[Column, ...]:
    """The columns that name a row of the root table; () for `key: none`, and for mistakes, which are reported."""
    if spec.key == ():
        return ()
    if spec.key is None:
        if table.primary_key:
            return tuple(table.by_name[name] for name in table.primary_key)
        _report_no_key(table, location.at("from"))
        return ()
    here = location.at("key")
    key = columns(table, spec.key, here)
    if len(key) < len(spec.key):
        return ()
    names = {column.name for column in key}
    if not any(names == set(unique) for unique in table.unique_keys):
        _report_not_unique(table, key, here)
        return ()
    return key


def _report_no_key(table: Table, location: Location) -> None:
    if table.denied_to:
        message = f"the account may read some columns of {table.qualified} only, and sees no primary key"
        location.report(message, grant_reading(table))
    elif table.is_view:
        location.report(f"{table.qualified} is a view: nothing guarantees a key of its rows", _WITHOUT_VIEW)
    elif table.unique_keys:
        ways = " or ".join(f"`key: [{', '.join(key)}]`" for key in table.unique_keys)
        location.report(f"{table.qualified} has no primary key", f"a unique key names its rows: write {ways}")
    else:
        hint = "add a primary key, or copy it without one: `key: none` (then nothing can be embedded, nor synced)"
        location.report(f"{table.qualified} has no primary key and no unique key over NOT NULL columns", hint)


def _report_not_unique(table: Table, key: tuple[Column, ...], location: Location) -> None:
    names = ", ".join(column.name for column in key)
    if table.denied_to:
        message = f"the account may read some columns of {table.qualified} only, and sees no key of ({names})"
        location.report(message, grant_reading(table))
        return
    if table.is_view:
        message = f"{table.qualified} is a view: nothing guarantees that ({names}) names one row"
        location.report(message, _WITHOUT_VIEW)
        return
    ways = " or ".join(f"`key: [{', '.join(unique)}]`" for unique in table.unique_keys)
    nullable = [column.name for column in key if column.nullable]
    reason = f"`{nullable[0]}` may be NULL" if nullable else "no primary or unique key consists of just these columns"
    location.report(f"({names}) does not name a row of {table.qualified}: {reason}", f"write {ways}" if ways else "")


def id_fields(
    spec: CollectionSpec, key: tuple[Column, ...], policies: Policies, location: Location
) -> tuple[tuple[LocatedField, ...], frozenset[str]]:
    """The `_id` fields, and the names under `fields:` that they use up (a key column under its own name)."""
    placed: list[LocatedField] = []
    used: set[str] = set()
    for column in key:
        name, own = _own_spec(spec, column)
        here = location.at("fields", name) if own else location.at("key" if spec.key else "from")
        if own is not None:
            used.add(name)
        path = ("_id",) if len(key) == 1 else ("_id", column.name)
        mistake = name_mistake(column.name) if len(key) > 1 else ""
        if mistake:
            here.report(f"the key column `{column.name}` can't be part of _id: {mistake}")
        value = _represent(column, own, policies, here)
        if value is None:
            continue
        mistake = _ambiguous(column, value, alone=len(key) == 1)
        if mistake:
            hint = f"write `fields: {{{column.name}: {{type: string}}}}`"
            here.report(f"`{column.name}` can't be the key like this: {mistake}", hint)
        stated = (own.type if own else None) or ""
        placed.append(LocatedField(Field(path, column, None, value, stated_type=stated), here))
    return tuple(placed), frozenset(used)


def _own_spec(spec: CollectionSpec, column: Column) -> tuple[str, FieldSpec | None]:
    for name, field in spec.fields.items():
        source = field.column or name
        if field.sql is None and field.aggregate is None and name.lower() == column.name.lower() == source.lower():
            return name, field
    return column.name, None


def _represent(column: Column, own: FieldSpec | None, policies: Policies, location: Location) -> Representation | None:
    if own is not None:
        policies = overlay(overlay(policies, own.policies), own)
    try:
        return represent(column, own.type if own else None, policies)
    except Unrepresentable as error:
        hint = f"it can become: {', '.join(error.allowed)}" if error.allowed else ""
        location.at("type").report(f"the key column `{column.name}`: {error}", hint)
        return None


def _ambiguous(column: Column, value: Representation, *, alone: bool) -> str:
    """Why two keys could become one `_id` (and the second document overwrite the first), "" when they can't."""
    fine = (column.fraction or 0) > 3
    if value.kind == "array" and alone:
        return "MongoDB allows no array there"
    if value.kind == "bool" and value.family == "integer":
        return "all numbers but 0 become true"
    if value.kind == "double" and value.family in ("integer", "decimal"):
        return "large numbers are rounded to the same double"
    if value.kind == "json" or (value.family == "text" and value.kind == "decimal128"):
        return "different texts have the same value"
    if value.family == "text" and value.kind == "binary" and column.charset not in _SENT_AS_STORED:
        return f"the server sends keys in utf8mb4, and its bytes in {column.charset} are others"
    if value.kind == "date" and value.companion:
        return "the microseconds would stand outside of it"
    if value.kind == "date" and fine and value.policies.submillisecond == "truncate":
        return "times that differ by microseconds become the same date"
    if value.kind == "date" and value.policies.zero_date == "null":
        return "all zero dates become null"
    return ""
