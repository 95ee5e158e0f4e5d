"""Mistakes in a mapping that show without the source's schema: names that can't be, keys that don't go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrator.errors import Problem
from migrator.mapping.file.yaml_document import Path, SourceMap
from migrator.model.collection_names import reserved_mistake
from migrator.model.mapping.spec import AGGREGATES, CollectionSpec, EmbedSpec, FieldSpec, VariantsSpec

# MongoDB: a database and collection name together have at most 255 bytes; the rest is for names of what is loaded
# next to the live collection.
MAX_COLLECTION_BYTES = 120
# A larger tree is a mistake (depth within depth), and would be slow in every later step.
MAX_NODES = 1000


def check_structure(spec: CollectionSpec, places: SourceMap) -> list[Problem]:
    """Every mistake of this kind in `spec`."""
    return [
        *_collection(spec, places),
        *_fields(spec.fields, ("fields",), places),
        *_variants(spec.variants, ("variants",), places),
        *_embeds(spec.embed, (), places),
        *_references(spec, places),
        *_indexes(spec, places),
    ]


def name_mistake(name: str) -> str:
    """Why MongoDB can't have a field of this name, "" when it can."""
    if not name:
        return "a field's name must not be empty"
    if name.startswith("$"):
        return f"`{name}`: a field's name can't start with $"
    if "." in name:
        return f"`{name}`: a field's name can't hold a dot"
    if "\0" in name:
        return "a field's name can't hold a NUL character"
    return ""


def _dotted_mistake(dotted: str) -> str:
    parts = dotted.split(".")
    if "" in parts:
        return f"`{dotted}`: a part between the dots is empty" if dotted else "a field's name must not be empty"
    if parts[0] == "_id":
        return "`_id` is written by the key"
    return next((mistake for mistake in map(name_mistake, parts) if mistake), "")


def _collection(spec: CollectionSpec, places: SourceMap) -> Iterator[Problem]:
    name = spec.collection
    mistake = ""
    if "$" in name or "\0" in name:
        mistake = "a collection's name can't hold $ or NUL"
    elif name.startswith("system."):
        mistake = "names that start with system. belong to MongoDB"
    elif name.startswith(".") or name.endswith(".") or ".." in name:
        mistake = "a collection's name can't start or end with a dot, or have two in a row"
    elif len(name.encode()) > MAX_COLLECTION_BYTES:
        mistake = f"a collection's name has at most {MAX_COLLECTION_BYTES} bytes"
    if mistake:
        yield places.problem(("collection",), mistake)
    elif mistake := reserved_mistake(name):
        yield places.problem(("collection",), mistake, "choose another name for the collection")
    if _count(spec.embed) > MAX_NODES:
        message = f"with every `depth` written out, more than {MAX_NODES} tables are nested here"
        yield places.problem(("embed",), message, "use a smaller `depth`", at_key=True)
    if spec.key == () and spec.embed:
        message = "a table without a key can't embed others: there is nothing to tell its rows apart by"
        yield places.problem(("embed",), message, "remove `embed:`, or name a unique key with `key:`", at_key=True)
    for name, field in spec.fields.items() if spec.key == () else ():
        if field.aggregate is not None:
            message = (
                f"a table without a key can't have `{field.aggregate}`: there is nothing to tell its rows apart by"
            )
            hint = "remove the field, or name a unique key with `key:`"
            yield places.problem(("fields", name), message, hint, at_key=True)


def _count(embeds: dict[str, EmbedSpec]) -> int:
    return sum((spec.depth or 1) * (1 + _count(spec.embed)) for spec in embeds.values())


def _fields(fields: dict[str, FieldSpec], path: Path, places: SourceMap) -> Iterator[Problem]:
    for name, spec in fields.items():
        here = (*path, name)
        mistake = _dotted_mistake(name)
        if mistake:
            of_root = path == ("fields",) and name.partition(".")[0] == "_id"
            hint = "to change its type, write the key column: `fields: {id: {type: …}}`" if of_root else ""
            yield places.problem(here, mistake, hint, at_key=True)
        yield from _source_of(spec, here, places)


