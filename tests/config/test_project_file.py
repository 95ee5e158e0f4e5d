"""The project file is looked for upwards, and taken only from this user or root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.main import main
from migrator.project_file import find_project_file

SOMEBODY = 12345


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "src" / "app"
    folder.mkdir(parents=True)
    return folder


def put(folder: Path, owner: int | None = None) -> Path:
    file = folder / "migrator.yaml"
    file.write_text("mappings: documents\n", encoding="utf-8")
    if owner is not None:
        os.chown(file, owner, -1)
    return file


def test_the_nearest_one_counts(inner: Path) -> None:
    above = put(inner.parent.parent)
    assert find_project_file(inner).file == above
    here = put(inner)
    assert find_project_file(inner).file == here


def test_a_folder_of_that_name_is_none(inner: Path) -> None:
    (inner / "migrator.yaml").mkdir()
    above = put(inner.parent)
    assert find_project_file(inner).file == above


def test_a_link_in_the_way_is_followed(inner: Path, tmp_path: Path) -> None:
    above = put(inner.parent)
    (tmp_path / "link").symlink_to(inner)
    assert find_project_file(tmp_path / "link").file == above


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@needs_root
def test_another_users_file_is_passed_over(inner: Path) -> None:
    theirs, mine = put(inner, SOMEBODY), put(inner.parent)
    found = find_project_file(inner)
    assert (found.file, found.foreign) == (mine, (theirs,))


@needs_root
def test_a_link_of_another_user_to_a_file_of_this_one_is_passed_over(inner: Path) -> None:
    mine = put(inner.parent)
    (inner / "migrator.yaml").symlink_to(mine)
    os.lchown(inner / "migrator.yaml", SOMEBODY, -1)
    assert find_project_file(inner).foreign == (inner / "migrator.yaml",)


@needs_root
def test_it_stops_at_the_boundary_of_the_file_system() -> None:
    # Where the kernel's own file systems are mounted: nobody has a project there.
    assert find_project_file(Path("/proc/self")).file is None


def test_the_command_says_which_file_it_uses(inner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(inner.parent)
    monkeypatch.chdir(inner)
    result = CliRunner().invoke(main, ["check"], env={"MIGRATOR_SOURCE": "", "MIGRATOR_MAPPINGS": ""})
    assert f"settings: {file}" in result.stderr
    named = CliRunner().invoke(main, ["check", "--config", str(file)], env={"MIGRATOR_SOURCE": ""})
    assert "settings: " not in named.stderr


@needs_root
def test_the_command_says_what_it_passes_over(inner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(inner, SOMEBODY)
    monkeypatch.chdir(inner)
    result = CliRunner().invoke(main, ["check"], env={"MIGRATOR_SOURCE": ""})
    assert f"note: {file} belongs to another user and is not used; --config {file} uses it" in result.stderr
