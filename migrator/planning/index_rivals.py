"""Indexes of a mapping that only some servers accept together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from migrator.indexing.conflicts import is_rival, takes_rivals
from migrator.model.mapping.tree import Collection, IndexSpec
from migrator.model.plan.plan import Finding, TargetIdentity

_CODE = "index-options"


def rival_findings(collection: Collection, created: Sequence[IndexSpec], target: TargetIdentity) -> Iterator[Finding]:
    """Pairs of indexes with the same keys, of which the target refuses one, or another server might.

    Args:
        created: those of the collection's indexes that the plan builds.
    """
    is_server = target.capabilities.kind == "mongodb"
    taken = takes_rivals(target.version) if is_server else None
    if taken:
        return
    for one, other in combinations(collection.indexes, 2):
        if not is_rival(one, other) or not {one.name, other.name} & {spec.name for spec in created}:
            continue
        keys = ", ".join(path for path, _ in one.keys)
        what = f"{one.name} and {other.name} have the same keys ({keys}) and differ in options only"
        where = f"{collection.name}: {other.name}"
        fix = "Remove one of them; or use MongoDB 5.0 or later."
        if is_server and taken is False:
            yield Finding("blocked", _CODE, where, f"{what}: MongoDB {target.version} accepts only one of them", fix)
        else:
            yield Finding("warning", _CODE, where, f"{what}: MongoDB before 5.0 accepts only one of them", fix)
