"""How many rows a node's table holds, how big they are, and which of their values don't fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Field, Node
from migrator.model.plan.plan import Finding, Measure
from migrator.model.schema.tables import Column
from migrator.model.text.values import key_text
from migrator.source.measuring.context import MeasureContext, unchecked
from migrator.source.measuring.queries import Row, TimeLimit, number
from migrator.source.measuring.row_queries import Some, TablePart
from migrator.source.measuring.row_sizes import link_size, row_size
from migrator.source.measuring.table_facts import TableFacts, counted_upto
from migrator.source.measuring.value_checks import ValueCheck, map_key_checks, value_checks

_COUNT_UPTO = 1_000_000  # rows counted where the server has no estimate


@dataclass(frozen=True)
class NodeRows:
    """What is known of a node's rows.

    Attributes:
        rows: kept by the mapping's conditions.
        row_bytes: average BSON bytes of one, with what it has from its link table; estimated from lengths.
    """

    rows: Measure
    row_bytes: Measure
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _FieldCheck:
    """A check and the field it is about, `orders.items: price`."""

    check: ValueCheck
    where: str


@dataclass(frozen=True)
class _TableScan:
    """What a look at a table, or at a sample of it, gave. `looked` is None where the whole table was read."""

    kept: int
    bytes: int
    sampled: int | None
    answers: Row


def node_rows(context: MeasureContext, node: Node) -> NodeRows:
    """Counts and checks the rows of a node's table, and of its link table."""
    part, facts = TablePart.of(node), context.facts_of(node)
    own = [field for field in all_fields(node) if not field.from_link and node.aggregate is None]
    checks = _checks(node, own, part)
    if node.map_key is not None and not node.map_key_from_link:
        checks += _key_checks(node, node.map_key, part)
    example = key_as_text(part, [one.name for one in node.key], node.key)
    try:
        seen, findings = _judged(context, part, facts, context.some(node), row_size(node, part), checks, example)
    except TimeLimit as reason:
        return _by_statistics(context, node, reason)
    size, exact = seen.bytes / seen.kept if seen.kept else 0.0, seen.sampled is None
    rows = _total(context, facts, seen)
    if node.link is not None:
        more, link_findings = _link(context, node)
        size += more
        findings += link_findings
    return NodeRows(Measure(rows, exact), Measure(round(size), False), tuple(findings))


def _link(context: MeasureContext, node: Node) -> tuple[float, list[Finding]]:
    """Average bytes from the link table, and what is wrong with its values."""
    fields = [field for field in all_fields(node) if field.from_link]
    key = node.map_key if node.map_key_from_link else None
    if node.link is None or not (fields or key):
        return 0.0, []
    part, facts = TablePart.of_link(node.link), context.link_facts(node.link)
    checks = _checks(node, fields, part)
    if key is not None:
        checks += _key_checks(node, key, part)
    example = key_as_text(part, node.link.key, ())
    try:
        some, size = context.some_of_link(node.link), link_size(node, part)
        seen, findings = _judged(context, part, facts, some, size, checks, example)
    except TimeLimit as reason:
        return 0.0, [unchecked(node.id, reason)]
    return (seen.bytes / seen.kept if seen.kept else 0.0), findings


def all_fields(node: Node) -> list[Field]:
    """The fields of a node and of its variants."""
    cases = node.variants.cases if node.variants is not None else ()
    return [*node.fields, *(field for _, fields in cases for field in fields)]


def _checks(node: Node, fields: Sequence[Field], part: TablePart) -> list[_FieldCheck]:
    found = {}
    for field in fields:
        where = f"{node.id}: {'.'.join(field.path)}" if field.path else node.id
        for check in value_checks(field, part.value(field)):
            found[check.code, where] = _FieldCheck(check, where)
    return list(found.values())


def _key_checks(node: Node, key: Column, part: TablePart) -> list[_FieldCheck]:
    """What may be wrong with the keys of a map."""
    policy = node.fields[0].value.policies.json_keys
    return [_FieldCheck(check, f"{node.id} (keys)") for check in map_key_checks(policy, part.column(key.name))]


