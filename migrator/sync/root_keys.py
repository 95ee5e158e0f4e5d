"""From references to root keys, within one snapshot and up to a limit; what is too much waits in the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from migrator.changes.table_uses import path_to
from migrator.model.change.events import DocumentRef, RefKind
from migrator.model.mapping.tree import Collection, Node
from migrator.model.plan.chunk import Key
from migrator.ports.sync import RootKeyReader

# Root keys that are searched for together; a reference that leads to more is processed in pieces (edge case 29).
KEYS_AT_ONCE = 2000
# Root keys that one batch rebuilds: more would keep the position back for too long.
_KEYS_OF_BATCH = 5000


@dataclass(frozen=True, slots=True)
class RootKeys:
    """Root keys, and references that lead to too many."""

    keys: tuple[Key, ...]
    waiting: tuple[DocumentRef, ...]


def group_refs(refs: Iterable[DocumentRef]) -> dict[tuple[str, RefKind], list[DocumentRef]]:
    """By node and hop: those that one statement can follow together."""
    found: dict[tuple[str, RefKind], list[DocumentRef]] = {}
    for ref in refs:
        found.setdefault((ref.node, ref.kind), []).append(ref)
    return found


async def find_root_keys(snapshot: RootKeyReader, collection: Collection, refs: Iterable[DocumentRef]) -> RootKeys:
    """The root keys that `refs` lead to in the snapshot.

    Any snapshot does that contains the changes: whatever breaks the way from a changed row up to its root has an event
    of its own, which leads there by its before image.
    """
    keys: dict[Key, None] = {}
    waiting: list[DocumentRef] = []
    for (node, kind), some in group_refs(refs).items():
        if kind == "key":
            keys.update((ref.values, None) for ref in some)
        elif kind in ("parent", "child"):
            waiting += await _search(snapshot, path_to(collection, node), kind, some, keys)
        else:
            waiting += some
    return RootKeys(tuple(keys), tuple(waiting))


async def _search(
    snapshot: RootKeyReader, path: Sequence[Node], kind: RefKind, refs: list[DocumentRef], keys: dict[Key, None]
) -> list[DocumentRef]:
    """Adds to `keys` what references of one node and kind lead to; returns those for which it is too much."""
    parts = [refs]
    waiting: list[DocumentRef] = []
    while parts and len(keys) <= _KEYS_OF_BATCH:
        part = parts.pop()
        found = await snapshot.root_keys(path, kind, [ref.values for ref in part], None, KEYS_AT_ONCE + 1)
        if len(found) <= KEYS_AT_ONCE:
            keys.update(dict.fromkeys(found))
        elif len(part) == 1:
            waiting += part
        else:
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
    return [*waiting, *chain.from_iterable(parts)]
