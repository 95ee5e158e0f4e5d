"""The independent check: the source computes sums of its tables, the target sums of its documents; both are compared.

verify shares the assembler with the copy and would not see the assembler's own mistakes. Here no document is rebuilt:
an element that is left out is missing in a count, a swapped column in a sum.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal

from migrator.errors import SettingsError
from migrator.model.change.position import Position
from migrator.model.report.activity import Phase
from migrator.model.report.sums import FieldSums, MeasuredField, NodeSums, SummedNode, summed_nodes
from migrator.model.report.verify import Published
from migrator.ports.verify import VerifiedSource, VerifyEndpoints, VerifyState
from migrator.verify.outcome import VerifyObserver, VerifyOptions
from migrator.verify.selection import chosen, parse_key
from migrator.verify.sync_monitor import SyncMonitor
from migrator.verify.worker import require_copied_server
from migrator.workers.announcer import Announcements, Announcer
from migrator.workers.retry import retrying

# Documents that were rejected are left out of the tables' sums, if they are not too many for a statement.
_MOST_REJECTED = 1000
_ATTEMPTS = 5
_POLL_SECONDS = 0.3
_REAL = Decimal("1e-9")
_FLOAT = Decimal("1e-6")
_OVERFLOW = Decimal("1e300")


@dataclass(frozen=True, slots=True)
class SumLine:
    """One number of one field, or of a node, on both sides.

    Attributes:
        node: Node.id.
        field: dotted, within the node; "" for the node's own line.
        what: `rows`, `values`, `sum`, `least`, `greatest`.
        source, target: as text, "" for none.
        same: they are equal, as exactly as the type allows.
        note: why they were not compared, or what else is to be said.
    """

    collection: str
    node: str
    field: str
    what: str
    source: str
    target: str
    same: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class IndependentReport:
    """All lines, those that differ among them."""

    lines: tuple[SumLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def different(self) -> tuple[SumLine, ...]:
        return tuple(line for line in self.lines if not line.same)


def compare_sums(ends: VerifyEndpoints, options: VerifyOptions, observer: VerifyObserver) -> IndependentReport:
    """Adds up both sides. While a sync runs, it waits until that has passed the tables' sums, and tries several times
    where values change in between.

    Raises:
        SettingsError: when what is asked for is not there.
        PlanRefused: when the source is another server than the one that was copied from.
    """
    with Announcements("verify", observer) as announcements, ExitStack() as stack:
        announcements.enter(Phase("verifying"))
        source, target = ends.open_source(), ends.open_target(announcements)
        stack.enter_context(closing(target))
        with announcements.waiting("answers of the servers", source.blocked):
            look = _SumComparison(
                source, target.verify_state(), SyncMonitor(target.sync_target()), options, announcements
            )
            published = chosen(target.verify_state().published(), options.wanted)
        lines: list[SumLine] = []
        notes: list[str] = []
        for each in published:
            with announcements.waiting("the source to say which server it is", source.blocked):
                require_copied_server(each.server, source)
            observer.note(f"adding up {each.scope.collection}")
            found, said = look.at(each)
            lines += found
            notes += said
        return IndependentReport(tuple(lines), tuple(notes))


class _SumComparison:
    def __init__(
        self,
        source: VerifiedSource,
        state: VerifyState,
        race: SyncMonitor,
        options: VerifyOptions,
        announcer: Announcer,
    ) -> None:
        self._announcer = announcer
        self._source = source
        self._state = state
        self._sync_monitor = race
        self._settle_seconds = options.settle_seconds
        self._retrying = retrying(options.pace.retry_seconds, announcer)
        self._here = self._retrying(source.position) if race.is_running else None

    def at(self, published: Published) -> tuple[list[SumLine], list[str]]:
        name = published.scope.collection
        every = summed_nodes(published.collection)
        usable = [summed for summed in every if not summed.why]
        notes = list(dict.fromkeys(f"{name}: {summed.why}" for summed in every if summed.why))
        without, said = self._rejected(published)
        notes += said
        before: tuple[NodeSums, ...] | None = None
        for _ in range(_ATTEMPTS):
            with self._announcer.waiting(f"the source to add up the tables of {name}", self._source.blocked):
                ours = self._retrying(lambda: self._source.sums(usable, without))
            with self._announcer.waiting("the running sync to pass those sums"):
                followed = self._wait(published)
            with self._announcer.waiting(f"the target to add up {name}"):
                theirs = self._state.sums(name, usable)
            lines = [
                line
                for summed, one, two in zip(usable, ours, theirs, strict=True)
                for line in _lines(name, summed, one, two)
            ]
            if all(line.same for line in lines) or not followed or ours == before:
                return lines, notes
            before = ours
        return lines, [*notes, f"{name} changed all the time: sums of one moment could not be had on both sides"]

    def _wait(self, published: Published) -> bool:
        """Until a sync has done all that the tables' sums contain; False when none is at work."""
        here = self._here
        if here is None or not self._sync_monitor.serves(published.scope):
            return False
        end: Position = self._retrying(lambda: self._source.log_status(here).end)
        until = time.monotonic() + self._settle_seconds
        while time.monotonic() < until and self._sync_monitor.serves(published.scope):
            if self._sync_monitor.has_passed(published.scope, end):
                return True
            time.sleep(_POLL_SECONDS)
        return self._sync_monitor.is_running

    def _rejected(self, published: Published) -> tuple[list[tuple[bytes, ...]], list[str]]:
        """Keys of documents that are not there since their rows were rejected."""
        name, collection = published.scope.collection, published.collection
        texts = self._state.rejected(published.scope, _MOST_REJECTED + 1)
        if not texts:
            return [], []
        if not collection.root.key or len(texts) > _MOST_REJECTED:
            return [], [f"{name}: rejected rows count on the source's side only"]
        try:
            return [parse_key(text, collection) for text in texts], []
        except SettingsError:
            return [], [f"{name}: rejected rows count on the source's side only"]


