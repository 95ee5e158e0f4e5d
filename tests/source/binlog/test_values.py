"""Values from the log are the bytes that a SELECT in a snapshot prints (model.mapping.row_layout), for whatever names
documents."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from tests.source.binlog.compressing import compress
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import changes_in
from tests.source.build import node, table
from tests.source.reading import roots

ROWS = 150
Random = random.Random


@dataclass(frozen=True)
class Kind:
    """A column type, and what makes SQL literals for it; `edges` come first."""

    type: str
    edges: tuple[str, ...]
    literal: Callable[[Random], str]
    only: str = ""


def integers(bits: int, *, unsigned: bool) -> tuple[tuple[str, ...], Callable[[Random], str]]:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return (str(low), str(high), "0", "1"), lambda r: str(r.randint(low, high) >> r.choice((0, bits // 2, bits - 4)))


def hexes(length: int, alphabet: bytes = bytes(range(256))) -> Callable[[Random], str]:
    def literal(r: Random) -> str:
        data = bytes(r.choice(alphabet) for _ in range(r.randint(0, length)))
        return f"x'{data.hex()}'"

    return literal


def text(characters: str, length: int) -> Callable[[Random], str]:
    def literal(r: Random) -> str:
        word = "".join(r.choice(characters) for _ in range(r.randint(0, length)))
        return f"CONVERT(x'{word.encode().hex()}' USING utf8mb4)"

    return literal


def number(r: Random) -> str:
    match r.randint(0, 5):
        case 5:
            return repr(r.randint(10**13, 9 * 10**15) + r.choice((0.0, 0.5, 0.25, 0.125)))
        case 0:
            return repr(r.uniform(-1000, 1000))
        case 1:
            return repr(r.uniform(0, 1) * 10.0 ** r.randint(-300, 300))
        case 2:
            return f"{r.randint(-(10**17), 10**17)}e{r.randint(-20, 20)}"
        case 3:
            return f"{r.randint(1, 9)}e{r.randint(-20, 20)}"
    return str(r.randint(-(10**6), 10**6) / 100)


def small_number(r: Random) -> str:
    return f"{r.uniform(0, 10)}e{r.randint(-36, 36)}" if r.random() < 0.5 else f"{r.randint(-99999, 99999) / 100}e0"


def date(r: Random) -> str:
    return f"{r.randint(0, 9999):04d}-{r.randint(0, 12):02d}-{r.randint(0, 28):02d}"


def clock(r: Random) -> str:
    return f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}.{r.randint(0, 999999):06d}"


def moment(r: Random) -> str:
    return f"'{date(r)} {clock(r)}'"


def stamp(r: Random) -> str:
    return f"'{r.randint(1971, 2037)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d} {clock(r)}'"


def duration(r: Random) -> str:
    sign = r.choice(("", "-"))
    return f"'{sign}{r.randint(0, 837)}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}.{r.randint(0, 999999):06d}'"


def decimals(precision: int, scale: int) -> Callable[[Random], str]:
    def literal(r: Random) -> str:
        digits = r.randint(-(10**precision) + 1, 10**precision - 1) // 10 ** r.choice(
            (0, 0, precision // 2, precision - 1)
        )
        return f"CAST({digits} AS DECIMAL(65)) / 1{'0' * scale}" if scale == 0 else f"'{_point(digits, scale)}'"

    return literal


def _point(digits: int, scale: int) -> str:
    text_ = f"{abs(digits):0{scale + 1}d}"
    return f"{'-' if digits < 0 else ''}{text_[:-scale]}.{text_[-scale:]}"


def uuid(r: Random) -> str:
    data = bytearray(r.randbytes(16))
    if r.random() < 0.8:
        data[6] = data[6] & 0x0F | r.randint(1, 8) << 4
        data[8] = data[8] & 0x3F | 0x80
    if r.random() < 0.2:
        data[r.randint(0, 15) :] = bytes(16 - r.randint(0, 15))
    h = bytes(data).ljust(16, b"\0")[:16].hex()
    return f"'{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}'"


def inet6(r: Random) -> str:
    zeros = r.choice((1, 3)) * ["0"]
    others = r.choice((1, 5)) * [f"{r.randint(0, 0xFFFF):x}"]
    groups = [r.choice((*zeros, *others)) for _ in range(8)]
    if r.random() < 0.3:
        groups[:6] = ["0"] * 5 + [r.choice(("0", "ffff"))]
    return f"'{':'.join(groups)}'"


def integer_kinds() -> list[Kind]:
    found = []
    for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)):
        for attributes, unsigned in (("", False), (" UNSIGNED", True), (" UNSIGNED ZEROFILL", True)):
            edges, literal = integers(bits, unsigned=unsigned)
            found.append(Kind(name + attributes, edges, literal))
    return found


CP1252 = "aB \u20ac\u201a\u017d\u2022é ÿ\u0081"
KINDS = [
    *integer_kinds(),
    *(
        Kind(
            f"DECIMAL({p},{s})",
            ("0", "-0.5" if s else "1", f"'{_point(10**p - 1, s)}'" if s else "9" * p),
            decimals(p, s),
        )
        for p, s in ((1, 0), (9, 0), (10, 2), (18, 9), (20, 19), (38, 10), (65, 30), (30, 30), (7, 3))
    ),
    Kind("DECIMAL(8,3) ZEROFILL", ("0", "1.5", "99999.999"), lambda r: str(r.randint(0, 10**8 - 1) / 1000)),
    Kind("FLOAT", ("0", "-0e0", "1e38", "0.1", "16777217"), small_number),
    Kind("FLOAT UNSIGNED ZEROFILL", ("0", "1.5"), lambda r: str(r.randint(0, 10**6) / 7)),
    Kind(
        "DOUBLE",
        (
            "0",
            "-0e0",
            "1e15",
            "1e16",
            "123456789012345678",
            "5e-324",
            "1.7976931348623157e308",
            "1e-15",
            "1337908201716804.2",
        ),
        number,
    ),
    Kind("DOUBLE(20,3)", ("0", "-1.0005", "2.5"), lambda r: str(r.uniform(-1e9, 1e9))),
    Kind("CHAR(12) CHARACTER SET utf8mb4", ("''", "'a  '", "' '"), text("aA \u20ac😀é\t", 12)),
    Kind("CHAR(12) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ("''", "'a  '"), text("aA é", 12)),
    Kind("CHAR(200) CHARACTER SET utf8mb4", ("''",), text("aA é😀", 200)),
    Kind("VARCHAR(12) CHARACTER SET utf8mb4", ("''", "'a  '", "' '"), text("aA \u20ac😀é\0", 12)),
    Kind("VARCHAR(300) CHARACTER SET utf8mb4", ("''",), text("aA é😀", 300)),
    Kind("VARCHAR(12) CHARACTER SET utf8mb3", ("''", "'a  '"), text("aA \u20acé", 12)),
    Kind("VARCHAR(12) CHARACTER SET ascii", ("''",), text("aA ~", 12)),
    Kind("VARCHAR(30) CHARACTER SET latin1", ("''", "'a '"), text(CP1252, 30)),
    Kind("CHAR(30) CHARACTER SET latin1", ("''", "'a '"), text(CP1252, 30)),
    Kind("VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_bin", ("_latin1 x'818d8f909d'",), text(CP1252, 30)),
    Kind("VARCHAR(30) CHARACTER SET cp1251", ("''",), text("aБж ё", 30)),
    Kind("VARCHAR(30) CHARACTER SET latin2", ("''",), text("aąćł", 30)),
    Kind("VARCHAR(30) CHARACTER SET utf16", ("''", "'a '"), text("a \u20ac😀", 30)),
    Kind("CHAR(30) CHARACTER SET ucs2", ("''", "'a '"), text("a \u20ac", 30)),
    Kind("VARCHAR(30) CHARACTER SET utf32", ("''",), text("a \u20ac😀", 30)),
    Kind("TEXT CHARACTER SET latin1", ("''",), text(CP1252, 300)),
    Kind("MEDIUMTEXT CHARACTER SET utf8mb4", ("''",), text("aé😀", 300)),
    Kind("BINARY(6)", ("x''", "x'00'", "x'000000000000'", "x'610000'", "x'6120'"), hexes(6)),
    Kind("BINARY(16)", ("x''",), hexes(16, bytes((0, 1, 32, 255)))),
    Kind("VARBINARY(20)", ("x''", "x'00'", "x'2000'"), hexes(20)),
    Kind("VARBINARY(300)", ("x''",), hexes(300)),
    Kind("BLOB", ("x''",), hexes(300)),
    Kind("DATE", ("'0000-00-00'", "'9999-12-31'", "'2024-00-10'", "'2024-02-00'"), lambda r: f"'{date(r)}'"),
    *(
        Kind(f"DATETIME({f})", ("'0000-00-00'", "'2024-00-10 01:02:03'", "'9999-12-31 23:59:59'"), moment)
        for f in range(7)
    ),
    *(
        Kind(f"TIMESTAMP({f}) NULL", ("'0000-00-00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"), stamp)
        for f in range(7)
    ),
    *(Kind(f"TIME({f})", ("'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:00.5'"), duration) for f in range(7)),
    Kind("YEAR", ("0", "'0000'", "1901", "2155"), lambda r: str(r.randint(1901, 2155))),
    Kind("ENUM('a', 'it''s', 'é')", ("0", "1", "''"), lambda r: str(r.randint(0, 3))),
    Kind("ENUM('a', 'é') CHARACTER SET latin1", ("0",), lambda r: str(r.randint(0, 2))),
    Kind(f"ENUM({', '.join(repr(f'm{n}') for n in range(300))})", ("0",), lambda r: str(r.randint(0, 300))),
    Kind("SET('a', 'b', 'é')", ("0", "''"), lambda r: str(r.randint(0, 7))),
    Kind(f"SET({', '.join(repr(f's{n}') for n in range(64))})", ("0",), lambda r: str(r.getrandbits(64))),
    *(Kind(f"BIT({n})", ("0", f"{2**n - 1}"), lambda r, n=n: str(r.getrandbits(n))) for n in (1, 7, 8, 9, 33, 64)),  # type: ignore[misc]
    Kind("UUID", ("'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"), uuid, "MariaDB"),
    Kind("INET6", ("'::'", "'::1'", "'::ffff:1.2.3.4'", "'::1.2.3.4'", "'1::'"), inet6, "MariaDB"),
    Kind(
        "INET4", ("'0.0.0.0'", "'255.255.255.255'"), lambda r: f"'{r.randint(0, 255)}.{r.randint(0, 9)}.0.0'", "MariaDB"
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("metadata", "compressed"), [("FULL", False), ("MINIMAL", False), ("FULL", True)])
def test_values_of_every_type(
    source: MySQLSource, follow: Follow, mysql_product: str, metadata: str, compressed: bool
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    r = random.Random(seed)
    kinds = [kind for kind in KINDS if not kind.only or kind.only == mysql_product]
    names = [f"c{place}" for place in range(len(kinds))]
    with connected(source.url) as connection:
        before = connection.exec_driver_sql("SELECT @@GLOBAL.binlog_row_metadata").scalar()
        # One table a type: a table with all of them would be beyond the server's row size.
        for name, kind in zip(names, kinds, strict=True):
            connection.exec_driver_sql(
                f"CREATE TABLE {name} (pad VARCHAR(300), id INT PRIMARY KEY, v {kind.type}, w {kind.type}, z INT)"
            )
        if metadata != "FULL":
            metadata = "NO_LOG" if mysql_product == "MariaDB" else "MINIMAL"
        try:
            connection.exec_driver_sql(f"SET GLOBAL binlog_row_metadata = '{metadata}'")
            if compressed:
                compress(connection, mysql_product)
            followed = follow(*names, columns=dict.fromkeys(names, ("id", "w", "v")))
            for name, kind in zip(names, kinds, strict=True):
                literals = [*kind.edges, *(kind.literal(r) for _ in range(ROWS))]
                rows = [
                    f"({r.choice(('NULL', repr('x' * r.randint(0, 300))))}, {place}, {one}, "
                    f"{r.choice(('NULL', *kind.edges))}, {r.choice(('NULL', '7'))})"
                    for place, one in enumerate(literals)
                ]
                connection.exec_driver_sql(f"INSERT IGNORE INTO {name} VALUES {', '.join(rows)}")
                connection.exec_driver_sql(f"UPDATE IGNORE {name} SET v = w, w = v WHERE id % 3 = 0")
        finally:
            connection.exec_driver_sql(f"SET GLOBAL binlog_row_metadata = '{before}'")
            compress(connection, mysql_product, on=False)
    changes = changes_in(followed.until_quiet())
    schema = source.schema()
    wrong = []
    for name, kind in zip(names, kinds, strict=True):
        mine = {}
        for changed, old, new in changes:
            if changed == name:
                assert isinstance(new, tuple)
                assert old is None or mine[new[0]] == old
                mine[new[0]] = new
        fields = node(table(schema, name), fields=["id", "w", "v"])
        printed = [row[1:] if len(row) == 4 else row for row in roots(source, fields, KeyRange())]
        assert printed
        wrong += [(kind.type, one, mine.get(one[0])) for one in printed if mine.get(one[0]) != one][:3]
    assert not wrong, f"seed {seed}: (type, SELECT, log) {wrong}"
