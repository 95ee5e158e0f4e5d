"""Keys of every type: from the key to its `_id` and back, on what a real server prints."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import bson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from migrator.documents.identity import id_encoder, key_candidates, tells_keys
from migrator.errors import MappingError
from migrator.model.mapping.tree import Collection
from tests.oracle.load import flavor_of, run_script
from tests.oracle.migrated import id_of, migrate, resolved
from tests.property.test_values import LENIENT, MARIADB, MOMENTS, NUMBERS, OTHER, STRICT, TEXTS, Typed

EXAMPLES = settings(
    # Without shrinking, which takes minutes where an example makes dozens of tables.
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Types that no server takes as a whole key.
NO_KEYS = {"TINYTEXT", "TEXT", "LONGTEXT", "BLOB", "JSON", "GEOMETRY"}
MORE = {
    "zd": Typed("DECIMAL(8,2) ZEROFILL", st.integers(0, 10**8 - 1).map(lambda n: f"{n}e-2"), ("string",)),
    "zs": Typed("INT(8) ZEROFILL", st.integers(0, 2**32 - 1).map(str), ("string",)),
    "fs": Typed(
        "FLOAT", st.floats(-(2.0**99), 2.0**99, width=32, allow_subnormal=False).map(lambda n: f"{n!r}"), ("string",)
    ),
    "ob": Typed("CHAR(24)", st.binary(min_size=12, max_size=12).map(lambda raw: f"'{raw.hex()}'"), ("objectid",)),
    "up": Typed("CHAR(32)", st.uuids().map(lambda uuid: f"'{uuid.hex.upper()}'"), ("uuid",)),
}


@pytest.mark.slow
@pytest.mark.parametrize("policies", [STRICT, LENIENT, OTHER], ids=["strict", "lenient", "other"])
@pytest.mark.parametrize(
    "columns", [NUMBERS, TEXTS, MOMENTS, MARIADB, MORE], ids=["numbers", "texts", "moments", "own", "more"]
)
def test_keys(mysql_url: str, tmp_path: Path, columns: dict[str, Typed], policies: dict[str, str]) -> None:
    if columns is MARIADB and flavor_of(mysql_url) != "mariadb":
        pytest.skip("types that MySQL doesn't have")
    usable = {name: typed for name, typed in columns.items() if typed.ddl.split()[0] not in NO_KEYS}
    collections = {name: _collections(mysql_url, tmp_path / name, typed, policies) for name, typed in usable.items()}
    assert sum(map(len, collections.values())) >= len(usable)
    literals = st.tuples(*(st.lists(typed.literals, min_size=1, max_size=8) for typed in usable.values()))

    @EXAMPLES
    @given(literals)
    def check(values: tuple[list[str], ...]) -> None:
        script = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';"
        for name, some in zip(usable, values, strict=True):
            rows = ", ".join(f"({value})" for value in some)
            script += f"DELETE FROM `{name}`; INSERT IGNORE INTO `{name}` (k) VALUES {rows};"
        run_script(mysql_url, script)
        for mapped in collections.values():
            for collection in mapped:
                _check(mysql_url, collection)

    check()


def _collections(url: str, folder: Path, typed: Typed, policies: dict[str, str]) -> list[Collection]:
    """The table mapped with every `type:` that its key may have."""
    ddl = typed.ddl.removesuffix(" NULL")
    run_script(url, f"CREATE TABLE `{folder.name}` (k {ddl} NOT NULL, PRIMARY KEY (k))")
    folder.mkdir()
    found = []
    for kind in ("", *typed.types):
        lines = [f"collection: {folder.name}", f"from: {folder.name}"]
        lines += ["policies:", *(f"  {name}: {value}" for name, value in policies.items())] if policies else []
        lines += ["fields:", f"  k: {{type: {kind}}}"] if kind else []
        (folder / "keys.yaml").write_text("\n".join(lines), encoding="utf-8")
        # Ambiguous keys are refused.
        with suppress(MappingError):
            found += resolved(url, folder)
    return found


def _check(url: str, collection: Collection) -> None:
    encode, candidates = id_encoder(collection), key_candidates(collection)
    found = migrate(url, collection)
    keys = {key for key in found.keys if encode(key) in found.documents}
    assert len(keys) == len(found.documents), collection.root.key
    for key in keys:
        identity = encode(key)
        assert identity is not None
        made = candidates(identity)
        assert key in made, (collection.root.key, key, made)
        assert {encode(one) for one in made} == {identity}
        assert tells_keys(collection) or collection.root.fields[0].value.kind in ("uuid", "objectid")


@pytest.mark.slow
def test_keys_of_several_columns(mysql_url: str, tmp_path: Path) -> None:
    run_script(
        mysql_url,
        "CREATE TABLE sessions (token CHAR(36), number INT, day DATE, kinds SET('a','b'), "
        "PRIMARY KEY (number, token, day, kinds));"
        "INSERT INTO sessions VALUES ('6CCD780C-BABA-1026-9564-5B8C656024DB', 1, '2024-01-02', 'b,a'),"
        "('6ccd780cbaba102695645b8c656024db', -1, '1969-12-31', '');",
    )
    (tmp_path / "sessions.yaml").write_text(
        "collection: sessions\nfrom: sessions\nfields: {token: {type: uuid}, number: {type: decimal}}\n",
        encoding="utf-8",
    )
    (collection,) = resolved(mysql_url, tmp_path)
    candidates = key_candidates(collection)
    found = migrate(mysql_url, collection)
    assert len(found.documents) == 2
    for identity, document in found.documents.items():
        assert id_of(document) == identity
        assert len(candidates(identity)) == 4
    every = {key for identity in found.documents for key in candidates(identity)}
    assert set(found.keys) <= every


def test_ids_that_no_key_makes(mysql_url: str, tmp_path: Path) -> None:
    run_script(
        mysql_url,
        "CREATE TABLE days (k DATE, n INT, PRIMARY KEY (k)); CREATE TABLE two (a INT, b INT, PRIMARY KEY (a, b));",
    )
    (tmp_path / "days.yaml").write_text("collection: days\nfrom: days\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("collection: two\nfrom: two\n", encoding="utf-8")
    (tmp_path / "text.yaml").write_text("collection: text\nfrom: two\nfields: {a: {type: string}}\n", encoding="utf-8")
    days, text, two = sorted(resolved(mysql_url, tmp_path), key=lambda collection: collection.name)
    strange = [
        1,
        "x",
        None,
        1.5,
        bson.ObjectId(),
        {"a": 1},
        {"b": 1, "a": 1},
        {"a": 1, "b": "1"},
        {"a": 1, "b": 1, "c": 1},
    ]
    for value in strange:
        assert key_candidates(days)(bson.encode({"_id": value})) == ()
        assert key_candidates(two)(bson.encode({"_id": value})) == ()
    assert key_candidates(days)(bson.encode({"_id": bson.Int64(1)})) == ()
    # Whole numbers of both sizes are the same _id to MongoDB, and a column may have been altered since.
    for first in (1, bson.Int64(1)):
        assert key_candidates(two)(bson.encode({"_id": {"a": first, "b": -2}})) == ((b"1", b"-2"),)
    # Nothing that is no number reaches a statement.
    for word in ("x", "1 OR 1", "01", "+1", ""):
        assert key_candidates(text)(bson.encode({"_id": {"a": word, "b": 1}})) == ()
