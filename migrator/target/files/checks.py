"""The target's lines of `migrator doctor`, by trying things out in a throw-away folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from migrator.errors import TargetError
from migrator.model.report.check import Check
from migrator.target.files.database import StateDatabase
from migrator.target.files.failure import free_bytes, translated
from migrator.target.files.folder import Folder, write_whole

_LITTLE_BYTES = 1_000_000_000


def checks(folder: Folder) -> Iterator[Check]:
    """One line each. Where the folder doesn't exist yet, its parent is tried, and the folder isn't made."""
    place = folder.root
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        _try(place)
    except TargetError as error:
        yield _line("blocked", "reachable", f"{error.where}: {error.what}", error.hint)
        return
    note = "" if place == folder.root else f" (to be made in {place})"
    yield _line("ok", "reachable", f"{folder.root}{note}: writing, renaming and locking work")
    free = free_bytes(place)
    text = f"{free / 1e9:.1f} GB free"
    if free < _LITTLE_BYTES:
        yield _line("warning", "space", text, "Compare with what `migrator plan` says the copy will need.")
    else:
        yield _line("ok", "space", text)
    yield _line("ok", "indexes", "files carry indexes and validators for mongorestore; nothing checks unique ones here")


def _try(place: Path) -> None:
    with translated(place), tempfile.TemporaryDirectory(prefix=".migrator-doctor-", dir=place) as trial:
        write_whole(Path(trial) / "file", b"content")
        with StateDatabase(Folder(Path(trial))).write() as state:
            state.execute("SELECT count(*) FROM runs")


def _line(status: Literal["ok", "warning", "blocked"], name: str, text: str, fix: str = "") -> Check:
    return Check("target", status, name, text, fix)