def _judged(
    context: MeasureContext,
    part: TablePart,
    facts: TableFacts,
    some: Some,
    size: str,
    checks: Sequence[_FieldCheck],
    example: str,
) -> tuple[_TableScan, list[Finding]]:
    """A look at the rows and what is wrong with them."""
    seen = _scan(context, part, facts, some, size, checks, example)
    return seen, _findings(checks, seen, facts)


def _scan(
    context: MeasureContext,
    part: TablePart,
    facts: TableFacts,
    some: Some,
    size: str,
    checks: Sequence[_FieldCheck],
    example: str,
) -> _TableScan:
    """One pass over the table, or over the sample."""
    values = {"n": "COUNT(*)", "b": f"SUM({size})"}
    for place, placed in enumerate(checks):
        values[f"c{place}"] = f"SUM(IF({placed.check.condition}, 1, 0))"
        values[f"e{place}"] = f"MIN(IF({placed.check.condition}, {example}, NULL))"
    row = context.ask.row(f"look at the rows of {facts.qualified}", part.select(values, some))
    looked = None
    if some is not None:
        statement = part.unconditional().select({"n": "COUNT(*)"}, some)
        looked = number(context.ask.row(f"count the sampled rows of {facts.qualified}", statement)[0])
    return _TableScan(number(row[0]), number(row[1]), looked, row[2:])


def _findings(checks: Sequence[_FieldCheck], seen: _TableScan, facts: TableFacts) -> list[Finding]:
    found = []
    for place, placed in enumerate(checks):
        count, example = number(seen.answers[2 * place]), seen.answers[2 * place + 1]
        if count:
            check = placed.check
            rows = f"{rows_text(count, seen.sampled)} of {facts.qualified}{example_text(example)}"
            text = f"{check.what} in {rows}; {check.then}" if check.then else f"{check.what} in {rows}"
            found.append(Finding(check.severity, check.code, placed.where, text, check.fix))
    return found


def rows_text(count: int, looked: int | None) -> str:
    """`12 rows`, or `12 of the 2,000 rows checked`."""
    if looked is None:
        return f"{count:,} row{'' if count == 1 else 's'}"
    return f"{count:,} of the {looked:,} rows checked"


def example_text(key: bytes | None) -> str:
    return "" if key is None else f" (such as {key_text((key,))})"


def key_as_text(part: TablePart, names: Sequence[str], columns: Sequence[Column]) -> str:
    """A row's key in SQL, to be shown; so that MIN of it is the lowest where that makes sense."""
    if not names:
        return "NULL"
    binary = {one.name for one in columns if family_of(one) in ("binary", "bit")}
    parts = [f"CONCAT('0x', HEX({part.column(name)}))" if name in binary else part.column(name) for name in names]
    if len(parts) == 1:
        return parts[0]
    # Parts with collations of their own could be put together, but not compared: MIN of that is an error (1267).
    comparable = [f"CONVERT({one} USING utf8mb4) COLLATE utf8mb4_bin" for one in parts]
    return f"CONCAT_WS(', ', {', '.join(comparable)})"


def _total(context: MeasureContext, facts: TableFacts, seen: _TableScan) -> int:
    """The kept rows of the whole table, as the sample lets expect."""
    if seen.sampled is None:
        return seen.kept
    if not seen.sampled:
        return 0
    return round(_estimate(context, facts) * seen.kept / seen.sampled)


def _estimate(context: MeasureContext, facts: TableFacts) -> int:
    """The rows of a large table: the server's estimate, else as many as can be counted in the time."""
    if facts.rows:
        return facts.rows
    try:
        return counted_upto(context.ask, facts, _COUNT_UPTO)
    except TimeLimit:
        return 0


def _by_statistics(context: MeasureContext, node: Node, reason: TimeLimit) -> NodeRows:
    """When even a sample takes too long, as of a view that is computed as a whole."""
    facts = context.facts_of(node)
    size = round(facts.bytes / facts.rows) if facts.rows else 0
    rows = Measure(_estimate(context, facts), False)
    return NodeRows(rows, Measure(size, False), (unchecked(node.id, reason),))
