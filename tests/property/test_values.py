"""Random values of every type: migrator's document equals the oracle's, and both reject the same rows."""

from __future__ import annotations

import datetime
import json
import string
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.agreement import Comparison
from tests.oracle.load import flavor_of, run_script


def _hex(value: bytes, introducer: str = "") -> str:
    return f"{introducer} X'{value.hex()}'" if value else "''"


def _integers(low: int, high: int) -> st.SearchStrategy[str]:
    edges = st.sampled_from([low, high, 0, 1, min(high, 2**31 - 1), min(high, 2**31), min(high, 2**53 + 1)])
    return (edges | st.integers(low, high)).map(str)


def _decimals(precision: int, scale: int) -> st.SearchStrategy[str]:
    digits = st.integers(0, precision).flatmap(lambda n: st.integers(-(10**n) + 1, 10**n - 1))

    def text(number: int) -> str:
        sign, padded = "-" if number < 0 else "", str(abs(number)).zfill(scale + 1)
        return f"{sign}{padded[: len(padded) - scale]}.{padded[len(padded) - scale :]}" if scale else f"{number}"

    return digits.map(text)


def _floats(width: int) -> st.SearchStrategy[str]:
    # Below the smallest normal number: tests/cases/floats.
    numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=32 if width == 32 else 64)
    return numbers.map(lambda number: repr(number) if "e" in repr(number) else f"{number!r}e0")


def _text(codec: str, charset: str, size: int = 12) -> st.SearchStrategy[str]:
    """Text that a character set can hold; what Python's codec calls otherwise than the server is left out."""
    if codec in ("utf-8", "utf-16-be"):
        top = 0xFFFF if charset in ("utf8mb3", "ucs2") else 0x10FFFF
        characters = st.characters(max_codepoint=top, exclude_categories=["Cs"])
    else:
        characters = st.characters(codec=codec) if codec == "ascii" else st.sampled_from(_repertoire(codec))
    return st.text(characters, max_size=size).map(lambda text: _hex(text.encode(), "_utf8mb4"))


def _repertoire(codec: str) -> str:
    letters = string.ascii_letters + string.digits + "éäßñ€ЖПпя中文日本語한국"
    return "".join(letter for letter in letters if letter.encode(codec, "ignore"))


def _dates(text: str) -> st.SearchStrategy[str]:
    plain = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59))
    odd = st.sampled_from(["0000-00-00", "2024-00-10", "2024-05-00", "0000-05-05", "2023-02-29", "2024-02-31"])
    good = plain.map(lambda moment: f"{moment.year:04}-{moment.month:02}-{moment.day:02}")
    return st.one_of(*[good] * 15, odd).map(lambda day: f"'{day}{text}'")


def _datetimes(digits: int) -> st.SearchStrategy[str]:
    edges = st.sampled_from(["1969-12-31 23:59:59.999999", "0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999"])
    plain = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999))
    texts = edges | plain.map(lambda moment: moment.isoformat(" ", "microseconds").rjust(26, "0"))
    cut = texts.map(lambda text: text[: 20 + digits] if digits else text[:19])
    zero = st.sampled_from(["0000-00-00 00:00:00", "2024-00-10 01:02:03"])
    return st.one_of(*[cut] * 15, zero).map(lambda text: f"'{text}'")


def _timestamps(digits: int) -> st.SearchStrategy[str]:
    plain = st.datetimes(datetime.datetime(1970, 1, 1, 0, 0, 1), datetime.datetime(2038, 1, 19, 3, 14, 7))
    texts = plain.map(lambda moment: moment.isoformat(" ", "microseconds")[: 20 + digits])
    return st.one_of(*[texts] * 15, st.just("0000-00-00 00:00:00")).map(lambda text: f"'{text}'")


def _times(digits: int) -> st.SearchStrategy[str]:
    limit = ((838 * 60 + 59) * 60 + 59) * 10**6

    def text(micros: int) -> str:
        sign, whole = "-" if micros < 0 else "", abs(micros)
        seconds, rest = divmod(whole, 10**6)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"'{sign}{clock}.{rest:06}'"[: None if digits == 6 else -1] + ("" if digits == 6 else "'")

    step = 10 ** (6 - digits)
    return st.integers(-limit // step, limit // step).map(lambda n: text(n * step))


def _json() -> st.SearchStrategy[str]:
    words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    leaves = st.none() | st.booleans() | numbers | words
    trees = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
    )
    return st.tuples(trees, st.booleans()).map(
        lambda pair: _hex(json.dumps(pair[0], ensure_ascii=pair[1]).encode(), "_utf8mb4")
    )


