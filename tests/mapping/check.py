"""Mappings against a real database."""

from __future__ import annotations

from pathlib import Path

from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection
from migrator.source.connection.url import parse_source_url
from migrator.source.mysql import MySQLSource
from tests.oracle.load import run_script

SCHEMA = Path(__file__).parent / "cases" / "schema.sql"


def create_tables(url: str, script: Path = SCHEMA) -> None:
    """Runs an SQL script in the URL's database."""
    run_script(url, script)


def resolve_folder(url: str, folder: Path, policies: Policies | None = None) -> tuple[Collection, ...]:
    """Loads and resolves every mapping of `folder`."""
    source = MySQLSource(parse_source_url(url))
    return resolve(load_mappings(folder), source.schema(), source, policies or Policies())


def resolve_text(url: str, folder: Path, *texts: str, policies: Policies | None = None) -> tuple[Collection, ...]:
    """Writes each text into a file of `folder` and resolves them."""
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    return resolve_folder(url, folder, policies)
