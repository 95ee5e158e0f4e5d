"""Publishing, the same for every kind of target: what was loaded becomes live, and the state says so.

A crash can come between any two steps. Before the rename the state holds an intent; whoever comes next sees by it
whether the rename took place and notes what is missing (`settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from migrator.errors import LeaseLost, NotOwned, PlanRefused, TargetError
from migrator.model.change.events import Scope
from migrator.model.collection_names import sample_name
from migrator.model.mapping.tree import Collection, IndexSpec
from migrator.model.plan.plan import CollectionPlan, TargetCollection
from migrator.target import indexes
from migrator.target.found_collection import FoundCollection, describe, owned
from migrator.target.record import Entry, Intent, Record
from migrator.target.store_protocols import CollectionStore, Records
from migrator.waits import Building, silent_building

_FOREIGN = "Check what it contains. --replace puts a new copy in its place, --adopt takes it over as it is."


class CollectionPublisher:
    """Implements migrator.ports.copy.Publisher over a place for collections and the state's records."""

    def __init__(self, place: CollectionStore, records: Records, where: str) -> None:
        self._place = place
        self._records = records
        self._where = where

    def prepare(self, run_id: str, plan: CollectionPlan) -> None:
        self._place.create(run_id, plan.collection.name)

    def take_over(self, run_id: str, plan: CollectionPlan) -> None:
        """See migrator.ports.copy.Publisher."""
        name = plan.collection.name
        if not self._place.take_over(run_id, name):
            raise self._gone(name)

    def publish(self, run_id: str, plan: CollectionPlan, building: Building = silent_building) -> tuple[str, ...]:
        """Builds indexes, sets the validator, renames, notes ownership; see migrator.ports.copy.Publisher.

        Raises:
            NotOwned: when something is live that migrator didn't make and the plan's action is not `replace`.
        """
        name = plan.collection.name
        entry = self.settle(name)
        if entry.record is not None and entry.record.run == run_id:
            return entry.record.problems
        if not self._place.is_staged(run_id, name):
            raise self._gone(name)
        # Looked at twice: before hours of index building, and right before the rename.
        self._refuse_foreign(plan, self._place.live(name), entry.record)
        built, problems = self._place.make_ready(run_id, plan, building)
        live = self._place.live(name)
        self._refuse_foreign(plan, live, entry.record)
        record = Record(
            collection=name,
            run=run_id,
            mapping_hash=plan.collection.mapping_hash,
            schema_fingerprint=plan.collection.schema_fingerprint,
            indexes=built,
            validator=plan.validator,
            problems=problems,
        )
        self._records.intend(name, Intent(record, live.identity, self._place.holding))
        self._place.swap(run_id, name, live.identity)
        self._complete(record)
        return problems

    def progress(self, run_id: str, collection: str) -> str:
        """How far the index is that is being built; see migrator.ports.copy.Publisher."""
        return self._place.progress(run_id, collection)

    def alter(self, plan: CollectionPlan, building: Building = silent_building) -> tuple[str, ...]:
        """Changes only indexes and validator; see migrator.ports.copy.Publisher.

        Raises:
            NotOwned: when migrator didn't make what is live, and the plan's action is not `adopt`.
            PlanRefused: when nothing is live.
        """
        name = plan.collection.name
        record = self.settle(name).record
        live = self._place.live(name)
        if not live.exists:
            raise PlanRefused("the collection is gone", where=self._at(name), hint="Make a new plan.")
        if record is None or not owned(live, record):
            if plan.action != "adopt":
                raise NotOwned("migrator did not make this collection", where=self._at(name), hint=_FOREIGN)
            collection = plan.collection
            record = Record(name, "", collection.mapping_hash, collection.schema_fingerprint, (), "")
        built, problems = self._place.alter(name, plan.drop_indexes, plan.create_indexes, building)
        if plan.validator != record.validator:
            self._place.set_validator(name, plan.validator)
        self._refuse_renewed(name, record)
        gone = (*plan.drop_indexes, *(spec.name for spec in built))
        kept = indexes.without(record.indexes, gone)
        self._note(replace(record, indexes=(*kept, *built), validator=plan.validator, problems=problems))
        return problems

    def renew(
        self,
        scope: Scope,
        before: Collection,
        after: Collection,
        validator: str,
        renewed: Callable[[IndexSpec], IndexSpec],
        building: Building = silent_building,
    ) -> tuple[str, ...]:
        """See migrator.ports.sync.Renewer. The note comes first: after a crash it tells that validator and indexes
        may be of another mapping than the documents."""
        name = scope.collection
        broken_off = False

        def noted(record: Record) -> Record:
            nonlocal broken_off
            if record.run != scope.run:
                raise LeaseLost(
                    "another run has replaced this collection in the meantime",
                    where=self._at(name),
                    hint="Start sync again.",
                )
            broken_off = record.mapping_hash != before.mapping_hash
            return replace(
                record,
                mapping_hash=after.mapping_hash,
                schema_fingerprint=after.schema_fingerprint,
                validator=validator if record.validator else "",
            )

        record = self._records.amend(name, noted)
        if after.mapping_hash == before.mapping_hash and not broken_off:
            return ()
        if record.validator:
            self._place.set_validator(name, record.validator)
        changed = [spec for spec in map(renewed, record.indexes) if spec not in record.indexes]
        if broken_off:
            changed = [spec for spec in map(renewed, record.indexes) if spec.unique]
        return self._reindex(name, changed, building) if changed else ()

    def is_made_by(self, scope: Scope, collection: Collection) -> bool:
        """See migrator.ports.sync.Renewer."""
        record = self._records.get(scope.collection).record
        noted = None if record is None else (record.run, record.mapping_hash, record.schema_fingerprint)
        return noted == (scope.run, collection.mapping_hash, collection.schema_fingerprint)

    def _reindex(self, name: str, specs: Sequence[IndexSpec], building: Building) -> tuple[str, ...]:
        names = [spec.name for spec in specs]
        built, problems = self._place.alter(name, names, specs, building)

        def noted(record: Record) -> Record:
            kept = indexes.without(record.indexes, names)
            return replace(record, indexes=(*kept, *built), problems=(*record.problems, *problems))

        self._records.amend(name, noted)
        return problems

    def discard(self, run_id: str, collection: str) -> None:
        """Drops what a run loaded and did not publish."""
        self._place.discard(run_id, collection)

    def sample(self, name: str, documents: Sequence[bytes]) -> str:
        """Replaces the trial collection of `name`; see migrator.ports.copy.Publisher.

        Raises:
            NotOwned: when a collection of the trial's name is not migrator's.
        """
        trial = sample_name(name)
        record = self._records.get(trial).record
        if record is None or record.run:
            if self._place.live(trial).exists:
                raise NotOwned(
                    "a collection of the trial's name is there, and it is no trial",
                    where=self._at(trial),
                    hint="Rename it or drop it.",
                )
            # A trial's record names no run. Were it recorded last, a crash would leave a trial that nobody may replace.
            self._records.settle(trial, Record(trial, "", "", "", (), ""))
        self._place.fill(trial, documents)
        return trial

    def inspect(self, name: str) -> TargetCollection:
        """What is live under a name. Changes nothing, and sees through what a crash left half recorded."""
        live = self._place.live(name)
        record = self._current_record(self._records.get(name), live)
        found = describe(live, record)
        if record is None or not found.owned:
            return found
        return replace(found, rejected=self._records.rejected(name, record.run))

    def published(self) -> dict[str, str]:
        """Collection -> run, of everything live that an apply made. Changes nothing."""
        entries = self._records.entries()
        found = {}
        for name, identity in self._place.identities(entries).items():
            live = FoundCollection(name, identity)
            record = self._current_record(entries[name], live)
            if record and record.run and owned(live, record):
                found[name] = record.run
        return found

    def settle_all(self) -> None:
        """Records everything that a crash left half recorded; needs the lease."""
        for name in self._records.unsettled():
            self.settle(name)

    def settle(self, name: str) -> Entry:
        """The records of a collection, after what a crash left half done was finished or forgotten."""
        entry = self._records.get(name)
        if entry.intent is None:
            return entry
        intent = entry.intent
        # First of all a late rename must find nothing: after a look that says "not yet" it would come as a surprise.
        self._place.take_over(intent.record.run, name)
        if self._place.swapped(intent.record.run, name, intent.before, intent.holding):
            self._complete(intent.record)
        else:
            self._records.forget_intent(name)
        return self._records.get(name)

    def _current_record(self, entry: Entry, live: FoundCollection) -> Record | None:
        """What was or would be recorded about what is live."""
        intent = entry.intent
        if intent is not None and self._place.swapped(intent.record.run, live.name, intent.before, intent.holding):
            return replace(intent.record, identity=live.identity)
        return entry.record

    def _complete(self, record: Record) -> None:
        self._place.complete_swap(record)
        self._note(record)

    def _note(self, record: Record) -> None:
        live = self._place.live(record.collection)
        self._records.settle(record.collection, replace(record, identity=live.identity))

    def _refuse_foreign(self, plan: CollectionPlan, live: FoundCollection, record: Record | None) -> None:
        if live.exists and plan.action != "replace" and not owned(live, record):
            raise NotOwned(
                "a collection of this name exists, and migrator did not make it",
                where=self._at(plan.collection.name),
                hint=_FOREIGN,
            )

    def _refuse_renewed(self, name: str, before: Record) -> None:
        """A sync may have renewed the columns meanwhile: then its validator counts, not that of a plan from before."""
        now = self._records.get(name).record
        if now is None or now.mapping_hash == before.mapping_hash or now.run != before.run:
            return
        self._place.set_validator(name, now.validator)
        raise PlanRefused(
            "its tables were altered in the meantime, and sync has renewed the columns",
            where=self._at(name),
            hint="Make a new plan.",
        )

    def _gone(self, name: str) -> TargetError:
        return TargetError(
            "what was loaded is gone: somebody removed it", where=self._at(name), hint="Apply again with --restart."
        )

    def _at(self, name: str) -> str:
        return f"{self._where}, {name}"
