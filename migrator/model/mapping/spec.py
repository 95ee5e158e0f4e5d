"""A mapping file as it was written: the format's keys, their types and what each is for.

Nothing here knows the source's tables; `migrator.mapping.resolve` turns these into `migrator.model.mapping.tree`. Short
forms (`state: status`, `through: order_tags`, `order_by: line_no`) are spelled out here, so what follows sees one form
only. The descriptions end up in the JSON Schema that editors show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from migrator.model.mapping.policies import Policies, SoftDelete
from migrator.model.mapping.shorthand import (
    SHORT_TEXT,
    Also,
    ColumnsSchema,
    ConstantSchema,
    KeySchema,
    OrderSchema,
    column_choice,
    constant,
    direction,
    null_word,
    off,
    one_as_list,
    order_term,
    root_key,
    text_as,
    zone,
)
from migrator.model.mapping.tree import AggregateFunction

# Dotted names of fields and embeds: no empty part, none that starts with $, and `_id` is the key's.
_PATHS: dict[str, Any] = {
    "propertyNames": {"pattern": r"^(?!_id(\.|$))[^.$\u0000][^.\u0000]*(\.[^.$\u0000][^.\u0000]*)*$"}
}

Name = Annotated[str, StringConstraints(min_length=1)]
Names = tuple[Name, ...]

FieldType = Literal[
    "int",
    "long",
    "double",
    "decimal",
    "string",
    "bool",
    "json",
    "uuid",
    "objectid",
    "binary",
    "date",
    "microseconds",
    "array",
    "geojson",
    "vector",
]


class MappingPart(BaseModel):
    """Base of all parts of the format: unknown keys are mistakes, values don't change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- policies ---------------------------------------------------------------------------------------------------


class SoftDeleteSettings(MappingPart):
    """Which rows count as deleted."""

    column: Name = Field(description="Every table that has this column leaves its deleted rows out.")
    keep: Name | None = Field(
        default=None,
        description="SQL condition that a row fulfils when it is not deleted. Default: the column IS NULL.",
        examples=["deleted_at IS NULL", "is_deleted = 0"],
    )


class ValuePolicies(MappingPart):
    """What to do with values that have no exact place in a document."""

    null: Annotated[Literal["null", "omit"] | None, BeforeValidator(null_word), Also({"const": None})] = Field(
        default=None, description="NULL becomes null (default), or the field is left out."
    )
    zero_date: Annotated[
        Literal["reject", "null", "string"] | None, BeforeValidator(null_word), Also({"const": None})
    ] = Field(default=None, description="Dates such as 0000-00-00: reject the document (default), null, or the text.")
    submillisecond: Literal["truncate", "string", "companion", "reject"] | None = Field(
        default=None,
        description="Times finer than milliseconds: cut (default), text, a second field `<name>_micros`, or reject.",
    )
    big_decimal: Literal["reject", "string"] | None = Field(
        default=None, description="DECIMAL with more than 34 digits: reject (default), or the whole column as text."
    )
    unsigned_overflow: Literal["reject", "decimal", "string"] | None = Field(
        default=None,
        description="BIGINT UNSIGNED above 2^63-1: reject (default), or the whole column as decimal or text.",
    )
    invalid_text: Literal["reject", "binary"] | None = Field(
        default=None, description="Bytes that are not valid in the column's character set: reject (default) or binary."
    )
    json_keys: Literal["keep", "reject"] | None = Field(
        default=None, description="JSON keys holding '.' or starting with '$': keep (default) or reject."
    )
    datetime_zone: Annotated[Name, AfterValidator(zone)] | None = Field(
        default=None,
        description="Time zone in which the application wrote DATETIME values. Default: UTC.",
        examples=["Europe/Berlin"],
    )


class PolicySettings(ValuePolicies):
    """All policies, for a collection, an embed or the whole project."""

    orphans: Literal["ignore", "reject"] | None = Field(
        default=None, description="A key to a row that doesn't exist: as if NULL (default), or reject the document."
    )
    soft_delete: Annotated[SoftDeleteSettings | None, BeforeValidator(off), Also({"const": False})] = Field(
        default=None, description="Rows that count as deleted are left out; false turns an outer setting off."
    )


