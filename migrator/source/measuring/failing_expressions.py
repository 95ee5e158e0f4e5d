"""Which SQL of a mapping the server can't compute for some row: asked only after a statement failed for that reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from migrator.errors import ExpressionFailed, MigratorError
from migrator.model.mapping.tree import Collection, Node
from migrator.source.connection.url import SourceUrl
from migrator.source.measuring.node_rows import all_fields
from migrator.source.measuring.queries import TimeLimit, asking
from migrator.source.measuring.row_queries import TablePart

_SECONDS = 10.0  # for one expression over all rows of its table
_FIX = "Write it so that it has a value for every row, or leave such rows out with `where:`."


@dataclass(frozen=True)
class _Probe:
    """A statement that computes one piece of the mapping's SQL for every row that it is computed for."""

    table: tuple[str, str]
    text: str
    statement: str


@contextmanager
def located(url: SourceUrl, collections: Callable[[], Sequence[Collection]]) -> Iterator[None]:
    """Names file and line of the expression that made a statement inside the block fail.

    Args:
        collections: those whose SQL it may be; asked for only then.

    Raises:
        ExpressionFailed: as it was raised, or with the place in the mapping.
    """
    try:
        yield
    except ExpressionFailed as error:
        for collection in collections():
            for probe in _probes(collection.root):
                said = _failure(url, probe)
                if said:
                    raise ExpressionFailed(
                        f"the server can't compute `{probe.text}` for some row of {'.'.join(probe.table)}: {said}",
                        where=_place(collection, probe),
                        hint=_FIX,
                    ) from error
        raise


def _place(collection: Collection, probe: _Probe) -> str:
    lines = [sql.line for sql in collection.sql if (sql.table, sql.text) == (probe.table, probe.text)]
    return f"{collection.file}:{lines[0]}" if lines else collection.file


def _probes(root: Node) -> Iterator[_Probe]:
    for node in root.walk():
        yield from _conditions(TablePart.of(node))
        if node.link is not None:
            yield from _conditions(TablePart.of_link(node.link))
        for field in all_fields(node):
            if field.sql is not None:
                part = TablePart.of_link(node.link) if field.from_link and node.link is not None else TablePart.of(node)
                yield _probe(part, field.sql, part)


def _conditions(part: TablePart) -> Iterator[_Probe]:
    if part.where is not None:
        yield _probe(part, part.where, part.unconditional())


def _probe(part: TablePart, text: str, rows: TablePart) -> _Probe:
    return _Probe((part.schema, part.table), text, rows.select({"n": f"SUM(LENGTH(({text}\n)))"}))


def _failure(url: SourceUrl, probe: _Probe) -> str:
    """What the server says of it; "" when it can be computed, or that takes too long."""
    try:
        # A connection each: one that ran into a time limit may still be at it.
        with asking(url, _SECONDS) as ask:
            ask.rows(f"compute `{probe.text}`", probe.statement)
    except ExpressionFailed as error:
        return error.what.partition(": ")[2]
    except (TimeLimit, MigratorError):
        pass  # what failed first is what is reported
    return ""
