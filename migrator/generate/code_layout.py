"""Generated text as formatters leave it: one line if it fits, otherwise one argument per line."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from migrator.generate.python_names import literal

WIDTH = 120
"""Columns of a line; the package's own ruff.toml says the same."""

_INDENT = " " * 4
_DIGITS = re.compile(r"([0-9]+)")


def call(head: str, arguments: Iterable[str], indent: int = 0, tail: str = ")", *, extra: int = 0) -> str:
    """`head(a, b)`, the head with its bracket; lines after the first are indented by `indent` blanks.

    `extra` is how many more characters are on its line: a name before, a comma after.
    """
    parts = [each for each in arguments if each]
    line = f"{head}{', '.join(parts)}{tail}"
    if "\n" not in line and indent + extra + len(line) <= WIDTH:
        return line
    margin = " " * indent
    inner = "".join(f"{margin}{_INDENT}{part},\n" for part in parts)
    return f"{head}\n{inner}{margin}{tail}"


def tuple_of(parts: Sequence[str], indent: int = 0, *, extra: int = 0) -> str:
    """A tuple; of one element with its comma. See `call`."""
    if len(parts) == 1 and "\n" not in parts[0]:
        line = f"({parts[0]},)"
        if indent + extra + len(line) <= WIDTH:
            return line
    return call("(", parts, indent, extra=extra)


def pairs(items: Iterable[tuple[str, str]], indent: int = 0, *, extra: int = 0) -> str:
    """A tuple of pairs of strings. See `call`."""
    return tuple_of([f"({literal(one)}, {literal(other)})" for one, other in items], indent, extra=extra)


def construct(value: Any, indent: int = 0, *, extra: int = 0) -> str:
    """The expression that makes a value: texts, numbers, tuples, dictionaries, dataclasses without their defaults."""
    inner = indent + len(_INDENT)
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, tuple):
        return tuple_of([construct(each, inner, extra=1) for each in value], indent, extra=extra)
    if isinstance(value, list):
        return call("[", [construct(each, inner, extra=1) for each in value], indent, "]", extra=extra)
    if isinstance(value, Mapping):
        items = [(literal(name), each) for name, each in value.items()]
        pairs = [f"{name}: {construct(each, inner, extra=len(name) + 3)}" for name, each in items]
        return call("{", pairs, indent, "}", extra=extra)
    if not is_dataclass(value):
        return repr(value)
    arguments = []
    for each in fields(value):
        held = getattr(value, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if held == default:
            continue
        bare = each.default is MISSING and each.default_factory is MISSING
        head = "" if bare else f"{each.name}="
        arguments.append(f"{head}{construct(held, inner, extra=len(head) + 1)}")
    return call(f"{type(value).__name__}(", arguments, indent, extra=extra)


def docstring(title: str, items: Sequence[tuple[str, str]] = (), indent: int = 4, heading: str = "Attributes") -> str:
    """A docstring: a title, and a list of names with what they are."""
    margin = " " * indent
    lines = _wrapped(f'"""{title}', indent, indent)
    if not items:
        closed = f'{lines[-1]}"""'
        if len(closed) <= WIDTH:
            return "\n".join([*lines[:-1], closed])
        return "\n".join([*lines, f'{margin}"""'])
    lines += ["", f"{margin}{heading}:"]
    for name, text in items:
        lines += _wrapped(f"{name}: {text}" if text else name, indent + 4, indent + 8)
    return "\n".join([*lines, f'{margin}"""'])


def _wrapped(text: str, first: int, following: int) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * first,
        subsequent_indent=" " * following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def imports(body: str, known: Mapping[str, str]) -> str:
    """The import lines for the names that a module's body uses.

    Args:
        body: everything after the imports, valid Python.
        known: name to module; a module in front of `:` is imported whole (`typing:`).
    """
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    modules: dict[str, set[str]] = {}
    for name, module in known.items():
        if name in used:
            modules.setdefault(module, set()).add(name)
    groups: list[list[str]] = [[], [], []]
    for module in sorted(modules, key=_module_order):
        line = call(f"from {module} import ", sorted(modules[module], key=_member_order), tail="")
        if "\n" in line:
            line = call(f"from {module} import (", sorted(modules[module], key=_member_order))
        groups[_group(module)].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _group(module: str) -> int:
    if module.startswith("."):
        return 2
    return 1 if module.split(".")[0] in ("bson", "pymongo") else 0


def _module_order(module: str) -> tuple[int, str]:
    # Relative imports from further up come first.
    dots = len(module) - len(module.lstrip("."))
    return (-dots, module.lstrip(".").lower())


def _member_order(name: str) -> tuple[int, list[tuple[bool, int, str]], str]:
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    # Numbers in names count as numbers.
    natural = [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(name.lower())]
    return kind, [part for part in natural if part[2]], name


def tidy(text: str) -> str:
    """Blank lines as formatters want them: two around classes and functions of a module, else one at most."""
    made: list[str] = []
    blank = 0
    decorated = False
    for line in text.splitlines():
        if not line.strip():
            blank += 1
            continue
        last = made[-1] if made else ""
        starts = line.startswith(("class ", "@", "def ")) and not decorated
        ends = last.startswith("    ") and not line.startswith((" ", ")", "]", "}")) and bool(_opens_block(made))
        if made:
            made += [""] * (2 if starts or ends else min(blank, 1))
        made.append(line)
        blank = 0
        decorated = line.startswith("@")
    return "\n".join([*made, ""])


def _opens_block(lines: Sequence[str]) -> str:
    """The class or function that the last lines belong to, "" for none."""
    for line in reversed(lines):
        if line and not line.startswith(" "):
            return line if line.startswith(("class ", "def ")) else ""
    return ""
