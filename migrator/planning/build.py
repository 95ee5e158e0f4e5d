"""Facts about source and target to a plan. Pure: the caller has asked the servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import (
    COPIED,
    DOLLAR_NAMES,
    Capabilities,
    CollectionMeasure,
    CollectionPlan,
    Copied,
    Finding,
    Measure,
    Plan,
    Severity,
    TargetCollection,
    TargetIdentity,
)
from migrator.model.plan.run import CollectionProgress
from migrator.model.text.formatting import limit_size, listed, measured_size
from migrator.planning.decide import Decision
from migrator.planning.index_rivals import rival_findings

PLAN_VERSION = 1

# A chunk shall be big enough that its snapshot, its checkpoint and rows shared with other chunks don't count, and small
# enough to be quickly repeated.
_CHUNK_BYTES = 12_000_000
_FEWEST_ROWS = 200
_MOST_ROWS = 20_000

# Source rows a second, all workers together, on two cores with both servers on the same machine: a floor for estimates.
_ROWS_PER_SECOND = 40_000


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is made for as a whole; see `Plan` for the fields."""

    created: str
    source: ServerIdentity
    source_address: str
    target: TargetIdentity
    findings: tuple[Finding, ...]
    syncable: bool


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What was found out about one collection; see `CollectionPlan` for the fields."""

    collection: Collection
    before: TargetCollection
    decision: Decision
    validator: str
    measure: CollectionMeasure | None
    samples: tuple[str, ...] = ()


def build(context: PlanContext, facts: Sequence[CollectionFacts], chunk_rows: int | None) -> Plan:
    """The plan; `chunk_rows` overrides the chunks' size."""
    collections = tuple(_collection(survey, context.target, chunk_rows) for survey in facts)
    databases = {schema for survey in facts for schema, _ in survey.collection.tables}
    return Plan(
        version=PLAN_VERSION,
        created=context.created,
        source=context.source,
        source_address=context.source_address,
        databases=tuple(sorted(databases)),
        target=context.target,
        collections=collections,
        findings=context.findings,
        seconds=estimate(collections),
        syncable=context.syncable,
    )


def _collection(facts: CollectionFacts, target: TargetIdentity, chunk_rows: int | None) -> CollectionPlan:
    decision, capabilities = facts.decision, target.capabilities
    measure = _judged(facts.measure, capabilities)
    findings = (
        *decision.findings,
        *_size_limit(facts, capabilities.max_document_bytes),
        *_missing_abilities(facts, capabilities),
        *rival_findings(facts.collection, decision.create_indexes, target),
    )
    return CollectionPlan(
        collection=facts.collection,
        action=decision.action,
        reasons=decision.reasons,
        measure=measure,
        chunk_rows=chunk_rows or rows_per_chunk(facts.measure),
        create_indexes=decision.create_indexes,
        drop_indexes=decision.drop_indexes,
        validator=facts.validator,
        before=facts.before,
        findings=findings,
        samples=facts.samples,
    )


# What becomes of documents with names that begin with `$`: severity, text and what to do.
_DOLLAR_NAMES: Mapping[str, tuple[Severity, str, str]] = {
    "reinserted": (
        "info",
        "this target does not replace such documents, so each change deletes and inserts them in one transaction",
        "",
    ),
    "rejected": (
        "warning",
        "this target does not replace such documents and has no transactions, so they will be rejected",
        "Use a replica set, or MongoDB 5.0 or later; or rename the keys in the source.",
    ),
}


def _judged(measure: CollectionMeasure | None, capabilities: Capabilities) -> CollectionMeasure | None:
    """With what this target makes of the rows in question."""
    if measure is None:
        return None
    findings: list[Finding] = []
    for each in measure.findings:
        if each.code != DOLLAR_NAMES:
            findings.append(each)
        elif capabilities.dollar_names in _DOLLAR_NAMES:
            severity, then, fix = _DOLLAR_NAMES[capabilities.dollar_names]
            findings.append(replace(each, severity=severity, text=f"{each.text}; {then}", fix=fix))
    return replace(measure, findings=tuple(findings))


def rows_per_chunk(measure: CollectionMeasure | None) -> int:
    """Root rows per chunk, so that a chunk is about 12 MB of documents."""
    if measure is None or not measure.documents.value or not measure.total_bytes.value:
        return _MOST_ROWS
    average = measure.total_bytes.value / measure.documents.value
    return max(_FEWEST_ROWS, min(_MOST_ROWS, int(_CHUNK_BYTES / average)))


def estimate(collections: Sequence[CollectionPlan]) -> Measure:
    """Seconds that the copy takes, at a rate measured elsewhere; what is copied already takes none."""
    rows = sum(each.rows_left for each in collections)
    return Measure(-(-rows // _ROWS_PER_SECOND), exact=False)


def _size_limit(facts: CollectionFacts, limit: int) -> tuple[Finding, ...]:
    if facts.measure is None or facts.measure.biggest.measure.value <= limit:
        return ()
    known = [finding.code for finding in facts.measure.findings]
    if "size-limit" in known:
        return ()
    biggest = facts.measure.biggest
    which = f" ({biggest.key})" if biggest.key else ""
    return (
        Finding(
            "warning",
            "size-limit",
            facts.collection.name,
            f"the biggest document{which} has {measured_size(biggest.measure)}, the limit is {limit_size(limit)}: it "
            "will be rejected",
            "Use `limit:` on its longest array, or make the array a collection of its own.",
        ),
    )


def _missing_abilities(facts: CollectionFacts, capabilities: Capabilities) -> tuple[Finding, ...]:
    found = []
    unique = [spec.name for spec in facts.decision.create_indexes if spec.unique]
    if unique and not capabilities.unique_indexes:
        text = f"the target does not enforce unique indexes: {listed(unique)}"
        found.append(Finding("info", "no-unique", facts.collection.name, text))
    if facts.validator and not capabilities.validators:
        text = "the target does not enforce validators"
        found.append(Finding("info", "no-validator", facts.collection.name, text))
    return tuple(found)


def narrowed(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan for some of its collections only."""
    collections = tuple(each for each in plan.collections if each.collection.name in names)
    return replace(plan, collections=collections, seconds=estimate(collections))


def gone_on_with(plan: Plan, progress: Mapping[str, CollectionProgress]) -> Plan:
    """The plan, where apply will go on with a run that has come so far."""
    collections = tuple(_gone_on_with(each, progress.get(each.collection.name)) for each in plan.collections)
    return replace(plan, collections=collections, seconds=estimate(collections))


def _gone_on_with(plan: CollectionPlan, found: CollectionProgress | None) -> CollectionPlan:
    if plan.action not in COPIED or found is None or not found.chunks_done:
        return plan
    is_whole = found.planned and found.chunks_done == found.chunks
    return replace(plan, copied=Copied(found.documents, found.rows, found.bytes, is_whole))
