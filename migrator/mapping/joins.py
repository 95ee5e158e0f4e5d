"""How two tables are joined: `on:` as written, or the one foreign key that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from migrator.mapping.catalog import Catalog, column
from migrator.mapping.location import Location
from migrator.mapping.suggest import grant_reading, nearest
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Join
from migrator.model.schema.collation import is_bytes, is_text
from migrator.model.schema.tables import Column, ForeignKey, Table

# Which side's foreign key is looked for: the parent's (`one`) or the child's.
Holder = Literal["parent", "child"]
Pair = tuple[str, str]
Pairs = tuple[Pair, ...]

_NUMBERS = ("integer", "decimal", "float", "double", "bit", "year")
_NOT_COMPARABLE = ("json", "geometry", "vector", "set")


@dataclass(frozen=True)
class ParentNode:
    """What an embedded node must know of the node that it is embedded in.

    Attributes:
        id: the node's id.
        table: its table.
        key: the columns that name its rows.
        policies: in force there.
    """

    id: str
    table: Table
    key: tuple[Column, ...]
    policies: Policies


@dataclass(frozen=True)
class JoinSides:
    """Two tables to be joined; `holder` has the foreign key. `key` is the mapping's key for the pairs.

    `instead` is what else to do where the parent turns out to be the holder.
    """

    parent: Table
    child: Table
    holder: Holder
    key: Literal["on", "to"] = "on"
    instead: str = "remove `many` or `one`, or "

    def candidates(self, holder: Holder | None = None) -> tuple[Pairs, ...]:
        """(parent column, child column) pairs of every foreign key in that direction, without duplicates."""
        if (holder or self.holder) == "parent":
            found = [_pairs(key.columns, key.parent_columns) for key in _keys_to(self.parent, self.child)]
        else:
            found = [_pairs(key.parent_columns, key.columns) for key in _keys_to(self.child, self.parent)]
        return tuple(dict.fromkeys(found))


def report_unmatched(join: Join | None, parent: ParentNode, location: Location) -> None:
    """Reports a join whose rows nothing can bring to their parents (Identity in docs/invariants.md)."""
    if join is not None and not join.exact and not parent.key:
        names = ", ".join(column.name for column in join.parent)
        message = f"{parent.table.qualified} has no key, and rows can't be matched by ({names}) alone"
        location.report(message, f"give {parent.table.name} a primary key, or join by whole numbers", at_key=True)


def find_join(
    sides: JoinSides,
    on: Mapping[str, str] | None,
    location: Location,
    catalog: Catalog,
    used: frozenset[str] = frozenset(),
) -> Join | None:
    """The join that `on` (at `spot.at(sides.key)`) states, or else the one foreign key gives.

    `used` are columns of the holder that join something else already (the other side of a link table). None, and
    reported, when there is no foreign key or there are several.
    """
    if on is not None:
        return _stated(sides, on, location.at(sides.key), catalog)
    held_by = 0 if sides.holder == "parent" else 1
    candidates = tuple(pairs for pairs in sides.candidates() if used.isdisjoint(pair[held_by] for pair in pairs))
    if len(candidates) == 1:
        by_parent, by_child = sides.parent.by_name, sides.child.by_name
        pairs = [(by_parent[left], by_child[right]) for left, right in candidates[0]]
        # Under foreign_key_checks = 0 a table can be converted while those that refer to it are not.
        fit = [_check_comparable(sides, left, right, location, catalog) for left, right in pairs]
        return _join(pairs) if all(fit) else None
    if candidates:
        lines = " or ".join(f"`{sides.key}: {_written(pairs)}`" for pairs in candidates)
        message = f"several foreign keys join {sides.parent.name} and {sides.child.name}"
        location.report(message, f"say which: {lines}", at_key=True)
    else:
        location.report(*_nothing_fits(sides), at_key=True)
    return None


def _keys_to(holder: Table, parent: Table) -> list[ForeignKey]:
    return [key for key in holder.foreign_keys if (key.parent_schema, key.parent_table) == (parent.schema, parent.name)]


def _pairs(left: tuple[str, ...], right: tuple[str, ...]) -> Pairs:
    return tuple(zip(left, right, strict=True))


def _written(pairs: Pairs) -> str:
    return "{" + ", ".join(f"{left}: {right}" for left, right in pairs) + "}"


def _stated(sides: JoinSides, on: Mapping[str, str], location: Location, catalog: Catalog) -> Join | None:
    pairs: list[tuple[Column, Column]] = []
    before = len(location.problems)
    if _swapped(sides, on):
        correct = _written(tuple((right, left) for left, right in on.items()))
        message = (
            f"the columns are the other way round: {{column of {sides.parent.name}: column of {sides.child.name}}}"
        )
        location.report(message, f"write `{sides.key}: {correct}`", at_key=True)
        return None
    for left, right in on.items():
        here = location.at(left)
        parent_column = column(sides.parent, left, here, at_key=True)
        child_column = column(sides.child, right, here)
        if parent_column is None or child_column is None:
            continue
        _check_comparable(sides, parent_column, child_column, here, catalog)
        pairs.append((parent_column, child_column))
    return _join(pairs) if pairs and len(location.problems) == before else None


def _swapped(sides: JoinSides, on: Mapping[str, str]) -> bool:
    def all_in(names: Iterable[str], table: Table) -> bool:
        known = {name.lower() for name in table.by_name}
        return all(name.lower() in known for name in names)

    straight = all_in(on, sides.parent) and all_in(on.values(), sides.child)
    return not straight and all_in(on, sides.child) and all_in(on.values(), sides.parent)


def _check_comparable(sides: JoinSides, parent: Column, child: Column, location: Location, catalog: Catalog) -> bool:
    """Whether the server compares the columns; reported when it doesn't. What it compares differs between versions."""
    unfit = [one for one in (parent, child) if family_of(one) is None or family_of(one) in _NOT_COMPARABLE]
    for one in unfit:
        location.report(f"`{one.name}` is {one.data_type}: rows can't be joined by it")
    if unfit or _kind(parent) == _kind(child):
        return not unfit
    left = (sides.parent.schema, sides.parent.name, parent.name)
    right = (sides.child.schema, sides.child.name, child.name)
    if catalog.can_compare(left, right):
        return True
    strings = all(is_text(one) or is_bytes(one) for one in (parent, child))
    same = "character set and collation" if strings else "type"
    location.report(
        f"MySQL can't compare `{parent.name}` ({_shown(parent)}) with `{child.name}` ({_shown(child)})",
        f"give both columns the same {same}",
    )
    return False


