"""A few tables, rows copied, statements synced, documents compared: what a failing history comes down to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.histories.judge import compare
from tests.oracle.documents import Oracle
from tests.oracle.load import run_script
from tests.sync import running


class Small:
    """A database of its own with a folder of mappings.

    Args:
        mappings: YAML by collection.
    """

    def __init__(self, source: str, target: str, folder: Path, schema: str, mappings: Mapping[str, str]) -> None:
        self._source = source
        self._target = target
        self._folder = folder / "mappings"
        self._folder.mkdir(exist_ok=True)
        for name, text in mappings.items():
            (self._folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        run_script(source, schema)
        self._oracle = Oracle(source, self._folder)
        self._names = sorted(mappings)
        self._run = running.apply(source, target, self._folder, self._names)

    def synced(self, *statements: str) -> Sequence[str]:
        """Executes statements in one session, syncs, and says where documents differ from their rows."""
        run_script(self._source, ";\n".join(statements))
        running.catch_up(self._source, self._target)
        return compare(self._oracle, self._names, self._target, [self._run]).lines
