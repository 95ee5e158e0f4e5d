"""A plan: what apply would do, as inert data that turns into JSON and back (model.serialize)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.tree import Collection, IndexSpec

Severity = Literal["info", "warning", "blocked"]
Action = Literal["create", "rebuild", "replace", "adopt", "indexes", "unchanged"]

COPIED: tuple[Action, ...] = ("create", "rebuild", "replace")
"""Actions that copy the documents."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number and whether it was counted or estimated."""

    value: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Extreme:
    """The largest of something, and the root key (as text) of the document that has it; "" when unknown."""

    measure: Measure
    key: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know before applying.

    Attributes:
        severity: `blocked` stops apply; `warning` is shown and allowed.
        code: stable name for programs: `size-limit`, `lossy-microseconds`, `duplicate-unique`, `orphans`, ...
        where: collection and node or field: `orders.items`, `orders: total`.
        text: one sentence with the numbers.
        fix: what to do, "" when nothing needs doing.
    """

    severity: Severity
    code: str
    where: str
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class NodeMeasure:
    """What the source holds for one node of the tree.

    Attributes:
        node: Node.id.
        rows: rows of the table that the mapping's conditions keep.
        per_parent: longest array for `many`, `scalars` and `map`; None for other shapes.
        row_bytes: average bytes of a row's selected values.
    """

    node: str
    rows: Measure
    per_parent: Extreme | None
    row_bytes: Measure


@dataclass(frozen=True, slots=True)
class CollectionMeasure:
    """What the source holds for one collection.

    Attributes:
        documents: root rows that the mapping's conditions keep.
        biggest: bytes of the biggest document, with its key.
        total_bytes: BSON bytes of all documents together.
        nodes: by node, root first.
        findings: lossy values, duplicates, orphans and so on that the data really contains.
    """

    documents: Measure
    biggest: Extreme
    total_bytes: Measure
    nodes: tuple[NodeMeasure, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class TargetCollection:
    """What the target holds under a collection's name.

    Attributes:
        exists: a collection (or file) of that name is there.
        owned: migrator published it (the state has a record of it).
        documents: its size as the target estimates it.
        mapping_hash: of the mapping it was made with, "" when not owned.
        schema_fingerprint: of the tables it was made from, "" when not owned.
        indexes: names of its indexes except that of _id.
        index_specs: what migrator put there, to tell what changed.
        validator: JSON text of the validator migrator put there, "" for none.
        structure: hash over existence, ownership, indexes and options; apply compares it with the plan's.
        rejected: reasons for rejected documents that the run which published it recorded.
        lost: why a sync that followed it can't go on from where it stands; "" when it can, as far as is known.
    """

    name: str
    exists: bool
    owned: bool
    documents: int
    mapping_hash: str
    schema_fingerprint: str
    indexes: tuple[str, ...]
    index_specs: tuple[IndexSpec, ...]
    validator: str
    structure: str
    rejected: int = 0
    lost: str = ""


DOLLAR_NAMES = "dollar-names"
"""Code of the findings about rows whose documents have names with `$` in front."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do. Stores of other kinds will join.

    Attributes:
        dollar_names: what becomes of documents with names that begin with `$` inside, as far as it can be told
            without a write: they are `replaced` like all others, `reinserted` (deleted and inserted in a
            transaction), or `rejected`.
    """

    kind: Literal["mongodb", "files"]
    rename: bool
    unique_indexes: bool
    validators: bool
    max_document_bytes: int
    one_snapshot: bool
    dollar_names: Literal["replaced", "reinserted", "rejected"] = "replaced"


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """Where the documents go; `address` never holds a password."""

    address: str
    version: str
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Copied:
    """What an unfinished run has copied of a collection when the plan was made; apply goes on with it.

    Attributes:
        rows: of all its tables.
        is_whole: nothing of it is left to be copied.
    """

    documents: int
    rows: int
    bytes: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What happens to one collection.

    Attributes:
        action: `create` a new one; `rebuild` one that migrator made, next to the live one; `replace` one that it didn't
            make (only after --replace); `adopt` one that it didn't make, leaving its documents as they are (only after
            --adopt); `indexes` only changes indexes and validator; `unchanged` leaves it.
        reasons: why this action, one sentence each: what changed in the mapping or in the schema.
        chunk_rows: root rows per chunk.
        drop_indexes: names of indexes that go away (`indexes` action).
        create_indexes: those that come.
        validator: JSON text of the $jsonSchema, "" for none.
        before: the target as it was when the plan was made.
        samples: some documents as extended JSON, when asked for.
        copied: None where apply begins at the beginning.
    """

    collection: Collection
    action: Action
    reasons: tuple[str, ...]
    measure: CollectionMeasure | None
    chunk_rows: int
    create_indexes: tuple[IndexSpec, ...]
    drop_indexes: tuple[str, ...]
    validator: str
    before: TargetCollection
    findings: tuple[Finding, ...] = ()
    samples: tuple[str, ...] = ()
    copied: Copied | None = None

    @property
    def rows_left(self) -> int:
        """About how many rows are still to be copied."""
        if self.measure is None or self.action not in COPIED:
            return 0
        rows = sum(node.rows.value for node in self.measure.nodes)
        return rows if self.copied is None else 0 if self.copied.is_whole else max(0, rows - self.copied.rows)

    @property
    def bytes_left(self) -> Measure:
        """About how many bytes of documents are still to be copied."""
        if self.measure is None or self.action not in COPIED:
            return Measure(0, True)
        total = self.measure.total_bytes
        if self.copied is None:
            return total
        return Measure(0 if self.copied.is_whole else max(0, total.value - self.copied.bytes), self.copied.is_whole)


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it.

    Attributes:
        version: of this format.
        created: ISO time, UTC.
        source: who the source is; another server is refused.
        source_address: host:port/db without credentials.
        databases: the source's databases that mappings read.
        target: who the target is.
        collections: in mapping-file order.
        findings: about the whole (missing settings, no change log).
        seconds: estimated time of the copy; of what is left of it, where apply goes on with an unfinished run.
        syncable: whether the source has the change log that sync needs.
    """

    version: int
    created: str
    source: ServerIdentity
    source_address: str
    databases: tuple[str, ...]
    target: TargetIdentity
    collections: tuple[CollectionPlan, ...]
    findings: tuple[Finding, ...]
    seconds: Measure
    syncable: bool

    @property
    def blocked(self) -> tuple[Finding, ...]:
        """The findings that stop apply."""
        inner = tuple(f for c in self.collections for f in (*c.findings, *(c.measure.findings if c.measure else ())))
        return tuple(finding for finding in (*self.findings, *inner) if finding.severity == "blocked")
