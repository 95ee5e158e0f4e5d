"""Who writes which path of a (sub-)document: two that write one path are a mistake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from migrator.mapping.fields import LocatedField
from migrator.mapping.location import Location
from migrator.model.mapping.tree import Field


@dataclass(frozen=True, slots=True)
class PathWrite:
    """`what` (for people) writes `path`. Writes of different `case`s are never in one document."""

    path: tuple[str, ...]
    what: str
    location: Location
    case: str | None = None


def field_writes(placed: Iterable[LocatedField], case: str | None = None) -> list[PathWrite]:
    """What these fields write, companions of times included."""
    found = []
    for item in placed:
        field = item.field
        found.append(PathWrite(field.path, _describe(field), item.location, case))
        if field.value.companion:
            companion = (*field.path[:-1], f"{field.path[-1]}_micros")
            found.append(PathWrite(companion, f"the microseconds of {_describe(field)}", item.location, case))
    return found


def report_collisions(writes: Iterable[PathWrite]) -> None:
    """Reports every write whose path, or a path above or below it, an earlier one has taken."""
    whole: dict[tuple[str, ...], list[PathWrite]] = defaultdict(list)
    inside: dict[tuple[str, ...], list[PathWrite]] = defaultdict(list)
    for write in writes:
        above = [other for end in range(1, len(write.path) + 1) for other in whole[write.path[:end]]]
        taken = [*above, *inside[write.path]]
        other = next((other for other in taken if not _exclude(write, other)), None)
        if other is not None:
            path = ".".join(write.path)
            if other.path == write.path:
                message = f"`{path}` is written twice: by {other.what} and by {write.what}"
            else:
                message = (
                    f"`{path}` ({write.what}) and `{'.'.join(other.path)}` ({other.what}) conflict with each other"
                )
            write.location.report(message, "give one of them another name, or leave the column out", at_key=True)
        whole[write.path].append(write)
        for end in range(1, len(write.path)):
            inside[write.path[:end]].append(write)


def _exclude(one: PathWrite, other: PathWrite) -> bool:
    return one.case is not None and other.case is not None and one.case != other.case


def _describe(field: Field) -> str:
    if field.sql is not None:
        return f"the computed field {'.'.join(field.path)}"
    return f"{'the link table’s' if field.from_link else 'the'} column {field.column.name}"
