"""Reads and reports, changes nothing: check, plan, and whether a plan from a file is still valid.

Read-only by construction: nothing here calls what writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bson import BSON, CodecOptions
from bson.codec_options import DatetimeConversion
from bson.json_util import RELAXED_JSON_OPTIONS, dumps

from migrator.changes.followable import unfollowable
from migrator.copy.trial import first_documents
from migrator.copy.unfinished import is_for, is_same_moment, to_copy
from migrator.errors import MappingError, PlanRefused, SettingsError, SourceError
from migrator.mapping.file.load import read_mappings
from migrator.mapping.resolve import named_tables, resolve
from migrator.mapping.suggest import did_you_mean
from migrator.mapping.validator import validator
from migrator.model.change.events import Scope
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Finding, Plan, TargetCollection
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.report.activity import LeaseHolder
from migrator.model.schema.tables import Schema
from migrator.planning.build import CollectionFacts, PlanContext, build, gone_on_with, narrowed
from migrator.planning.decide import Consent, decide
from migrator.planning.log_rate import log_rate_findings, mark_log, measure_log_rate
from migrator.planning.outdated import CurrentState, outdated
from migrator.planning.sync_findings import sync_findings
from migrator.ports.copy import Source, Target
from migrator.ports.sync import SyncableSource, SyncableTarget
from migrator.sync.cascades.row_snapshot import untracked

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class MappingFiles:
    """Where the mappings are, and the project's policies for them."""

    folder: Path
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a plan is to look at.

    Attributes:
        exact: count everything instead of estimating big tables.
        samples: documents of each collection to show.
        collections: only these; None for all.
        consent: what may happen to collections that migrator did not create.
        chunk_rows: root rows a chunk; None chooses by the size of the documents.
    """

    exact: bool = False
    samples: int = 0
    collections: tuple[str, ...] | None = None
    consent: Consent = field(default_factory=Consent)
    chunk_rows: int | None = None


def check(source: Source, files: MappingFiles) -> tuple[Collection, ...]:
    """The collections that the mapping files describe, checked against the source's schema.

    Raises:
        MappingError: with every mistake.
        SourceError: when the schema can't be read.
    """
    return _checked(source, files).collections


@dataclass(frozen=True, slots=True)
class _Checked:
    """What the mapping files describe, and the tables that they name as they are now."""

    collections: tuple[Collection, ...]
    schema: Schema


def _checked(source: Source, files: MappingFiles) -> _Checked:
    mappings = read_mappings(files.folder)
    try:
        schema = source.schema(named_tables(mappings))
    except SourceError:
        if mappings.problems:
            raise MappingError(mappings.problems) from None
        raise
    return _Checked(resolve(mappings, schema, source, files.policies), schema)


def make_plan(
    source: SyncableSource,
    target: SyncableTarget,
    files: MappingFiles,
    address: str,
    options: PlanOptions,
    report: Report,
) -> Plan:
    """What apply would do now.

    Args:
        address: host:port/database of the source, without credentials.
        report: hears what is being looked at.

    Raises:
        MappingError, SourceError, TargetError, SettingsError: see `check`; an unknown collection was named.
    """
    since = mark_log(source) if target.sync_target() is not None else None
    report("reading mappings and schema")
    checked = _checked(source, files)
    collections = _chosen(checked.collections, options)
    report("reading the target")
    inspected = target.inspect([each.name for each in collections])
    stale = [each.name for each, now in zip(collections, inspected, strict=True) if now.owned and _is_stale(each, now)]
    applied = target.applied(stale) if stale else {}
    surveys = []
    for number, (collection, before) in enumerate(zip(collections, inspected, strict=True), 1):
        prefix = f"{collection.name} ({number} of {len(collections)})"
        wanted = validator(collection)
        decision = decide(collection, before, wanted, options.consent, applied.get(collection.name))
        measure = None
        if decision.action != "unchanged":
            report(f"measuring {prefix}")
            measure = source.measure(collection, exact=options.exact, report=partial(_measuring, report, prefix))
        samples: tuple[str, ...] = ()
        if options.samples:
            report(f"making samples of {prefix}")
            samples = _samples(source, collection, options.samples)
        surveys.append(CollectionFacts(collection, before, decision, wanted, measure, samples))
    report("reading the source's settings")
    syncable = source.position() is not None
    followed: tuple[Finding, ...] = ()
    if syncable and target.sync_target() is not None:
        followed = tuple(sync_findings(checked.schema, collections, logs_cascades=source.cascades_are_logged()))
        report("trying how fast the change log can be followed")
        copied = [each.collection for each in surveys if each.measure is not None]
        followed += log_rate_findings(measure_log_rate(source, checked.schema, copied, since))
    run = target.state().open_run()
    ground = PlanContext(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source.identity(),
        source_address=address,
        target=target.identity(),
        findings=(*source.findings(), *followed, *_unfinished(target, run)),
        syncable=syncable,
    )
    plan = build(ground, surveys, options.chunk_rows)
    if run is None:
        return plan
    progress = target.state().progress(run.id)
    is_used = is_for(progress, run, plan) and _is_of_use(run, progress, source, target, checked.schema)
    return gone_on_with(plan, progress) if is_used else plan


def _is_of_use(
    run: Run, progress: Mapping[str, CollectionProgress], source: SyncableSource, target: SyncableTarget, schema: Schema
) -> bool:
    """Whether an apply for the same work goes on with what the run has copied, as far as can be told now."""
    if _at_work(target) is not None:
        return True
    if target.identity().capabilities.one_snapshot:
        return is_same_moment(run.position, source.position())
    following = target.sync_target()
    is_tracking = following is not None and run.position is not None and not source.cascades_are_logged()
    if following is None or not is_tracking or any(each.published for each in progress.values()):
        return True
    tracked = following.sync_state().tracked
    begun = [each.collection for each in to_copy(run.plan) if progress[each.collection.name].chunks]
    return not any(
        untracked(Scope(run.id, each.name), each, schema, tracked).tables
        for each in begun
        if not unfollowable(each, schema)
    )


def _is_stale(collection: Collection, now: TargetCollection) -> bool:
    """Whether what is live was made by another mapping, or from other tables."""
    wanted = collection.mapping_hash, collection.schema_fingerprint
    return (now.mapping_hash, now.schema_fingerprint) != wanted


def _measuring(report: Report, what: str, detail: str) -> None:
    report(f"measuring {what}: {detail}")


def _at_work(target: Target) -> LeaseHolder | None:
    """The apply that is at work."""
    holder = target.activity_store().lease_holder("apply")
    return holder if holder is not None and holder.lives and holder.purpose == "apply" else None


def _unfinished(target: Target, run: Run | None) -> tuple[Finding, ...]:
    if run is None:
        return ()
    holder = _at_work(target)
    if holder is not None:
        text = f"an apply begun at {run.started} is running: {holder.owner}"
        fix = "Wait for it, or end it: what it finished is kept. `migrator status` shows its progress."
        return (Finding("info", "running-apply", "", text, fix),)
    text = f"an apply begun at {run.started} is unfinished; apply resumes it if it is for the same work"
    return (Finding("info", "unfinished-run", "", text, "apply --restart forgets what it copied."),)


def _chosen(collections: tuple[Collection, ...], options: PlanOptions) -> tuple[Collection, ...]:
    names = [each.name for each in collections]
    wanted = options.collections
    for name in (*(wanted or ()), *sorted(options.consent.adopt | options.consent.replace)):
        _must_be_known(name, names, "no mapping describes the collection")
    return collections if wanted is None else tuple(each for each in collections if each.name in wanted)


def _must_be_known(name: str, names: Sequence[str], what: str) -> None:
    if name not in names:
        raise SettingsError(f"{what} {name}", hint=did_you_mean(name, names, what="there are"))


def _samples(source: Source, collection: Collection, count: int) -> tuple[str, ...]:
    documents, _ = asyncio.run(first_documents(source, collection, count))
    # Dates outside Python's years stay what they are.
    options: CodecOptions[dict[str, object]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    return tuple(
        dumps(BSON(document).decode(options), json_options=RELAXED_JSON_OPTIONS, ensure_ascii=False)
        for document in documents
    )


def only(plan: Plan, names: Sequence[str] | None) -> Plan:
    """The plan for some of its collections; None for all.

    Raises:
        SettingsError: when one is not in the plan.
    """
    if names is None:
        return plan
    known = [each.collection.name for each in plan.collections]
    for name in names:
        _must_be_known(name, known, "the plan does not contain the collection")
    return narrowed(plan, names)


def refuse_outdated(plan: Plan, source: Source, target: Target, files: MappingFiles) -> None:
    """Raises PlanRefused when things are not as they were when `plan` was made.

    Mapping files are compared where there are any; a plan alone is enough on a machine without them.
    """
    present = CurrentState(
        source=source.identity(),
        target=target.identity(),
        collections=check(source, files) if files.folder.exists() else None,
        inspected=target.inspect([each.collection.name for each in plan.collections]),
    )
    reasons = outdated(plan, present)
    if reasons:
        raise PlanRefused(
            "\n".join(["the plan is outdated:", *(f"  - {reason}" for reason in reasons)]),
            hint="Make a new one with `migrator plan`.",
        )


def refuse_other_mappings(source: Source, target: Target, files: MappingFiles, report: Report) -> None:
    """Raises PlanRefused when a mapping is another than the one that its collection was applied with
    (premise D). Where only the tables have changed, what was applied counts: sync looks whether it still fits."""
    for collection in _otherwise(source, target, files, report):
        raise PlanRefused(
            "the mapping has changed since the collection was applied",
            where=f"{collection.name}, {collection.file}",
            hint="`migrator apply` rebuilds it by the new one; or go back to the mapping that was applied.",
        )


def tell_other_mappings(source: Source, target: Target, files: MappingFiles, report: Report) -> None:
    """A sentence about each mapping that is another than the one that its collection was applied with."""
    for each in _otherwise(source, target, files, report):
        report(
            f"{each.name}: the mapping in {each.file} has changed since it was applied; "
            "the one that was applied is used"
        )


def _otherwise(source: Source, target: Target, files: MappingFiles, report: Report) -> Iterator[Collection]:
    if not files.folder.exists():
        return
    try:
        collections = check(source, files)
    except MappingError as error:
        report(f"the mapping files don't fit the tables ({error.what}); what was applied is used")
        return
    found = zip(collections, target.inspect([each.name for each in collections]), strict=True)
    different = [(each, now) for each, now in found if now.owned and now.mapping_hash != each.mapping_hash]
    applied = target.applied([each.name for each, _ in different]) if different else {}
    for collection, now in different:
        known = applied.get(collection.name)
        if known is None or not known.spec_hash:
            # A version that did not keep how the mapping was written.
            is_other = now.schema_fingerprint == collection.schema_fingerprint
        else:
            is_other = known.spec_hash != collection.spec_hash
        if is_other:
            yield collection
