"""From the description of a package to the text of its modules: deterministic, clean under ruff and mypy as it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from migrator.generate.code_layout import WIDTH, call, construct, docstring, imports, pairs, tidy, tuple_of
from migrator.generate.package import Attribute, Choice, CollectionCode, DocumentClass, Package, RelationTo
from migrator.generate.python_names import literal, prose
from migrator.generate.runtime.copies import Copies
from migrator.model.serialize import to_json

_CODECS = (
    *("ANY", "BOOL", "BYTES", "DAY", "DECIMAL", "DOUBLE", "DURATION", "INT32", "INT64", "MOMENT", "OBJECT"),
    *("OBJECT_ID", "TEXT", "UUID4", "VECTOR", "Codec", "Document", "array", "choice", "either", "nested", "or_null"),
    "table",
)
_STANDARD = {
    "Mapping": "collections.abc",
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "date": "datetime",
    "datetime": "datetime",
    "timedelta": "datetime",
    "Decimal": "decimal",
    "Any": "typing",
    "Final": "typing",
    "Literal": "typing",
    "Self": "typing",
    "Unpack": "typing",
    "cast": "typing",
    "UUID": "uuid",
    "Binary": "bson.binary",
    "ObjectId": "bson.objectid",
}
_RUNTIME = {
    **dict.fromkeys(_CODECS, "._runtime.codec"),
    **dict.fromkeys(("EMPTY", "NEW_ID", "Reader", "Rest", "Root", "Writer"), "._runtime.document"),
    "Field": "._runtime.query",
    **dict.fromkeys(("AnySpec", "Identity", "Relation", "Spec"), "._runtime.spec"),
}

_COPYING = dict.fromkeys(("Copied", "Copies", "Order", "Own", "Pick", "Target"), "._runtime.copies")


@dataclass(frozen=True, slots=True)
class File:
    """A file of the package: its path inside, with slashes, and its text."""

    path: str
    text: str


def render(package: Package) -> tuple[File, ...]:
    """All files of the package, sorted by path."""
    text = _Text(package)
    made = [
        File("__init__.py", text.module("init", package)),
        File("models.py", text.body("models", "Documents as dataclasses.", {})),
        File("fields.py", text.body("fields", "Fields of documents, for filters, sorts and updates.", text.models)),
        File("copies.py", text.body("copies", "What is copied from where to where.", _COPYING)),
        File("catalog.py", text.body("catalog", "The collections, as data.", text.models)),
        File("repositories.py", text.repositories(asynchronous=False)),
        File("aio.py", text.repositories(asynchronous=True)),
        *(File(f"{name}.py", text.header + source) for name, source in _DOORS.items()),
        File("py.typed", ""),
        File("ruff.toml", _RUFF),
    ]
    made += [File(f"_runtime/{path}", text.header + source) for path, source in _runtime()]
    return tuple(sorted(made, key=lambda each: each.path))


# What applications import in addition to the generated modules, so that nobody needs to reach into _runtime.
_DOORS = {
    "cache": '''\
"""A cache of whole documents, in Redis or Memcached; give it to the repositories' class as `cache=`."""

from __future__ import annotations

from ._runtime.aio.cache import Cache as AsyncCache
from ._runtime.aio.stores import open_store as open_async_store
from ._runtime.sync.cache import Cache
from ._runtime.sync.stores import open_store

__all__ = ["AsyncCache", "Cache", "open_async_store", "open_store"]
''',
    "errors": '''\
"""What repositories raise on purpose. Errors of the network, and of the server about itself, stay pymongo's own."""

from __future__ import annotations

from ._runtime.errors import (
    BadCursor,
    Conflict,
    MalformedDocument,
    MissingPartner,
    MissingSequence,
    NotFound,
    NotIncluded,
    Refused,
    RepositoryError,
    Taken,
    UnknownInclude,
)

__all__ = [
    "BadCursor",
    "Conflict",
    "MalformedDocument",
    "MissingPartner",
    "MissingSequence",
    "NotFound",
    "NotIncluded",
    "Refused",
    "RepositoryError",
    "Taken",
    "UnknownInclude",
]
''',
    "shadow": '''\
