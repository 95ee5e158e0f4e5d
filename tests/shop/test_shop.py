"""The sample shop through the mappings that ship with it, every document compared with the oracle's."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_schema.generate import load
from tests.oracle.agreement import disagreements
from tests.oracle.compare import differences
from tests.oracle.documents import Oracle
from tests.oracle.migrated import migrate, resolved

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.mark.slow
def test_every_document_equals_the_oracles(mysql_url: str) -> None:
    load(mysql_url, scale=1)
    assert disagreements(mysql_url, MAPPINGS) == []


@pytest.mark.slow
def test_a_larger_shop_by_grouped_queries_and_a_sample(mysql_url: str) -> None:
    load(mysql_url, scale=5, seed=7)
    oracle = Oracle(mysql_url, MAPPINGS)
    for collection in resolved(mysql_url, MAPPINGS):
        if oracle.collections[collection.name].keyless:
            continue
        found = migrate(mysql_url, collection)
        expected = oracle.all_grouped(collection.name)
        assert differences(expected.documents, found.documents) == []
        assert found.rejected == expected.rejected
        sample = oracle.sample_row_by_row(collection.name, 50, seed=1)
        assert differences(sample.documents, {key: found.documents[key] for key in sample.documents}) == []
        assert len(found.documents) + len(found.rejected) == oracle.count(collection.name)
