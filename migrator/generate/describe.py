"""The description of a package: a pure function of the collections, without text or I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.generate import python_names
from migrator.generate.copies import copying
from migrator.generate.document_classes import Rules, root_part
from migrator.generate.homes import ColumnName, Home, homes, linked_columns
from migrator.generate.package import CollectionCode, Ids, NewIds, Package
from migrator.generate.python_types import OBJECT_ID, UUID, PythonType
from migrator.generate.relations import ReferenceEnd, relations
from migrator.model.mapping.tree import Collection, Field, Node

# Names that generated modules import or define: classes and constants of collections must not hide them.
CLASSES = (
    *("Any", "Binary", "Codec", "Context", "Database", "Decimal", "Document", "Field", "Final", "Identity", "Literal"),
    *("Mapping", "ObjectId", "Page", "Reader", "Relation", "Repository", "Rest", "Root", "Self", "Spec", "UUID"),
    *("Writer", "AnySpec", "Failing", "Options", "Unpack", "AsyncDatabase"),
)
CONSTANTS = (
    *("ANY", "BOOL", "BYTES", "DAY", "DECIMAL", "DOUBLE", "DURATION", "EMPTY", "INT32", "INT64", "MOMENT", "NEW_ID"),
    *("OBJECT", "OBJECT_ID", "TEXT", "UUID4", "VECTOR", "SPECS", "COPIES"),
)
FACADE = ("context", "failing", "fanout", "seed_sequences")

_SECOND_IDS = {"objectid": OBJECT_ID, "uuid": UUID}
_INTEGERS = ("int32", "int64")


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """What the command line says.

    Attributes:
        package: the package's name.
        version_columns: columns that count the writes of their row.
    """

    package: str
    version_columns: tuple[str, ...] = ("lock_version", "row_version")


def describe(collections: Sequence[Collection], options: PackageOptions) -> Package:
    """The package for these collections."""
    ordered = sorted(collections, key=lambda each: each.name)
    places = homes(ordered)
    # One for both: `T` can be a class and a constant.
    constants = python_names.UniqueNames((*CLASSES, *CONSTANTS))
    classes = constants.numbered("")
    rules = Rules(classes, constants, _widened(ordered), _IdMaking(places).makes)
    facade = classes.take(python_names.class_name(options.package))
    parts = {each.name: root_part(each, rules) for each in ordered}
    repositories = {each.name: _repository(each.name, classes) for each in ordered}
    attributes = python_names.UniqueNames(FACADE)
    described = relations(ordered, {name: ReferenceEnd(part.name, part) for name, part in parts.items()})
    copied = copying(ordered)
    made = []
    for each in ordered:
        part = parts[each.name]
        key = next(attribute for attribute in part.attributes if attribute.field == "_id")
        key_field = f"{part.fields_name}.{key.name}{'.document' if key.part else ''}"
        made.append(
            CollectionCode(
                name=each.name,
                attribute=attributes.take(python_names.attribute(each.name)),
                repository=repositories[each.name],
                constant=constants.take(python_names.constant(each.name)),
                root=part,
                key_annotation=key.annotation,
                key_field=key_field,
                key_parts=tuple(one.field for one in key.part.attributes) if key.part else (),
                ids=ids_of(each),
                identities=tuple(_identities(each, places)),
                version=_version(each, options.version_columns),
                relations=described[each.name],
                copies=copied.copies[each.name],
            )
        )
    return Package(options.package, facade, tuple(made), copied.unowned)


def _repository(collection: str, classes: python_names.UniqueNames) -> str:
    """`Orders`, whose documents are of the class `Order`."""
    wanted = python_names.class_name(collection)
    return classes.take(f"{wanted}Repository" if wanted in classes else wanted)


def ids_of(collection: Collection) -> Ids:
    """Who makes new ids. Keys of several columns stay the application's, and so do keys that can't be counted."""
    key = key_field(collection.root)
    if key is None or (collection.ids == "sequence" and key.value.kind not in _INTEGERS):
        return "application"
    return collection.ids


def key_field(node: Node) -> Field | None:
    """The field that holds a node's key of one column."""
    if len(node.key) != 1:
        return None
    for each in node.fields:
        if each.sql is None and not each.from_link and each.column.name == node.key[0].name:
            return each
    return None


def _widened(collections: Sequence[Collection]) -> dict[ColumnName, PythonType]:
    """The second type of columns that hold ids of collections whose new ids are of another kind."""
    targets: dict[ColumnName, PythonType] = {}
    for collection in collections:
        second = _SECOND_IDS.get(ids_of(collection))
        if second is not None:
            root = collection.root
            targets[root.schema, root.table, root.key[0].name] = second
    return {column: targets[target] for column, target in linked_columns(collections, targets).items()}


@dataclass(frozen=True, slots=True)
class _IdMaking:
    """Which columns' new values the repository makes."""

    homes: dict[tuple[str, str], Home]

    def makes(self, node: Node, each: Field) -> bool:
        home = self.homes.get((node.schema, node.table))
        if home is None or each is not key_field(node) or not any(one is node for one in home.nodes[-1:]):
            return False
        return ids_of_rows(home) != "application"


def ids_of_rows(home: Home) -> Ids:
    """Who makes the ids of the rows at home there."""
    if len(home.nodes) == 1:
        return ids_of(home.collection)
    key = key_field(home.node)
    if key is None or not home.node.key[0].auto_increment or key.value.kind not in _INTEGERS:
        # Keys that the application made all along, such as a position, it goes on making.
        return "application"
    return "sequence" if home.collection.ids == "sequence" else "application"


def _identities(collection: Collection, places: dict[tuple[str, str], Home]) -> Iterable[NewIds]:
    for home in places.values():
        key = key_field(home.node)
        if (
            home.collection is collection
            and len(home.nodes) > 1
            and key is not None
            and ids_of_rows(home) == "sequence"
        ):
            yield NewIds(".".join((*home.path, *key.path)), f"{collection.name}.{'.'.join(home.path)}", "sequence")


def _version(collection: Collection, columns: Iterable[str]) -> str:
    wanted = {name.lower() for name in columns}
    for each in collection.root.fields:
        plain = each.sql is None and not each.column.nullable and each.value.kind in _INTEGERS
        if plain and each.column.name.lower() in wanted and each.path[0] != "_id":
            return ".".join(each.path)
    return ""
