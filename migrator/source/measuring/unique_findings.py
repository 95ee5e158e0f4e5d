"""Unique indexes of the mapping that the data would break, found before the load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

from migrator.indexing.collations import ignores_accents, ignores_case
from migrator.model.mapping.tree import Field, IndexSpec
from migrator.model.plan.plan import Finding
from migrator.model.text.values import key_text
from migrator.source.measuring.context import MANY, MeasureContext, unchecked
from migrator.source.measuring.join_findings import child_holds_key
from migrator.source.measuring.queries import Row, TimeLimit, number
from migrator.source.measuring.row_queries import Some, TablePart
from migrator.source.measuring.table_facts import TableFacts

_SHOWN = 3
# By whether the server is MariaDB. Spaces at the end count, as they do in MongoDB.
_WITHOUT_ACCENTS = {True: "utf8mb4_unicode_520_nopad_ci", False: "utf8mb4_0900_ai_ci"}


def unique_findings(context: MeasureContext) -> Iterator[Finding]:
    """For each unique index over the root's own fields: duplicates, or that they could not be looked for."""
    root = context.collection.root
    fields = {".".join(field.path): field for field in root.fields}
    facts = context.facts_of(root)
    for spec in context.collection.indexes:
        names = [path for path, _ in spec.keys]
        if not spec.unique or "_id" in names:
            continue
        if any(name not in fields for name in names):
            continue  # see `unique_below`
        keys = [fields[name] for name in names]
        if not _is_guaranteed(facts, keys, spec):
            yield from _duplicates(context, spec, keys)


def unique_below(context: MeasureContext) -> tuple[IndexSpec, ...]:
    """Unique indexes over embedded tables that the source doesn't guarantee: only documents show their keys."""
    fields = {".".join(field.path) for field in context.collection.root.fields}
    found = []
    for spec in context.collection.indexes:
        names = [path for path, _ in spec.keys]
        if (
            spec.unique
            and "_id" not in names
            and not fields.issuperset(names)
            and not _is_guaranteed_below(context, names, spec)
        ):
            found.append(spec)
    return tuple(found)


def _is_guaranteed(facts: TableFacts, keys: Sequence[Field], spec: IndexSpec) -> bool:
    """Whether a unique index of the source makes sure of it."""
    plain = [field.column.name for field in keys if field.sql is None and _keeps_apart(field)]
    return spec.collation is None and facts.is_unique(plain)


def _is_guaranteed_below(context: MeasureContext, names: Sequence[str], spec: IndexSpec) -> bool:
    """The same for fields of one embedded table, none of whose rows can stand in two documents."""
    for path in context.paths():
        place = tuple(part for node in path for part in node.path)
        fields = {".".join((*place, *field.path)): field for field in path[-1].fields if not field.from_link}
        if all(name in fields for name in names):
            alone = all(child_holds_key(node, parent) for parent, node in pairwise(path))
            keys = [fields[name] for name in names]
            # In an array null is a key like any other, and an index can't leave single elements out.
            null = any(field.column.nullable for field in keys) and any(node.shape in MANY for node in path)
            return alone and not null and _is_guaranteed(context.facts_of(path[-1]), keys, spec)
    return False


def _keeps_apart(field: Field) -> bool:
    """Whether different values stay different in the document."""
    match field.value.kind:
        case "bool":
            return False
        case "double":
            return field.value.family == "double"
        case "date":
            return (field.column.fraction or 0) <= 3 and field.value.policies.zero_date != "null"
        case "decimal128" | "uuid" | "objectid":
            return field.value.family != "text"
    return True


def _duplicates(context: MeasureContext, spec: IndexSpec, keys: Sequence[Field]) -> Iterator[Finding]:
    root = context.collection.root
    facts = context.facts_of(root)
    where = f"{context.collection.name}: {spec.name}"
    try:
        some, found = _find_duplicates(context, spec, keys)
    except TimeLimit as reason:
        yield unchecked(where, reason)
        return
    if found:
        yield _finding(spec, facts, keys, found, where)
    elif some is not None:
        text = f"{facts.qualified} has no unique index for {spec.name}: duplicates were only looked for in a sample"
        yield Finding("info", "unchecked", where, text, "`migrator plan --exact` checks all rows.")


