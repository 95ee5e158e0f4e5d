"""Sums by both servers agree on everything that mappings can say, and see the assembler's own mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bson
import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument

from migrator.documents import assemble, fold
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import KeyRange
from migrator.model.report.sums import summed_nodes
from migrator.source import open_source
from migrator.target.files import sums as file_sums
from migrator.target.files.folder import Folder
from migrator.target.mongo import sums as mongo_sums
from migrator.target.mongo.connection.session import Session
from migrator.target.url import MongoUrl, parse_target_url
from migrator.verify.independent import SumLine, compared
from sample_schema.generate import load
from tests.cases.case import Case, all_cases
from tests.cases.conftest import flavor, mappings  # noqa: F401
from tests.oracle.load import run_script
from tests.oracle.migrated import migrate, resolved

RAW = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
SHOP = Path(__file__).parents[2] / "mappings"


def different(url: str, collection: Collection, folder: Path, rejected: list[tuple[bytes, ...]]) -> list[SumLine]:
    """What differs between the tables and documents that were made of them now, in a file."""
    documents = migrate(url, collection, KeyRange()).documents
    (folder / f"{collection.name}.bson").write_bytes(b"".join(documents.values()))
    every = [spot for spot in summed_nodes(collection) if not spot.why]
    ours = open_source(url).sums(every, rejected)
    theirs = file_sums.sums(Folder(folder), collection.name, every)
    return [line for line in compared(collection.name, every, ours, theirs) if not line.same]


@pytest.mark.parametrize("case", [case for case in all_cases() if not case.error()], ids=lambda case: case.name)
def test_every_case(case: Case, mappings: Path, mysql_url: str, tmp_path: Path) -> None:  # noqa: F811
    (collection,) = resolved(mysql_url, mappings, Policies(**case.policies))
    if case.keyless and case.rejected:
        return
    rejected = [tuple(part.encode() for part in key.split(", ")) for key in case.rejected]
    assert different(mysql_url, collection, tmp_path, rejected) == []


@pytest.mark.slow
def test_the_shop_by_both_kinds_of_target(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    load(mysql_url, scale=1)
    url = parse_target_url(mongodb_url)
    assert isinstance(url, MongoUrl)
    session = Session(url)
    measured = 0
    for collection in resolved(mysql_url, SHOP):
        assert different(mysql_url, collection, tmp_path, []) == []
        session.database[collection.name].insert_many(list(migrate_raw(tmp_path, collection.name)))
        every = [spot for spot in summed_nodes(collection) if not spot.why]
        assert every
        files = file_sums.sums(Folder(tmp_path), collection.name, every)
        theirs = mongo_sums.sums(session, collection.name, every)
        lines = compared(collection.name, every, files, theirs)
        assert [line for line in lines if not line.same] == []
        measured += len(lines)
    assert measured > 500
    session.close()


def migrate_raw(folder: Path, name: str) -> list[RawBSONDocument]:
    return list(bson.decode_all((folder / f"{name}.bson").read_bytes(), RAW))


Mutate = Callable[[pytest.MonkeyPatch], None]


def dropped_last_element(patch: pytest.MonkeyPatch) -> None:
    real = fold.fold_rows
    patch.setattr(
        assemble,
        "fold_rows",
        lambda encoder, groups, elements: real(
            encoder,
            {match: rows[:-1] if encoder.node.shape == "many" else rows for match, rows in groups.items()},
            elements,
        ),
    )


def swapped_columns(patch: pytest.MonkeyPatch) -> None:
    """Two values of each row in an array change places."""
    real = fold.fold_rows

    def swap(row: tuple[bytes | None, ...]) -> tuple[bytes | None, ...]:
        return (*row[:-2], row[-1], row[-2])

    patch.setattr(
        assemble,
        "fold_rows",
        lambda encoder, groups, elements: real(
            encoder, {match: [swap(row) for row in rows] for match, rows in groups.items()}, elements
        ),
    )


def children_of_another(patch: pytest.MonkeyPatch) -> None:
    """Each parent gets its neighbour's children: counts stay, the root's own sums too."""
    real = fold.fold_rows

    def shifted(encoder, groups, elements):  # type: ignore[no-untyped-def]
        keys = list(groups)
        return real(encoder, dict.fromkeys(keys, groups[keys[0]]), elements)

    patch.setattr(assemble, "fold_rows", shifted)


@pytest.mark.parametrize("mutant", [dropped_last_element, swapped_columns, children_of_another])
def test_mutants_of_the_assembler_are_found(
    mutant: Mutate, mysql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(
        mysql_url,
        "CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(8,2));"
        "CREATE TABLE items (id INT PRIMARY KEY, order_id INT, net INT, gross INT,"
        " FOREIGN KEY (order_id) REFERENCES orders (id));"
        "INSERT INTO orders VALUES (1, 1.50), (2, 2.50);"
        "INSERT INTO items VALUES (1, 1, 10, 12), (2, 1, 20, 23), (3, 2, 30, 34);",
    )
    (tmp_path / "orders.yaml").write_text(
        "collection: orders\nfrom: orders\nembed: {items: {from: items, many: true}}\n", encoding="utf-8"
    )
    (collection,) = resolved(mysql_url, tmp_path)
    assert different(mysql_url, collection, tmp_path, []) == []
    mutant(monkeypatch)
    assert different(mysql_url, collection, tmp_path, []) != []
