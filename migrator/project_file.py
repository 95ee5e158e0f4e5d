"""Where the project file is: searched for from the working directory upwards, as git does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_FILE = "migrator.yaml"


@dataclass(frozen=True, slots=True)
class ProjectFileSearch:
    """What was found.

    Attributes:
        file: the project file, None when there is none.
        foreign: those that were passed over because another user owns them.
    """

    file: Path | None
    foreign: tuple[Path, ...] = ()


def find_project_file(directory: Path) -> ProjectFileSearch:
    """The nearest migrator.yaml in `directory` or above it, up to the boundary of the file system, that this user or
    root owns: whoever may write above a project must not be able to choose its databases."""
    foreign: list[Path] = []
    here = directory.resolve()
    device = here.stat().st_dev
    for folder in (here, *here.parents):
        if folder.stat().st_dev != device:
            break
        file = folder / PROJECT_FILE
        if not file.is_file():
            continue
        if _is_trusted(file):
            return ProjectFileSearch(file, tuple(foreign))
        foreign.append(file)
    return ProjectFileSearch(None, tuple(foreign))


def _is_trusted(file: Path) -> bool:
    """Both a link and what it leads to."""
    owners = {file.lstat().st_uid, file.stat().st_uid}
    return owners <= {0, os.geteuid()}