def _source_of(spec: FieldSpec, path: Path, places: SourceMap) -> Iterator[Problem]:
    if spec.column and spec.sql:
        yield places.problem((*path, "sql"), "a field has either a column or sql", "remove one of the two")
    functions = [name for name in AGGREGATES if getattr(spec, name) is not None]
    if functions and (spec.column or spec.sql):
        message = f"a field has either a column, sql, or `{functions[0]}`"
        yield places.problem((*path, functions[0]), message, "remove all but one", at_key=True)
    for second in functions[1:]:
        message = f"a field is one of {', '.join(f'`{each}`' for each in functions)}"
        yield places.problem((*path, second), message, "write two fields", at_key=True)
    given = [name for name in _OF_ROWS if getattr(spec, name) not in (None, {})]
    for other in given if not functions else ():
        message = f"`{other}` goes with {', '.join(f'`{each}`' for each in AGGREGATES)}"
        yield places.problem((*path, other), message, f"remove `{other}`", at_key=True)
    if spec.round is not None and functions and functions[0] not in ("sum", "avg"):
        message = "`round` goes with `sum` and `avg`"
        yield places.problem((*path, "round"), message, "remove `round`", at_key=True)


# What says which rows an aggregate is made of, and how.
_OF_ROWS = ("on", "match", "where", "soft_delete", "round")


def _variants(spec: VariantsSpec | None, path: Path, places: SourceMap) -> Iterator[Problem]:
    for value, case in spec.cases.items() if spec else ():
        here = (*path, "cases", value, "fields")
        yield from _fields(case.fields, here, places)
        for name, field in case.fields.items():
            if field.aggregate is not None:
                message = f"`{field.aggregate}` can't depend on the kind of row"
                yield places.problem((*here, name), message, "write it under `fields:` of the table", at_key=True)


def _embeds(embeds: dict[str, EmbedSpec], path: Path, places: SourceMap) -> Iterator[Problem]:
    for name, spec in embeds.items():
        here: Path = (*path, "embed", name)
        mistake = _dotted_mistake(name)
        if mistake:
            yield places.problem(here, mistake, at_key=True)
        if spec.into is not None:
            yield from _into(name, spec.into, embeds, here, places)
        for rule in _RULES:
            if rule.is_broken(spec):
                yield places.problem((*here, rule.key), rule.message, rule.suggestion, at_key=True)
        yield from _fields(spec.fields, (*here, "fields"), places)
        yield from _variants(spec.variants, (*here, "variants"), places)
        if spec.through is not None:
            for field in spec.through.fields:
                mistake = _dotted_mistake(field)
                if mistake:
                    yield places.problem((*here, "through", "fields", field), mistake, at_key=True)
        if spec.value is not None:
            yield from _source_of(spec.value, (*here, "value"), places)
            if not spec.value.column and not spec.value.sql:
                yield places.problem((*here, "value"), "`value` needs a column or sql", at_key=True)
        yield from _embeds(spec.embed, here, places)


