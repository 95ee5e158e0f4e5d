"""Folders that can't be written to, disks that are full, and what is left then."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import Project

TARGET = 7


@pytest.mark.parametrize("inside", ["", "/deeper"])
def test_the_path_is_a_file(project: Project, inside: str) -> None:
    file = project.folder / "afile"
    file.write_text("mine")
    ended = project.into(f"file:{file}{inside}").apply_here()
    assert ended.code == TARGET, ended
    assert "afile" in ended.err
    assert "next:" in ended.err
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable(project: Project) -> None:
    folder = project.folder / "locked"
    folder.mkdir(mode=0o500)
    ended = project.into(f"file:{folder}").apply_here()
    assert ended.code == TARGET, ended
    assert "Let this user write there" in ended.err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """600 kB, which the state alone does not fill."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(place)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"mounting needs rights: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk(project: Project, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(350_000))
    project.sql("UPDATE entries SET text = REPEAT('x', 40)", "ALTER TABLE accounts ADD COLUMN fat TEXT NULL")
    project.sql("UPDATE accounts SET fat = REPEAT('y', 300)")
    files = project.into(f"file:{small_disk / 'dump'}")
    ended = files.apply()
    assert ended.code == TARGET, ended
    assert "bytes are free" in ended.err
    assert "Free space there" in ended.err
    assert files.documents() == {}
    ballast.unlink()
    shutil.disk_usage(small_disk)
    again = files.apply()
    assert again.code in (0, TARGET), again
    subprocess.run(["mount", "-o", "remount,size=20M", str(small_disk)], check=True)
    assert files.apply().code == 0
    assert len(files.documents()) == 600


@pytest.mark.slow
def test_files_may_not_grow(project: Project) -> None:
    """`ulimit -f`: the parts are small enough, the whole is not."""
    project.sql("ALTER TABLE accounts ADD COLUMN fat TEXT NULL", "UPDATE accounts SET fat = REPEAT('y', 2000)")
    files = project.into(f"file:{project.folder / 'dump'}")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        ended = files.apply()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ended.code == TARGET, ended
    assert "ulimit -f" in ended.err
    assert files.documents() == {}
    again = files.apply()
    assert again.code == 0, again
    assert len(files.documents()) == 600