"""Moving call sites safely: the old SQL and the repository call side by side, compared."""

from __future__ import annotations

from ._runtime.aio.shadow import Shadow as AsyncShadow
from ._runtime.shadowing import Difference
from ._runtime.sync.shadow import Shadow

__all__ = ["AsyncShadow", "Difference", "Shadow"]
''',
}

_RUFF = f"""\
# Of this package alone: what `migrator generate` writes is formatted like this wherever it lies.
line-length = {WIDTH}
target-version = "py311"

[lint]
select = ["E", "F", "W", "I", "UP", "B", "C4", "RUF", "SIM"]
# Names and comments of the database are shown as they are, however long or foreign.
ignore = ["E501", "RUF001", "RUF002", "RUF003"]
"""


_MADE_FROM = re.compile(r"\A# Generated from .*\n")


def _runtime() -> Iterator[tuple[str, str]]:
    """The modules that every package brings along."""
    root = files("migrator.generate").joinpath("runtime")
    for folder in ("", "aio/", "sync/"):
        here = root.joinpath(folder) if folder else root
        for each in sorted(here.iterdir(), key=lambda one: one.name):
            if each.name.endswith(".py"):
                # What a module was made from matters where it is edited; the package has a head of its own.
                yield f"{folder}{each.name}", _MADE_FROM.sub("", each.read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("migrator.generate", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


class _Text:
    """The templates with what they call."""

    def __init__(self, package: Package) -> None:
        self._package = package
        digest = hashlib.sha256(to_json(package).encode()).hexdigest()
        self.header = _environment().get_template("header.jinja").render(hash=digest[:16])
        classes = [part.name for each in package.collections for part in each.root.walk()]
        choices = [one for each in package.collections for part in each.root.walk() for one in part.choices]
        self.models = dict.fromkeys(
            (*classes, *(one.name for one in choices), *(one.codec for one in choices)), ".models"
        )

    def module(self, template: str, package: Package, **more: Any) -> str:
        """A module that says its imports itself."""
        shown = ", ".join(prose(each.name) for each in package.collections)
        names_shown = shown if len(shown) <= 80 else f"{len(package.collections)} collections"
        made = _environment().get_template(f"{template}.jinja").render(package=package, names_shown=names_shown, **more)
        return self.header + made

    def body(self, template: str, title: str, more: dict[str, str], **arguments: Any) -> str:
        """A module whose imports follow from what its body uses."""
        functions = {
            "attribute_notes": _attribute_notes,
            "choice_lines": _choice_lines,
            "construct": construct,
            "has_copies": lambda each: each.copies != Copies(),
            "composite_codecs": _composite_codecs,
            "composite_field_codecs": _composite_field_codecs,
            "declaration": _declaration,
            "docstring": docstring,
            "document_field": _document_field,
            "field_classes": _field_classes,
            "include_notes": _include_notes,
            "literal": literal,
            "place": _place,
            "plain_field": _plain_field,
            "prose": prose,
            "reading": _reading,
            "relation_type": _relation_type,
            "spec": _spec,
            "specs": _specs,
            "writing": _writing,
        }
        made = _environment().get_template(f"{template}.jinja").render(package=self._package, **functions, **arguments)
        known = {**_STANDARD, **_RUNTIME, **more}
        if template == "catalog":
            known |= {f"{each.constant}_COPIES": ".copies" for each in self._package.collections}
            known |= {part.fields_name: ".fields" for each in self._package.collections for part in each.root.walk()}
        needed = imports(made, known)
        start = f'{self.header}"""{title}"""\n\nfrom __future__ import annotations\n\n{needed}\n'
        return tidy(f"{start}\n{made}")

    def repositories(self, *, asynchronous: bool) -> str:
        """The module of repositories, of one kind."""
        kind = "asynchronous" if asynchronous else "synchronous"
        folder = "aio" if asynchronous else "sync"
        known = {
            "AsyncDatabase": "pymongo.asynchronous.database",
            "Database": "pymongo.synchronous.database",
            "Context": f"._runtime.{folder}.context",
            "Failing": "._runtime.failing",
            "Options": f"._runtime.{folder}.context",
            "Repository": f"._runtime.{folder}.repository",
            "SPECS": ".catalog",
            **{each.constant: ".catalog" for each in self._package.collections},
            **self.models,
        }
        return self.body("repositories", f"The repositories, {kind}.", known, asynchronous=asynchronous)


# --- models -------------------------------------------------------------------------------------------------------


def _attribute_notes(part: DocumentClass) -> list[tuple[str, str]]:
    return [(each.name, f"{each.note}." if each.note else f"{prose(each.field)}.") for each in part.attributes]


def _choice_lines(choice: Choice) -> str:
    members = [literal(member) for member in choice.members]
    named = call(f"{choice.name} = Literal[", members, tail="]")
    codec = call(f"{choice.codec}: Final[Codec[{choice.name}]] = choice(", members)
    return f"\n{named}\n{codec}"


def _place(collection: CollectionCode, part: DocumentClass) -> str:
    return collection.name if part.root else part.name


def _whole_type(each: Attribute) -> str:
    """The annotation of the whole attribute, without the None of `optional`."""
    inner = f"{each.annotation} | None" if each.nullable_elements else each.annotation
    return {"parts": f"list[{inner}]", "values": f"list[{inner}]", "table": f"dict[str, {inner}]"}.get(
        each.form, each.annotation
    )


def _whole_codec(each: Attribute) -> str:
    inner = f"or_null({each.codec})" if each.nullable_elements else each.codec
    return {"parts": f"array({inner})", "values": f"array({inner})", "table": f"table({inner})"}.get(
        each.form, each.codec
    )


def _codec_name(part: DocumentClass, each: Attribute) -> str:
    codec = _whole_codec(each)
    return f"_{part.name.upper()}_{each.name.upper()}" if "(" in codec else codec


def _composite_codecs(part: DocumentClass) -> list[str]:
    """Codecs that are made of others are made once."""
    made = [
        call(f"{_codec_name(part, each)}: Final = {head}(", [inner])
        for each in part.attributes
        if "(" in (codec := _whole_codec(each))
        for head, _, inner in [codec[:-1].partition("(")]
    ]
    return ["", *made] if made else []


def _declaration(each: Attribute) -> str:
    kind = _whole_type(each)
    if each.mode == "identity":
        return f"{each.name}: {kind} = NEW_ID"
    if each.mode == "optional":
        return f"{each.name}: {kind} = None" if kind == "Any" else f"{each.name}: {kind} | None = None"
    if each.form in ("parts", "values"):
        return f"{each.name}: {kind} = field(default_factory=list)"
    if each.form == "table":
        return f"{each.name}: {kind} = field(default_factory=dict)"
    return f"{each.name}: {kind}"


def _reading(part: DocumentClass, each: Attribute) -> str:
    method = "optional" if each.mode == "optional" else "required"
    omit = _omit(each, lambda name, stored: f"document.get({literal(stored)})")
    return call(f"{each.name}=read.{method}(", [literal(each.field), _codec_name(part, each), omit], 12, extra=1)


def _writing(part: DocumentClass, each: Attribute) -> str:
    omit = _omit(each, lambda name, stored: f"self.{name}")
    arguments = [literal(each.field), _codec_name(part, each), f"self.{each.name}", omit]
    return call(f"write.{each.mode}(", arguments, 8)


def _omit(each: Attribute, kind: Any) -> str:
    if each.mode != "optional" or not each.omit:
        return ""
    return f"omit={each.omit.replace('{kind}', kind(*each.kind) if each.kind else '')}"


def _relation_type(relation: RelationTo) -> str:
    return f"list[{relation.model}]" if relation.many else f"{relation.model} | None"


# --- fields -------------------------------------------------------------------------------------------------------


def _field_classes(collection: CollectionCode) -> list[tuple[DocumentClass, str, bool, bool]]:
    """Classes, inner ones first, each with its path, whether that leads through arrays, and whether it may be null."""
    found: list[tuple[DocumentClass, str, bool, bool]] = []

    def visit(part: DocumentClass, path: str, many: bool, nullable: bool) -> None:
        for each in part.attributes:
            if each.part is not None:
                inner = nullable or each.mode == "optional"
                visit(each.part, each.path, many or each.form == "parts", inner)
        found.append((part, path, many, nullable))

    visit(collection.root, "", False, False)
    return found


def _composite_field_codecs(package: Package) -> dict[str, str]:
    """Name by expression of codecs that are made of two: their type is clear only where it isn't asked for."""
    parts = [part for each in package.collections for part in each.root.walk()]
    found = sorted({each.codec for part in parts for each in part.attributes if each.codec.startswith("either(")})
    return {codec: f"_{codec[len('either(') : -1].replace(', ', '_OR_')}" for codec in found}


def _document_field(part: DocumentClass, path: str, many: bool, nullable: bool) -> str:
    return _field("document", part.name, f"nested({part.name})", path, many, nullable, ())


def _plain_field(each: Attribute, many: bool, nullable: bool, codecs: Mapping[str, str]) -> str:
    nullable = nullable or each.mode == "optional" or each.nullable_elements
    if each.form == "table":
        return _field(each.name, _whole_type(each), _whole_codec(each), each.path, many, nullable, ())
    kind, codec = each.annotation, codecs.get(each.codec, each.codec)
    if kind.startswith("list["):
        # A SET: compared with one member, as MongoDB does with arrays.
        kind, codec, many = kind[len("list[") : -1], codec[len("array(") : -1], True
    return _field(each.name, kind, codec, each.path, many or each.form == "values", nullable, each.bson)


def _field(name: str, kind: str, codec: str, path: str, many: bool, nullable: bool, bson: tuple[str, ...]) -> str:
    result = kind if kind == "Any" or not nullable else f"{kind} | None"
    result = f"list[{result}]" if many else result
    types = f"types={tuple_of([literal(each) for each in bson])}" if len(bson) > 1 and kind != "Any" else ""
    arguments = [literal(path), codec, "many=True" if many else "", types]
    return call(f"{name}: Final[Field[{kind}, {result}]] = Field(", arguments, 4)


# --- catalog ------------------------------------------------------------------------------------------------------


def _spec(collection: CollectionCode) -> str:
    relations = [f"{literal(each.name)}: {_relation(each)}" for each in collection.relations]
    identities = [
        call("Identity(", [literal(each.path), literal(each.sequence), literal(each.ids)], 8)
        for each in collection.identities
    ]
    arguments = [
        f"collection={literal(collection.name)}",
        f"model={collection.root.name}",
        f"key={collection.key_field}",
        f"relations={call('{', relations, 4, '}', extra=len('relations=,'))}" if relations else "",
        f"ids={literal(collection.ids)}" if collection.ids != "application" else "",
        f"identities={tuple_of(identities, 4, extra=len('identities=,'))}" if identities else "",
        f"key_parts={tuple_of(list(map(literal, collection.key_parts)), 4, extra=len('key_parts=,'))}"
        if collection.key_parts
        else "",
        f"version={literal(collection.version)}" if collection.version else "",
        f"copies={collection.constant}_COPIES" if collection.copies != Copies() else "",
    ]
    made = [each for each in arguments if each]
    return "Spec(\n" + "".join(f"    {each},\n" for each in made) + ")"


def _relation(each: RelationTo) -> str:
    on = pairs(each.on)
    arguments = [literal(each.name), literal(each.collection), on, f"many={each.many}", f"forward={each.forward}"]
    return call("Relation(", arguments, 8, extra=len(literal(each.name)) + len(": ,"))


def _specs(package: Package) -> str:
    items = [f"{literal(each.name)}: {each.constant}" for each in package.collections]
    return call("{", items, tail="}", extra=len("SPECS: Final[Mapping[str, AnySpec]] = "))


def _include_notes(collection: CollectionCode) -> list[tuple[str, str]]:
    return [(each.name, each.note) for each in collection.relations]
