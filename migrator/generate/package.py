"""What a generated package consists of, as inert data: no text, no template, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from migrator.generate.copies import Unowned
from migrator.generate.runtime.copies import Copies

Mode = Literal["required", "optional", "identity"]
Form = Literal["value", "part", "parts", "values", "table"]
Ids = Literal["sequence", "objectid", "uuid", "application"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The members of an ENUM or SET, as a named Literal."""

    name: str
    codec: str
    members: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a dataclass.

    Attributes:
        name: in Python.
        field: in the (sub-)document.
        path: from the root, dotted.
        form: a plain value, a sub-document, an array of them, an array of plain values, an object of plain values.
        annotation: of the value (of an element for arrays and objects), without None.
        codec: expression for the same.
        bson: BSON types of the same.
        mode: `optional` may be None; `identity` is made by the repository where it is not given.
        nullable_elements: an array's or object's values may be null.
        omit: when None is left out rather than null: a Python condition over the discriminator `{kind}`, "True" or "".
        kind: (attribute, field) of the discriminator that `omit` asks.
        part: the class of sub-documents.
        note: where it comes from, for people.
    """

    name: str
    field: str
    path: str
    form: Form
    annotation: str
    codec: str
    bson: tuple[str, ...]
    mode: Mode
    note: str
    nullable_elements: bool = False
    omit: str = ""
    kind: tuple[str, str] | None = None
    part: DocumentClass | None = None


@dataclass(frozen=True, slots=True)
class DocumentClass:
    """The dataclass of a document or sub-document.

    Attributes:
        name: of the class.
        fields_name: of the class of its fields, for filters.
        title: what it is, for people.
        attributes: in document order.
        choices: named Literals that its attributes use.
        root: a whole document.
        frozen: a composite key, so that it can be a dictionary's key.
    """

    name: str
    fields_name: str
    title: str
    attributes: tuple[Attribute, ...]
    choices: tuple[Choice, ...]
    root: bool = False
    frozen: bool = False

    def walk(self) -> Iterator[DocumentClass]:
        """All classes, inner ones first."""
        for attribute in self.attributes:
            if attribute.part is not None:
                yield from attribute.part.walk()
        yield self


@dataclass(frozen=True, slots=True)
class RelationTo:
    """A reference from one of its sides; see `runtime.spec.Relation`."""

    name: str
    collection: str
    model: str
    on: tuple[tuple[str, str], ...]
    many: bool
    forward: bool
    note: str


@dataclass(frozen=True, slots=True)
class NewIds:
    """Ids that the repository makes inside documents; see `runtime.spec.Identity`."""

    path: str
    sequence: str
    ids: Ids


@dataclass(frozen=True, slots=True)
class CollectionCode:
    """A collection.

    Attributes:
        name: in MongoDB.
        attribute: of the facade.
        repository: class of its repository.
        constant: of its description.
        root: class of its documents.
        key_annotation: type of its `_id`.
        key_field: expression of the `_id`'s typed field.
        key_parts: fields of a composite `_id`.
        ids: who makes new ones.
        identities: ids of embedded rows.
        version: dotted field that counts writes, "".
        relations: what can be included.
        copies: what its documents copy, and where they are copied to.
    """

    name: str
    attribute: str
    repository: str
    constant: str
    root: DocumentClass
    key_annotation: str
    key_field: str
    key_parts: tuple[str, ...]
    ids: Ids
    identities: tuple[NewIds, ...]
    version: str
    relations: tuple[RelationTo, ...]
    copies: Copies


@dataclass(frozen=True, slots=True)
class Package:
    """A generated package.

    Attributes:
        name: of the package.
        facade: class that holds all repositories.
        collections: by name.
        unowned: copies that nobody keeps true.
    """

    name: str
    facade: str
    collections: tuple[CollectionCode, ...]
    unowned: tuple[Unowned, ...]
