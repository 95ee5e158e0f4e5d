"""What is live and by which mapping it was made, the same for every kind of target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from migrator.model.change.events import Scope
from migrator.model.mapping.tree import Collection
from migrator.model.plan.run import Run
from migrator.model.report.verify import Published
from migrator.target.found_collection import FoundCollection, owned
from migrator.target.record import Record
from migrator.target.store_protocols import CollectionStore, Records


def published(
    names: Iterable[str],
    place: CollectionStore,
    records: Records,
    run_of: Callable[[str], Run | None],
    renewed: Callable[[Scope], Collection | None],
) -> tuple[Published, ...]:
    """The collections of these names that an apply published and the state still knows the plan of.

    Args:
        renewed: the mapping of a collection with the columns that a sync has renewed, None where it has not.
    """
    return tuple(_published(names, place, records, cache(run_of), renewed))


def _published(
    names: Iterable[str],
    place: CollectionStore,
    records: Records,
    run_of: Callable[[str], Run | None],
    renewed: Callable[[Scope], Collection | None],
) -> Iterator[Published]:
    for name in sorted(names):
        record = records.get(name).record
        run = run_of(record.run) if record is not None and record.run else None
        if record is None or run is None:
            continue
        live = place.live(name)
        for plan in run.plan.collections:
            if plan.collection.name == name:
                scope = Scope(run.id, name)
                yield Published(
                    scope,
                    renewed(scope) or plan.collection,
                    run.plan.source,
                    plan.chunk_rows,
                    run.started,
                    tuple(_missing(record, live)),
                    owned(live, record),
                )


def _missing(record: Record, live: FoundCollection) -> Iterator[tuple[str, str]]:
    there = {index["name"] for index in live.indexes}
    for spec in record.indexes:
        if spec.name not in there:
            yield spec.name, "migrator built it, and it is gone"
    for problem in record.problems:
        yield "", problem
