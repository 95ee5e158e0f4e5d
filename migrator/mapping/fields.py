"""Which columns become which fields, in what order, as which BSON type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from migrator.mapping.catalog import Catalog, column, columns, is_generated_key
from migrator.mapping.file.structure import name_mistake
from migrator.mapping.location import Location
from migrator.mapping.suggest import grant_reading
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import Representation, Unrepresentable, represent
from migrator.model.mapping.spec import ColumnChoice, FieldSpec, LinkFieldSpec, VariantsSpec, overlay
from migrator.model.mapping.tree import Field, Variants
from migrator.model.schema.tables import Column, Table

AnyField = FieldSpec | LinkFieldSpec


@dataclass(frozen=True, slots=True)
class LocatedField:
    """A field, and the place in the mapping file that is to blame for it."""

    field: Field
    location: Location


@dataclass(frozen=True)
class FieldRequest:
    """What a part of the mapping says about the fields of one table.

    Attributes:
        table: whose columns.
        choice: `columns:`; None for all.
        specs: `fields:`.
        location: of the part that holds `columns:` and `fields:`.
        policies: in force there.
        taken: columns that have their place elsewhere (the key, the cases of variants) and that a choice of columns
            therefore passes over.
    """

    table: Table
    choice: ColumnChoice | None
    specs: Mapping[str, AnyField]
    location: Location
    policies: Policies
    taken: frozenset[str] = frozenset()


def select_fields(request: FieldRequest, catalog: Catalog) -> tuple[LocatedField, ...]:
    """The fields in document order: those of columns in table order, then the computed ones in mapping order."""
    by_column: dict[str, list[LocatedField]] = {}
    named: set[str] = set()
    computed: list[LocatedField] = []
    for name, spec in request.specs.items():
        location = request.location.at("fields", name)
        if isinstance(spec, FieldSpec) and spec.sql is not None:
            field = computed_field(spec, spec.sql, tuple(name.split(".")), request, location, catalog)
            computed += [LocatedField(field, location)] if field else []
            continue
        source = _column_of(name, spec, request.table, location)
        if source is None:
            continue
        named.add(source.name)
        value = represent_column(source, spec, request.policies, location)
        if value is not None:
            placed = LocatedField(
                Field(tuple(name.split(".")), source, None, value, stated_type=spec.type or ""), location
            )
            by_column.setdefault(source.name, []).append(placed)
    for source, location in _chosen(request):
        if source.name not in named and source.name not in request.taken:
            plain = _plain_field(source, request, location)
            by_column[source.name] = [plain] if plain else []
    ordered = [placed for source in request.table.columns for placed in by_column.get(source.name, ())]
    return (*ordered, *computed)


def value_field(spec: FieldSpec, request: FieldRequest, location: Location, catalog: Catalog) -> Field | None:
    """The one value of `value:`, for arrays of plain values and for maps."""
    if spec.sql is not None:
        return computed_field(spec, spec.sql, (), request, location, catalog)
    source = column(request.table, spec.column or "", location.at("column"))
    value = represent_column(source, spec, request.policies, location) if source else None
    return Field((), source, None, value, stated_type=spec.type or "") if source and value else None


def computed_field(
    spec: FieldSpec, sql: str, path: tuple[str, ...], request: FieldRequest, location: Location, catalog: Catalog
) -> Field | None:
    """A field whose value the source computes; None, and reported, when it can't."""
    result = catalog.expression(sql, request.table, location.at("sql"))
    if result is None:
        return None
    result = replace(result, name=".".join(path))
    value = represent_column(result, spec, request.policies, location)
    return Field(path, result, sql, value, stated_type=spec.type or "") if value else None


def select_variants(
    spec: VariantsSpec, request: FieldRequest, catalog: Catalog
) -> tuple[Variants | None, tuple[tuple[str, tuple[LocatedField, ...]], ...]]:
    """The variants (None when something is wrong), and their fields by case. `request` is the node's own."""
    location = request.location.at("variants")
    source = column(request.table, spec.column, location.at("column"))
    placed_by_case = []
    for value, case in spec.cases.items():
        here = location.at("cases", value)
        if source is not None:
            check_constant(source, value, here, at_key=True)
        inner = FieldRequest(
            request.table, ColumnChoice(only=case.columns), case.fields, here, request.policies, request.taken
        )
        for number, name in enumerate(case.columns):
            if name in request.taken:
                here.at("columns", number).report(f"`{name}` is the key: every row has it")
        placed_by_case.append((value, select_fields(inner, catalog)))
    if source is None:
        return None, tuple(placed_by_case)
    allowed = ("integer", "text", "enum", "year")
    value_type = represent(source, None, request.policies)
    if value_type.family not in allowed:
        location.at("column").report(
            f"a {source.data_type} column can't tell cases apart", "use a text or whole number"
        )
    cases = tuple((value, tuple(item.field for item in placed)) for value, placed in placed_by_case)
    return Variants(source, cases), tuple(placed_by_case)


