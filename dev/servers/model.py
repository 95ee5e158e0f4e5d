"""What a server is to its users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Unavailable(Exception):
    """This way of having a server doesn't work here; the text says why, for a person to read."""


class Server(Protocol):
    """A running server.

    `url` has user and password and no database, `found` says how the server was found and holds no password.
    """

    @property
    def url(self) -> str: ...

    @property
    def found(self) -> str: ...

    def kill(self) -> None:
        """Ends the server at once, as a power cut would; its data stays. Raises RuntimeError when it isn't ours."""

    def start(self) -> None:
        """Starts a killed server again with the same URL and data. Raises RuntimeError when it isn't ours."""

    def stop(self) -> None:
        """Ends the server and deletes its data; does nothing the second time, and to a server given by its URL."""


@dataclass(frozen=True)
class Given:
    """A server that the user runs and named by its URL; it is used, never started or stopped."""

    url: str
    found: str

    def kill(self) -> None:
        raise RuntimeError(f"the server {self.found} belongs to you: only a private server may be killed")

    def start(self) -> None:
        raise RuntimeError(f"the server {self.found} belongs to you: only a private server may be started")

    def stop(self) -> None:
        return
