"""The generated text: clean, typed, the same every time, and safe whatever the database's names are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bson
import pytest

from migrator import api
from migrator.generate.describe import PackageOptions, describe
from migrator.generate.render import render
from migrator.generate.write import write
from migrator.planning.planner import MappingFiles
from tests.generate.conftest import Migrated, decoded, encoded, make
from tests.oracle.load import run_script

BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop", "chinook"])
def test_ruff_and_mypy_are_content(name: str, request: pytest.FixtureRequest) -> None:
    made: Migrated = request.getfixturevalue(name)
    # From a folder with settings of its own, which must not matter.
    (made.folder / "pyproject.toml").write_text("[tool.ruff]\nline-length = 79\n")
    run("ruff", "check", made.package, cwd=made.folder)
    run("ruff", "format", "--check", made.package, cwd=made.folder)
    run("mypy", "--strict", "-p", made.package, cwd=made.folder)


def test_generating_again_gives_the_same_bytes(shop: Migrated) -> None:
    again = render(api.package(shop.source, MappingFiles(shop.mappings), PackageOptions("shop_data")))
    assert again == shop.files
    # The files' order is the folder's, which differs from machine to machine.
    assert render(describe(shop.collections[::-1], PackageOptions("shop_data"))) == shop.files


def test_the_package_needs_pymongo_only(shop: Migrated) -> None:
    code = (
        "import sys; import shop_data, shop_data.fields\n"
        "roots = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(roots & {'migrator', 'pydantic', 'redis', 'pymemcache', 'sqlalchemy', 'jinja2'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=shop.folder, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop", "chinook"])
def test_every_document_survives_byte_by_byte(name: str, request: pytest.FixtureRequest) -> None:
    made: Migrated = request.getfixturevalue(name)
    specs = made.module("catalog").SPECS
    for collection, documents in made.documents.items():
        assert documents
        for document in documents:
            model = specs[collection].model.from_document(decoded(document))
            assert encoded(model.to_document()) == document
            assert model == specs[collection].model.from_document(model.to_document())


def test_headers_name_the_mapping(shop: Migrated) -> None:
    marks = {file.text.splitlines()[1] for file in shop.files if file.path.endswith(".py")}
    assert len(marks) == 1
    assert marks.pop().startswith("# Mapping: ")


HOSTILE = [
    "class",
    "1st",
    'x"""; raise SystemExit("injected") #',
    "a\\",
    "new\nline",
    "{{ 7 * 7 }}",
    "{% raise %}",
    "''' + __import__('os') + '''",
    "naïve Größe",
    "from_document",
    "list",
    "document",
    "_id_",
    "id ",
    "Id",
    "ID",
    "__class__",
    "日本",
    "a-b",
    "a b",
    "a_b",
    "😀",
    "self",
    "table",
    "nested",
    "array",
    "property",
    "date",
    "rest",
    "\ufb01ne",
    "fine",
]


@pytest.mark.slow
def test_hostile_names_stay_names(source_factory: Callable[[], str], tmp_path: Path) -> None:
    source = source_factory()
    columns = [name.strip() for name in HOSTILE if "😀" not in name]
    distinct = list({name.lower(): name for name in columns}.values())
    quoted = [f"`{name.replace('`', '``')}`" for name in distinct]
    members = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "''") + "'" for name in distinct[:12])
    tables = ['t"""; import os #', "class", "t\\"]
    definitions = ", ".join(f"{name} INT NULL" for name in quoted)
    script = "".join(
        f"CREATE TABLE `{table}` (`key` INT PRIMARY KEY AUTO_INCREMENT, {definitions}, `kind'` ENUM({members}) NULL);\n"
        f"INSERT INTO `{table}` (`key`) VALUES (1);\n"
        for table in tables
    )
    run_script(source, script)
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    for number, table in enumerate(tables):
        text = f"collection: {_yaml(table)}\nfrom: {_yaml(table)}\nids: sequence\n"
        text += (
            f"embed:\n  {_yaml('{{ evil }}')}: {{from: {_yaml(tables[0])}, on: {{key: key}}, one: true}}\n"
            if number
            else ""
        )
        (mappings / f"m{number}.yaml").write_text(text, encoding="utf-8")
    made = make(source, mappings, tmp_path, "hostile_data")
    run("ruff", "check", "hostile_data", cwd=tmp_path)
    run("ruff", "format", "--check", "hostile_data", cwd=tmp_path)
    run("mypy", "--strict", "-p", "hostile_data", cwd=tmp_path)
    specs = made.module("catalog").SPECS
    assert set(specs) == set(tables)
    for table in tables:
        (document,) = made.documents[table]
        model = specs[table].model.from_document(decoded(document))
        assert encoded(model.to_document()) == document
    assert set(bson.decode(made.documents[tables[0]][0])) >= set(distinct)


def _yaml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def test_files_of_others_are_left_alone(shop: Migrated, tmp_path: Path) -> None:
    folder = tmp_path / "shop_data"
    folder.mkdir()
    (folder / "own.py").write_text("mine = 1\n")
    write(shop.files, folder)
    assert (folder / "own.py").read_text() == "mine = 1\n"
    assert not write(shop.files, folder)
