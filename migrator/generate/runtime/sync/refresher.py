# Generated from aio/refresher.py by migrator's dev/unasync.py. Edit that one.
"""Makes the copies in documents again, out of the rows that they copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import bson
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

from ..codec import OPTIONS, Document
from ..copies import (
    ABSENT,
    Copied,
    Own,
    Row,
    Tree,
    copies_of,
    elements,
    get,
    kept,
    parent_key,
    put,
    query_of,
    row_key,
    rows_of,
)
from ..keys import Key, comparable, distinct, keys_filter

ROUNDS = 20
"""A document that changes under our hands so often is left for later."""

Gone = frozenset[tuple[str, Key]]
"""(owner and place of rows, key) of rows that were deleted."""

Changed = Callable[[Document, Document], bool]
"""Stores a document that was (first) what it is to be (second); false when it was no longer so."""


class Busy(Exception):
    """A document was changed again and again while its copies were made."""


def place_of(node: Copied) -> str:
    """Names the rows of a copy, for `Gone`."""
    return f"{node.owner}:{node.rows}"


class Refresher:
    """Works on the documents of one database."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def _collection(self, name: str) -> Collection[Document]:
        return self._database.get_collection(name, OPTIONS)

    def refresh(self, collection: str, tree: Tree, keys: Sequence[Any], gone: Gone, changed: Changed) -> int:
        """Makes the copies in some documents what their rows say, and returns how many had to be changed.

        What was changed is looked at once more, since a row may have changed between the look at it and the write.

        Args:
            collection: whose documents.
            tree: their copies.
            keys: their stored ids.
            gone: rows that are known to be deleted.
            changed: stores a document.

        Raises:
            Busy: a document was changed by others all the while.
        """
        waiting = list(keys)
        total: set[Any] = set()
        for _ in range(ROUNDS):
            if not waiting:
                return len(total)
            found = self._collection(collection).find({"_id": {"$in": waiting}}).to_list()
            made = self.remade(tree, found, gone)
            waiting = []
            for before, after in zip(found, made, strict=True):
                if _bytes(before) != _bytes(after):
                    changed(before, after)
                    waiting.append(before["_id"])
                    total.add(comparable(before["_id"]))
        raise Busy(f"{collection} (_id {waiting[0]!r}) is constantly changed by others")

    def store(self, collection: str, before: Document, after: Document, session: Any = None) -> bool:
        """Puts the changed fields in place, provided that they are still as they were."""
        names = changed_fields(before, after)
        condition: Document = {"_id": before["_id"]}
        update: Document = {}
        for name in names:
            condition[name] = {"$eq": before[name]} if name in before else {"$exists": False}
            if name in after:
                update.setdefault("$set", {})[name] = after[name]
            else:
                update.setdefault("$unset", {})[name] = ""
        result = self._collection(collection).update_one(condition, update, session=session)
        return bool(result.matched_count)

    def remade(self, tree: Tree, documents: Sequence[Document], gone: Gone) -> list[Document]:
        """The documents with their copies made again; nothing is written."""
        made = [deepcopy(document) for document in documents]
        self._make(tree, made, gone)
        return made

    def _make(self, tree: Tree, parents: Sequence[Document], gone: Gone) -> None:
        for node in tree:
            if isinstance(node, Own):
                self._make(node.parts, [each for parent in parents for each in elements(parent, node.path)], gone)
            elif node.source == "members":
                self._members(node, parents, gone)
            elif node.limit and not node.rows and not any(term.fold for term in node.order):
                self._limited(node, parents)
            else:
                self._documents(node, parents, gone)

    def _documents(self, node: Copied, parents: Sequence[Document], gone: Gone) -> None:
        """Rows that the parents name."""
        wanted = [parent_key(parent, node) for parent in parents]
        rows = self._rows(node, [key for key in wanted if key is not None])
        for parent, key in zip(parents, wanted, strict=True):
            before = get(parent, node.path)
            name = None if key is None else comparable(key)
            found = [] if name is None else rows.get(name, [])
            hidden = not found and name is not None and node.keep and (place_of(node), name) not in gone
            if hidden and kept(node, parent, before):
                continue
            _place(parent, node, copies_of(node, found, before))

    def _limited(self, node: Copied, parents: Sequence[Document]) -> None:
        """The first rows of many: the server sorts, so that no more than these are read."""
        order = [(term.of, -1 if term.descending else 1) for term in node.order]
        for parent in parents:
            key = parent_key(parent, node)
            rows: list[Row] = []
            if key is not None:
                theirs = [theirs for _, theirs in node.on]
                condition = {**query_of(node.where), **dict(zip(theirs, key, strict=True))}
                found = self._collection(node.owner).find(condition).sort(order).limit(node.limit)
                rows = [Row(document, document) for document in found.to_list()]
            _place(parent, node, copies_of(node, rows, get(parent, node.path)))

    def _members(self, node: Copied, parents: Sequence[Document], gone: Gone) -> None:
        """Rows that the copies themselves name."""
        there = [elements(parent, node.path) for parent in parents]
        keys = [key for copies in there for copy in copies if (key := parent_key(copy, node)) is not None]
        rows = self._rows(node, keys)
        for parent, copies in zip(parents, there, strict=True):
            before = get(parent, node.path)
            found: list[Row] = []
            left: list[Document] = []
            for copy in copies:
                key = parent_key(copy, node)
                name = None if key is None else comparable(key)
                mine = [] if name is None else rows.get(name, [])
                found += mine
                if not mine and (name is None or (node.keep and (place_of(node), name) not in gone)):
                    left.append(copy)
            if node.shape == "one":
                if copies and not left:
                    _place(parent, node, copies_of(node, found, before))
            elif before is not ABSENT:
                _place(parent, node, [*copies_of(node, found, before), *left])

    def _rows(self, node: Copied, keys: Sequence[Key]) -> Mapping[Any, list[Row]]:
        """The rows with these keys, by key."""
        found: dict[Any, list[Row]] = {}
        wanted = distinct(keys)
        theirs = [theirs for _, theirs in node.on]
        for start in range(0, len(wanted), 1_000):
            asked = wanted[start : start + 1_000]
            condition = keys_filter(asked, theirs, ())
            names = {comparable(key) for key in asked}
            for document in self._collection(node.owner).find(condition, batch_size=1_000):
                for row in rows_of(document, node.rows):
                    key = row_key(row, node)
                    # A document comes whole, with rows that another part of the keys asks for.
                    if key in names:
                        found.setdefault(key, []).append(row)
        return found


def _place(parent: Document, node: Copied, made: Any) -> None:
    if made is not ABSENT:
        put(parent, node.path, made)
        return
    *above, name = node.path.split(".")
    inner = get(parent, ".".join(above)) if above else parent
    if isinstance(inner, dict):
        inner.pop(name, None)


def changed_fields(before: Document, after: Document) -> list[str]:
    """The top-level fields that differ."""
    names = dict.fromkeys((*before, *after))
    return [name for name in names if _one(before, name) != _one(after, name)]


def _one(document: Document, name: str) -> bytes | None:
    return _bytes({name: document[name]}) if name in document else None


def _bytes(document: Document) -> bytes:
    return bson.encode(document, codec_options=OPTIONS)