def _geometries() -> st.SearchStrategy[str]:
    number = st.floats(-200, 200, allow_subnormal=False).map(lambda value: f"{value:.6f}")
    position = st.tuples(number, number).map(" ".join)
    line = st.lists(position, min_size=2, max_size=4, unique=True).map(", ".join)
    square = st.integers(-170, 150).map(lambda x: f"(({x} 0, {x + 5} 0, {x + 5} 5, {x} 5, {x} 0))")
    shapes = st.one_of(
        position.map(lambda text: f"POINT({text})"),
        line.map(lambda text: f"LINESTRING({text})"),
        square.map(lambda text: f"POLYGON{text}"),
        st.lists(position, min_size=1, max_size=3).map(lambda texts: f"MULTIPOINT({', '.join(texts)})"),
        st.tuples(line, line).map(lambda lines: f"MULTILINESTRING(({lines[0]}),({lines[1]}))"),
        square.map(lambda text: f"MULTIPOLYGON({text})"),
        st.tuples(position, line).map(lambda two: f"GEOMETRYCOLLECTION(POINT({two[0]}),LINESTRING({two[1]}))"),
    )
    return st.tuples(shapes, st.sampled_from([0, 0, 3857])).map(lambda two: f"ST_GeomFromText('{two[0]}', {two[1]})")


@dataclass(frozen=True)
class Typed:
    """A column: its declaration, SQL literals for it, and the `type:`s it is also mapped with."""

    ddl: str
    literals: st.SearchStrategy[str]
    types: tuple[str, ...] = ()


NUMBERS = {
    "ti": Typed("TINYINT", _integers(-128, 127), ("long", "double", "decimal", "string", "bool")),
    "tu": Typed("TINYINT UNSIGNED", _integers(0, 255)),
    "si": Typed("SMALLINT", _integers(-(2**15), 2**15 - 1), ("bool",)),
    "mi": Typed("MEDIUMINT UNSIGNED", _integers(0, 2**24 - 1)),
    "i": Typed("INT", _integers(-(2**31), 2**31 - 1), ("double", "string")),
    "iu": Typed("INT UNSIGNED", _integers(0, 2**32 - 1), ("double", "decimal")),
    "z": Typed("INT(8) ZEROFILL", _integers(0, 2**32 - 1)),
    "b": Typed("BIGINT", _integers(-(2**63), 2**63 - 1), ("double", "decimal", "string", "bool")),
    "bu": Typed("BIGINT UNSIGNED", _integers(0, 2**64 - 1), ("double", "decimal", "string")),
    "d0": Typed("DECIMAL(18,0)", _decimals(18, 0), ("long", "double", "string")),
    "d2": Typed("DECIMAL(10,2)", _decimals(10, 2), ("double", "string")),
    "d34": Typed("DECIMAL(34,17)", _decimals(34, 17), ("double",)),
    "d65": Typed("DECIMAL(65,30)", _decimals(65, 30), ("double", "string")),
    "f": Typed("FLOAT", _floats(32)),
    "d": Typed("DOUBLE", _floats(64), ("string",)),
    "b1": Typed("BIT(1)", _integers(0, 1), ("long", "binary")),
    "b17": Typed("BIT(17)", _integers(0, 2**17 - 1), ("binary",)),
    "b64": Typed("BIT(64)", _integers(0, 2**64 - 1), ("binary",)),
    "y": Typed("YEAR", st.sampled_from(["'0000'", "'1901'", "'2155'", "'2024'"]), ("string",)),
}
TEXTS = {
    "c": Typed("CHAR(12) CHARACTER SET utf8mb4", _text("utf-8", "utf8mb4")),
    "v": Typed("VARCHAR(12) CHARACTER SET utf8mb4", _text("utf-8", "utf8mb4"), ("binary",)),
    "u3": Typed("VARCHAR(12) CHARACTER SET utf8mb3", _text("utf-8", "utf8mb3")),
    "l": Typed("VARCHAR(12) CHARACTER SET latin1", st.binary(max_size=12).map(lambda raw: _hex(raw, "_latin1"))),
    "a": Typed("VARCHAR(12) CHARACTER SET ascii", _text("ascii", "ascii")),
    "u2": Typed("VARCHAR(12) CHARACTER SET ucs2", _text("utf-16-be", "ucs2")),
    "u16": Typed("VARCHAR(12) CHARACTER SET utf16", _text("utf-16-be", "utf16")),
    "u32": Typed("VARCHAR(12) CHARACTER SET utf32", _text("utf-16-be", "utf32")),
    "gbk": Typed("VARCHAR(12) CHARACTER SET gbk", _text("gbk", "gbk")),
    "sjis": Typed("VARCHAR(12) CHARACTER SET sjis", _text("shift_jis", "sjis")),
    "euckr": Typed("VARCHAR(12) CHARACTER SET euckr", _text("euc_kr", "euckr")),
    "cp1251": Typed("TINYTEXT CHARACTER SET cp1251", _text("cp1251", "cp1251")),
    "koi8r": Typed("TEXT CHARACTER SET koi8r", _text("koi8_r", "koi8r")),
    "long_": Typed("LONGTEXT CHARACTER SET utf8mb4", _text("utf-8", "utf8mb4", 200)),
    "bn": Typed("BINARY(16)", st.binary(max_size=16).map(_hex), ("uuid",)),
    "vb": Typed("VARBINARY(20)", st.binary(max_size=20).map(_hex)),
    "bl": Typed("BLOB", st.binary(max_size=50).map(_hex)),
    "o": Typed("BINARY(12)", st.binary(max_size=12).map(_hex), ("objectid",)),
    "uu": Typed("CHAR(36)", st.uuids().map(lambda uuid: f"'{uuid}'"), ("uuid",)),
    "j": Typed("JSON", _json()),
    "e": Typed("ENUM('b','a','é','it''s') CHARACTER SET latin1", _integers(0, 4), ("int",)),
    "s": Typed("SET('z','a','é','m') CHARACTER SET utf8mb4", _integers(0, 15), ("string",)),
}
MOMENTS = {
    "d": Typed("DATE", _dates(""), ("string",)),
    **{f"dt{n}": Typed(f"DATETIME({n})", _datetimes(n), ("string",)) for n in (0, 1, 3, 4, 6)},
    **{f"ts{n}": Typed(f"TIMESTAMP({n}) NULL", _timestamps(n), ("string",)) for n in (0, 3, 5, 6)},
    **{f"t{n}": Typed(f"TIME({n})", _times(n), ("microseconds",)) for n in (0, 3, 6)},
    "g": Typed("GEOMETRY", _geometries(), ("binary",)),
}
MARIADB = {
    "uuid": Typed("UUID", st.uuids().map(lambda uuid: f"'{uuid}'"), ("string",)),
    "inet4": Typed("INET4", st.ip_addresses(v=4).map(lambda address: f"'{address}'")),
    "inet6": Typed("INET6", st.ip_addresses(v=6).map(lambda address: f"'{address}'")),
    "a": Typed("VARCHAR(12) CHARACTER SET ascii", st.binary(max_size=12).map(lambda raw: _hex(raw, "_binary"))),
}
MYSQL = {
    "v3": Typed(
        "VECTOR(3)",
        st.lists(_floats(32), min_size=3, max_size=3).map(lambda n: f"STRING_TO_VECTOR('[{','.join(n)}]')"),
        ("binary",),
    ),
}
STRICT: dict[str, str] = {}
LENIENT = {
    "null": "omit",
    "zero_date": "string",
    "submillisecond": "companion",
    "big_decimal": "string",
    "unsigned_overflow": "decimal",
    "invalid_text": "binary",
}
OTHER = {
    "zero_date": "'null'",
    "submillisecond": "string",
    "unsigned_overflow": "string",
    "json_keys": "reject",
    "datetime_zone": "America/St_Johns",
}
EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.slow
@pytest.mark.parametrize("policies", [STRICT, LENIENT, OTHER], ids=["strict", "lenient", "other"])
@pytest.mark.parametrize("columns", [NUMBERS, TEXTS, MOMENTS], ids=["numbers", "texts", "moments"])
def test_values(mysql_url: str, tmp_path: Path, columns: dict[str, Typed], policies: dict[str, str]) -> None:
    _compare(mysql_url, tmp_path, columns, policies)


