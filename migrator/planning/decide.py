"""Which action a collection needs, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.model.mapping.tree import Collection, IndexSpec
from migrator.model.plan.plan import Action, Finding, TargetCollection
from migrator.model.text.formatting import listed, plural
from migrator.planning.mapping_diff import differences


@dataclass(frozen=True, slots=True)
class Consent:
    """Collections, by name, that the user gave a free hand for (rule 8).

    Attributes:
        adopt: those that migrator did not create become its own, documents untouched.
        replace: those that migrator did not create are replaced by the copy; its own are copied again.
    """

    adopt: frozenset[str] = frozenset()
    replace: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a collection; see `CollectionPlan` for the fields."""

    action: Action
    reasons: tuple[str, ...] = ()
    create_indexes: tuple[IndexSpec, ...] = ()
    drop_indexes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide(
    collection: Collection,
    before: TargetCollection,
    validator: str,
    consent: Consent,
    applied: Collection | None = None,
) -> Decision:
    """What has to happen so that the target has `collection` as the mapping says.

    Args:
        collection: as the mapping says.
        before: what the target holds.
        validator: JSON text of the $jsonSchema that it shall have, "" for none.
        consent: what the user allowed.
        applied: the mapping that what the target holds was made with, None when it is not known.
    """
    if not before.exists:
        return Decision("create", create_indexes=collection.indexes)
    if not before.owned:
        return _foreign(collection, before, consent)
    reasons = _why_rebuild(collection, before, consent, applied)
    if reasons:
        return Decision("rebuild", reasons, collection.indexes, findings=_lost_indexes(collection, before))
    create, drop = index_changes(before.index_specs, collection.indexes)
    changed = [f"index {name} goes" for name in drop if name not in {spec.name for spec in create}]
    changed += [f"index {spec.name} {'changes' if spec.name in drop else 'comes'}" for spec in create]
    if validator != before.validator:
        changed.append("the validator changes" if validator and before.validator else "")
        changed[-1] = changed[-1] or ("a validator comes" if validator else "the validator is removed")
    if changed:
        return Decision("indexes", tuple(changed), create, drop)
    return Decision("unchanged")


def index_changes(old: Sequence[IndexSpec], new: Sequence[IndexSpec]) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
    """(indexes to create, names to drop first); one that changed is in both."""
    before = {spec.name: spec for spec in old}
    after = {spec.name: spec for spec in new}
    create = tuple(spec for spec in new if before.get(spec.name) != spec)
    drop = tuple(spec.name for spec in old if after.get(spec.name) != spec)
    return create, drop


def _why_rebuild(
    collection: Collection, before: TargetCollection, consent: Consent, applied: Collection | None
) -> tuple[str, ...]:
    reasons = []
    same_mapping = applied is not None and applied.spec_hash == collection.spec_hash != ""
    if before.mapping_hash != collection.mapping_hash and not same_mapping:
        reasons.append("the mapping has changed since it was applied")
    elif before.mapping_hash != collection.mapping_hash and before.schema_fingerprint == collection.schema_fingerprint:
        reasons.append("its tables have changed since it was applied, and by the mapping that changes its documents")
    if before.schema_fingerprint != collection.schema_fingerprint:
        tables = listed(".".join(name) for name in collection.tables)
        reasons.append(f"the schema of {tables} has changed since")
    if reasons and applied is not None:
        reasons += differences(applied, collection)
    if before.rejected:
        reasons.append(f"{plural(before.rejected, 'reason')} for rejected documents recorded when it was last copied")
    if before.lost:
        reasons.append(f"sync could not follow it any further: {before.lost}")
    if collection.name in consent.replace:
        reasons.append("asked for with --replace")
    return tuple(reasons)


def _foreign(collection: Collection, before: TargetCollection, consent: Consent) -> Decision:
    """A collection that migrator did not create."""
    name, holds = collection.name, f"~{plural(before.documents, 'document')}"
    if name in consent.replace:
        return Decision(
            "replace",
            (f"migrator did not create it; asked for with --replace: its {holds} go",),
            collection.indexes,
            findings=_lost_indexes(collection, before),
        )
    if name in consent.adopt:
        finding = Finding(
            "warning",
            "adopted",
            name,
            f"its {holds} stay as they are: nothing is copied, and nothing says that they are right",
            f"--replace {name} copies it instead.",
        )
        return Decision(
            "adopt", ("it becomes migrator's own, asked for with --adopt",), collection.indexes, findings=(finding,)
        )
    finding = Finding(
        "blocked",
        "not-owned",
        name,
        f"a collection of this name with {holds} exists, and migrator did not create it",
        f"--replace {name} puts the copy in its place; --adopt {name} keeps its documents and takes it over; "
        "or give the mapping's collection another name.",
    )
    return Decision("replace", ("migrator did not create it",), collection.indexes, findings=(finding,))


def _lost_indexes(collection: Collection, before: TargetCollection) -> tuple[Finding, ...]:
    known = {spec.name for spec in (*before.index_specs, *collection.indexes)}
    lost = [name for name in before.indexes if name not in known]
    if not lost:
        return ()
    text = f"{plural(len(lost), 'index goes', 'indexes go')} away that no mapping names: {listed(lost)}"
    return (
        Finding("warning", "index-lost", collection.name, text, f"Name them under `indexes:` in {collection.file}."),
    )
