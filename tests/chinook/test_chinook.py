"""Chinook through all its mappings, every document compared with the oracle's."""

from __future__ import annotations

import pytest

from tests.chinook.load import MAPPINGS, load
from tests.oracle.agreement import disagreements


@pytest.mark.slow
def test_every_document_equals_the_oracles(mysql_url: str) -> None:
    load(mysql_url)
    assert disagreements(mysql_url, MAPPINGS) == []