def _kind(column: Column) -> str:
    """What columns are compared by; those of one kind can be compared without a doubt."""
    if column.collation is not None:
        return column.collation
    return "number" if family_of(column) in _NUMBERS else column.data_type


def _shown(column: Column) -> str:
    return column.collation or column.column_type


def _join(pairs: Iterable[tuple[Column, Column]]) -> Join:
    parent, child = zip(*pairs, strict=True)
    exact = all(map(_is_exact, parent, child))
    return Join(tuple(parent), tuple(child), exact)


def _is_exact(one: Column, other: Column) -> bool:
    """Whether equal values of the two columns have equal bytes as SELECTed."""
    family = family_of(one)
    if family != family_of(other):
        return False
    match family:
        case "integer" | "binary" | "date" | "uuid":
            return True
        case "datetime":
            return (one.fraction or 0) == (other.fraction or 0)
        case "decimal":
            return one.scale == other.scale and not (one.zerofill or other.zerofill)
    return False


def _nothing_fits(sides: JoinSides) -> tuple[str, str]:
    parent, child = sides.parent, sides.child
    holder, held = (parent, child) if sides.holder == "parent" else (child, parent)
    message = f"no foreign key of {holder.name} refers to {held.name}"
    other: Holder = "child" if sides.holder == "parent" else "parent"
    backwards = sides.candidates(other)
    if backwards and sides.key == "on":
        if sides.holder == "parent":
            unique = child.is_unique(right for _, right in backwards[0])
            way = "`one: true`" if unique else "`many: true`"
            hint = f"{child.name} holds the key {_written(backwards[0])}: add {way}"
        else:
            hint = f"{parent.name} holds the key: {sides.instead}write `on:` for what you mean"
        return message, hint
    hidden = [table for table in (holder, held) if table.denied_to]
    if hidden:
        message += f" that the account may see: it may read some columns of {hidden[0].qualified} only"
        return message, f"{grant_reading(hidden[0])} Or say how they are joined with `{sides.key}:`"
    guess = _guess(sides)
    return message, f"say how they are joined: `{sides.key}: {guess}`"


def _guess(sides: JoinSides) -> str:
    """A line to paste: by names that look like a key to the other table, else with gaps."""
    holder, held = (sides.parent, sides.child) if sides.holder == "parent" else (sides.child, sides.parent)
    if len(held.primary_key) == 1:
        key = held.primary_key[0]
        stem = held.name.removesuffix("s")
        wanted = (f"{stem}_{key}", f"{held.name}_{key}", f"{stem}{key}", f"{stem}_id")
        names = {name.lower(): name for name in holder.by_name}
        match = next((names[name.lower()] for name in wanted if name.lower() in names), None)
        match = match or nearest(wanted[0], [name for name in names.values() if name.lower().endswith("id")])
        if match is not None and match not in holder.primary_key:
            return _written(((match, key),) if sides.holder == "parent" else ((key, match),))
    return f"{{column of {sides.parent.name}: column of {sides.child.name}}}"
