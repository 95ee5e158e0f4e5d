"""From a mapping's tree to the dataclasses of its documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator.generate import python_names
from migrator.generate.homes import ColumnName
from migrator.generate.package import Attribute, Choice, DocumentClass, Mode
from migrator.generate.python_types import BYTES, INT32, UNITS, PythonType, typed, widened
from migrator.model.mapping.tree import Aggregate, Collection, Field, Node

# What a class body or its methods use by name: an attribute called so would hide it.
RESERVED = (
    *("bool", "bytes", "dict", "float", "int", "list", "str", "tuple", "property", "classmethod", "cast"),
    *("date", "datetime", "timedelta", "field", "document", "rest", "from_document", "to_document"),
    *("array", "choice", "either", "nested", "or_null", "table"),
)
# Display widths say nothing, and only some servers show them.
_WIDTH = re.compile(r"\b((?:tiny|small|medium|big)?int|year)\(\d+\)")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the other collections and the options say about columns.

    Attributes:
        classes: gives out class names.
        constants: gives out names of constants.
        widen: the second type of columns that will hold new kinds of ids.
        makes: whether the repository makes the ids in this column of a node, given the collection.
    """

    classes: python_names.UniqueNames
    constants: python_names.UniqueNames
    widen: Mapping[ColumnName, PythonType]
    makes: Callable[[Node, Field], bool]


@dataclass(slots=True)
class _Group:
    """A (sub-)document's parts by name, in document order: fields, children, and dotted paths' sub-documents."""

    entries: dict[str, _FieldEntry | Node | _Maps | _Group] = field(default_factory=dict)
    always: bool = False

    def at(self, path: Sequence[str], *, always: bool) -> _Group:
        here = self
        for name in path:
            inner = here.entries.setdefault(name, _Group())
            assert isinstance(inner, _Group), f"{name} is a field and a sub-document"
            inner.always = inner.always or always
            here = inner
        return here


@dataclass(frozen=True, slots=True)
class _Maps:
    """Tables that fill one map."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _FieldEntry:
    """A field, or the companion of one; `cases`: only where the discriminator has one of these values."""

    field: Field
    node: Node
    absent: bool
    cases: tuple[str, ...] = ()
    companion: bool = False


@dataclass(frozen=True, slots=True)
class _ClassPlace:
    """Where a class is being made.

    Attributes:
        node: whose fields they are.
        class_name: of the class.
        path: from the root, dotted names.
        shown: the place, for people: `items` of documents in orders.
    """

    node: Node
    class_name: str
    path: tuple[str, ...]
    shown: str


def root_part(collection: Collection, rules: Rules) -> DocumentClass:
    """The class of a collection's documents, with those of all its sub-documents."""
    root = collection.root
    name = rules.classes.take(python_names.class_name(python_names.singular(collection.name)))
    group = _Group()
    _fill(group, root, absent=False)
    shown = f"documents in {python_names.prose(collection.name)}"
    part = _part(group, _ClassPlace(root, name, (), shown), rules)
    if not root.key:
        key = _attribute_of("id", "_id", "_id", BYTES, "required", "a hash of the row")
        part = replace(part, attributes=(key, *part.attributes))
    title = f"A document in {python_names.prose(collection.name)}: a row of {python_names.prose(root.table)}."
    return replace(part, root=True, title=title)


def _fill(group: _Group, node: Node, *, absent: bool) -> None:
    for each in node.fields:
        _put(group, _FieldEntry(each, node, absent), always=True)
    if node.variants is not None:
        for text, fields in node.variants.cases:
            for each in fields:
                _put(group, _FieldEntry(each, node, absent, (text,)), always=False)
    for child in node.children:
        if child.flatten:
            _fill(group, child, absent=True)
        else:
            _put_child(group.at(child.path[:-1], always=True), child)


def _put_child(owner: _Group, child: Node) -> None:
    name = child.path[-1]
    if child.shape != "map":
        owner.entries[name] = child
        return
    known = owner.entries.get(name)
    owner.entries[name] = _Maps((*(known.nodes if isinstance(known, _Maps) else ()), child))


def _put(group: _Group, leaf: _FieldEntry, *, always: bool) -> None:
    *above, name = leaf.field.path
    owner = group.at(above, always=always)
    known = owner.entries.get(name)
    if isinstance(known, _FieldEntry):
        leaf = replace(leaf, cases=(*known.cases, *leaf.cases))
    owner.entries[name] = leaf
    if leaf.field.value.companion:
        owner.entries[f"{name}_micros"] = replace(leaf, companion=True)