def overlay(policies: Policies, settings: MappingPart | None) -> Policies:
    """`policies` with what `settings` says in their place: a `policies:` block, or a part with short forms.

    `soft_delete: false` of a table is no policy: it concerns that table, not those below it.
    """
    if settings is None:
        return policies
    names = settings.model_fields_set & set(PolicySettings.model_fields)
    given: dict[str, Any] = {name: getattr(settings, name) for name in names - {"soft_delete"}}
    deleted = getattr(settings, "soft_delete", None)
    if isinstance(deleted, SoftDeleteSettings):
        given["soft_delete"] = _soft_delete(deleted)
    elif isinstance(settings, PolicySettings) and "soft_delete" in names:
        given["soft_delete"] = None
    return replace(policies, **given)


def _soft_delete(settings: SoftDeleteSettings) -> SoftDelete:
    quoted = settings.column.replace("`", "``")
    return SoftDelete(settings.column, settings.keep or f"`{quoted}` IS NULL")


# --- columns and fields -----------------------------------------------------------------------------------------


class ColumnChoice(MappingPart):
    """`all` (both None), a list (`only`), or all but some (`but`)."""

    only: Names | None = None
    but: Names | None = Field(default=None, alias="except", min_length=1)


Columns = Annotated[ColumnChoice, BeforeValidator(column_choice), ColumnsSchema()]


Pairs = Annotated[dict[Name, Name], Field(min_length=1)]
Constant = Annotated[str, BeforeValidator(constant), ConstantSchema()]


class FieldSpec(ValuePolicies):
    """Where a field's value comes from and what it becomes."""

    column: Name | None = Field(default=None, description="The column. Default: the column with the field's name.")
    sql: Name | None = Field(
        default=None,
        description="SQL expression over columns of this table only.",
        examples=["total - shipping", "CONCAT(first_name, ' ', last_name)"],
    )
    type: FieldType | None = Field(default=None, description="What the value becomes. Default: by the column's type.")
    policies: ValuePolicies | None = Field(
        default=None, description="Policies for this field; they may also be written in the field itself."
    )
    count: Name | None = Field(
        default=None, description="How many rows of this table belong to the row.", examples=["comments"]
    )
    exists: Name | None = Field(default=None, description="Whether any row of this table belongs to the row.")
    sum: Name | None = Field(
        default=None, description="The sum of a column of the rows that belong to the row.", examples=["items.price"]
    )
    min: Name | None = Field(default=None, description="The least value of a column of these rows: table.column.")
    max: Name | None = Field(default=None, description="The greatest value of a column of these rows: table.column.")
    avg: Name | None = Field(default=None, description="The average of a column of these rows: table.column.")
    round: Annotated[StrictInt, Field(ge=0, le=30)] | None = Field(
        default=None, description="With `sum` and `avg`: so many decimals. Needed for FLOAT and DOUBLE."
    )
    on: Pairs | None = Field(
        default=None, description="With `count` and the like: {column of this table: column of that table}."
    )
    match: dict[Name, Constant] = Field(
        default={}, description="With `count` and the like: {column of that table: constant}."
    )
    where: Name | None = Field(default=None, description="With `count` and the like: SQL condition on these rows.")
    soft_delete: Literal[False] | None = Field(
        default=None, description="With `count` and the like, false: deleted rows count too."
    )

    @property
    def aggregate(self) -> AggregateFunction | None:
        """Which function of child rows the field is; None when its value is the row's own."""
        found = [name for name in AGGREGATES if getattr(self, name) is not None]
        return found[0] if found else None

    @property
    def aggregated(self) -> tuple[str, str]:
        """The table and the column of the function, as written; "" for what is not there."""
        function = self.aggregate
        written = "" if function is None else getattr(self, function)
        if function in ("count", "exists"):
            return written, ""
        table, _, column = written.rpartition(".")
        return table, column


AGGREGATES: tuple[AggregateFunction, ...] = ("count", "exists", "sum", "min", "max", "avg")

FieldShort = Annotated[FieldSpec, text_as("column"), Also(SHORT_TEXT)]
Fields = dict[Name, FieldShort]


class VariantCase(MappingPart):
    """What only rows of one case have."""

    columns: Names = Field(default=(), description="Columns that only rows of this case have.")
    fields: Fields = Field(default={}, description="Fields that only rows of this case have.", json_schema_extra=_PATHS)


