"""Makes a collection unless it is there: outside of transactions, in which not every server can."""

from __future__ import annotations

from pymongo.errors import OperationFailure

from migrator.target.mongo.connection.session import Session

_NAMESPACE_EXISTS = 48


def ensure_collection(session: Session, name: str) -> None:
    """An empty collection `name`, or what is there under that name. One attempt: `Session.retried` repeats it."""
    try:
        session.database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
