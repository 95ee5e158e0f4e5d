"""Where everything is in a target's folder, and how files get their final names without ever being half there."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from migrator.model.plan.chunk import Chunk

# As Go's url.PathEscape, which mongodump names files by.
_SAFE = "-_.~$&+=:@"
# mongodump cuts longer names, so that `<name>.metadata.json.gz` stays within 255 bytes.
_LONGEST = 238
_KEPT = 208


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths of a target."""

    root: Path

    @property
    def hidden(self) -> Path:
        """All that is migrator's own."""
        return self.root / ".migrator"

    @property
    def database(self) -> Path:
        return self.hidden / "state.sqlite3"

    def documents(self, name: str) -> Path:
        return self.root / f"{file_name(name)}.bson"

    def metadata(self, name: str) -> Path:
        return self.root / f"{file_name(name)}.metadata.json"

    def compressed(self, name: str) -> tuple[Path, Path]:
        """What `mongodump --gzip` makes instead."""
        return self.root / f"{file_name(name)}.bson.gz", self.root / f"{file_name(name)}.metadata.json.gz"

    def run(self, run_id: str) -> Path:
        return self.hidden / run_id

    def loading(self, run_id: str, name: str, holding: int) -> Path:
        """The folder of what a run loads of a collection under one holding of the lease, 0 for none.

        A process that takes over a run moves the folder to a name of its own (premise C).
        """
        # The suffix makes a harmless name of "..".
        return self.run(run_id) / f"{file_name(name)}.parts{f'.{holding}' if holding else ''}"

    def loadings(self, run_id: str, name: str) -> list[tuple[int, Path]]:
        """All such folders that there are with the holding of each, the highest last."""
        first = self.loading(run_id, name, 0)
        found = [(0, first)] if first.exists() else []
        # Not a pattern: a collection's name may have any characters.
        siblings = first.parent.iterdir() if first.parent.exists() else ()
        for path in siblings:
            holding = path.name.removeprefix(f"{first.name}.")
            if holding != path.name and holding.isdecimal():
                found.append((int(holding), path))
        return sorted(found)

    def part(self, chunk: Chunk) -> Path:
        """What one attempt of a chunk writes."""
        loading = self.loading(chunk.run, chunk.collection, chunk.holding)
        return loading / f"{chunk.number:08d}.bson.{chunk.attempt}"

    def whole(self, run_id: str, name: str, holding: int) -> Path:
        """All parts in order."""
        return self.loading(run_id, name, holding) / "whole.bson"

    def whole_metadata(self, run_id: str, name: str, holding: int) -> Path:
        return self.loading(run_id, name, holding) / "whole.metadata.json"


def file_name(name: str) -> str:
    """A collection's name as mongodump spells it on disk; never leaves the folder."""
    escaped = quote(name, safe=_SAFE)
    if len(escaped) > _LONGEST:
        digest = base64.urlsafe_b64encode(hashlib.sha1(name.encode()).digest()).decode().rstrip("=")
        return f"{escaped[:_KEPT]}%24{digest}"
    return escaped


def sync_folder(path: Path) -> None:
    """Makes new names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that under its name there is either the old content or all of the new one."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
