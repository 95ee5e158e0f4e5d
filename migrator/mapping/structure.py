"""Mistakes in a mapping that show without the source's schema: names that can't be, keys that don't go together."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.errors import Problem
from migrator.mapping.document import Path, Places
from migrator.model.collection_names import reserved_mistake
from migrator.model.mapping import CollectionSpec, EmbedSpec, FieldSpec, VariantsSpec

# MongoDB: a database and collection name together have at most 255 bytes; the rest is for names of what is loaded
# next to the live collection.
MAX_COLLECTION_BYTES = 120
# A larger tree is a mistake (depth within depth), and would be slow in every later step.
MAX_NODES = 1000


def check_structure(spec: CollectionSpec, places: Places) -> list[Problem]:
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


def _collection(spec: CollectionSpec, places: Places) -> Iterator[Problem]:
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


def _count(embeds: dict[str, EmbedSpec]) -> int:
    return sum((spec.depth or 1) * (1 + _count(spec.embed)) for spec in embeds.values())


def _fields(fields: dict[str, FieldSpec], path: Path, places: Places) -> Iterator[Problem]:
    for name, spec in fields.items():
        here = (*path, name)
        mistake = _dotted_mistake(name)
        if mistake:
            of_root = path == ("fields",) and name.partition(".")[0] == "_id"
            hint = "to change its type, write the key column: `fields: {id: {type: …}}`" if of_root else ""
            yield places.problem(here, mistake, hint, at_key=True)
        yield from _source_of(spec, here, places)


def _source_of(spec: FieldSpec, path: Path, places: Places) -> Iterator[Problem]:
    if spec.column and spec.sql:
        yield places.problem((*path, "sql"), "a field has either a column or sql", "remove one of the two")


def _variants(spec: VariantsSpec | None, path: Path, places: Places) -> Iterator[Problem]:
    for value, case in spec.cases.items() if spec else ():
        yield from _fields(case.fields, (*path, "cases", value, "fields"), places)


def _embeds(embeds: dict[str, EmbedSpec], path: Path, places: Places) -> Iterator[Problem]:
    for name, spec in embeds.items():
        here: Path = (*path, "embed", name)
        mistake = _dotted_mistake(name)
        if mistake:
            yield places.problem(here, mistake, at_key=True)
        for key, message, suggestion in _combinations(spec):
            yield places.problem((*here, key), message, suggestion, at_key=True)
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


def _combinations(spec: EmbedSpec) -> Iterator[tuple[str, str, str]]:
    """(key, message, suggestion) for keys that don't go together."""
    several = spec.many or spec.as_ == "map"
    if spec.many and spec.one:
        yield "one", "`one` and `many` exclude each other", "remove one of the two"
    if spec.one and spec.as_ == "map":
        yield "one", "`as: map` makes an object of several rows; `one` says there is one", "remove one of the two"
    if spec.through is not None and not several:
        yield "through", "`through` makes an array: it needs `many: true`", "add `many: true`"
    if spec.through is not None and spec.on is not None:
        hint = "write `through: {table: …, on: {parent column: link column}, to: {link column: column}}`"
        yield "on", "with a link table, `on` belongs inside `through`", hint
    for key, given in (("limit", spec.limit is not None), ("order_by", bool(spec.order_by))):
        if given and not several:
            yield key, f"`{key}` needs `many: true`: there is one row at most", f"add `many: true`, or remove `{key}`"
    if spec.as_ == "map":
        if spec.key is None:
            yield "as", "`as: map` needs `key: column`: whose values become the names", "add `key:`"
        if spec.value is None:
            yield "as", "`as: map` needs `value: column`: the values under the names", "add `value:`"
    elif spec.key is not None:
        yield "key", "`key` goes with `as: map`", "add `as: map`, or remove `key`"
    if spec.value is not None and not several:
        yield "value", "`value` makes an array of plain values: it needs `many: true`", "add `many: true`"
    if spec.value is not None:
        yield from _beside_value(spec)
    if spec.flatten and (several or spec.value is not None):
        yield "flatten", "only a single row can be merged into the parent", "remove `flatten`"
    if spec.orphans is not None and (several or spec.one):
        yield "orphans", "`orphans` is about a key that the parent holds; here the child holds it", "remove `orphans`"
    if spec.depth is not None and spec.depth > 1 and (spec.value is not None or spec.flatten):
        where = "plain values have no place for them" if spec.value else "merged into one another they would collide"
        yield "depth", f"levels can't be nested here: {where}", "write `depth: 1`"


def _beside_value(spec: EmbedSpec) -> Iterator[tuple[str, str, str]]:
    extra = {
        "columns": spec.columns is not None,
        "fields": bool(spec.fields),
        "embed": bool(spec.embed),
        "variants": spec.variants is not None,
    }
    for key, given in extra.items():
        if given:
            yield key, f"plain values have no place for `{key}`", f"remove `{key}`, or `value`"
    if spec.through is not None and (spec.through.columns is not None or spec.through.fields):
        yield "through", "plain values have no place for columns of the link table", "remove them, or `value`"


def _references(spec: CollectionSpec, places: Places) -> Iterator[Problem]:
    for name in spec.references:
        mistake = name_mistake(name)
        if mistake:
            yield places.problem(("references", name), mistake.replace("field", "reference"), at_key=True)


def _indexes(spec: CollectionSpec, places: Places) -> Iterator[Problem]:
    for number, index in enumerate(spec.indexes):
        here: Path = ("indexes", number)
        if index.expire_after_seconds is not None and len(index.keys) > 1:
            message = "MongoDB expires documents by an index of one field only"
            yield places.problem((*here, "expire_after_seconds"), message, at_key=True)
        if index.unique and not {1, -1}.issuperset(index.keys.values()):
            yield places.problem((*here, "unique"), "only 1 and -1 keys can be unique in MongoDB", at_key=True)
