"""Joins between character sets and collations, from copy to verify: what is equal is what the plain join says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.model.report.verify import Selection
from migrator.verify.outcome import VerifyOptions
from tests.oracle.load import flavor_of
from tests.sync.premises.world import World
from tests.verify.test_histories import Silent, verified

pytestmark = pytest.mark.slow

# The holder's and the other's, and what the holder's can hold. One of them is converted; or two collations of one set.
PAIRS = {
    "latin": ("latin1 COLLATE latin1_swedish_ci", "utf8mb4 COLLATE utf8mb4_unicode_ci"),
    "latin_exact": ("latin1 COLLATE latin1_swedish_ci", "utf8mb4 COLLATE utf8mb4_bin"),
    "latin_codes": ("latin1 COLLATE latin1_bin", "utf8mb4 COLLATE utf8mb4_general_ci"),
    "small": ("utf8mb3 COLLATE utf8mb3_general_ci", "utf8mb4 COLLATE utf8mb4_general_ci"),
    "small_other": ("utf8mb3 COLLATE utf8mb3_general_ci", "utf8mb4 COLLATE utf8mb4_unicode_520_ci"),
    "plain": ("ascii COLLATE ascii_bin", "utf8mb4 COLLATE utf8mb4_unicode_ci"),
    "same_set": ("utf8mb4 COLLATE utf8mb4_general_ci", "utf8mb4 COLLATE utf8mb4_bin"),
    "wide": ("utf16 COLLATE utf16_general_ci", "latin1 COLLATE latin1_swedish_ci"),
}
MYSQL = {
    "newest": ("utf8mb3 COLLATE utf8mb3_general_ci", "utf8mb4 COLLATE utf8mb4_0900_ai_ci"),
    "unpadded": ("utf8mb4 COLLATE utf8mb4_0900_ai_ci", "utf8mb4 COLLATE utf8mb4_bin"),
    "ucs2": ("ucs2 COLLATE ucs2_general_ci", "utf8mb4 COLLATE utf8mb4_unicode_ci"),
}
MARIADB = {
    "newest": ("latin1 COLLATE latin1_swedish_ci", "utf8mb4 COLLATE utf8mb4_uca1400_ai_ci"),
    "unpadded": ("utf8mb3 COLLATE utf8mb3_general_ci", "utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs"),
    "spaces": ("utf8mb4 COLLATE utf8mb4_general_nopad_ci", "utf8mb4 COLLATE utf8mb4_bin"),
}
# Bytes next to text, and a set whose values are nowhere to be looked for: only documents of the holder have it.
BYTES = {"raw": ("latin1 COLLATE latin1_swedish_ci", "binary")}
ONE_WAY = {"chinese": ("gbk COLLATE gbk_chinese_ci", "utf8mb4 COLLATE utf8mb4_unicode_ci")}

WORDS = ("anna", "ANNA", "anna ", "änna", "Müller", "Muller", "漢字", "anna😀", "?", "", "ß", "ss", "Жук", "an\x01na")


@dataclass(frozen=True)
class Pair:
    """Tables `<name>_r` over `<name>_p`, which holds a key, and `<name>_c`, which is joined with it."""

    name: str
    near: str
    given: str
    one_way: bool

    def tables(self) -> list[str]:
        return [
            f"CREATE TABLE {self.name}_r (id INT PRIMARY KEY)",
            f"CREATE TABLE {self.name}_p (id INT PRIMARY KEY, r INT NULL, k VARCHAR(9) CHARACTER SET {self.near},"
            f" KEY (k), FOREIGN KEY (r) REFERENCES {self.name}_r (id) ON DELETE CASCADE)",
            f"CREATE TABLE {self.name}_c (id INT PRIMARY KEY, k VARCHAR(9) CHARACTER SET {self.given}, KEY (k))",
        ]

    def mappings(self) -> list[str]:
        """The holder's documents, those of the table above it, and of the other, which vanish in silence."""
        name = self.name
        below = f"{{from: {name}_c, many: true, on: {{k: k}}, value: id}}"
        found = [
            f"collection: {name}_p\nfrom: {name}_p\nembed:\n  c: {below}\n",
            f"collection: {name}_r\nfrom: {name}_r\nembed:\n"
            f"  p: {{from: {name}_p, many: true, columns: [id], embed: {{c: {below}}}}}\n",
        ]
        if not self.one_way:
            above = f"{{from: {name}_p, many: true, on: {{k: k}}, value: id}}"
            found.append(f"collection: {name}_c\nfrom: {name}_c\nembed:\n  p: {above}\n")
        return found


def pairs(world: World) -> list[Pair]:
    own = MYSQL if flavor_of(world.source) == "mysql" else MARIADB
    both_ways = [Pair(name, *sides, one_way=False) for name, sides in (PAIRS | own | BYTES).items()]
    return both_ways + [Pair(name, *sides, one_way=True) for name, sides in ONE_WAY.items()]


def literal(word: str) -> str:
    return f"_utf8mb4 x'{word.encode().hex()}'"


def rows(table: str, first: int, words: tuple[str, ...], more: str = "") -> str:
    values = ", ".join(f"({first + number}{more}, {literal(word)})" for number, word in enumerate(words))
    return f"INSERT IGNORE INTO {table} VALUES {values}"


def synced(world: World, *statements: str) -> None:
    world.sql("SET NAMES utf8mb4", *statements)
    world.sync()
    assert world.disagreements() == []


def test_every_pair_from_copy_to_verify(world: World) -> None:
    found = pairs(world)
    for pair in found:
        world.sql("SET NAMES utf8mb4", *pair.tables())
        world.sql(
            f"INSERT INTO {pair.name}_r VALUES (1), (2)",
            rows(f"{pair.name}_p", 1, WORDS[:6], ", 1"),
            rows(f"{pair.name}_c", 1, WORDS[::2]),
        )
        for text in pair.mappings():
            world.mapping(text)
    names = [pair.name for pair in found]
    world.apply()
    assert world.disagreements() == []
    # Rows that are joined with those that were there, among them what the holder's set can't hold.
    synced(world, *(rows(f"{name}_c", 100, WORDS) for name in names))
    # Holders of every word, what became a question mark included.
    synced(world, *(rows(f"{name}_p", 100, WORDS, ", 2") for name in names))
    # Every row moves to the next word, and some hold none.
    for table in ("c", "p"):
        moves = [
            f"UPDATE IGNORE {name}_{table} SET k = {literal(word)} WHERE id % {len(WORDS)} = {number}"
            for name in names
            for number, word in enumerate(WORDS)
        ]
        synced(world, *moves)
        synced(world, *(f"UPDATE {name}_{table} SET k = NULL WHERE id % 5 = 0" for name in names))
    # Rows go, and with a root those below it, which no log may tell.
    synced(world, *(f"DELETE FROM {name}_c WHERE id % 3 = 0" for name in names))
    synced(world, *(f"DELETE FROM {name}_r WHERE id = 2" for name in names))
    assert verified(world.source, world.target).clean
    options = VerifyOptions(Selection(), ApplyOptions(workers=1))
    assert api.independent_look(world.source, world.target, options, Silent()).different == ()
