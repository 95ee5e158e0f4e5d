"""Fixtures of the tests of sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.premises.world import World


@pytest.fixture
def world(mysql_url: str, mongodb_url: str, tmp_path: Path) -> World:
    """Two empty databases and a folder for mappings."""
    return World(mysql_url, mongodb_url, tmp_path / "mappings")
