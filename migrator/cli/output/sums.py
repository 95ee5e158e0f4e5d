"""What `verify --independent` prints: one table, a row for each node and each field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from migrator.model.text.formatting import clean, plural
from migrator.verify.independent import IndependentReport, SumLine

_COLUMNS = ("rows", "values", "nulls", "sum", "least", "greatest")
_LONGEST = 24


def summary(report: IndependentReport) -> Iterator[RenderableType]:
    """What a person reads; `source ≠ target` where they differ."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("field", overflow="fold")
    for name in _COLUMNS:
        table.add_column(name, justify="right", overflow="fold")
    rows: dict[tuple[str, str, str], dict[str, SumLine]] = {}
    for line in report.lines:
        rows.setdefault((line.collection, line.node, line.field), {})[line.what] = line
    for (_, node, field), found in rows.items():
        name = f"  {field}" if field else node
        table.add_row(Text(clean(name), "" if field else "bold"), *(_cell(found.get(what)) for what in _COLUMNS))
    yield table
    for note in report.notes:
        yield Text.assemble(("note  ", "yellow"), clean(note))
    for line in report.different:
        place = f"{line.node} {line.field}".strip()
        numbers = f"source {line.source or '(none)'}, target {line.target or '(none)'}"
        text = f"{line.collection}, {place}: {line.what}: {numbers}"
        yield Text.assemble(("different  ", "bold red"), clean(text))
    if report.different:
        yield Text(f"Not the same: {plural(len(report.different), 'number')} of {len(report.lines)}.", "bold red")
    else:
        yield Text(f"The same: {plural(len(report.lines), 'number')} added up on both sides.", "bold green")


def as_json(report: IndependentReport) -> str:
    """The report file."""
    body = {
        "clean": not report.different,
        "notes": list(report.notes),
        "numbers": [asdict(line) for line in report.lines],
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def _cell(line: SumLine | None) -> Text:
    if line is None:
        return Text("")
    if line.same:
        return Text(clean(_short(line.source)))
    return Text(clean(f"{_short(line.source)} ≠ {_short(line.target)}"), "bold red")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
