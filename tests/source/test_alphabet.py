"""What is taken for granted of the servers' collations, and that texts are found by an index of another one."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from migrator.model.schema.collation import is_bytewise, rules
from migrator.model.schema.tables import Column
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from migrator.source.rows.snapshot import SnapshotReader
from migrator.source.sql import alphabet
from migrator.source.sql.charsets import EXACT, decoded, encoded
from migrator.source.sql.comparison import same_weights_up_to
from tests.source.build import join, node, table
from tests.source.conftest import Execute
from tests.source.reading import raw, with_reader

pytestmark = pytest.mark.slow

NUMBERS = "WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < {}) SELECT n FROM r"


def collations(source: MySQLSource) -> list[Column]:
    """A column of each collation that the server has."""
    rows = raw(
        source,
        "SELECT a.CHARACTER_SET_NAME, a.FULL_COLLATION_NAME FROM "
        "information_schema.COLLATION_CHARACTER_SET_APPLICABILITY a"
        if is_mariadb(source)
        else "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS",
    )
    names = [((charset or b"").decode(), (collation or b"").decode()) for charset, collation in rows]
    return [
        Column("v", "varchar", "varchar(40)", True, length=40, charset=charset, collation=collation)
        for charset, collation in names
        if charset and collation
    ]


def is_mariadb(source: MySQLSource) -> bool:
    return b"MariaDB" in (raw(source, "SELECT VERSION()")[0][0] or b"")


@pytest.fixture
def letters(source: MySQLSource, execute: Execute) -> MySQLSource:
    """Tables `bytes` of all bytes, and `codes` of all numbers of two bytes but surrogates."""
    with connected(source.url) as connection:
        if not is_mariadb(source):
            connection.exec_driver_sql("SET SESSION cte_max_recursion_depth = 100000")
        for name, last in (("bytes", 255), ("codes", 65535)):
            connection.exec_driver_sql(f"CREATE TABLE {name} (n INT PRIMARY KEY, c VARBINARY(2))")
            connection.exec_driver_sql(f"INSERT INTO {name} (n) {NUMBERS.format(last)}")
        connection.exec_driver_sql("UPDATE bytes SET c = UNHEX(LPAD(HEX(n), 2, '0'))")
        connection.exec_driver_sql("UPDATE codes SET c = UNHEX(LPAD(HEX(n), 4, '0'))")
        connection.exec_driver_sql("DELETE FROM codes WHERE n BETWEEN 0xD800 AND 0xDFFF")
    return source


def weights(text: str, one: Column) -> str:
    return f"WEIGHT_STRING(CONVERT({text} USING {one.charset}) COLLATE {one.collation})"


def test_letters_weigh_by_themselves(letters: MySQLSource) -> None:
    """Of every set whose index is looked into letter by letter, in every collation that texts are compared by."""
    latin1 = Column("v", "varchar", "varchar(40)", True, length=40, charset="latin1", collation="latin1_swedish_ci")
    found = {rules(one): one for one in collations(letters) if one.charset == "utf8mb4"}
    compared = [one for one in found.values() if alphabet.serves(latin1, one)]
    assert len(compared) >= 4
    joining = ", ".join(f"'{letter.encode('utf-16-be').hex()}'" for letter in alphabet.JOINING)
    for charset in sorted(alphabet.SETS):
        pairs = "bytes a JOIN bytes b" + (" ON a.n < 128 AND b.n < 128" if charset == "ascii" else "")
        first, second, both = (f"CONVERT({text} USING {charset})" for text in ("a.c", "b.c", "CONCAT(a.c, b.c)"))
        for rule in compared:
            differ = raw(
                letters,
                f"SELECT HEX(a.c), HEX(b.c) FROM {pairs} "
                f"WHERE {weights(both, rule)} <> CONCAT({weights(first, rule)}, {weights(second, rule)}) "
                f"AND HEX(CONVERT({second} USING ucs2)) NOT IN ({joining})",
            )
            assert differ == [], (charset, rule.collation)


def test_characters_weigh_the_same_in_larger_sets(letters: MySQLSource) -> None:
    """In collations of the same name; weights of one byte next to those of two. Without UCA 14's for languages."""
    found = [
        one
        for one in collations(letters)
        if not is_bytewise(one) and re.fullmatch(r"(?!uca1400).*|uca1400(_nopad)?_(ai|as)_(ci|cs)", rules(one))
    ]
    pairs = [(one, other) for one, other in product(found, found) if same_weights_up_to(one, other) >= 0]
    assert len(pairs) > 20
    for small, large in pairs:
        one, other = (f"HEX({weights('CONVERT(c USING ucs2)', each)})" for each in (small, large))
        one = f"LPAD({one}, LENGTH({other}), '0')" if small.charset == "ascii" else one
        last = same_weights_up_to(small, large)
        assert raw(letters, f"SELECT HEX(c) FROM codes WHERE n <= {last} AND {one} <> {other}") == [], (small, large)