class VariantsSpec(MappingPart):
    """One table, several shapes: which fields a row has depends on the value of a column."""

    column: Name = Field(description="The column that says which case a row is.")
    cases: dict[Name, VariantCase] = Field(description="By value of the column.", min_length=1)


# --- embeds -----------------------------------------------------------------------------------------------------


class OrderTerm(MappingPart):
    """A column to order by."""

    column: Name
    descending: bool = False


Ordering = Annotated[
    tuple[Annotated[OrderTerm, BeforeValidator(order_term), OrderSchema()], ...],
    BeforeValidator(one_as_list),
    Also(SHORT_TEXT),
]


class LinkFieldSpec(ValuePolicies):
    """A field that comes from the link table."""

    column: Name | None = Field(
        default=None, description="The link table's column. Default: the column with the field's name."
    )
    type: FieldType | None = Field(default=None, description="What the value becomes. Default: by the column's type.")
    policies: ValuePolicies | None = Field(default=None, description="Policies for this field.")


class ThroughSpec(MappingPart):
    """The link table of a many-to-many relation."""

    table: Name = Field(description="The link table, or schema.table.")
    columns: Columns | None = Field(default=None, description="Its columns that go into the elements. Default: none.")
    fields: dict[Name, Annotated[LinkFieldSpec, text_as("column"), Also(SHORT_TEXT)]] = Field(
        default={}, description="Its columns under other names or types.", json_schema_extra=_PATHS
    )
    on: Pairs | None = Field(default=None, description="{column of the parent: column of the link table}")
    to: Pairs | None = Field(default=None, description="{column of the link table: column of the embedded table}")
    where: Name | None = Field(default=None, description="SQL condition on rows of the link table.")
    soft_delete: Literal[False] | None = Field(default=None, description="false: its deleted rows count too.")


class EmbedSpec(MappingPart):
    """A related table folded into the document."""

    from_: Name = Field(alias="from", description="The related table, or schema.table.")
    on: Pairs | None = Field(
        default=None,
        description="{column of the parent: column of this table}. Default: the one foreign key between the two.",
    )
    many: StrictBool = Field(default=False, description="Several rows belong to the parent: an array.")
    one: StrictBool = Field(
        default=False,
        description="A sub-document: the row with a unique key to the parent, or the first row by `order_by`.",
    )
    through: Annotated[ThroughSpec, text_as("table"), Also(SHORT_TEXT)] | None = Field(
        default=None, description="The link table of a many-to-many relation."
    )
    match: dict[Name, Constant] = Field(
        default={},
        description="{column of this table: constant}: only rows with these values belong to the parent.",
    )
    where: Name | None = Field(default=None, description="SQL condition on rows of this table.")
    order_by: Ordering = Field(
        default=(),
        description="Order of the rows; the key is added at the end. With `one: true` the first row is taken.",
    )
    limit: Annotated[StrictInt, Field(ge=1)] | None = Field(default=None, description="At most this many rows.")
    columns: Columns | None = Field(default=None, description="Which columns: `all` (default), a list, {except: list}.")
    fields: Fields = Field(
        default={}, description="What is renamed, retyped, grouped or computed.", json_schema_extra=_PATHS
    )
    value: FieldShort | None = Field(
        default=None, description="An array (or map) of plain values: of this column, which may be the link table's."
    )
    as_: Literal["map"] | None = Field(default=None, alias="as", description="Key and value rows become an object.")
    key: Name | None = Field(
        default=None, description="With `as: map`: the column that holds the keys. It may be the link table's."
    )
    on_duplicate: Literal["first", "last", "reject"] | None = Field(
        default=None,
        description="With `as: map`: which of several rows with one key counts, by `order_by`; or reject the document"
        " (default). With `many: true`, each value is an array of all.",
    )
    into: Name | None = Field(
        default=None, description="With `as: map`: the keys are added to the map that this other embed makes."
    )
    flatten: StrictBool = Field(default=False, description="The fields are merged into the parent's.")
    embed: dict[Name, EmbedSpec] = Field(
        default={}, description="Tables related to this one.", json_schema_extra=_PATHS
    )
    variants: VariantsSpec | None = Field(default=None, description="Fields that depend on the value of a column.")
    depth: Annotated[StrictInt, Field(ge=1, le=50)] | None = Field(
        default=None, description="For a table that refers to itself: how many levels are nested."
    )
    soft_delete: Literal[False] | None = Field(default=None, description="false: deleted rows of this table count too.")
    orphans: Literal["ignore", "reject"] | None = Field(
        default=None, description="A key to a row that doesn't exist: as if NULL (default), or reject the document."
    )
    null: Annotated[Literal["null", "omit"] | None, BeforeValidator(null_word), Also({"const": None})] = Field(
        default=None, description="NULL, and a sub-document without a row: null (default), or left out."
    )
    policies: PolicySettings | None = Field(default=None, description="Policies for this table and what it embeds.")


