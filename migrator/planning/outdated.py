"""Whether a plan from a file may still be carried out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import CollectionPlan, Plan, TargetCollection, TargetIdentity
from migrator.model.text.formatting import listed
from migrator.planning.build import PLAN_VERSION
from migrator.planning.mapping_diff import changes


@dataclass(frozen=True, slots=True)
class CurrentState:
    """How things are now.

    Attributes:
        collections: as the mapping files and the schema now say; None when there are no mapping files here.
        inspected: what the target holds under the plan's names.
    """

    source: ServerIdentity
    target: TargetIdentity
    collections: tuple[Collection, ...] | None
    inspected: tuple[TargetCollection, ...]


def outdated(plan: Plan, now: CurrentState) -> tuple[str, ...]:
    """Why `plan` must not be carried out any more, one sentence each; () when it may."""
    return tuple(_reasons(plan, now))


def _reasons(plan: Plan, now: CurrentState) -> Iterator[str]:
    if plan.version != PLAN_VERSION:
        yield f"the plan has format {plan.version}, this version of migrator writes format {PLAN_VERSION}"
        return
    if now.source.uuid != plan.source.uuid:
        yield f"it was made for the source server {plan.source.uuid}, this one is {now.source.uuid}"
    if now.target.address != plan.target.address:
        yield f"it was made for the target {plan.target.address}, this one is {now.target.address}"
        return
    found = {each.name: each for each in now.inspected}
    mapped = None if now.collections is None else {each.name: each for each in now.collections}
    for each in plan.collections:
        name = each.collection.name
        if mapped is not None:
            yield from (f"{name}: {what}" for what in _mapping(each.collection, mapped))
        yield from (f"{name}: {what}" for what in _target(each, found))


def _mapping(planned: Collection, mapped: Mapping[str, Collection]) -> Iterator[str]:
    now = mapped.get(planned.name)
    if now is None:
        yield "there is no mapping for it any more"
        return
    yield from (f"the mapping changed: {what}" for what in changes(planned, now))
    if planned.schema_fingerprint != now.schema_fingerprint:
        yield f"the schema of {_tables(planned, now)} changed"
    if planned.indexes != now.indexes:
        yield f"its indexes changed: {_names(planned, now)}"
    if planned.validator != now.validator:
        yield "`validator:` changed"


def _tables(planned: Collection, now: Collection) -> str:
    return listed(".".join(name) for name in sorted({*planned.tables, *now.tables}))


def _names(planned: Collection, now: Collection) -> str:
    different = {*planned.indexes} ^ {*now.indexes}
    return listed(sorted({spec.name for spec in different})) or "their order"


def _target(planned: CollectionPlan, found: Mapping[str, TargetCollection]) -> Iterator[str]:
    now = found[planned.collection.name]
    if now.structure == planned.before.structure:
        return
    if _published(planned, now):
        # An apply of this very plan that stopped half way; `apply` itself knows which collections it has published.
        return
    yield "the target's collection is not as it was when the plan was made"


def _published(planned: CollectionPlan, now: TargetCollection) -> bool:
    wanted = (planned.collection.mapping_hash, planned.collection.schema_fingerprint)
    return now.owned and (now.mapping_hash, now.schema_fingerprint) == wanted
