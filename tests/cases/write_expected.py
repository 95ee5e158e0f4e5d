"""Writes expected.json of cases that have none, from the oracle: read it before believing it.

    python -m tests.cases.write_expected mysql://root@127.0.0.1:3306/scratch_database [case ...]

The database is emptied for every case.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.cases.case import all_cases, as_json
from tests.oracle.documents import Oracle
from tests.oracle.load import flavor_of, run_script


def main(url: str, names: list[str]) -> None:
    database = url.rsplit("/", 1)[1]
    flavor = flavor_of(url)
    for case in all_cases():
        unwanted = (names and case.name not in names) or case.flavor not in (None, flavor)
        if unwanted or case.error() or (case.expected_file(flavor).exists() and not names):
            continue
        run_script(url, f"DROP DATABASE IF EXISTS `{database}`; CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        run_script(url, case.schema)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(case.mapping, folder)
            oracle = Oracle(url, Path(folder), case.policies)
            (collection,) = oracle.collections
            expected = oracle.all_row_by_row(collection)
        documents = list(expected.documents.values())
        case.expected_file(flavor).write_text(as_json(documents), encoding="utf-8")
        print(f"{case.name}: {len(documents)} documents, rejected {sorted(', '.join(k) for k in expected.rejected)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
