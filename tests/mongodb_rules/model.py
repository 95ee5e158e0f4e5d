"""What the checker says to the client instead of the stand-in's answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why MongoDB would not do something.

    Attributes:
        code: MongoDB's error code.
        name: the name of that code.
        text: the error message, worded as MongoDB does.
    """

    code: int
    name: str
    text: str
