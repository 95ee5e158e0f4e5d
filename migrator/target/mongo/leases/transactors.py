"""The driver's sessions in which the owner of a lease runs transactions, recorded so that its successor can end them.

A transaction whose owner was stopped or killed keeps its documents locked until the server gives it up, which takes a
minute (transactionLifetimeLimitSeconds). A successor need not wait for that.
"""

from __future__ import annotations

from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from migrator.errors import TargetUnavailable
from migrator.target.mongo.connection.failure import translate
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.store import LEASES, LeaseId


def begin(session: Session, lease: LeaseId) -> ClientSession:
    """A session of the driver that a successor knows of."""
    client = session.once(session.client.start_session)
    change = {"$addToSet": {"ids": client.session_id["id"]}}
    session.retried(lambda: session.database[LEASES].update_one(_of(lease), change, upsert=True))
    return client


def end_predecessors(session: Session, lease: LeaseId) -> None:
    """Gives up the transactions of whoever had the lease before. An account may do that to what it began itself."""
    leases = session.database[LEASES]
    found = session.retried(lambda: leases.find_one(_of(lease))) or {}
    if not found.get("ids"):
        return
    kill = [{"id": each} for each in found["ids"]]

    def attempt() -> None:
        try:
            session.client.admin.command("killSessions", kill)
        except OperationFailure as error:
            # A service that lacks the command gives them up after their minute all the same.
            if isinstance(translate(error, ""), TargetUnavailable):
                raise

    session.retried(attempt)
    session.retried(lambda: leases.update_one(_of(lease), {"$pull": {"ids": {"$in": found["ids"]}}}))


def _of(lease: LeaseId) -> dict[str, dict[str, str]]:
    return {"_id": {"sessions": lease}}
