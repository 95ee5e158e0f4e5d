"""What verify compares, what it finds, and its progress. All plain data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from migrator.model.change.events import Scope
from migrator.model.change.position import Position, ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import HexBytes, Key, KeyRange, Rejected

# - `missing`: a row makes a document that the target doesn't have;
# - `extra`: the target has a document that no row makes;
# - `different`: both have it, and the bytes differ;
# - `unsettled`: it differed each time it was looked at, and changed in between: nothing can be said.
FaultKind = Literal["missing", "extra", "different", "unsettled"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two documents differ.

    Attributes:
        path: dotted, with the index in arrays: `items.2.product.sku`; "" for the whole document.
        source, target: the value as canonical extended JSON (cut when long); None where there is none.
        note: what the values don't show: `the same elements in another order`.
    """

    path: str
    source: str | None
    target: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class DocumentFault:
    """One document that is not what its rows say.

    Attributes:
        collection: the mapping's collection.
        kind: what is wrong with it.
        document: the root key as text, or `_id` as extended JSON where no key is known.
        identity: the BSON document `{_id: ...}`, as the source makes it; of an extra one, as the target has it.
        keys: root keys that make this `_id`; several only for an extra document, none where no key can.
        differences: the first ones.
        more: how many further ones.
        reason: a sentence more, "" when there is nothing to say.
    """

    collection: str
    kind: FaultKind
    document: str
    identity: HexBytes
    keys: tuple[Key, ...]
    differences: tuple[Difference, ...] = ()
    more: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A fault as one look saw it, told from what another look sees by digests of both sides.

    Attributes:
        source, target: of the two documents; b"" where there is none.
        stored: `{_id: ...}` as the target has it where that differs from the source's bytes (1.0 for 1).
        same: how many looks in a row saw just this.
    """

    fault: DocumentFault
    source: HexBytes
    target: HexBytes
    stored: HexBytes | None = None
    same: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of documents.

    Attributes:
        checked: documents that the source makes, and have been compared.
        found: of those, in the target, equal or not.
        rejected: that can't be made, or that the target refused, with a reason in the state.
        missing, extra, different, unsettled: by DocumentFault.kind.
        repaired: were one of these and are right now.
        rows: source rows read.
    """

    checked: int = 0
    found: int = 0
    rejected: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    unsettled: int = 0
    repaired: int = 0
    rows: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Tally)))

    @property
    def faults(self) -> int:
        """Documents that are not right."""
        return self.missing + self.extra + self.different + self.unsettled


@dataclass(frozen=True, slots=True)
class Published:
    """A live collection, with the mapping that was frozen when it was applied.

    Attributes:
        server: the source that it was copied from.
        chunk_rows: root rows per chunk when it was copied.
        at: when the run that published it began, ISO time, UTC.
        missing_indexes: that migrator built, or could not build, and that are not there; name -> why.
        same: what is live is the very collection that migrator published, not one that somebody put in its place.
    """

    scope: Scope
    collection: Collection
    server: ServerIdentity
    chunk_rows: int
    at: str
    missing_indexes: tuple[tuple[str, str], ...] = ()
    same: bool = True


@dataclass(frozen=True, slots=True)
class CollectionPass:
    """How far a pass over one collection is.

    Attributes:
        scope: what was looked at.
        upto: everything in ranges up to the end of this one is compared and settled; None before the first.
        ranges_done: no range is left.
        extras_done: nor are documents of the target.
        tally: of what is settled.
        faults: the first ones.
        whole: every document was looked at, not some.
        mapping_hash: of the mapping that documents were made by, "" in what a version stored that did not keep it.
    """

    scope: Scope
    upto: KeyRange | None = None
    ranges_done: bool = False
    extras_done: bool = False
    tally: Tally = Tally()
    faults: tuple[DocumentFault, ...] = ()
    whole: bool = True
    mapping_hash: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """One verify, over as many processes and restarts as it takes.

    Attributes:
        started, ended: ISO times, UTC; `ended` is "" while it is under way.
        position: where the source's log stood when it began; None without a log that can be followed.
    """

    id: str
    started: str
    position: Position | None
    collections: tuple[CollectionPass, ...]
    ended: str = ""


@dataclass(frozen=True, slots=True)
class IndexFault:
    """An index of the mapping that the target doesn't have."""

    collection: str
    index: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What came of it.

    Attributes:
        id: of the pass.
        started, ended: ISO times, UTC.
        position: where the source's log stood when it began.
        following: a sync kept the target in step meanwhile, so differences were looked at again.
        collections: what was found in each.
        indexes: those that are missing.
        rejected: how many reasons for rejected documents are recorded in the state.
        reasons: the first of them.
        notes: what a person should know: another mapping, a sync that stopped.
        complete: every document of every collection was looked at, extra ones too.
    """

    id: str
    started: str
    ended: str
    position: Position | None
    following: bool
    collections: tuple[CollectionPass, ...]
    indexes: tuple[IndexFault, ...] = ()
    rejected: int = 0
    reasons: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True

    @property
    def tally(self) -> Tally:
        return sum((each.tally for each in self.collections), Tally())

    @property
    def clean(self) -> bool:
        """Nothing differs, and every index is there."""
        return not self.tally.faults and not self.indexes


@dataclass(frozen=True, slots=True)
class Selection:
    """What to look at.

    Attributes:
        collections: names; empty for all.
        sample: so many documents of each, chosen again each time; None for all.
        keys: root keys as a person writes them, of the one collection named; empty for all.
    """

    collections: tuple[str, ...] = ()
    sample: int | None = None
    keys: tuple[str, ...] = field(default=())
