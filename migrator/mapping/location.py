"""A place in a mapping file, and the list of mistakes found so far: what the check reports with."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.errors import Problem
from migrator.mapping.file.yaml_document import Path, SourceMap


@dataclass(frozen=True, slots=True)
class Location:
    """`path` in a file. `problems` is shared by all spots of a check; `report` adds to it."""

    places: SourceMap
    path: Path
    problems: list[Problem]

    def at(self, *steps: str | int) -> Location:
        """A place below this one."""
        return Location(self.places, (*self.path, *steps), self.problems)

    def first(self, *keys: str) -> Location:
        """The place of the first of these keys that stands in the file."""
        found = next((key for key in keys if self.places.has((*self.path, key))), None)
        return self.at(found) if found else self

    def report(self, message: str, suggestion: str = "", *, at_key: bool = False) -> None:
        """Records a mistake here; `at_key` points at the key instead of its value."""
        self.problems.append(self.places.problem(self.path, message, suggestion, at_key=at_key))
