"""When a difference is a fault, and when it is only early: with a sync that is late, gone, or never finished."""

from __future__ import annotations

import time
from dataclasses import replace

import bson

from migrator.model.change.events import Scope
from migrator.model.change.position import Position, ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import KeyRange
from migrator.model.report.verify import CollectionPass, DocumentFault, Published, Suspect, Tally
from migrator.verify.collection_pass import PassTracker
from migrator.verify.recheck import Recheck, SuspectGroup
from migrator.verify.tasks import CompareAgain, Compared
from tests.documents.build import root

SERVER = ServerIdentity("mariadb", "10.11", "uuid", 1)
SCOPE = Scope("run", "c")
PUBLISHED = Published(SCOPE, Collection("c", root(), "c.yaml", "hash"), SERVER, 100, "2026-01-01")


def position(offset: int) -> Position:
    return Position(SERVER, "", "log.000001", offset, "log")


def suspect(number: int, source: bytes = b"s", target: bytes = b"t") -> Suspect:
    identity = bson.encode({"_id": number})
    fault = DocumentFault("c", "different", str(number), identity, ((b"%d" % number,),))
    return Suspect(fault, source, target)


class World:
    """A sync that has passed `passed`, and one collection with one part that saw suspects."""

    def __init__(self, *, serving: bool = True, settle_seconds: float = 60.0) -> None:
        self.serving = serving
        self.offset = 0
        self.settling = Recheck(lambda _: self.serving, lambda _, end: end.offset <= self.offset, None, settle_seconds)
        self.course = PassTracker(PUBLISHED, CollectionPass(SCOPE))
        self.course.ranges_done = self.course.extras_done = True

    def first(self, *suspects: Suspect, end: int = 10) -> None:
        number = self.course.begin(KeyRange())
        tally = Tally(checked=len(suspects), found=len(suspects))
        self.settling.first(self.course, number, Compared(tally, suspects, position(end)))

    def look(self) -> SuspectGroup:
        group = self.settling.next()
        assert group is not None
        assert isinstance(group.task, CompareAgain)
        return group

    def saw(self, group: SuspectGroup, *suspects: Suspect, end: int) -> None:
        before = {bytes(each.fault.identity): each for each in group.suspects}
        known = [before[bytes(each.fault.identity)] for each in suspects]
        answered = [
            replace(each, same=old.same + 1 if (old.source, old.target) == (each.source, each.target) else 0)
            for each, old in zip(suspects, known, strict=True)
        ]
        self.settling.again(group, Compared(Tally(), tuple(answered), position(end)))

    @property
    def faults(self) -> list[str]:
        return [f"{each.kind} {each.document}" for each in self.course.progress().faults]


def test_without_a_sync_it_is_a_fault_at_once() -> None:
    world = World(serving=False)
    world.first(suspect(1), suspect(2))
    assert world.faults == ["different 1", "different 2"]
    assert world.course.progress().tally == Tally(checked=2, found=2, different=2)


def test_nothing_is_looked_at_before_the_sync_has_been_there() -> None:
    world = World()
    world.first(suspect(1), end=10)
    world.offset = 9
    assert world.settling.next() is None
    assert world.settling.waiting == 1
    assert world.faults == []
    world.offset = 10
    world.saw(world.look(), end=20)
    assert world.settling.waiting == 0
    assert world.course.progress().tally == Tally(checked=1, found=1)
    assert world.course.idle


def test_what_stays_the_same_after_the_sync_is_a_fault() -> None:
    world = World()
    world.first(suspect(1), suspect(2))
    world.offset = 10
    world.saw(world.look(), suspect(1), suspect(2), end=20)
    assert world.faults == []
    assert world.settling.next() is None
    world.offset = 20
    # The second one has changed in between.
    world.saw(world.look(), suspect(1), suspect(2, source=b"other"), end=30)
    assert world.settling.waiting == 1
    world.offset = 30
    world.saw(world.look(), end=40)
    assert world.faults == ["different 1"]


def test_what_changes_all_the_time_is_given_up() -> None:
    world = World(settle_seconds=0.2)
    world.first(suspect(1))
    world.offset = 10
    group = world.look()
    time.sleep(0.25)
    world.saw(group, suspect(1, source=b"other"), end=20)
    assert world.faults == ["unsettled 1"]
    assert world.course.progress().tally.faults == 1


def test_a_sync_that_never_comes_gives_no_peace() -> None:
    world = World(settle_seconds=0.1)
    world.first(suspect(1))
    time.sleep(0.25)
    assert world.settling.next() is None
    assert world.faults == ["unsettled 1"]


def test_when_the_sync_goes_away_what_waits_is_looked_at_and_counts() -> None:
    world = World()
    world.first(suspect(1), suspect(2))
    assert world.settling.next() is None
    world.serving = False
    world.saw(world.look(), suspect(2), end=20)
    assert world.faults == ["different 2"]


def test_progress_stands_before_what_is_not_settled() -> None:
    world = World()
    ranges = [KeyRange(None, (b"10",)), KeyRange((b"10",), (b"20",)), KeyRange((b"20",), None)]
    numbers = [world.course.begin(each) for each in ranges]
    world.settling.first(world.course, numbers[1], Compared(Tally(checked=5), ()))
    assert world.course.progress().upto is None
    world.settling.first(world.course, numbers[0], Compared(Tally(checked=7), (suspect(1),), position(10)))
    assert world.course.progress().upto is None
    world.offset = 10
    world.saw(world.look(), end=20)
    assert world.course.progress().upto == ranges[1]
    assert world.course.progress().tally == Tally(checked=12)
    assert not world.course.progress().ranges_done