def variant_columns(spec: VariantsSpec | None, table: Table, location: Location) -> frozenset[str]:
    """Columns that only rows of some case have."""
    found: set[str] = set()
    for case in spec.cases.values() if spec else ():
        names = [*case.columns, *(field.column or name for name, field in case.fields.items() if field.sql is None)]
        folded = {name.lower() for name in names}
        found |= {column.name for column in table.columns if column.name.lower() in folded}
    if spec is not None and spec.column.lower() in {name.lower() for name in found}:
        location.at("variants", "column").report("the column that tells the cases apart can't be in one of them")
    return frozenset(found)


def check_constant(source: Column, constant: str, location: Location, *, at_key: bool = False) -> None:
    """Reports a constant that the column can never hold."""
    if source.data_type == "enum" and constant not in source.members:
        hint = f"its values: {', '.join(source.members[:20])}"
        location.report(f"`{source.name}` is never `{constant}`", hint, at_key=at_key)
    family = represent(source, None, Policies()).family
    if family in ("integer", "year") and not constant.lstrip("-").isdecimal():
        hint = {"true": "write 1", "false": "write 0"}.get(constant, "write a whole number")
        location.report(f"`{source.name}` is {source.data_type}, and `{constant}` is no number", hint, at_key=at_key)


def _column_of(name: str, spec: AnyField, table: Table, location: Location) -> Column | None:
    if spec.column is not None:
        return column(table, spec.column, location.at("column"))
    if "." in name:
        location.report("a field inside a sub-document must say its column", "write {column: …}", at_key=True)
        return None
    return column(table, name, location, at_key=True)


def _chosen(request: FieldRequest) -> Iterable[tuple[Column, Location]]:
    """The columns that `columns:` selects, each with the place to blame."""
    choice, table, location = request.choice, request.table, request.location
    whole = location.first("columns", "from", "table")
    everything = tuple(one for one in table.columns if not is_generated_key(table, one))
    if choice is None or (choice.only is None and choice.but is None):
        _report_hidden(table, whole)
        return [(one, whole) for one in everything]
    if choice.only is not None:
        known = columns(table, choice.only, location.at("columns"))
        lower = [name.lower() for name in choice.only]
        return [(one, location.at("columns", lower.index(one.name.lower()))) for one in known]
    _report_hidden(table, whole)
    excluded = [] if table.denied_to else columns(table, choice.but or (), location.at("columns", "except"))
    return [(one, whole) for one in everything if one not in excluded]


def _report_hidden(table: Table, location: Location) -> None:
    """Reports that what is to be every column would be those only that the account may read."""
    if table.denied_to:
        location.report(
            f"the account may read some columns of {table.qualified} only: all others would be missing in silence",
            f"{grant_reading(table)} Or list the columns under `columns:`",
        )


def _plain_field(source: Column, request: FieldRequest, location: Location) -> LocatedField | None:
    mistake = name_mistake(source.name)
    if not mistake and source.name == "_id":
        mistake = "`_id` is written by the key"
    if mistake:
        message = f"the column `{source.name}` can't keep its name: {mistake}"
        location.report(message, f"rename it: `fields: {{new_name: {source.name}}}`, or leave it out with `except`")
        return None
    try:
        value = represent(source, None, request.policies)
    except Unrepresentable as error:
        location.report(f"`{source.name}`: {error}", f"leave it out: `columns: {{except: [{source.name}]}}`")
        return None
    return LocatedField(Field((source.name,), source, None, value, stated_type=""), location)


def represent_column(source: Column, spec: AnyField, policies: Policies, location: Location) -> Representation | None:
    """What a column becomes as a field says; None, and reported, when it can't become that."""
    own = overlay(overlay(policies, spec.policies), spec)
    try:
        return represent(source, spec.type, own)
    except Unrepresentable as error:
        hint = f"it can become: {', '.join(error.allowed)}" if error.allowed else "leave it out"
        location.at("type").report(str(error), hint)
        return None
