"""Everything that may be a table's name is found, and nothing that stands in strings and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.source.binlog.statements.identifiers import Lexical, lexical, lexical_of_names, tables_named

PLAIN = Lexical(ansi_quotes=False, backslashes=True)
ANSI = Lexical(ansi_quotes=True, backslashes=True)
RAW = Lexical(ansi_quotes=False, backslashes=False)


@pytest.mark.parametrize(
    ("text", "mode", "names"),
    [
        ("UPDATE t", PLAIN, {("d", "UPDATE"), ("d", "t")}),
        ("e.t", PLAIN, {("e", "t")}),
        ("`e` . `t`", PLAIN, {("e", "t")}),
        ("`a``b`.`c.d`", PLAIN, {("a`b", "c.d")}),
        ("e /* x */ .\n-- y\n t", PLAIN, {("e", "t"), ("d", "t")}),
        ("FROM .t", PLAIN, {("FROM", "t"), ("d", "t")}),
        ("(.t", PLAIN, {("d", "t")}),
        ("t.c", PLAIN, {("t", "c")}),
        ("e.t.c", PLAIN, {("e", "t"), ("t", "c")}),
        ("t.*", PLAIN, set()),
        ("@t @`t` @@t", PLAIN, set()),
        ("1 1.5 .5 1e5 0x1F 0b01", PLAIN, set()),
        ("1t e.5 2t.3t", PLAIN, {("d", "1t"), ("e", "5"), ("2t", "3t")}),
        ("'t' \"t\" 'it''s t' 'it\\'s t'", PLAIN, set()),
        ("'a\\' t ''", RAW, {("d", "t")}),
        ('"t" "e"."x""y"', ANSI, {("d", "t"), ("e", 'x"y')}),
        ("--t", PLAIN, {("d", "t")}),
        ("-- t", PLAIN, set()),
        ("# t\nu", PLAIN, {("d", "u")}),
        ("/* t */ /*+ t */ u", PLAIN, {("d", "u")}),
        ("a$b é\u2014ü", PLAIN, {("d", "a$b"), ("d", "é\u2014ü")}),
        ("/*! t */", PLAIN, None),
        ("/*M! t */", PLAIN, None),
        ("/*M!100100 t */", PLAIN, None),
        ("'t", PLAIN, None),
        ("`t", PLAIN, None),
        ('"t', ANSI, None),
        ("/* t", PLAIN, None),
    ],
)
def test_names(text: str, mode: Lexical, names: set[tuple[str, str]] | None) -> None:
    assert tables_named(text, "d", mode) == names


def test_without_a_default_database() -> None:
    assert tables_named("UPDATE e.t SET n", "", PLAIN) == {("e", "t")}


def test_modes() -> None:
    assert lexical(0) == lexical_of_names("") == PLAIN
    assert lexical(4 | 32) == lexical_of_names("ONLY_FULL_GROUP_BY,ANSI_QUOTES") == ANSI
    assert lexical(1 << 20) == lexical_of_names("NO_BACKSLASH_ESCAPES") == RAW
    assert lexical(512) is None
    assert lexical_of_names("PIPES_AS_CONCAT,ORACLE") is None


NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=6
)
WORD = st.from_regex(r"[a-z_$\x80-\xff][a-z0-9_$\x80-\xff]{0,5}", fullmatch=True)
SPACE = st.sampled_from(("", " ", "\n", "/* x */", "/**/", " -- x\n", "# `\n", "/* ' */"))
NOISE = st.sampled_from(("(", ")", ",", "=", "+", "'hidden'", "'it''s'", "'\\''", '"hidden"', "5", "1.5", "@v", ";"))


def quoted(name: str, quote: str) -> str:
    return quote + name.replace(quote, quote * 2) + quote


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, Lexical, set[tuple[str, str]]]:
    """A text, its mode, and the tables that it surely names."""
    mode = draw(st.sampled_from((PLAIN, ANSI)))
    text, names = "", set()

    def identifier() -> tuple[str, str]:
        kind = draw(st.sampled_from(("word", "`", '"') if mode.ansi_quotes else ("word", "`")))
        name = draw(WORD if kind == "word" else NAME)
        return name, name if kind == "word" else quoted(name, kind)

    for _ in range(draw(st.integers(1, 6))):
        table, written = identifier()
        if draw(st.booleans()):
            database, before = identifier()
            text += f"{before}{draw(SPACE)}.{draw(SPACE)}{written}"
            names.add((database, table))
        else:
            text += written
            names.add(("d", table))
        noise = draw(st.lists(NOISE, max_size=3))
        # A string would continue the string before it, and a word the word.
        text += draw(SPACE) + " " + " ".join(one for one in noise if mode == PLAIN or one[0] != '"') + " , "
    return text, mode, names


@given(statements())
def test_every_name_is_found_and_nothing_in_strings(drawn: tuple[str, Lexical, set[tuple[str, str]]]) -> None:
    text, mode, names = drawn
    found = tables_named(text, "d", mode)
    assert found is not None
    assert names <= found
    assert all(name != "hidden" for _, name in found - names)
