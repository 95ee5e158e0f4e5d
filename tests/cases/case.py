"""One case: a folder with schema.sql, mapping.yaml and what has to come out.

* expected.json: the documents in key order as canonical extended JSON; expected.<flavor>.json where servers differ.
* expect_error.txt instead: each line has to be part of the error's text.
* case.yaml (optional): `flavor: mariadb | mysql` for types that one server has; `rejected:` keys of rejected documents,
  the parts of a composite key separated by ", "; `policies:` of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
from bson import json_util
from bson.codec_options import DatetimeConversion
from ruamel.yaml import YAML

ROOT = Path(__file__).parent
_LOADED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS
)


@dataclass(frozen=True)
class Case:
    folder: Path
    flavor: str | None
    rejected: frozenset[str]
    policies: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def mapping(self) -> Path:
        return self.folder / "mapping.yaml"

    @property
    def schema(self) -> Path:
        return self.folder / "schema.sql"

    @property
    def keyless(self) -> bool:
        """Whether `_id` is migrator's own hash, which expected.json does not hold."""
        return YAML(typ="safe").load(self.mapping).get("key") == "none"

    def error(self) -> list[str]:
        """What the error has to say, nothing when there is to be none."""
        file = self.folder / "expect_error.txt"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def expected_file(self, flavor: str) -> Path:
        special = self.folder / f"expected.{flavor}.json"
        return special if special.exists() else self.folder / "expected.json"

    def expected(self, flavor: str) -> list[bytes]:
        """The documents as BSON."""
        text = self.expected_file(flavor).read_text(encoding="utf-8")
        return [bson.encode(document) for document in json_util.loads(text, json_options=_LOADED)]


def all_cases() -> list[Case]:
    return [_read(path.parent) for path in sorted(ROOT.glob("*/mapping.yaml"))]


def _read(folder: Path) -> Case:
    file = folder / "case.yaml"
    settings = YAML(typ="safe").load(file) if file.exists() else {}
    rejected = frozenset(str(key) for key in settings.get("rejected") or ())
    return Case(folder, settings.get("flavor"), rejected, settings.get("policies") or {})


def as_json(documents: list[bytes]) -> str:
    """Canonical extended JSON, one document a line so that differences read well."""
    options = bson.CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    lines = [
        json_util.dumps(bson.decode(document, options), json_options=_LOADED, ensure_ascii=False)
        for document in documents
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"