def _into(name: str, into: str, embeds: dict[str, EmbedSpec], here: Path, places: SourceMap) -> Iterator[Problem]:
    """Whether there is a map that the keys can be added to."""
    other = embeds.get(into)
    if other is None or other is embeds[name]:
        others = [each for each, spec in embeds.items() if spec.as_ == "map" and spec.into is None and each != name]
        hint = f"write one of {', '.join(others)}" if others else "remove `into`"
        yield places.problem((*here, "into"), f"no other embed here is called `{into}`", hint)
    elif other.as_ != "map" or other.into is not None:
        message = f"`{into}` makes no map of its own"
        yield places.problem((*here, "into"), message, "name an embed that has `as: map` and no `into`")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Keys of an embed that don't go together.

    Attributes:
        key: the one that is reported.
        is_broken: whether a spec has them together.
    """

    key: str
    is_broken: Callable[[EmbedSpec], bool]
    message: str
    suggestion: str


def _has_several(spec: EmbedSpec) -> bool:
    return spec.many or spec.as_ == "map"


def _without_value(key: str, is_given: Callable[[EmbedSpec], bool]) -> _Rule:
    """`key` says something of objects, and `value` makes plain values."""
    return _Rule(
        key,
        lambda spec: spec.value is not None and is_given(spec),
        f"plain values have no place for `{key}`",
        f"remove `{key}`, or `value`",
    )


_RULES = (
    _Rule(
        "one",
        lambda spec: spec.many and spec.one,
        "`one` and `many` exclude each other",
        "remove one of the two",
    ),
    _Rule(
        "one",
        lambda spec: spec.one and spec.as_ == "map",
        "`as: map` makes an object of several rows; `one` says there is one",
        "remove one of the two",
    ),
    _Rule(
        "through",
        lambda spec: spec.through is not None and not _has_several(spec) and not spec.one,
        "`through` makes an array: it needs `many: true`",
        "add `many: true`, or `one: true` with `order_by` for the first row alone",
    ),
    _Rule(
        "through",
        lambda spec: spec.through is not None and spec.one and not spec.order_by,
        "`through` may lead to several rows: `one: true` needs to know which one comes first",
        "add `order_by`",
    ),
    _Rule(
        "on",
        lambda spec: spec.through is not None and spec.on is not None,
        "with a link table, `on` belongs inside `through`",
        "write `through: {table: …, on: {parent column: link column}, to: {link column: column}}`",
    ),
    _Rule(
        "limit",
        lambda spec: spec.limit is not None and not _has_several(spec),
        "`limit` needs `many: true`: there is one row at most",
        "add `many: true`, or remove `limit`",
    ),
    _Rule(
        "order_by",
        lambda spec: bool(spec.order_by) and not _has_several(spec) and not spec.one,
        "`order_by` needs `many: true` or `one: true`: the parent's key names one row at most",
        "add `many: true`, or `one: true` for the first row alone; or remove `order_by`",
    ),
    _Rule(
        "as",
        lambda spec: spec.as_ == "map" and spec.key is None,
        "`as: map` needs `key: column`: whose values become the names",
        "add `key:`",
    ),
    _Rule(
        "as",
        lambda spec: spec.as_ == "map" and spec.value is None,
        "`as: map` needs `value: column`: the values under the names",
        "add `value:`",
    ),
    _Rule(
        "into",
        lambda spec: spec.as_ != "map" and spec.into is not None,
        "`into` adds keys to another map: it needs `as: map`",
        "add `as: map`, or remove `into`",
    ),
    _Rule(
        "on_duplicate",
        lambda spec: spec.as_ != "map" and spec.on_duplicate is not None,
        "`on_duplicate` is about the keys of a map: it needs `as: map`",
        "add `as: map`, or remove `on_duplicate`",
    ),
    _Rule(
        "on_duplicate",
        lambda spec: spec.as_ == "map" and spec.many and spec.on_duplicate is not None,
        "`many: true` keeps every row of a key, and `on_duplicate` chooses one",
        "remove one of the two",
    ),
    _Rule(
        "on_duplicate",
        lambda spec: spec.as_ == "map" and spec.on_duplicate in ("first", "last") and not spec.order_by,
        "nothing says which row of a key is the first or the last",
        "add `order_by`",
    ),
    _Rule(
        "key",
        lambda spec: spec.as_ != "map" and spec.key is not None,
        "`key` goes with `as: map`",
        "add `as: map`, or remove `key`",
    ),
    _Rule(
        "value",
        lambda spec: spec.value is not None and not _has_several(spec),
        "`value` makes an array of plain values: it needs `many: true`",
        "add `many: true`",
    ),
    _without_value("columns", lambda spec: spec.columns is not None),
    _without_value("fields", lambda spec: bool(spec.fields)),
    _without_value("embed", lambda spec: bool(spec.embed)),
    _without_value("variants", lambda spec: spec.variants is not None),
    _Rule(
        "through",
        lambda spec: (
            spec.value is not None
            and spec.through is not None
            and (spec.through.columns is not None or bool(spec.through.fields))
        ),
        "plain values have no place for columns of the link table",
        "remove them, or `value`",
    ),
    _Rule(
        "flatten",
        lambda spec: spec.flatten and (_has_several(spec) or spec.value is not None),
        "only a single row can be merged into the parent",
        "remove `flatten`",
    ),
    _Rule(
        "orphans",
        lambda spec: spec.orphans is not None and (_has_several(spec) or spec.one),
        "`orphans` is about a key that the parent holds; here the child holds it",
        "remove `orphans`",
    ),
    _Rule(
        "depth",
        lambda spec: spec.depth is not None and spec.depth > 1 and spec.value is not None,
        "levels can't be nested here: plain values have no place for them",
        "write `depth: 1`",
    ),
    _Rule(
        "depth",
        lambda spec: spec.depth is not None and spec.depth > 1 and spec.flatten and spec.value is None,
        "levels can't be nested here: merged into one another they would collide",
        "write `depth: 1`",
    ),
)


def _references(spec: CollectionSpec, places: SourceMap) -> Iterator[Problem]:
    for name in spec.references:
        mistake = name_mistake(name)
        if mistake:
            yield places.problem(("references", name), mistake.replace("field", "reference"), at_key=True)


def _indexes(spec: CollectionSpec, places: SourceMap) -> Iterator[Problem]:
    for number, index in enumerate(spec.indexes):
        here: Path = ("indexes", number)
        if index.expire_after_seconds is not None and len(index.keys) > 1:
            message = "MongoDB expires documents by an index of one field only"
            yield places.problem((*here, "expire_after_seconds"), message, at_key=True)
        if index.unique and not {1, -1}.issuperset(index.keys.values()):
            yield places.problem((*here, "unique"), "only 1 and -1 keys can be unique in MongoDB", at_key=True)