def test_to_general_collations_all_characters_beyond_two_bytes_are_one(letters: MySQLSource) -> None:
    general = [one for one in collations(letters) if one.charset == "utf8mb4" and rules(one).startswith("general_")]
    assert general
    for one in general:
        emoji, unknown = (weights(f"_utf8mb4 x'{text.encode().hex()}'", one) for text in ("😀", "\ufffd"))
        assert raw(letters, f"SELECT {emoji} = {unknown}") == [(b"1",)], one.collation


def test_sets_that_are_known_here(letters: MySQLSource) -> None:
    """Of every character that has two bytes in UTF-16: its code, or that the set lacks it."""
    for charset in sorted(EXACT & {one.charset for one in collations(letters)}):
        code = f"CONVERT(CONVERT(c USING ucs2) USING {charset})"
        kept = f"CONVERT({code} USING ucs2) = CONVERT(c USING ucs2) COLLATE ucs2_bin"
        for utf16, theirs, is_kept in raw(letters, f"SELECT HEX(c), HEX({code}), {kept} FROM codes"):
            text = bytes.fromhex((utf16 or b"").decode()).decode("utf-16-be")
            ours = encoded(charset, text)
            if is_kept == b"1":
                assert ours is not None, (charset, text)
                assert ours.hex().upper().encode() == theirs, (charset, text)
                assert decoded(charset, ours) == text, (charset, text)
            else:
                assert ours is None, (charset, text)
    assert encoded("utf8mb3", "😀") is None
    assert decoded("utf8mb3", "😀".encode()) is None
    assert encoded("utf16", "😀") == "😀".encode("utf-16-be")
    assert decoded("utf8mb4", b"\xff") is None


# Letters that are equal in some collations, weigh nothing, stand for two, sort before the space, or mean something in a
# pattern; the ends of the sets.
TRICKY = "aAäåÄnñNsSßæeoöøyüul\u00b7\u00ad\u0001\u0008\t\u007f\u0081\u00a0ÿ½ª _%\\?'.йи"
BEYOND = "漢😀āńſﬁ𝐚\u0301\ufffd"
NEAR = (
    "latin1_swedish_ci",
    "latin1_bin",
    "latin1_general_ci",
    "ascii_general_ci",
    "cp1251_general_ci",
    "latin1_nopad_bin",
)


@pytest.mark.parametrize("seed", range(2))
def test_texts_are_found_by_an_index_of_another_collation(source: MySQLSource, execute: Execute, seed: int) -> None:
    """All that the join finds and nothing else, by ranges of the index."""
    chance = random.Random(seed)

    def some(letters: str) -> str:
        return "".join(chance.choices(letters, k=chance.randint(0, 5)))

    texts = sorted({some(TRICKY) for _ in range(1000)})
    values = [*(some(TRICKY + chance.choice((BEYOND, ""))) for _ in range(30)), *chance.choices(texts, k=30)]
    columns = [one for one in collations(source) if one.collation in NEAR or one.charset in ("utf8mb4", "ucs2")]
    nears = {f"t_{one.collation}": one for one in columns if one.collation in NEAR}
    givens = {f"c_{one.collation}": one for one in columns if alphabet.serves(next(iter(nears.values())), one)}
    for name, one in (nears | givens).items():
        held = texts if name in nears else values
        execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY AUTO_INCREMENT, "
            f"v VARCHAR(8) CHARACTER SET {one.charset} COLLATE {one.collation}, KEY (v))",
            f"INSERT IGNORE INTO {name} (v) VALUES {', '.join(f'({literal(text)})' for text in held)}",
            f"ANALYZE TABLE {name}",
        )
    schema = source.schema()

    async def run(reader: SnapshotReader) -> None:
        for near, given in product(nears, givens):
            tables = table(schema, near), table(schema, given)
            path = [
                node(tables[0]),
                node(tables[1], id="c", join=join(tables[0], ["v"], tables[1], ["v"], exact=False)),
            ]
            pairs = f"{near} p IGNORE INDEX (v) JOIN {given} c IGNORE INDEX (v) ON p.v = c.v"
            equal: dict[bytes | None, set[bytes | None]] = {}
            for parent, child in raw(source, f"SELECT p.id, c.id FROM {pairs}"):
                equal.setdefault(child, set()).add(parent)
            rows = raw(source, f"SELECT id, v FROM {given}")
            for place, count in ((0, 1), (1, 1), (2, 3), (5, 20), (5, 55)):
                asked = rows[place : place + count]
                found = await reader.root_keys(path, "parent", [(row[1] or b"",) for row in asked], None, 10_000)
                wanted = set().union(*(equal.get(row[0], ()) for row in asked))
                assert {key[0] for key in found} == wanted, (near, given, asked)

    with_reader(source, run)


def literal(text: str) -> str:
    return f"_utf8mb4 x'{text.encode().hex()}'"
