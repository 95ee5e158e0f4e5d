"""Mappings against the live schema: `MappingSet` to `Collection`s in which everything is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from migrator.errors import MappingError, Problem
from migrator.mapping.catalog import Catalog, Server, meanings
from migrator.mapping.embed import build_root
from migrator.mapping.file.load import MappingFile, MappingSet
from migrator.mapping.indexes import resolve_indexes
from migrator.mapping.location import Location
from migrator.mapping.references import resolve_references
from migrator.model.mapping.hashes import mapping_hash, spec_hash
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.spec import CollectionSpec, EmbedSpec
from migrator.model.mapping.tree import Collection, Node
from migrator.model.schema.tables import Schema, fingerprint


def resolve(mappings: MappingSet, schema: Schema, server: Server, policies: Policies) -> tuple[Collection, ...]:
    """The collections that `mappings` describe, in file order.

    Args:
        mappings: from `load_mappings`, or from `read_mappings`, whose problems count among the mistakes.
        schema: at least the tables that the mappings name (`named_tables`), and the names of all.
        server: asked each question at most once.
        policies: those of the project.

    Raises:
        MappingError: with every mistake of every file.
    """
    problems: list[Problem] = list(mappings.problems)
    catalog = Catalog(schema, cache(server.describe), cache(server.can_compare))
    roots: dict[str, Node] = {}
    for file in mappings.files:
        location = Location(file.places, (), problems)
        root = build_root(file.spec, policies, location, catalog)
        if root is not None:
            roots[file.spec.collection] = root
    found = [_collection(file, mappings, roots, catalog, policies, problems) for file in mappings.files]
    if problems:
        raise MappingError(tuple(dict.fromkeys(problems)))
    return tuple(collection for collection in found if collection is not None)


def named_tables(mappings: MappingSet) -> frozenset[tuple[str, str]]:
    """(database, name) of every table that the mappings may mean; the database "" is the source URL's."""
    names = (name for file in mappings.files for name in _names(file.spec))
    return frozenset(meaning for name in names for meaning in meanings(name))


def _names(spec: CollectionSpec | EmbedSpec) -> Iterator[str]:
    yield spec.from_
    if isinstance(spec, EmbedSpec) and spec.through is not None:
        yield spec.through.table
    yield from (table for field in spec.fields.values() if (table := field.aggregated[0]))
    for embedded in spec.embed.values():
        yield from _names(embedded)


def _collection(
    file: MappingFile,
    mappings: MappingSet,
    roots: dict[str, Node],
    catalog: Catalog,
    policies: Policies,
    problems: list[Problem],
) -> Collection | None:
    spec, location = file.spec, Location(file.places, (), problems)
    root = roots.get(spec.collection)
    if root is None:
        return None
    # A file that can't be read may describe what a reference names: that is no mistake yet.
    references = {} if mappings.problems else spec.references
    collection = Collection(
        name=spec.collection,
        root=root,
        file=file.places.file,
        mapping_hash=mapping_hash(root),
        indexes=resolve_indexes(spec.indexes, root, location.at("indexes")),
        references=resolve_references(references, root, roots, location.at("references")),
        validator=spec.validator,
        ids=spec.ids,
        sql=tuple(dict.fromkeys(sql for name, sql in catalog.sql if name == file.places.file)),
        spec_hash=spec_hash(spec, policies),
    )
    tables = [catalog.schema.by_name[name] for name in collection.tables]
    return replace(collection, schema_fingerprint=fingerprint(tables))
