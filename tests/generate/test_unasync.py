"""Synchronous and asynchronous repositories are one text."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.unasync import pairs, shared, synchronous


@pytest.mark.parametrize(("source", "made"), pairs(), ids=[source.name for source, _ in pairs()])
def test_sync_is_what_aio_gives(source: Path, made: Path) -> None:
    assert made.read_text(encoding="utf-8") == synchronous(source)


@pytest.mark.parametrize(("source", "made"), shared(), ids=[source.name for source, _ in shared()])
def test_what_packages_share_with_migrator_is_the_same(source: Path, made: Path) -> None:
    assert made.read_text(encoding="utf-8") == source.read_text(encoding="utf-8")


def test_no_module_lies_on_one_side_only() -> None:
    folders = {source.parent for source, _ in pairs()} | {made.parent for _, made in pairs()}
    names = [{file.name for file in folder.glob("*.py")} for folder in folders]
    assert names[0] == names[1]