@pytest.mark.slow
@pytest.mark.parametrize("policies", [STRICT, LENIENT], ids=["strict", "lenient"])
def test_values_of_one_server(mysql_url: str, tmp_path: Path, policies: dict[str, str]) -> None:
    _compare(mysql_url, tmp_path, MARIADB if flavor_of(mysql_url) == "mariadb" else MYSQL, policies)


def _compare(url: str, folder: Path, columns: dict[str, Typed], policies: dict[str, str]) -> None:
    declared = ", ".join(f"`{name}` {column.ddl}" for name, column in columns.items())
    run_script(url, f"CREATE TABLE sample_values (id INT PRIMARY KEY, {declared})")
    lines = ["collection: sample_values", "from: sample_values"]
    if policies:
        lines += ["policies:", *(f"  {name}: {value}" for name, value in policies.items())]
    lines.append("fields:")
    for name, column in columns.items():
        lines.append(f"  {name}: {{column: {name}}}")
        lines += [f"  as.{name}_{kind}: {{column: {name}, type: {kind}}}" for kind in column.types]
    (folder / "sample_values.yaml").write_text("\n".join(lines), encoding="utf-8")
    comparison = Comparison(url, folder)

    @EXAMPLES
    @given(st.lists(st.tuples(*(st.none() | column.literals for column in columns.values())), min_size=1, max_size=8))
    def check(rows: list[tuple[str | None, ...]]) -> None:
        script = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'; DELETE FROM sample_values;"
        for number, row in enumerate(rows):
            script += f"INSERT INTO sample_values VALUES ({number}, {', '.join(value or 'NULL' for value in row)});"
        run_script(url, script)
        assert comparison.lines() == []

    check()
