"""What time it is at a server."""

from __future__ import annotations

from datetime import UTC, datetime

from migrator.target.mongo.connection.session import Session


def server_time(session: Session) -> datetime:
    """By the server's clock. After an election it is that of another machine."""
    hello = session.retried(lambda: session.client.admin.command("hello"))
    # Services that leave it out: this machine's clock is the best there is.
    found: datetime = hello.get("localTime", datetime.now(UTC))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
