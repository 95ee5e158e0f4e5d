"""Noting, reading, advancing and settling of dirty reaches in any order, against a plain model of the promise: what was
noted is read again until an entry that was read after the noting is settled."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from migrator.model.change.events import DirtyEntry, DocumentRef, Scope
from migrator.model.plan.chunk import Key
from tests.target.sync.conftest import RUN, open_fast

VALUES = st.lists(st.sampled_from([b"", b"a", b"A", b"\x00", b"x" * 300]), min_size=1, max_size=2).map(tuple)
REACHES = st.builds(
    DocumentRef, st.sampled_from(["orders", "orders.items"]), st.sampled_from(["key", "parent"]), VALUES
)
BOTH = [Scope(RUN, "orders"), Scope(RUN, "items")]
SCOPES = st.sampled_from(BOTH)


@dataclass
class Noted:
    """What has to be there."""

    noting: int
    after: Key | None = None


class Machine(RuleBasedStateMachine):
    url = ""
    fenced = False

    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        target = open_fast(self.url)
        self.open.callback(target.close)
        lease = self.open.enter_context(target.sync_lease("sync")) if self.fenced else None
        self.state = target.sync_state(lease)
        for scope in BOTH:
            while entries := self.state.dirty.oldest(scope, 1000):
                self.state.dirty.settle(scope, entries)
        self.noted: dict[tuple[Scope, DocumentRef], Noted] = {}
        # Which noting an entry that was read belongs to.
        self.read: dict[tuple[Scope, DocumentRef, int], int] = {}
        self.notings = 0

    @rule(scope=SCOPES, refs=st.lists(REACHES, max_size=4))
    def note(self, scope: Scope, refs: list[DocumentRef]) -> None:
        self.state.dirty.mark(scope, refs)
        for ref in refs:
            self.notings += 1
            self.noted[scope, ref] = Noted(self.notings)

    @rule(target=entries, scope=SCOPES, limit=st.integers(0, 5))
    def look(self, scope: Scope, limit: int) -> object:
        found = self.state.dirty.oldest(scope, limit)
        expected = sorted((noted.noting, ref, noted.after) for (of, ref), noted in self.noted.items() if of == scope)
        assert [(each.ref, each.after) for each in found] == [each[1:] for each in expected[:limit]]
        assert [each.mark for each in found] == sorted({each.mark for each in found})
        for each, (noting, _, _) in zip(found, expected, strict=False):
            known = self.read.setdefault((scope, each.ref, each.mark), noting)
            assert known == noting, "a noting has one mark, and a later one another"
        return multiple(*((scope, each) for each in found))

    @rule(entry=entries, after=VALUES)
    def advance(self, entry: tuple[Scope, DirtyEntry], after: Key) -> None:
        scope, dirty = entry
        self.state.dirty.advance(scope, dirty, after, 1)
        if self.current(scope, dirty):
            self.noted[scope, dirty.ref].after = after

    @rule(some=st.lists(entries, max_size=4))
    def settle(self, some: list[tuple[Scope, DirtyEntry]]) -> None:
        for scope in {scope for scope, _ in some}:
            mine = [dirty for of, dirty in some if of == scope]
            self.state.dirty.settle(scope, mine)
            for dirty in mine:
                if self.current(scope, dirty):
                    del self.noted[scope, dirty.ref]

    def current(self, scope: Scope, dirty: DirtyEntry) -> bool:
        noted = self.noted.get((scope, dirty.ref))
        return noted is not None and noted.noting == self.read[scope, dirty.ref, dirty.mark]

    @invariant()
    def count(self) -> None:
        for name in ("orders", "items"):
            scope = Scope(RUN, name)
            assert self.state.dirty.count([scope]) == sum(of == scope for of, _ in self.noted)

    def teardown(self) -> None:
        self.open.close()


@pytest.mark.slow
@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
def test_any_order(mongodb_url: str, fenced: bool) -> None:
    kind = type("Here", (Machine,), {"url": mongodb_url, "fenced": fenced})
    few = settings(
        # Making a failure smaller would take minutes with a real server.
        phases=[Phase.reuse, Phase.generate],
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(kind, settings=few)
