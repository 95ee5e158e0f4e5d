"""From differences to faults: what is compared again, when, and what is certain.

Without a sync a difference is a fault as soon as it is seen. With one, it may be that the sync hasn't been there yet,
or that the document changed between the two sides' reading. So it is looked at again when the sync has passed the place
where the source's log ended after the look's snapshot: nothing in the snapshot was logged after it (premise A,
the other way round). What was seen three times in a row, the same bytes on both sides, is a fault. A document that
changes all the time can't be judged; it does not count as right.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from migrator.documents.identity import tells_keys
from migrator.model.change.position import Position
from migrator.model.report.verify import DocumentFault, Published, Suspect, Tally
from migrator.model.slices import slices
from migrator.verify.collection_pass import PassTracker
from migrator.verify.comparison import KEYS_AT_ONCE
from migrator.verify.repair import Repairer
from migrator.verify.tasks import CompareAgain, Compared, FoundIds, SearchRows, Task

# Seen so many times again, just the same: a fault.
_SAME = 2
_REPAIRS = 3
# Documents whose key can't be told from their _id are searched for in all rows, so many at a time.
_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class SuspectGroup:
    """Suspects that go the same way.

    Attributes:
        course, number: whose they are, and of which part.
        end: they are looked at when the sync has passed this; None at once.
        since: when they were first seen, by the monotonic clock.
        stage: `look` again; `check` what was put right; `search` for their rows.
        repairs: how many times they were put right.
    """

    tracker: PassTracker
    number: int
    suspects: tuple[Suspect, ...]
    end: Position | None
    since: float
    stage: Literal["look", "check", "search"] = "look"
    repairs: int = 0

    @property
    def task(self) -> Task:
        name = self.tracker.published.scope.collection
        if self.stage == "search":
            return SearchRows(name, tuple(bytes(each.fault.identity) for each in self.suspects))
        return CompareAgain(name, self.suspects)


class Recheck:
    """All suspects of one verify."""

    def __init__(
        self,
        serves: Callable[[Published], bool],
        passed: Callable[[Published, Position], bool],
        mender: Repairer | None,
        settle_seconds: float,
    ) -> None:
        """
        Args:
            serves: whether a sync is at work on a collection.
            passed: whether it has passed a position, and nothing waits that was logged before.
            mender: puts right what is certain; None leaves it.
            settle_seconds: how long a document that changes all the time is looked at again.
        """
        self._serves = serves
        self._passed = passed
        self._repairer = mender
        self._settle_seconds = settle_seconds
        self._waiting: deque[SuspectGroup] = deque()
        self._ready: deque[SuspectGroup] = deque()
        self._unsure: list[SuspectGroup] = []

    @property
    def waiting(self) -> int:
        """Documents that will be looked at again."""
        return sum(len(group.suspects) for group in (*self._waiting, *self._ready, *self._unsure))

    def next(self) -> SuspectGroup | None:
        """What is to be looked at now, None when nothing is."""
        self._wake()
        return self._ready.popleft() if self._ready else None

    def first(self, tracker: PassTracker, number: int, compared: Compared) -> None:
        """A part's first answer."""
        tracker.came(number, compared.tally, len(compared.suspects))
        for some in slices(compared.suspects, KEYS_AT_ONCE):
            self._sort(SuspectGroup(tracker, number, tuple(some), compared.end, time.monotonic()))

    def again(self, group: SuspectGroup, answer: Compared | FoundIds) -> None:
        """What another look at a group saw."""
        if isinstance(answer, FoundIds):
            left = tuple(each for each in group.suspects if bytes(each.fault.identity) not in answer.ids)
            group.tracker.settle(group.number, Tally(), (), len(group.suspects) - len(left))
            if left:
                self._repair(replace(group, suspects=left))
            return
        gone = len(group.suspects) - len(answer.suspects)
        repaired = gone - answer.tally.rejected if group.stage == "check" else 0
        group.tracker.settle(group.number, answer.tally + Tally(repaired=repaired), (), gone)
        if answer.suspects:
            self._sort(replace(group, suspects=answer.suspects, end=answer.end))

    def search(self) -> None:
        """Nothing else is left: looks through all rows for those whose key the `_id` doesn't tell."""
        self._ready.extend(self._unsure)
        self._unsure.clear()

    def _sort(self, group: SuspectGroup) -> None:
        """Sorts what a look saw into what is certain and what has to be looked at again."""
        if not self._serves(group.tracker.published) or group.end is None:
            self._confirmed(group)
            return
        same = tuple(each for each in group.suspects if each.same >= _SAME)
        others = tuple(each for each in group.suspects if each.same < _SAME)
        if same:
            self._confirmed(replace(group, suspects=same))
        if others and time.monotonic() - group.since > self._settle_seconds:
            self._give_up(replace(group, suspects=others))
        elif others:
            self._waiting.append(replace(group, suspects=others))

    def _wake(self) -> None:
        """The groups whose time has come: the sync has passed what they saw, or there is none any more."""
        for _ in range(len(self._waiting)):
            group = self._waiting.popleft()
            published = group.tracker.published
            if group.end is None or not self._serves(published) or self._passed(published, group.end):
                self._ready.append(group)
            elif time.monotonic() - group.since > 2 * self._settle_seconds:
                self._give_up(group)
            else:
                self._waiting.append(group)

    def _confirmed(self, group: SuspectGroup) -> None:
        """Nothing will repair these by itself."""
        collection = group.tracker.published.collection
        if not tells_keys(collection) and collection.root.key:
            # A row with the same digits in another mixture of cases may have made it.
            extra = tuple(each for each in group.suspects if each.fault.kind == "extra" and not each.source)
            if extra:
                self._unsure.append(replace(group, suspects=extra, stage="search"))
                group = replace(group, suspects=tuple(each for each in group.suspects if each not in extra))
            if sum(len(each.suspects) for each in self._unsure) >= _SEARCHED:
                self.search()
        if group.suspects:
            self._repair(group)

    def _repair(self, group: SuspectGroup) -> None:
        if self._repairer is None or group.repairs >= _REPAIRS:
            self._faults(group, [each.fault for each in group.suspects])
            return
        done = self._repairer.repair(group.tracker.published, group.suspects)
        self._faults(group, [replace(each.fault, reason=why) for each, why in done.left])
        if not done.begun:
            return
        fresh = tuple(replace(each, same=0) for each in done.begun)
        now = time.monotonic()
        self._waiting.append(
            replace(group, suspects=fresh, end=done.end, since=now, stage="check", repairs=group.repairs + 1)
        )

    def _give_up(self, group: SuspectGroup) -> None:
        why = "it changed between looks, or the sync did not catch up"
        self._faults(group, [replace(each.fault, kind="unsettled", reason=why) for each in group.suspects])

    def _faults(self, group: SuspectGroup, faults: Sequence[DocumentFault]) -> None:
        if not faults:
            return
        if group.repairs:
            faults = [replace(each, reason=each.reason or "it could not be corrected") for each in faults]
        kinds = Counter[str](each.kind for each in faults)
        group.tracker.settle(group.number, Tally(**kinds), faults, len(faults))