def _find_duplicates(context: MeasureContext, spec: IndexSpec, keys: Sequence[Field]) -> tuple[Some, list[Row]]:
    """What was looked at, and the duplicates in it.

    Raises:
        TimeLimit: when even a sample takes too long.
    """
    root = context.collection.root
    facts = context.facts_of(root)

    def ask(some: Some) -> list[Row]:
        purpose = f"look for duplicates of the unique index {spec.name} in {facts.qualified}"
        statement = _statement(TablePart.of(root), spec, keys, some, mariadb=context.ask.mariadb)
        return context.ask.rows(purpose, statement)

    some = context.some(root)
    # A duplicate ends the apply, and samples hardly ever show one.
    if some is not None and facts.is_readable:
        with suppress(TimeLimit):
            return None, ask(None)
    return some, ask(some)


def _statement(part: TablePart, spec: IndexSpec, keys: Sequence[Field], some: Some, *, mariadb: bool) -> str:
    nullable = {path for path, _ in spec.nullable}
    accents = _WITHOUT_ACCENTS[mariadb] if ignores_accents(spec.collation) else ""
    values = {f"g{place}": _compared(part.value(field), field, spec, accents) for place, field in enumerate(keys)}
    # Documents whose nullable keys are null are left out of a unique index (it is partial).
    present = [f"g{place} IS NOT NULL" for place, field in enumerate(keys) if ".".join(field.path) in nullable]
    where = f" WHERE {' AND '.join(present)}" if present else ""
    names = ", ".join(values)
    return (
        f"SELECT {names}, COUNT(*) AS n, COUNT(*) OVER () FROM ({part.select(values, some)}) AS v{where} "
        f"GROUP BY {names} HAVING COUNT(*) > 1 ORDER BY n DESC LIMIT {_SHOWN}"
    )


def _compared(value: str, field: Field, spec: IndexSpec, accents: str) -> str:
    """The value as MongoDB compares it: text by its bytes unless the index has a collation, as far as that is sure.

    `accents` is the source's collation that ignores case and accents, "" where the index doesn't.
    """
    match field.value.kind:
        case "string" if field.value.family == "text" and accents:
            return f"CONVERT({value} USING utf8mb4) COLLATE {accents}"
        case "string" if field.value.family == "text" and ignores_case(spec.collation):
            return f"CAST(LOWER(CONVERT({value} USING utf8mb4)) AS BINARY)"
        case "string" | "json":
            return f"CAST(CONVERT({value} USING utf8mb4) AS BINARY)"
        case "bool":
            return f"({value}) <> 0"
        case "date" if (field.column.fraction or 0) > 3:
            return f"LEFT({value}, 23)"
        case "uuid" | "objectid" if field.value.family == "text":
            return f"LOWER(REPLACE({value}, '-', ''))"
        case "decimal128" if field.value.family == "text":
            return f"CAST({value} AS DECIMAL(65, 30))"
        case "double":
            return f"({value}) + 0e0"
    return value


def _finding(spec: IndexSpec, facts: TableFacts, keys: Sequence[Field], found: Sequence[Row], where: str) -> Finding:
    width = len(keys)
    names = ", ".join(path for path, _ in spec.keys)
    values = number(found[0][width + 1])
    shown = "; ".join(f"{key_text(row[:width])} ({number(row[width]):,} rows)" for row in found)
    return Finding(
        "blocked",
        "duplicate-unique",
        where,
        f"the unique index {spec.name} can't be built: {values:,} value{'' if values == 1 else 's'} of {names} "
        f"occur{'s' if values == 1 else ''} in more than one row of {facts.qualified}: {shown}",
        "Remove `unique: true`, add a field that tells them apart, or fix the rows.",
    )
