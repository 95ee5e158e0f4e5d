"""Words that ordinary readers stumble over stay out of pages, names, comments and strings.

Python is read token by token, so that names, comments and strings are told apart. Names that still have such a word are
listed below until they are renamed: the list only gets shorter.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("migrator", "tests", "dev", "benchmarks", "examples", "sample_schema")

# What to write instead. In the standard phrases, a replica may be 6 s behind, and a server behind a proxy.
RETIRED = {
    r"behind": "after or before",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "fix",
    r"beside": "next to, during, together with",
    r"passing faults?": "transient error",
    r"false peace": "a fault that is overlooked",
    r"(?:gone|going) on with": "resumed, continued",
    r"work(?:s|ed|ing)? off": "process",
    r"climb(?:s|ed|ing)?": "follow the joins up to the root",
    r"hearers?": "listener",
}
STANDARD = re.compile(
    r"\b(?:s|seconds?|transactions?|far) behind\b|\bbehind (?:a|the) (?:proxy|load balancer)\b|\bmore seconds behind\b",
    re.IGNORECASE,
)

# A key of stored and printed JSON, which stays as long as earlier versions are read; columns of MySQL's.
KEYS = {"beside", "Seconds_Behind_Master", "Seconds_Behind_Source"}

# Names that are not renamed yet. Take out what has been renamed, add nothing.
NAMES = {
    "Beside",
    "Climb",
    "Climbed",
    "Hearer",
    "_begin_behind",
    "_behind",
    "_beside",
    "_hearers",
    "_mend",
    "behind",
    "behind_it",
    "beside-copy",
    "beside_copy",
    "beside_sync",
    "climb",
    "climbed",
    "climbs",
    "hearer",
    "hearers",
    "is_behind",
    "is_behind_start",
    "key_behind",
    "migrator-beside",
    "play_beside_copy",
    "test_a_collection_is_rebuilt_and_another_added_beside_a_sync",
    "test_a_connection_that_is_lost_behind_a_statement",
    "test_a_copy_that_died_before_all_was_remembered_begins_anew",
    "test_a_full_disk_behind_the_output_is_said",
    "test_a_mutant_that_collapses_row_images_leaves_it_behind",
    "test_a_purged_log_stops_it_and_the_next_apply_copies_anew",
    "test_a_reader_goes_on_behind_any_commit",
    "test_all_columns_in_table_order_behind_the_key",
    "test_altered_beside_a_sync",
    "test_altered_beside_a_sync_that_is_killed",
    "test_b_beside",
    "test_beside",
    "test_beside_a_history",
    "test_beside_the_live_one",
    "test_climb",
    "test_climbing",
    "test_collections_that_are_gone_leave_nothing_behind",
    "test_counters_go_on_behind_the_highest",
    "test_definitions_are_those_behind_a_statement_that_was_read",
    "test_every_value_behind_its_length_and_the_count_last",
    "test_grandchildren_climb_by_the_joins",
    "test_how_far_a_position_is_behind",
    "test_looking_leaves_nothing_behind",
    "test_many_beside_a_copy",
    "test_mended_rows_come_with_the_next_apply",
    "test_nothing_is_left_behind",
    "test_one_that_died_in_its_first_chunk_begins_anew_too",
    "test_pages_go_on_behind_a_key",
    "test_planning_goes_on_behind_any_range",
    "test_replace_loads_beside_and_says_what_goes",
    "test_rows_behind_a_link_table_are_searched_for_through_it",
    "test_rows_without_a_key_stand_beside_their_like",
    "test_short_beside_a_copy",
    "test_what_a_hearer_raises_comes_out_where_the_work_is",
    "test_what_stays_the_same_behind_the_sync_is_a_fault",
    "test_where_the_moment_is_lost_every_document_is_made_anew",
    "written_behind",
}

_WORDS = re.compile(rf"\b(?:{'|'.join(RETIRED)})\b", re.IGNORECASE)
_CODE_SPAN = re.compile(r"``?[^`\n]+``?|<<[^>\n]+>>")
# What docstrings name by itself: an argument in front of its description, the path of a module or class.
_ARGUMENT = re.compile(r"^ +(\w+):|\b(\w+(?:\.\w+)+)", re.MULTILINE)
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME = re.compile(r"[A-Za-z_][\w-]*")


def listed(*patterns: str) -> list[Path]:
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / line for line in found.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def retired_in(prose: str) -> Iterator[str]:
    """The retired words of a text, without those in code spans and in standard phrases."""
    plain = STANDARD.sub(" ", _CODE_SPAN.sub(" ", re.sub(r"\s*\n\s*(?:# )?", " ", prose)))
    yield from (found[0].lower() for found in _WORDS.finditer(plain))


def is_retired(name: str) -> bool:
    """Whether a name has a retired word among its parts: `all_behind`, `IsBeside`."""
    return any(_WORDS.fullmatch(part) for part in _PARTS.findall(name))


def names_in(text: str) -> set[str]:
    return {name for name in _NAME.findall(text) if is_retired(name)}


def tokens(source: str) -> Iterator[tuple[int, str]]:
    """Names, comments and strings of Python, each with its kind; of f-strings the text only."""
    middle = getattr(tokenize, "FSTRING_MIDDLE", None)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.COMMENT):
            yield token.type, token.string
        elif token.type == middle:
            yield tokenize.STRING, token.string
        elif token.type == tokenize.STRING and middle is None and re.match(r"[rR]?[fF]", token.string):
            for node in ast.walk(ast.parse(token.string, mode="eval")):
                match node:
                    case ast.Constant(value=str(text)):
                        yield tokenize.STRING, text
                    case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                        yield tokenize.NAME, name
        elif token.type == tokenize.STRING:
            yield tokenize.STRING, token.string


def in_python(source: str) -> tuple[set[str], set[str]]:
    """The retired words of comments and strings, and the names that have one."""
    words: set[str] = set()
    names: set[str] = set()
    for kind, text in tokens(source):
        if kind == tokenize.NAME:
            names |= names_in(text)
        else:
            spans = [*_CODE_SPAN.findall(text), *("".join(found) for found in _ARGUMENT.findall(text))]
            names |= {name for span in spans for name in names_in(span)}
            whole = re.fullmatch(r"""[rbfuRBFU]*(["'])([\w-]+)\1""", text)
            if whole:  # a key, a word of the command line, a name of a test's case
                names |= names_in(whole[2])
            else:
                words |= set(retired_in(_ARGUMENT.sub(" ", text)))
    return words, names


def test_pages() -> None:
    wrong = {}
    names: set[str] = set()
    for path in listed("*.md", "docs/*.md"):
        text = path.read_text(encoding="utf-8")
        found = sorted(set(retired_in(text)))
        if found:
            wrong[str(path.relative_to(ROOT))] = found
        names |= {name for span in _CODE_SPAN.findall(text) for name in names_in(span)}
    assert wrong == {}
    assert names - NAMES - KEYS == set()


def test_templates_and_mappings() -> None:
    wrong = {}
    for path in listed("migrator/*.jinja", "mappings/*.yaml", "Makefile", "compose.yaml"):
        found = sorted(set(retired_in(re.sub(r"\{[{%].*?[%}]\}", " ", path.read_text(encoding="utf-8")))))
        if found:
            wrong[str(path.relative_to(ROOT))] = found
    assert wrong == {}


def test_code() -> None:
    wrong = {}
    names: set[str] = set()
    for path in listed(*CODE):
        names |= names_in(path.stem)
        if path.suffix != ".py":
            continue
        words, found = in_python(path.read_text(encoding="utf-8"))
        names |= found
        if words:
            wrong[str(path.relative_to(ROOT))] = sorted(words)
    assert wrong == {}
    assert names - NAMES - KEYS == set(), "rename these, and write what RETIRED says"
    assert names >= NAMES, f"renamed already: take {sorted(NAMES - names)} out of the list"


def test_what_is_found() -> None:
    docstring = '"""Goes behind `all_behind` it.\n\n    beside: a thing.\n"""\n'
    source = docstring + 'x.beside = f"{anew} s behind, mended"\ny = "beside"\n'
    words, names = in_python(source)
    assert words == {"behind", "mended"}
    assert names == {"all_behind", "beside", "anew"}
    assert list(retired_in("3 s behind; `beside`; behind a proxy; behind\n# the position")) == ["behind"]
