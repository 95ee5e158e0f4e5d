# Generated from aio/joiner.py by migrator's dev/unasync.py. Edit that one.
"""Joins in application code: one query a step for all documents together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..codec import Document
from ..document import Root, attach
from ..errors import MissingPartner
from ..join import Step, paths_here, paths_there
from ..keys import Key, comparable, distinct, keys_filter, keys_of
from .context import BATCH, Context

KEYS_A_QUERY = 5_000
"""More keys than that are asked for in several queries, so that none grows beyond MongoDB's 16 MB."""


class Joiner:
    """Reads partners and hangs them on the objects that refer to them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def join(
        self, documents: Sequence[Document], models: Sequence[Root], tree: Mapping[str, Step], *, strict: bool
    ) -> None:
        """Follows all relations of `tree` from `documents`, which the models were made of, pairwise.

        Raises:
            MissingPartner: with `strict`, when a reference names nothing.
        """
        if not documents:
            return
        for name, step in tree.items():
            wanted = [distinct(keys_of(document, paths_here(step.relation))) for document in documents]
            partners = self._read(step, distinct(key for keys in wanted for key in keys))
            made = [step.spec.model.from_document(partner) for partner in partners]
            by_key: dict[Any, list[Root]] = {}
            for partner, model in zip(partners, made, strict=True):
                for key in distinct(keys_of(partner, paths_there(step.relation))):
                    by_key.setdefault(comparable(key), []).append(model)
            for model, keys in zip(models, wanted, strict=True):
                attach(model, name, _partners(step, keys, by_key, strict=strict))
            self.join(partners, made, step.steps, strict=strict)

    def _read(self, step: Step, keys: list[Key]) -> list[Document]:
        found: dict[Any, Document] = {}
        there = [there for _, there in step.relation.on]
        for start in range(0, len(keys), KEYS_A_QUERY):
            some = keys[start : start + KEYS_A_QUERY]
            if there == ["_id"]:
                documents = self._context.load(step.spec, [key[0] for key in some])
            else:
                condition = keys_filter(some, there, step.spec.key_parts)
                collection = self._context.collection(step.spec.collection)
                documents = collection.find(condition, batch_size=BATCH).sort("_id", 1).to_list()
            for document in documents:
                found[comparable(document["_id"])] = document
        return list(found.values())


def _partners(step: Step, keys: list[Key], by_key: Mapping[Any, list[Root]], *, strict: bool) -> Any:
    found: dict[int, Root] = {}
    for key in keys:
        partners = by_key.get(comparable(key), [])
        if not partners and strict and step.relation.forward:
            shown = key[0] if len(key) == 1 else key
            raise MissingPartner(f"{step.relation.name}: there is no {shown!r} in {step.relation.collection}")
        found |= {id(partner): partner for partner in partners}
    partners = list(found.values())
    if step.relation.many:
        return partners
    return partners[0] if partners else None