# --- apart from the documents ---------------------------------------------------------------------------------------


class ReferenceSpec(MappingPart):
    """A relation that stays a key."""

    collection: Name = Field(description="The other collection; it has a mapping of its own.")
    on: Pairs = Field(description="{field or column here: field there}", examples=[{"warehouse_id": "_id"}])


class CollationSpec(MappingPart):
    """How an index compares text."""

    locale: Name = Field(description="ICU locale.", examples=["en", "de"])
    strength: Annotated[StrictInt, Field(ge=1, le=5)] | None = Field(
        default=None, description="1: base letters only, 2: accents too, 3: case too."
    )


class IndexDefinition(MappingPart):
    """An index of the collection."""

    keys: dict[Name, Annotated[Literal[1, -1, "text", "hashed", "2dsphere"], BeforeValidator(direction)]] = Field(
        description="{dotted field: 1, -1, text, hashed or 2dsphere}", min_length=1
    )
    unique: StrictBool = Field(default=False, description="No two documents have the same values.")
    name: Name | None = Field(default=None, description="Default: derived from the keys, as in MongoDB.")
    collation: Annotated[CollationSpec, text_as("locale"), Also(SHORT_TEXT)] | None = Field(
        default=None, description="A locale, or {locale, strength}."
    )
    expire_after_seconds: Annotated[StrictInt, Field(ge=0, le=2147483647)] | None = Field(
        default=None, description="MongoDB deletes documents this many seconds after the date in the field."
    )


# --- the file ---------------------------------------------------------------------------------------------------


class CollectionSpec(MappingPart):
    """A collection of documents, and the table that its documents are made of."""

    collection: Name = Field(description="Name of the collection.")
    from_: Name = Field(alias="from", description="The table whose rows become documents, or schema.table.")
    key: Annotated[Names, BeforeValidator(root_key), KeySchema()] | None = Field(
        default=None,
        description="Column or columns that become _id. Default: the primary key. `none`: copy a table without a key.",
    )
    where: Name | None = Field(default=None, description="SQL condition: only these rows become documents.")
    columns: Columns | None = Field(default=None, description="Which columns: `all` (default), a list, {except: list}.")
    fields: Fields = Field(
        default={}, description="What is renamed, retyped, grouped or computed.", json_schema_extra=_PATHS
    )
    embed: dict[Name, EmbedSpec] = Field(
        default={}, description="Related tables folded into the document.", json_schema_extra=_PATHS
    )
    references: dict[Name, ReferenceSpec] = Field(default={}, description="Relations that stay keys.")
    variants: VariantsSpec | None = Field(default=None, description="Fields that depend on the value of a column.")
    indexes: tuple[IndexDefinition, ...] = Field(default=(), description="Indexes of the collection.")
    validator: StrictBool = Field(default=False, description="Give the collection a $jsonSchema validator.")
    ids: Literal["sequence", "objectid", "uuid", "application"] = Field(
        default="application", description="How new ids are generated once MySQL is gone."
    )
    soft_delete: Annotated[SoftDeleteSettings | None, BeforeValidator(off), Also({"const": False})] = Field(
        default=None,
        description="Which rows of the file's tables count as deleted; false: deleted rows of this table count too.",
    )
    policies: PolicySettings | None = Field(default=None, description="Policies for the whole collection.")
    null: Annotated[Literal["null", "omit"] | None, BeforeValidator(null_word), Also({"const": None})] = Field(
        default=None, description="NULL becomes null (default), or the field is left out."
    )

    @property
    def keeps_deleted(self) -> bool:
        """Whether it says `soft_delete: false`."""
        return "soft_delete" in self.model_fields_set and self.soft_delete is None
