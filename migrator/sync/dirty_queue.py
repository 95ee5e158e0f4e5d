"""Rebuilds the documents that are dirty in the state, a bounded piece at a time, and records each finished piece."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.changes.table_uses import path_to
from migrator.documents.assemble import Assembler
from migrator.documents.identity import key_candidates
from migrator.model.change.events import DirtyEntry, DocumentRef, Scope
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key, KeyRange
from migrator.ports.sync import Documents, RootKeyReader
from migrator.ports.sync_state import DirtyRefs, RejectedDocuments
from migrator.sync.rebuild import Rebuilder, Rebuilt
from migrator.sync.root_keys import KEYS_AT_ONCE, group_refs

_ENTRIES_AT_ONCE = 1000


class DirtyQueue:
    """The dirty references of one collection."""

    def __init__(
        self,
        scope: Scope,
        collection: Collection,
        documents: Documents,
        rebuilder: Rebuilder,
        dirty: DirtyRefs,
        rejected: RejectedDocuments,
    ) -> None:
        self._scope = scope
        self._collection = collection
        self._documents = documents
        self._rebuilder = rebuilder
        self._dirty = dirty
        self._rejected = rejected
        self._root_key = Assembler(collection).root.key
        self._keys_of = key_candidates(collection)

    async def step(self, snapshot: RootKeyReader) -> Rebuilt | None:
        """Does some of it; None when nothing waits. The snapshot must contain all that was read when entries were
        recorded (premise A)."""
        entries = self._dirty.oldest(self._scope, _ENTRIES_AT_ONCE)
        if not entries:
            return None
        fresh = [entry for entry in entries if entry.after is None and entry.ref.kind in ("key", "parent", "child")]
        if not fresh:
            return await self._piece(snapshot, entries[0])
        return await self._together(snapshot, fresh)

    async def _together(self, snapshot: RootKeyReader, entries: Sequence[DirtyEntry]) -> Rebuilt:
        by_ref = {entry.ref: entry for entry in entries}
        (_, kind), refs = next(iter(group_refs(by_ref).items()))
        if kind != "key":
            refs, keys = await self._reached(snapshot, refs)
        else:
            keys = [ref.values for ref in refs]
        if len(keys) > KEYS_AT_ONCE:
            return await self._piece(snapshot, by_ref[refs[0]])
        done = await self._rebuilder.rebuild(snapshot, keys)
        self._dirty.settle(self._scope, [by_ref[ref] for ref in refs])
        return done

    async def _reached(self, snapshot: RootKeyReader, refs: list[DocumentRef]) -> tuple[list[DocumentRef], list[Key]]:
        """So many of the references, which have the same node and kind, as lead to root keys enough for one piece."""
        path, kind = path_to(self._collection, refs[0].node), refs[0].kind
        while True:
            values = [ref.values for ref in refs]
            keys = await snapshot.root_keys(path, kind, values, None, KEYS_AT_ONCE + 1)
            if len(keys) <= KEYS_AT_ONCE or len(refs) == 1:
                return refs, keys
            refs = refs[: len(refs) // 2]

    async def _piece(self, snapshot: RootKeyReader, entry: DirtyEntry) -> Rebuilt:
        """The next root keys of one entry."""
        keys, count, last = await self._next(snapshot, entry)
        done = await self._rebuilder.rebuild(snapshot, keys)
        if last is None:
            self._dirty.settle(self._scope, [entry])
        else:
            self._dirty.advance(self._scope, entry, last, entry.done + count)
        return done

    async def _next(self, snapshot: RootKeyReader, entry: DirtyEntry) -> tuple[Sequence[Key], int, Key | None]:
        """Some root keys, of how many rows or documents, and up to where these go; None for to the end."""
        ref, after = entry.ref, entry.after
        if ref.kind == "documents":
            ids = self._documents.ids(after[0] if after else None, KEYS_AT_ONCE)
            keys = [key for each in ids for key in self._keys_of(each)]
            return keys, len(ids), (ids[-1],) if len(ids) == KEYS_AT_ONCE else None
        if ref.kind == "rejected":
            return self._next_rejected(after)
        if ref.kind == "rows":
            rows = await snapshot.roots(self._collection.root, KeyRange(after), KEYS_AT_ONCE)
            found = [self._root_key(row) for row in rows]
        elif ref.kind == "key":
            return [ref.values], 1, None
        else:
            path = path_to(self._collection, ref.node)
            found = await snapshot.root_keys(path, ref.kind, [ref.values], after, KEYS_AT_ONCE)
        return found, len(found), found[-1] if len(found) == KEYS_AT_ONCE else None

    def _next_rejected(self, after: Key | None) -> tuple[Sequence[Key], int, Key | None]:
        if after is None:
            # Those of the copy can't be found by key. What is still wrong is recorded again: for the row's event after
            # a TRUNCATE, by `rows` otherwise.
            self._rejected.forget_copied(self._scope)
        found = self._rejected.keys(self._scope, after[0].decode() if after else None, KEYS_AT_ONCE)
        return [key for _, key in found], len(found), (found[-1][0].encode(),) if found else None
