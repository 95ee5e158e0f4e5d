"""Which kinds of index a server builds, found out by building one of each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pymongo.errors import OperationFailure

from migrator.errors import TargetError
from migrator.model.mapping.tree import IndexSpec
from migrator.target import indexes
from migrator.target.mongo.connection.session import Session

Answer = Literal["built", "refused", "unknown"]

KINDS = (
    IndexSpec("unique", (("n", 1),), unique=True),
    IndexSpec("unique and partial", (("n", 1),), unique=True, nullable=(("n", ("int", "long")),)),
    IndexSpec("with a collation", (("t", 1),), collation='{"locale": "en", "strength": 2}'),
    IndexSpec("expiring", (("d", 1),), expire_after_seconds=3600),
    IndexSpec("text", (("t", "text"),)),
    IndexSpec("hashed", (("n", "hashed"),)),
    IndexSpec("2dsphere", (("g", "2dsphere"),)),
)

# What servers say of a kind of index that they don't have. Everything else (rights, time, space, a failover) says
# nothing about the kind.
_NOT_SUPPORTED = frozenset(
    (
        2,  # BadValue
        9,  # FailedToParse
        14,  # TypeMismatch
        20,  # IllegalOperation
        59,  # CommandNotFound
        67,  # CannotCreateIndex
        72,  # InvalidOptions
        115,  # CommandNotSupported
        197,  # InvalidIndexSpecificationOption
        238,  # NotImplemented
        303,  # "Feature not supported" of Amazon DocumentDB
        323,  # APIStrictError
    )
)


@dataclass(frozen=True, slots=True)
class IndexTrial:
    """One kind of index, tried.

    Attributes:
        kind: as a person calls it.
        answer: `refused` only where the server says that it doesn't support the kind; `unknown` when the trial failed
            for another reason.
        reason: the server's words, "" for `built`.
    """

    kind: str
    answer: Answer
    reason: str = ""


def try_kinds(session: Session, name: str, kinds: Sequence[IndexSpec] = KINDS) -> tuple[IndexTrial, ...]:
    """Builds one index of each kind, each in an empty collection of its own, which is dropped again.

    The collections are called `name` with a number, so that no index can stand in the way of another: servers before
    MongoDB 5.0 refuse a second index with the same keys.
    """
    return tuple(_try(session, f"{name}_{number}", spec) for number, spec in enumerate(kinds))


def _try(session: Session, name: str, spec: IndexSpec) -> IndexTrial:
    try:
        session.once(lambda: session.database.command("createIndexes", name, indexes=[indexes.document(spec)]))
    except TargetError as error:
        return IndexTrial(spec.name, "refused" if _is_refusal(error) else "unknown", error.what)
    finally:
        # A server that answers no more leaves an empty collection; its name says whose it is.
        with suppress(TargetError):
            session.once(lambda: session.database.drop_collection(name))
    return IndexTrial(spec.name, "built")


def _is_refusal(error: TargetError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OperationFailure) and cause.code in _NOT_SUPPORTED
