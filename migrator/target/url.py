"""The target's address: a URL in, frozen settings out. Nothing printed from here shows a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from migrator.errors import SettingsError

_FORM = (
    "Write mongodb://user:password@host:27017/database (or mongodb+srv://..., or file:PATH), special characters in "
    "user and password percent-encoded (@ is %40, / is %2F, : is %3A)."
)
_OPTIONS = "What each option takes: https://www.mongodb.com/docs/manual/reference/connection-string-options/"
_MONGO = re.compile(
    r"(?P<scheme>mongodb(?:\+srv)?)://(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?(?P<hosts>[^/?@]+)"
    r"(?:/(?P<database>[^?@]*))?(?:\?(?P<options>.*))?"
)
_OPTION = re.compile(r"[A-Za-z.]{1,40}")
# https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions; the Windows set, so that names travel.
_FORBIDDEN = set('/\\. "$*<>:|?\0')
_SERVERS_OWN = ("admin", "local", "config")


@dataclass(frozen=True, slots=True)
class MongoUrl:
    """A MongoDB database.

    Attributes:
        uri: as the user gave it, with the password.
        address: the same without password and options.
    """

    uri: str = field(repr=False)
    address: str
    database: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class FilesUrl:
    """A folder of BSON files; `folder` is absolute."""

    folder: Path

    def __str__(self) -> str:
        return f"file:{self.folder}"


def parse_target_url(text: str) -> MongoUrl | FilesUrl:
    """Reads `mongodb://.../database`, `mongodb+srv://.../database`, `file:PATH` or `file:///absolute/path`.

    Raises:
        SettingsError: for anything else; the message never repeats the password.
    """
    text = text.strip()
    if text.startswith("file:"):
        return FilesUrl(_folder(text.removeprefix("file:")))
    if text.startswith(("mongodb://", "mongodb+srv://")):
        return _mongo(text)
    raise SettingsError("the target URL doesn't begin with mongodb:// or file:", hint=_FORM)


def _folder(path: str) -> Path:
    if path.startswith("//"):
        # The form with an authority is a URL by RFC 8089, percent-encoded; the short form is the path as it stands.
        host, slash, rest = path[2:].partition("/")
        if host not in ("", "localhost") or not slash:
            raise SettingsError(
                f"file://{host} names another machine",
                hint="Write file:///absolute/path with three slashes, or file:relative/path with none.",
            )
        path = "/" + unquote(rest)
    if not path.strip():
        raise SettingsError("the target URL names no folder", hint="Write file:PATH.")
    if "\0" in path:
        raise SettingsError("the target's path holds a NUL byte")
    return Path(path).expanduser().absolute()


def _mongo(text: str) -> MongoUrl:
    parts = _MONGO.fullmatch(text)
    if parts is None:
        raise SettingsError("the target URL can't be read", hint=_FORM)
    database = unquote(parts["database"] or "")
    if not database:
        raise SettingsError(
            "the target URL names no database", hint="Append /database to the host: mongodb://host:27017/shop."
        )
    _check_database(database)
    if parts["scheme"] == "mongodb":
        _check_by_driver(text, parts["hosts"], parts["options"] or "")
    elif "," in parts["hosts"] or ":" in parts["hosts"]:
        raise SettingsError(
            "mongodb+srv:// accepts one host name and no port", hint="Use mongodb:// for a list of hosts."
        )
    user = f"{parts['user']}@" if parts["user"] else ""
    return MongoUrl(text, f"{parts['scheme']}://{user}{parts['hosts']}/{database}", database)


def _check_database(name: str) -> None:
    wrong = sorted(_FORBIDDEN & set(name))
    if wrong:
        raise SettingsError(f"the target's database name holds {' '.join(map(repr, wrong))}", hint=_FORM)
    if len(name.encode()) > 63:
        raise SettingsError("the target's database name is longer than 63 bytes", hint="Choose a shorter name.")
    if name in _SERVERS_OWN:
        raise SettingsError(f"{name} is MongoDB's own database", hint="Name a database of your application's own.")


def _check_by_driver(text: str, hosts: str, options: str) -> None:
    """Hosts, ports and options. Not for mongodb+srv, where the driver would ask the name server."""
    if _understood(text):
        return
    # The driver's text may quote what it could not read, perhaps half a password: only options' names are repeated.
    named = [(option.partition("=")[0], option) for option in re.split("[&;]", options)]
    given = [(name, option) for name, option in named if _OPTION.fullmatch(name)]
    for name, _ in given:
        if _unknown(name):
            raise SettingsError(f"unknown option {name} in the target URL", hint=_FORM)
    for name, option in given:
        if not _understood(f"mongodb://localhost/?{option}"):
            raise SettingsError(
                f"the option {name} of the target URL can't have the value that is given", hint=_OPTIONS
            )
    if not _understood(f"mongodb://{hosts}/"):
        raise SettingsError("hosts or ports of the target URL can't be read", hint=_FORM)
    raise SettingsError("the target URL can't be read", hint=_FORM)


def _understood(text: str) -> bool:
    try:
        parse_uri(text, validate=True, warn=False)
    except OSError as error:
        what = f"a file that the target URL names can't be read: {error.strerror}"
        raise SettingsError(what, where=str(error.filename or "")) from None
    except (PyMongoError, ValueError):
        return False
    return True


def _unknown(option: str) -> bool:
    """Whether the driver knows no such option, told by its words, for it has no error class for that."""
    try:
        parse_uri(f"mongodb://localhost/?{option}=x", validate=True, warn=False)
    except OSError:
        # An option that names a file, and `x` is none.
        return False
    except (PyMongoError, ValueError) as error:
        return "unknown option" in str(error).lower()
    return False
