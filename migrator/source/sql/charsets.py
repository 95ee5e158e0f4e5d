"""Character sets of the server that can be had exactly here, without asking it: each character has one code in them."""

from __future__ import annotations

# Names of Python's codecs. The server's utf8mb3 and ucs2 end at U+FFFF.
# https://dev.mysql.com/doc/refman/9.7/en/charset-unicode-sets.html
CODECS = {
    "ascii": "ascii",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
    "utf8": "utf-8",
    "utf8mb3": "utf-8",
    "utf8mb4": "utf-8",
}
_SMALL = frozenset(("ucs2", "utf8", "utf8mb3"))


def _latin1(code: int) -> str:
    """The server's latin1 is cp1252, with control characters where that has nothing.

    https://dev.mysql.com/doc/refman/9.7/en/charset-we-sets.html
    """
    try:
        return bytes([code]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(code)


_LATIN1 = tuple(map(_latin1, range(256)))
_LATIN1_CODES = {character: bytes([code]) for code, character in enumerate(_LATIN1)}
EXACT = frozenset((*CODECS, "latin1"))


def encoded(charset: str, text: str) -> bytes | None:
    """A text in a set of EXACT, None where that lacks one of its characters."""
    if charset == "latin1":
        codes = [_LATIN1_CODES.get(character) for character in text]
        return None if None in codes else b"".join(code for code in codes if code is not None)
    if charset in _SMALL and any(ord(character) > 0xFFFF for character in text):
        return None
    try:
        return text.encode(CODECS[charset])
    except UnicodeEncodeError:
        return None


def decoded(charset: str, codes: bytes) -> str | None:
    """The text that bytes are in a set of EXACT, None for none."""
    if charset == "latin1":
        return "".join(_LATIN1[code] for code in codes)
    try:
        text = codes.decode(CODECS[charset])
    except UnicodeDecodeError:
        return None
    return None if encoded(charset, text) is None else text
