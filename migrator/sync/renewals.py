"""What is done when the columns of a collection's mapping are renewed (migrator.renewal): who may, and in which order.

Nothing may be lost by a crash in between, and no document be refused that is right:
  1. the target's note on the live collection says what will be: after a crash it differs from the mapping in the state;
  2. validator and unique indexes, before the first document of the new types is written. Documents of the old types can
     still be replaced (`validationLevel: moderate`);
  3. dirty references and the renewed mapping, in one act or in this order.
A position after the statement is saved later: after a crash it is read again, and all this is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from migrator.changes.document_refs import everything
from migrator.errors import SyncBlocked
from migrator.mapping.validator import validator
from migrator.model.change.events import DocumentRef, Scope
from migrator.model.mapping.tree import Collection
from migrator.model.report.activity import Phase
from migrator.ports.sync import Renewer
from migrator.ports.sync_state import DirtyRefs, LiveCollections
from migrator.renewal.renew import Renewal, index_renewer
from migrator.workers.announcer import Announcer, index_building

_BROKEN_OFF = "a renewal of its columns was broken off"


class RenewalHandler(Protocol):
    """What a renewal leads to. When a call returns, nothing of it can be lost."""

    def renew(self, scope: Scope, before: Collection, renewal: Renewal, refs: Sequence[DocumentRef]) -> None:
        """From here on documents are made by `renewal.collection`, and the documents of `refs` are rebuilt."""
        ...

    def settle(self, scope: Scope, collection: Collection) -> None:
        """By the tables nothing has to be renewed now; puts right what one left that was broken off."""
        ...


class RenewLive:
    """For a sync: live collections are renewed."""

    def __init__(
        self, renewer: Renewer, live: LiveCollections, note: Callable[[str], None], announcer: Announcer
    ) -> None:
        """
        Args:
            note: hears what a person wants to know.
            announcer: hears which index is built.
        """
        self._renewer = renewer
        self._live = live
        self._note = note
        self._announcer = announcer

    def renew(self, scope: Scope, before: Collection, renewal: Renewal, refs: Sequence[DocumentRef]) -> None:
        problems = self._change(scope, before, renewal.collection)
        self._live.renew(scope, renewal.collection, refs, reason(renewal))
        told = (f"{scope.collection} is being rebuilt: {reason(renewal)}",) if refs else ()
        for text in (*told, *problems):
            self._note(text)

    def settle(self, scope: Scope, collection: Collection) -> None:
        if self._renewer.is_made_by(scope, collection):
            return
        # A renewal was broken off by a crash, and the tables are as they were before it.
        problems = self._change(scope, collection, collection)
        self._live.renew(scope, collection, everything(collection), _BROKEN_OFF)
        for text in problems:
            self._note(text)

    def _change(self, scope: Scope, before: Collection, after: Collection) -> tuple[str, ...]:
        wanted, name = validator(replace(after, validator=True)), scope.collection
        # What is to be done next; the next report says it, too.
        building = index_building(
            self._announcer, name, lambda: self._renewer.progress(scope.run, name), Phase("catching-up")
        )
        with self._announcer.waiting(f"the target to change validator and indexes of {name}"):
            return self._renewer.renew(scope, before, after, wanted, index_renewer(after.root), building)


class RefuseRenewals:
    """For an apply at work: what it copies is of one definition of the tables."""

    def __init__(self, dirty: DirtyRefs) -> None:
        self._dirty = dirty

    def renew(self, scope: Scope, before: Collection, renewal: Renewal, refs: Sequence[DocumentRef]) -> None:
        if renewal.changes_documents:
            changed = [each.text for each in renewal.differences if each.effect == "documents"]
            raise SyncBlocked(
                f"the tables were altered while they are copied: {'; '.join(changed)}",
                where=scope.collection,
                hint="Run `migrator plan` and `migrator apply` again.",
            )
        self._dirty.mark(scope, refs, reason(renewal))

    def settle(self, scope: Scope, collection: Collection) -> None:
        """A staged collection has no record yet."""


class TellRenewals:
    """For a dry run: says what would be rebuilt."""

    def __init__(self, tell: Callable[[Scope, Sequence[DocumentRef]], None]) -> None:
        self._tell = tell

    def renew(self, scope: Scope, before: Collection, renewal: Renewal, refs: Sequence[DocumentRef]) -> None:
        if refs:
            self._tell(scope, refs)

    def settle(self, scope: Scope, collection: Collection) -> None:
        """Nothing is written."""


def reason(renewal: Renewal) -> str:
    """Why a collection is rebuilt, for people."""
    changed = [each.text for each in renewal.differences if each.effect == "documents"]
    return "; ".join(changed) or "its tables were altered in a way that may have changed rows"
