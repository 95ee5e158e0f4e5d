"""A server that doesn't answer costs a test, not all that come after it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from pymongo import WriteConcern

from dev.servers.model import Given, Server
from dev.servers.probe import connect_mongodb
from dev.servers.process import Process
from tests import standin


def test_a_server_that_stands_still_is_started_again_with_its_data(
    mongod_factory: Callable[[], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mongod_factory()
    assert isinstance(server, Process)
    with connect_mongodb(server.url) as client:
        client["shop"]["orders"].with_options(write_concern=WriteConcern("majority", j=True)).insert_one({"_id": 1})
    before = server.pid
    standin.revive(server)
    assert server.pid == before
    monkeypatch.setattr(standin, "_PATIENCE_MS", 500)
    os.kill(before, signal.SIGSTOP)
    standin.revive(server)
    assert server.pid != before
    with connect_mongodb(server.url) as client:
        assert client["shop"]["orders"].count_documents({}) == 1


def test_a_server_of_the_users_is_left_alone(
    mongod_factory: Callable[[], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mongod_factory()
    assert isinstance(server, Process)
    monkeypatch.setattr(standin, "_PATIENCE_MS", 500)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(RuntimeError, match="belongs to you"):
            standin.revive(Given(server.url, "given"))
    finally:
        os.kill(server.pid, signal.SIGCONT)
