"""The source's address: a URL in, frozen settings out. Nothing printed from here shows a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal, cast, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from migrator.errors import SettingsError

SslMode = Literal["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]

_SCHEMES = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
_OPTIONS = ("databases", "replica", "socket", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key")
_FORM = (
    "Write mysql://user:password@host:3306/database, special characters percent-encoded (@ is %40, / is %2F, # is %23)."
)


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """Where the source is and how to log in.

    Attributes:
        databases: all that are read, the default one first.
        socket: path of a Unix socket, which is used instead of host and port.
        ssl_mode: as of the mysql client's --ssl-mode.
        replica: a replica whose lag is watched; same database and TLS options.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    databases: tuple[str, ...]
    socket: str | None = None
    ssl_mode: SslMode = "PREFERRED"
    ssl_ca: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None
    replica: SourceUrl | None = None

    @property
    def place(self) -> str:
        """`host:port`, or the socket's path: the `where` of errors."""
        return self.socket or f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __str__(self) -> str:
        secret = ":***" if self.password else ""
        return f"mysql://{self.user}{secret}@{self.place}/{self.database}"


def parse_source_url(text: str) -> SourceUrl:
    """Reads `mysql://user:password@host:port/database?option=value&...`.

    Raises:
        SettingsError: for anything it doesn't know or can't read; the message never repeats the password.
    """
    parts = _split(text)
    options = _options(parts.query)
    host, port = _address(parts)
    more = tuple(name for name in options.get("databases", "").split(",") if name)
    database = unquote(parts.path.removeprefix("/")) or (more[0] if more else "")
    if not database:
        raise SettingsError("the source URL names no database", hint=_FORM)
    if "/" in database:
        raise SettingsError("the source URL has a second / after the database", hint=_FORM)
    url = SourceUrl(
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=database,
        databases=tuple(dict.fromkeys((database, *more))),
        socket=options.get("socket"),
        ssl_mode=_ssl_mode(options),
        ssl_ca=options.get("ssl-ca"),
        ssl_cert=options.get("ssl-cert"),
        ssl_key=options.get("ssl-key"),
    )
    if not url.user:
        raise SettingsError("the source URL names no user", hint=_FORM)
    if "replica" in options:
        url = replace(url, replica=_replica(url, options["replica"]))
    return url


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        raise SettingsError("the source URL can't be read", hint=_FORM) from None
    if parts.scheme not in _SCHEMES:
        # An unreadable scheme may be half a password: shown only when it is like one of ours.
        near = get_close_matches(parts.scheme, _SCHEMES, n=1)
        what = f"unknown scheme {parts.scheme}://" if near else "the source URL doesn't begin with mysql://"
        raise SettingsError(what, hint=f"Did you mean {near[0]}://?" if near else _FORM)
    if parts.fragment:
        raise SettingsError("the source URL holds a bare #", hint=_FORM)
    return parts


def _address(parts: SplitResult) -> tuple[str, int]:
    try:
        port = parts.port
    except ValueError:
        raise SettingsError("the source URL's port is not a number from 0 to 65535", hint=_FORM) from None
    return parts.hostname or "localhost", port or 3306


def _options(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        raw, _, value = pair.partition("=")
        name = raw.lower().replace("_", "-")
        if name not in _OPTIONS:
            if not re.fullmatch(r"[a-z-]{1,30}", name):
                raise SettingsError("the part of the source URL after ? can't be read", hint=_FORM)
            near = get_close_matches(name, _OPTIONS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(_OPTIONS)}."
            raise SettingsError(f"unknown option {name} in the source URL", hint=hint)
        if name in found:
            raise SettingsError(f"option {name} occurs twice in the source URL")
        if not value:
            raise SettingsError(f"option {name} in the source URL is empty")
        # The replica is a URL by itself, decoded part by part. A + is a +: this is no web form.
        found[name] = value if name == "replica" else unquote(value)
    return found


def _ssl_mode(options: dict[str, str]) -> SslMode:
    """The default is the mysql client's: stricter when the URL names a CA or a certificate."""
    given = options.get("ssl-mode", "").upper()
    if not given:
        if "ssl-ca" in options:
            return "VERIFY_CA"
        return "REQUIRED" if "ssl-cert" in options else "PREFERRED"
    modes = get_args(SslMode)
    if given not in modes:
        near = get_close_matches(given, modes, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(modes)}."
        raise SettingsError(f"unknown ssl-mode {given} in the source URL", hint=hint)
    return cast(SslMode, given)


def _replica(url: SourceUrl, text: str) -> SourceUrl:
    """`[user:password@]host[:port]`; without a user it is the source's own."""
    try:
        parts = urlsplit(f"mysql://{text}")
        host, port = parts.hostname, parts.port or 3306
    except ValueError:
        host, port, parts = None, 0, urlsplit("")
    if not host or parts.path or parts.query:
        raise SettingsError(
            "option replica in the source URL can't be read",
            hint="Write replica=host:3306 or replica=user:password@host:3306, percent-encoded.",
        )
    user = url.user if parts.username is None else unquote(parts.username)
    password = url.password if parts.username is None else unquote(parts.password or "")
    return replace(url, host=host, port=port, user=user, password=password, socket=None, replica=None)
