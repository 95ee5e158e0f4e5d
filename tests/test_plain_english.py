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
    assert names - KEYS == set()


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
    assert names - KEYS == set(), "rename these, and write what RETIRED says"


def test_what_is_found() -> None:
    docstring = '"""Goes behind `all_behind` it.\n\n    beside: a thing.\n"""\n'
    source = docstring + 'x.beside = f"{anew} s behind, mended"\ny = "beside"\n'
    words, names = in_python(source)
    assert words == {"behind", "mended"}
    assert names == {"all_behind", "beside", "anew"}
    assert list(retired_in("3 s behind; `beside`; behind a proxy; behind\n# the position")) == ["behind"]
