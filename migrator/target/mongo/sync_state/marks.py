"""Numbers that order what sync stores: each is higher than all that were taken before."""

from __future__ import annotations

from migrator.target.mongo import counter
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.sync_state.scope_documents import SYNC

_MARKS = "marks"


def take_marks(session: Session, count: int) -> int:
    """The first of `count` numbers that are above all taken before."""
    return counter.take(session, SYNC, _MARKS, count)