def compared(
    name: str, every: Sequence[SummedNode], ours: Sequence[NodeSums], theirs: Sequence[NodeSums]
) -> list[SumLine]:
    """The sums of one collection, compared."""
    return [
        line
        for summed, one, other in zip(every, ours, theirs, strict=True)
        for line in _lines(name, summed, one, other)
    ]


def _lines(collection: str, summed: SummedNode, ours: NodeSums, theirs: NodeSums) -> list[SumLine]:
    lines = []
    if summed.counts_rows:
        lines.append(_line(collection, summed, "", "rows", ours.rows, theirs.rows))
    for measured, one, other in zip(summed.fields, ours.fields, theirs.fields, strict=True):
        name = ".".join(measured.field.path)
        lines.append(_line(collection, summed, name, "values", one.values, other.values))
        if other.typed != other.values:
            lines.append(_line(collection, summed, name, "of another type", 0, other.values - other.typed))
        if summed.counts_rows and measured.case is None:
            lines.append(_line(collection, summed, name, "nulls", ours.rows - one.values, theirs.rows - other.values))
        lines += _amounts(collection, summed, name, measured, one, other)
    return lines


def _amounts(
    collection: str, summed: SummedNode, name: str, measured: MeasuredField, ours: FieldSums, theirs: FieldSums
) -> list[SumLine]:
    if measured.measure == "count":
        return []
    lines = []
    near = {"real": _FLOAT if measured.field.value.family == "float" else _REAL}.get(measured.measure, Decimal(0))
    extremes = [abs(each) for each in (ours.least, ours.greatest) if isinstance(each, Decimal)]
    for what, one, other, largest in (
        # Sums of binary fractions depend on the order: large ones swallow small ones.
        ("sum", ours.total, theirs.total, max(extremes, default=Decimal(0)) * ours.values),
        ("least", ours.least, theirs.least, Decimal(0)),
        ("greatest", ours.greatest, theirs.greatest, Decimal(0)),
    ):
        if one is not None or other is not None:
            same = one == other or _near(one, other, near, largest)
            lines.append(SumLine(collection, summed.node.id, name, what, _text(one), _text(other), same))
    return lines


def _near(one: Decimal | bytes | None, other: Decimal | bytes | None, share: Decimal, largest: Decimal) -> bool:
    if not isinstance(one, Decimal) or not isinstance(other, Decimal):
        return False
    if share and largest > _OVERFLOW:
        # The server's sum is no number any more.
        return True
    return abs(one - other) <= share * max(abs(one), abs(other), largest)


def _line(collection: str, summed: SummedNode, name: str, what: str, one: int, other: int) -> SumLine:
    return SumLine(collection, summed.node.id, name, what, str(one), str(other), one == other)


def _text(value: Decimal | bytes | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value.normalize():f}" if value else "0"
