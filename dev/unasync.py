"""`python -m dev.unasync`: makes the synchronous repositories of the asynchronous ones.

Word by word, so that both stay comparable line by line. Modules that a generated package shares with migrator are
copied, since the package imports nothing of migrator. `tests/generate/test_unasync.py` fails when two have drifted
apart.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

RUNTIME = Path(__file__).parents[1] / "migrator" / "generate" / "runtime"
_TARGET = Path(__file__).parents[1] / "migrator" / "target" / "mongo" / "connection"
_SHARED = ("codes.py", "server_message.py")

_WORDS = {
    "AsyncMongoClient": "MongoClient",
    "AsyncClientSession": "ClientSession",
    "AsyncCollection": "Collection",
    "AsyncDatabase": "Database",
    "AsyncCursor": "Cursor",
    "AsyncIterator": "Iterator",
    "AsyncGenerator": "Generator",
    "asynccontextmanager": "contextmanager",
    "asynchronous": "synchronous",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "asyncio": "time",
}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b")
_GONE = re.compile(r"\b(?:async|await) ")
_AWAITABLE = re.compile(r"\bAwaitable\[([A-Za-z]+(?:\[\w+\])?)\]")
# Written twice by hand: the one difference between the two that is not a matter of words.
_BY_HAND = ("__init__.py", "threads.py")


def to_sync(text: str) -> str:
    """The same module without `async` and `await`, formatted."""
    text = text.replace("redis.asyncio", "redis").replace("an AsyncMongoClient", "a MongoClient")
    text = _AWAITABLE.sub(r"\1", _GONE.sub("", text)).replace("import Awaitable, ", "import ")
    text = _WORD.sub(lambda found: _WORDS[found[0]], text)
    for arguments in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        command = [str(Path(sys.executable).with_name("ruff")), *arguments, "--stdin-filename", str(RUNTIME / "x.py")]
        text = subprocess.run([*command, "-"], input=text, capture_output=True, text=True, check=True).stdout
    return text


def synchronous(source: Path) -> str:
    """What is made of an asynchronous module, with a head that says so."""
    head = f"# Generated from aio/{source.name} by migrator's dev/unasync.py. Edit that one.\n"
    return head + to_sync(source.read_text(encoding="utf-8"))


def pairs() -> list[tuple[Path, Path]]:
    """Each asynchronous module, and where its synchronous one is."""
    names = sorted(file.name for file in (RUNTIME / "aio").glob("*.py") if file.name not in _BY_HAND)
    return [(RUNTIME / "aio" / name, RUNTIME / "sync" / name) for name in names]


def shared() -> list[tuple[Path, Path]]:
    """Each module that generated packages share with migrator, and where their copy is."""
    return [(_TARGET / name, RUNTIME / name) for name in _SHARED]


def main() -> None:
    """Writes all of them."""
    for source, made in shared():
        made.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    for source, made in pairs():
        made.write_text(synchronous(source), encoding="utf-8")


if __name__ == "__main__":
    main()
