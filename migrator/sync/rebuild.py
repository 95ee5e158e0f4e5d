"""Rebuilds single documents from one snapshot: replaces those that there are, deletes those that there are no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.documents.assemble import Assembler
from migrator.documents.identity import id_encoder, key_candidates
from migrator.documents.reader import RowReader
from migrator.documents.refusal_streak import Streak, stop_if_hopeless
from migrator.model.change.events import Conflict, Scope, WriteOutcome
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Batch, Document, Key, Refusal, Rejected
from migrator.model.slices import slices
from migrator.model.text.values import key_text
from migrator.ports.sync import Documents
from migrator.ports.sync_state import RejectedDocuments

# Root keys that are read together: enough for few queries, few enough for a short snapshot.
KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many documents were written, deleted (or found not to exist) and rejected; `conflicts` of these for a unique
    value that another document has."""

    written: int = 0
    deleted: int = 0
    rejected: int = 0
    conflicts: int = 0

    def __add__(self, other: Rebuilt) -> Rebuilt:
        return Rebuilt(
            self.written + other.written,
            self.deleted + other.deleted,
            self.rejected + other.rejected,
            self.conflicts + other.conflicts,
        )


class Rebuilder:
    """Rebuilds documents of one collection."""

    def __init__(self, scope: Scope, collection: Collection, documents: Documents, rejected: RejectedDocuments) -> None:
        self._scope = scope
        self._collection = collection
        self._documents = documents
        self._rejected = rejected
        self._assembler = Assembler(collection)
        self._id_of = id_encoder(collection)
        self._keys_of = key_candidates(collection)
        # None before it was looked. Nobody else notes rejected documents of a collection that is live.
        self._has_rejected: bool | None = None
        self._streak = Streak()

    async def rebuild(self, snapshot: RowReader, keys: Sequence[Key]) -> Rebuilt:
        """Makes the target's documents of `keys` equal to what the snapshot says; returns after the last
        acknowledgement."""
        total = Rebuilt()
        for some in slices(keys, KEYS_AT_ONCE):
            total += await self._some(snapshot, some)
        return total

    async def _some(self, snapshot: RowReader, keys: Sequence[Key]) -> Rebuilt:
        left = dict.fromkeys(keys)
        total = Rebuilt()
        last = Batch((), (), (), 0)
        async for batch in self._assembler.by_keys(snapshot, keys):
            for key in (*(document.key for document in batch.documents), *batch.rejected_keys):
                left.pop(key, None)
            if last.rows:
                total += await self._put(snapshot, last, ())
            last = batch
        # What did not come back byte for byte doesn't exist (Identity in docs/invariants.md). Its document is
        # deleted in the call that writes others, since a unique value may pass from one to the other.
        return total + await self._put(snapshot, last, list(left))

    async def _put(self, snapshot: RowReader, batch: Batch, gone: Sequence[Key]) -> Rebuilt:
        # Edge case 55: a rejected row must not leave its old document as if nothing had happened.
        outcome = self._documents.write(batch.documents, self._ids((*gone, *batch.rejected_keys)))
        if outcome.conflicts:
            outcome = await self._with_others(snapshot, batch.documents, outcome)
        refused = dict(outcome.refused)
        conflicts = {each.key: Refusal(each.reason, 0, each.said) for each in outcome.conflicts}
        written = sum(document.key not in refused and document.key not in conflicts for document in batch.documents)
        self._stop_if_hopeless(written, refused)
        lost = [*refused, *conflicts]
        if lost:
            self._documents.write((), self._ids(lost))
        self._note(batch, gone, refused, conflicts)
        rejected = len(batch.rejected_keys) + len(lost)
        return Rebuilt(len(batch.documents) - len(lost), len(gone), rejected, len(conflicts))

    async def _with_others(
        self, snapshot: RowReader, documents: Sequence[Document], outcome: WriteOutcome
    ) -> WriteOutcome:
        """Once more, with the documents that hold the wanted values: those may be out of date (edge case 51)."""
        others = [key for conflict in outcome.conflicts if conflict.other for key in self._keys_of(conflict.other)]
        if not others:
            return outcome
        wanted = {conflict.key for conflict in outcome.conflicts}
        again = [document for document in documents if document.key in wanted]
        gone = dict.fromkeys(others)
        fresh: list[Document] = []
        async for batch in self._assembler.by_keys(snapshot, list(gone)):
            fresh += batch.documents
            for key in (*(document.key for document in batch.documents), *batch.rejected_keys):
                gone.pop(key, None)
        second = self._documents.write([*again, *fresh], self._ids(list(gone)))
        mine = tuple(_only(second.conflicts, wanted))
        theirs = [conflict for conflict in second.conflicts if conflict.key not in wanted]
        # Another document that was moved aside and is refused now waits among the conflicting ones.
        self._reject([(each.key, Refusal(each.reason, 0, each.said)) for each in theirs], conflict=True)
        return WriteOutcome((*outcome.refused, *second.refused), mine)

    def _stop_if_hopeless(self, written: int, refused: Mapping[Key, Refusal]) -> None:
        """Documents that were rejected before say nothing new: they may all be tried again at once."""
        known = self._rejected.among(self._scope, list(refused)) if refused and self._any_rejected() else ()
        self._streak = self._streak.after(written, [(key, why) for key, why in refused.items() if key not in known])
        stop_if_hopeless(self._streak, self._scope.collection)

    def _any_rejected(self) -> bool:
        if self._has_rejected is None:
            self._has_rejected = self._rejected.any(self._scope)
        return self._has_rejected

    def _note(
        self, batch: Batch, gone: Sequence[Key], refused: Mapping[Key, Refusal], conflicts: Mapping[Key, Refusal]
    ) -> None:
        lost = refused.keys() | conflicts.keys()
        if self._any_rejected():
            fine = [document.key for document in batch.documents if document.key not in lost]
            self._rejected.clear(self._scope, [*fine, *gone])
        if batch.rejected_keys:
            self._has_rejected = True
            self._rejected.record(self._scope, batch.rejected_keys, batch.rejected, conflict=False)
        self._reject(list(refused.items()), conflict=False)
        self._reject(list(conflicts.items()), conflict=True)

    def _reject(self, reasons: Sequence[tuple[Key, Refusal]], *, conflict: bool) -> None:
        if not reasons:
            return
        self._has_rejected = True
        root = self._collection.root.qualified
        rejected = [
            Rejected(self._collection.name, key_text(key), root, key_text(key), "", "", why.reason, why.said)
            for key, why in reasons
        ]
        self._rejected.record(self._scope, [key for key, _ in reasons], rejected, conflict=conflict)

    def _ids(self, keys: Sequence[Key]) -> list[bytes]:
        return [found for found in map(self._id_of, keys) if found is not None]


def _only(conflicts: Sequence[Conflict], wanted: set[Key]) -> Iterator[Conflict]:
    return (conflict for conflict in conflicts if conflict.key in wanted)