def _part(group: _Group, place: _ClassPlace, rules: Rules) -> DocumentClass:
    taken = python_names.UniqueNames(RESERVED)
    choices: list[Choice] = []
    kind = _discriminator(place.node)
    made = []
    for name, entry in group.entries.items():
        python = taken.take("id" if name == "_id" else python_names.attribute(name))
        match entry:
            case _Group():
                made.append(_group(python, name, entry, place, rules))
            case Node():
                made.append(_child(python, name, entry, place, rules, choices))
            case _Maps():
                made.append(_map(python, name, entry, place, rules, choices))
            case _FieldEntry():
                made.append(_leaf(python, name, entry, place, rules, choices))
    if kind is not None:
        found = next((each.name for each in made if each.field == kind), None)
        made = [replace(each, kind=(found, kind)) if "{kind}" in each.omit and found else each for each in made]
    made = [replace(each, omit="True") if "{kind}" in each.omit and each.kind is None else each for each in made]
    fields_name = rules.classes.take(f"{place.class_name}Fields")
    title = f"{place.shown[:1].upper()}{place.shown[1:]}: from {python_names.prose(place.node.table)}."
    return DocumentClass(place.class_name, fields_name, title, tuple(made), tuple(choices))


def _discriminator(node: Node) -> str | None:
    """The field that says which variant a document is, where it is next to the variants' fields as text."""
    if node.variants is None:
        return None
    for each in node.fields:
        plain = each.sql is None and not each.from_link and each.value.kind == "string"
        if plain and each.column.name == node.variants.column.name and len(each.path) == 1:
            return each.path[0]
    return None


def _group(python: str, name: str, group: _Group, place: _ClassPlace, rules: Rules) -> Attribute:
    path = (*place.path, name)
    key = path == ("_id",)
    inner = _inner(place, name, singular=False, rules=rules)
    part = _part(group, inner, rules)
    part = replace(part, frozen=key, title=f"The key of {place.shown}." if key else part.title)
    mode: Mode = "required" if group.always else "optional"
    made = _attribute_of(python, name, ".".join(path), _typed_part(part), mode, "")
    return replace(made, form="part", part=part, omit="" if group.always else "True")


def _child(python: str, name: str, node: Node, place: _ClassPlace, rules: Rules, choices: list[Choice]) -> Attribute:
    path = ".".join((*place.path, name))
    table = python_names.prose(node.table)
    if node.aggregate is not None:
        return _computed(python, name, path, node, node.aggregate)
    if node.shape == "scalars":
        (value,) = node.fields
        kind = _named(_typed(value, node, rules), place, name, choices, rules)
        made = _attribute_of(python, name, path, kind, "required", _all_rows(node))
        return replace(made, form="values", nullable_elements=_has_null_elements(value))
    many = node.shape == "many"
    inner = _inner(replace(place, node=node), name, singular=many, rules=rules)
    group = _Group()
    _fill(group, node, absent=False)
    part = _part(group, inner, rules)
    if many:
        return replace(
            _attribute_of(python, name, path, _typed_part(part), "required", f"rows of {table}"),
            form="parts",
            part=part,
        )
    mode: Mode = "required" if _always_there(node) else "optional"
    made = _attribute_of(python, name, path, _typed_part(part), mode, f"a row of {table}")
    return replace(made, form="part", part=part, omit="True" if node.omit_null else "")


def _computed(python: str, name: str, path: str, node: Node, aggregate: Aggregate) -> Attribute:
    """A value that the source computes of child rows."""
    (value,) = node.fields
    column = "" if aggregate.column is None else f".{python_names.prose(aggregate.column.name)}"
    note = f"{aggregate.function} of {python_names.prose(node.table)}{column}"
    made = _attribute_of(python, name, path, typed(value), "optional", note)
    return replace(made, omit="True" if value.value.policies.null == "omit" else "")


def _map(python: str, name: str, maps: _Maps, place: _ClassPlace, rules: Rules, choices: list[Choice]) -> Attribute:
    kinds: list[PythonType] = []
    nullable = False
    for node in maps.nodes:
        (value,) = node.fields
        kind = _named(_typed(value, node, rules), place, name, choices, rules)
        if node.duplicates == "all":
            null = _has_null_elements(value)
            codec, annotation = (
                (f"or_null({kind.codec})", f"{kind.annotation} | None") if null else (kind.codec, kind.annotation)
            )
            kind = PythonType(f"list[{annotation}]", f"array({codec})", ("array",))
        else:
            nullable = nullable or _has_null_elements(value)
        kinds.append(kind)
    # Which table a value is of, nothing says: values of several types are taken as they are.
    same = len({(kind.annotation, kind.codec) for kind in kinds}) == 1
    kind = kinds[0] if same else PythonType("Any", "ANY", ())
    path = ".".join((*place.path, name))
    note = ", ".join(dict.fromkeys(map(_all_rows, maps.nodes)))
    made = _attribute_of(python, name, path, kind, "required", note)
    return replace(made, form="table", nullable_elements=nullable and same)


