"""Mapping files to `MappingSet`: everything that can be checked without the source."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from migrator.errors import MappingError, Problem
from migrator.mapping.file.messages import describe_mistakes
from migrator.mapping.file.structure import check_structure
from migrator.mapping.file.yaml_document import Path, SourceMap, read_document
from migrator.model.mapping.spec import CollectionSpec

_ENDINGS = (".yaml", ".yml")
# Keys whose value may be the word null.
_NULL_WORDS = ("null", "zero_date")


@dataclass(frozen=True)
class MappingFile:
    """One collection as written, and where everything stands in its file."""

    spec: CollectionSpec
    places: SourceMap


@dataclass(frozen=True)
class MappingSet:
    """All mappings of a project, in order of their file names.

    Attributes:
        problems: of files that can't be read as a mapping, and so are not among `files`.
    """

    folder: str
    files: tuple[MappingFile, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def collections(self) -> tuple[str, ...]:
        return tuple(file.spec.collection for file in self.files)


def load_mappings(folder: FilePath) -> MappingSet:
    """Reads every .yaml and .yml file of `folder` (not of folders in it).

    Raises:
        MappingError: with every mistake of every file; also for a folder that is missing or holds no mapping.
    """
    found = read_mappings(folder)
    if found.problems:
        raise MappingError(found.problems)
    return found


def read_mappings(folder: FilePath) -> MappingSet:
    """As `load_mappings`, for callers that have more to say of the files that can be read.

    Raises:
        MappingError: for a folder that is missing or holds no mapping.
    """
    files: list[MappingFile] = []
    problems: list[Problem] = []
    for path in _mapping_files(folder):
        try:
            content = path.read_bytes()
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, f"the file can't be read: {error.strerror}"))
            continue
        try:
            files.append(load_text(str(path), content))
        except MappingError as error:
            problems += error.problems
    first: dict[str, MappingFile] = {}
    for file in files:
        other = first.setdefault(file.spec.collection, file)
        if other is not file:
            problems.append(_twice(file, other))
    return MappingSet(str(folder), tuple(first.values()), tuple(problems))


def load_text(file: str, content: bytes) -> MappingFile:
    """Reads one mapping from its bytes; `file` is how problems name it.

    Raises:
        MappingError: with every mistake in it.
    """
    document = read_document(file, content)
    places = document.places
    problems = list(document.problems)
    if document.data is None and problems:
        raise MappingError(problems)
    if not isinstance(document.data, dict):
        raise MappingError([*problems, places.problem((), "a mapping is a block of `name: value` lines")])
    data = copy.deepcopy(document.data)
    problems += _without_value(data, (), places)
    try:
        spec = CollectionSpec.model_validate(data)
    except ValidationError as error:
        raise MappingError([*problems, *describe_mistakes(error, CollectionSpec, places, document.data)]) from None
    problems += check_structure(spec, places)
    if problems:
        raise MappingError(problems)
    return MappingFile(spec, places)


def _mapping_files(folder: FilePath) -> list[FilePath]:
    if not folder.exists():
        raise _unusable(folder, "the mappings folder doesn't exist", _FIRST_MAPPING)
    if not folder.is_dir():
        raise _unusable(folder, "the mappings folder is not a folder")
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix in _ENDINGS and not p.name.startswith("."))
    except OSError as error:
        raise _unusable(folder, f"the folder can't be read: {error.strerror}") from None
    if not found:
        raise _unusable(folder, "the folder holds no mapping (*.yaml, *.yml)", _FIRST_MAPPING)
    return found


def _unusable(folder: FilePath, what: str, suggestion: str = "") -> MappingError:
    # Absolute: the working directory may be another than the user thinks.
    return MappingError([Problem(str(folder.absolute()), 0, 0, what, "", suggestion)])


_FIRST_MAPPING = (
    "write a file for each collection: `collection: orders` and `from: orders` are enough for a table `orders`"
)


def _without_value(data: Any, path: Path, places: SourceMap) -> Iterator[Problem]:
    """Reports keys without a value, and takes them out so that they are not reported a second time."""
    if isinstance(data, list):
        for number, item in enumerate(data):
            yield from _without_value(item, (*path, number), places)
    if not isinstance(data, dict):
        return
    for key, value in list(data.items()):
        inside = (*path, key)
        if value is None and key not in _NULL_WORDS and path[-1:] != ("match",):
            yield places.problem(inside, f"`{key}` has no value", "give it one, or remove the line", at_key=True)
            if path[-1:] not in (("fields",), ("embed",)):
                del data[key]
        else:
            yield from _without_value(value, inside, places)


def _twice(file: MappingFile, other: MappingFile) -> Problem:
    line = other.places.values[("collection",)].line
    message = f"the collection `{file.spec.collection}` has a mapping already: {other.places.file}:{line}"
    return file.places.problem(("collection",), message, "one file describes one collection")
