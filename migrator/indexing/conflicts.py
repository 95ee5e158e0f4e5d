"""Two indexes of a collection with the same keys: which pairs a server accepts."""

from __future__ import annotations

import re

from migrator.indexing.collations import parts
from migrator.model.mapping.tree import IndexSpec

_TOLERANT = (5, 0)


def is_same_index(one: IndexSpec, other: IndexSpec) -> bool:
    """Whether every server refuses the one next to the other: nothing by which MongoDB tells indexes apart differs.

    The name is nothing of that kind, and neither is when documents expire.
    """
    return is_rival(one, other) and (one.unique, one.nullable) == (other.unique, other.nullable)


def is_rival(one: IndexSpec, other: IndexSpec) -> bool:
    """Whether servers before MongoDB 5.0 refuse the one next to the other: same keys, same order, same collation."""
    return one.keys == other.keys and parts(one.collation) == parts(other.collation)


def takes_rivals(version: str) -> bool | None:
    """Whether a server of this version takes indexes that differ in nothing but uniqueness and what they cover.

    None where the version tells nothing, as for a folder of files.
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    return None if found is None else (int(found[1]), int(found[2])) >= _TOLERANT
