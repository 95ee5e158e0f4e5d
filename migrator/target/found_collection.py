"""What is live under a name, and its description for plans; the same for every kind of target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bson import json_util

from migrator.model.plan.plan import TargetCollection
from migrator.target.record import Record

# Said by servers of some versions only, or by the storage: no part of what an index means.
_NOISE = ("v", "ns", "background")


@dataclass(frozen=True, slots=True)
class FoundCollection:
    """A collection as it was found.

    Attributes:
        identity: tells it from an earlier or later collection of the same name; "" when there is none.
        indexes: as the listIndexes command describes them.
        options: as the listCollections command describes them.
    """

    name: str
    identity: str = ""
    documents: int = 0
    indexes: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        return bool(self.identity)


def owned(seen: FoundCollection, record: Record | None) -> bool:
    """Whether what is there is what migrator published: a collection dropped and made again by others is not."""
    return record is not None and seen.exists and record.identity == seen.identity


def describe(seen: FoundCollection, record: Record | None) -> TargetCollection:
    """What a plan says about a collection."""
    mine = record if record is not None and owned(seen, record) else None
    names = tuple(sorted(index["name"] for index in seen.indexes if index["name"] != "_id_"))
    return TargetCollection(
        name=seen.name,
        exists=seen.exists,
        owned=mine is not None,
        documents=seen.documents,
        mapping_hash=mine.mapping_hash if mine else "",
        schema_fingerprint=mine.schema_fingerprint if mine else "",
        indexes=names,
        # An index that somebody dropped since has to come again.
        index_specs=tuple(spec for spec in mine.indexes if spec.name in names) if mine else (),
        validator=mine.validator if mine else "",
        structure=_structure(seen, mine),
    )


def _structure(seen: FoundCollection, mine: Record | None) -> str:
    indexes = [
        json_util.dumps([[key, value] for key, value in index.items() if key not in _NOISE], sort_keys=False)
        for index in seen.indexes
    ]
    whole = [
        seen.exists,
        [mine.run, mine.mapping_hash] if mine else None,
        sorted(indexes),
        json_util.dumps(seen.options, sort_keys=True),
    ]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
