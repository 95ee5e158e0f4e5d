"""The progress of verify with one collection: what was handed out, what came back, what is settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from migrator.model.plan.chunk import KeyRange
from migrator.model.report.verify import CollectionPass, DocumentFault, Published, Tally

# So many faults are kept for the report; all of them are counted, and repaired.
KEPT = 1000


@dataclass(slots=True)
class _TaskResult:
    """A range, or the first answer about documents of the target: `open` suspects of it are not settled."""

    range: KeyRange | None
    returned: bool = False
    open: int = 0
    tally: Tally = field(default_factory=Tally)
    faults: tuple[DocumentFault, ...] = ()


class PassTracker:
    """One collection. Parts are numbered; verify resumes after those that are settled, counted from the first."""

    def __init__(self, published: Published, done: CollectionPass) -> None:
        self.published = published
        self._done = done
        self._parts: dict[int, _TaskResult] = {}
        self._next = 0
        self._settled = 0
        self.ranges_done = done.ranges_done
        self.extras_done = done.extras_done

    @property
    def last(self) -> KeyRange | None:
        """The last range that is settled together with all before it."""
        return self._done.upto

    @property
    def tally(self) -> Tally:
        """Of all that came back, settled or not."""
        return sum((part.tally for part in self._parts.values()), self._done.tally)

    @property
    def idle(self) -> bool:
        """Nothing that was handed out is left."""
        return not self._parts

    @property
    def returned(self) -> bool:
        """Everything that was handed out came back once; some of it may be looked at again."""
        return all(part.returned for part in self._parts.values())

    def begin(self, within: KeyRange | None) -> int:
        """The number of a new part."""
        number = self._next
        self._parts[number] = _TaskResult(within)
        self._next += 1
        return number

    def came(self, number: int, tally: Tally, suspects: int) -> None:
        """A part's first answer."""
        part = self._parts[number]
        part.returned = True
        part.tally += tally
        part.open = suspects
        self._advance()

    def settle(self, number: int, tally: Tally, faults: Iterable[DocumentFault], suspects: int) -> None:
        """So many of a part's suspects are settled, and these faults remain."""
        part = self._parts[number]
        part.open -= suspects
        part.tally += tally
        part.faults += tuple(faults)
        self._advance()

    def progress(self) -> CollectionPass:
        """What is settled, to resume after it."""
        ready = self.idle
        return replace(
            self._done,
            ranges_done=self.ranges_done and (ready or self._done.ranges_done),
            extras_done=self.extras_done and ready,
        )

    def _advance(self) -> None:
        while (part := self._parts.get(self._settled)) is not None and part.returned and not part.open:
            del self._parts[self._settled]
            self._settled += 1
            self._done = replace(
                self._done,
                upto=part.range or self._done.upto,
                tally=self._done.tally + part.tally,
                faults=(self._done.faults + part.faults)[:KEPT],
            )