def _all_rows(node: Node) -> str:
    (value,) = node.fields
    owner = node.link.table if value.from_link and node.link else node.table
    return f"{python_names.prose(owner)}.{python_names.prose(value.column.name)} of all rows"


def _has_null_elements(value: Field) -> bool:
    return may_be_null(value) and value.value.policies.null == "null"


def _always_there(node: Node) -> bool:
    """Whether a row without this `one` would be rejected."""
    join = node.join
    if node.orphans != "reject" or join is None or node.where is not None or node.match:
        return False
    return not any(column.nullable for column in join.parent)


def _leaf(
    python: str, name: str, leaf: _FieldEntry, place: _ClassPlace, rules: Rules, choices: list[Choice]
) -> Attribute:
    each = leaf.field
    omits = each.value.policies.null == "omit"
    empty = leaf.absent or may_be_null(each) or bool(leaf.cases)
    omit = "True" if omits else _omitted_in_other_cases(leaf.cases)
    mode: Mode = "optional" if empty else "required"
    path = ".".join((*place.path, name))
    if leaf.companion:
        return replace(
            _attribute_of(python, name, path, INT32, mode, f"microseconds of {python_names.prose(each.path[-1])}"),
            omit=omit,
        )
    if mode == "required" and rules.makes(leaf.node, each):
        mode = "identity"
    kind = _named(_typed(each, leaf.node, rules), place, name, choices, rules)
    return replace(_attribute_of(python, name, path, kind, mode, _note(leaf)), omit=omit)


def _omitted_in_other_cases(cases: Sequence[str]) -> str:
    if not cases:
        return ""
    if len(cases) == 1:
        return f"{{kind}} != {python_names.literal(cases[0])}"
    return f"{{kind}} not in ({', '.join(map(python_names.literal, cases))})"


def _note(leaf: _FieldEntry) -> str:
    each = leaf.field
    unit = UNITS.get(each.value.kind, "")
    unit = "" if each.value.family == "date" else unit
    if each.sql is not None:
        origin = f"computed: {python_names.prose(each.sql)}"
    else:
        link = leaf.node.link
        table = link.table if each.from_link and link else leaf.node.table
        kind = "json" if each.column.data_type == "json" else _WIDTH.sub(r"\1", each.column.column_type)
        origin = f"{python_names.prose(table)}.{python_names.prose(each.column.name)}, {python_names.prose(kind)}"
    cases = f"; only in {' or '.join(map(python_names.prose, leaf.cases))}" if leaf.cases else ""
    return f"{origin}{f' ({unit})' if unit else ''}{cases}"


def _typed(each: Field, node: Node, rules: Rules) -> PythonType:
    found = typed(each)
    if each.sql is None and not each.from_link:
        second = rules.widen.get((node.schema, node.table, each.column.name))
        return widened(found, second) if second is not None else found
    return found


def _named(kind: PythonType, place: _ClassPlace, name: str, choices: list[Choice], rules: Rules) -> PythonType:
    """With its own name for a type that has one."""
    if "{type}" not in kind.annotation:
        return kind
    if not kind.members:
        return PythonType(kind.annotation.format(type="str"), kind.codec.format(codec="TEXT"), kind.bson)
    chosen = rules.classes.take(python_names.class_name(place.class_name, name))
    codec = rules.constants.take(python_names.constant(chosen))
    choice = Choice(chosen, codec, kind.members, f"{python_names.prose(name)} of {place.shown}")
    choices.append(choice)
    return PythonType(
        kind.annotation.format(type=chosen), kind.codec.format(codec=choice.codec), kind.bson, kind.members
    )


def _inner(place: _ClassPlace, name: str, *, singular: bool, rules: Rules) -> _ClassPlace:
    own = python_names.singular(name) if singular else name
    wanted = python_names.class_name(place.class_name, "Id" if name == "_id" else own)
    return _ClassPlace(
        place.node, rules.classes.take(wanted), (*place.path, name), f"{python_names.prose(name)} of {place.shown}"
    )


def _attribute_of(python: str, name: str, path: str, kind: PythonType, mode: Mode, note: str) -> Attribute:
    return Attribute(python, name, path, "value", kind.annotation, kind.codec, kind.bson, mode, note)


def _typed_part(part: DocumentClass) -> PythonType:
    return PythonType(part.name, f"nested({part.name})", ("object",))


def may_be_null(each: Field) -> bool:
    """Whether a value of this field can be NULL, or become so."""
    zero_date = each.value.family in ("date", "datetime") and each.value.policies.zero_date == "null"
    return each.column.nullable or each.sql is not None or zero_date
