"""The pages of docs/, which every installation has, for `migrator help`."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from migrator.errors import SettingsError
from migrator.mapping.suggest import did_you_mean

# Those for people who work on migrator itself.
_NOT_FOR_USERS = frozenset(
    (
        *("README", "architecture", "benchmarks", "dependencies", "development"),
        *("glossary", "invariants", "sample", "standin"),
    )
)


def topics() -> dict[str, str]:
    """Name -> the page's heading, sorted by name."""
    pages = (page for page in _folder().iterdir() if page.name.endswith(".md"))
    found = {page.name.removesuffix(".md"): page for page in pages}
    return {name: _heading(found[name]) for name in sorted(found.keys() - _NOT_FOR_USERS)}


def page(topic: str) -> str:
    """The text of a page, in Markdown.

    Raises:
        SettingsError: there is none of this name.
    """
    known = topics()
    if topic not in known:
        raise SettingsError(f"there is no help on {topic}", hint=did_you_mean(topic, known, what="topics"))
    return (_folder() / f"{topic}.md").read_text(encoding="utf-8")


def _heading(page: Traversable) -> str:
    first, _, _ = page.read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("# ")


def _folder() -> Traversable:
    """Inside the package where it was installed from a wheel, next to it in a checkout."""
    installed = files("migrator") / "help"
    return installed if installed.is_dir() else Path(__file__).parent.parent.parent / "docs"
