"""Premise A: what is read must come from the server that positions and documents are of."""

from __future__ import annotations

from migrator.errors import PlanRefused
from migrator.model.change.position import ServerIdentity
from migrator.ports.copy import Source

ONE_ADDRESS = "Give the address of one server, not of a proxy or balancer that spreads connections over several."


def require_server(source: Source, wanted: ServerIdentity, made: str, *, where: str = "", first: str = "") -> None:
    """
    Args:
        made: what ties the work to `wanted`, followed by "another server" in the message.
        first: what to do, before the advice that always holds.

    Raises:
        PlanRefused: when `source` is another server.
    """
    found = source.identity()
    if found.uuid != wanted.uuid:
        what = f"{made} another server ({wanted.uuid}, this one is {found.uuid})"
        raise PlanRefused(what, where=where, hint=f"{first} {ONE_ADDRESS}".strip())
