"""A TCP proxy between driver and stand-in: passes on what MongoDB takes, and refuses what MongoDB refuses."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import bson
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.mongodb_rules import documents, indexes
from tests.mongodb_rules.catalog import Catalog, name_of
from tests.mongodb_rules.model import Refusal
from tests.mongodb_rules.transactions import Transactions
from tests.mongodb_rules.wire import HEADER, OPTIONS, SEQUENCES, Message, answer_to

_CHUNK = 1 << 18
_DDL = {"drop", "create", "createIndexes", "dropIndexes", "renameCollection", "collMod", "dropDatabase"}
_ENDS = {"commitTransaction", "abortTransaction", "killSessions", "killAllSessions", "endSessions"}
_FOREVER = 1e6


class _Gone(Exception):
    """One end has closed its connection."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a write: the operations that are passed on, by their place, and those that are refused."""

    passed: tuple[int, ...]
    refused: Mapping[int, Refusal]


class Proxy:
    """Accepts connections on 127.0.0.1:port, and has one to the server for each of them."""

    def __init__(self, port: int, server_port: int) -> None:
        self._server_port = server_port
        url = f"mongodb://127.0.0.1:{server_port}/?directConnection=true"
        self._client = MongoClient[dict[str, Any]](url, connect=False, serverSelectionTimeoutMS=5000)
        self._catalog = Catalog(self._client)
        self._transactions = Transactions()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)

    def serve(self) -> None:
        """Never returns."""
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        with closing(client), suppress(_Gone, OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                self._lost()
                return
            with closing(server):
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    self._exchange(client, server, Message(_message(client)))

    def _exchange(self, client: socket.socket, server: socket.socket, request: Message) -> None:
        """One request and its answer, or answers."""
        name = request.name() if request.is_command else ""
        if name in _DDL:
            self._ddl(client, server, name, request)
            return
        if name in _ENDS or (name and b"autocommit\x00" in request.raw and request.body.get("autocommit") is False):
            self._transactions.asked(name, request.body)
            verdict = self._verdict(name, request)
            if verdict and verdict.refused:
                # The first error ends a transaction, and with it all that came before.
                first = min(verdict.refused)
                answer = _failed(_nothing_done(name), {first: verdict.refused[first]})
                self._transactions.refused(request.body)
                client.sendall(answer_to(request, answer).raw)
                return
            reply = self._ask(client, server, request)
            self._transactions.answered(name, request.body, reply.body)
            client.sendall(reply.raw)
            return
        verdict = self._verdict(name, request)
        if verdict is None or not verdict.refused:
            server.sendall(request.raw)
            if not request.more_to_come:
                while self._stream_answer(client, server):
                    pass
            return
        reply = self._partly(client, server, name, request, verdict)
        if not request.more_to_come:
            client.sendall(reply.raw)

    # --- documents ---

    def _verdict(self, name: str, request: Message) -> _Verdict | None:
        """None for what is no write, or needs no look."""
        if name == "findAndModify":
            return self._modification(request)
        if name not in ("insert", "update"):
            return None
        rules = self._catalog.refusing(request.body["$db"], request.body[name])
        if not rules and (name == "insert" or b"$" not in request.raw):
            return None
        raw = request.sequence(SEQUENCES[name])
        refused: dict[int, Refusal] = {}
        passed: list[int] = []
        for place, each in enumerate(raw):
            found = self._insert(each, rules) if name == "insert" else self._update(each, rules)
            if found is None:
                passed.append(place)
                continue
            refused[place] = found
            if request.body.get("ordered", True):
                break
        return _Verdict(tuple(passed), refused)

    def _insert(self, raw: bytes, rules: Sequence[documents.Index]) -> Refusal | None:
        document: dict[str, Any] = bson.decode(raw, OPTIONS)
        return documents.refusal(document, rules)

    def _update(self, raw: bytes, rules: Sequence[documents.Index]) -> Refusal | None:
        if not rules and b"$" not in raw:
            return None
        update: dict[str, Any] = bson.decode(raw, OPTIONS)
        return _replacement(update.get("u"), rules)

    def _modification(self, request: Message) -> _Verdict | None:
        rules = self._catalog.refusing(request.body["$db"], request.body["findAndModify"])
        found = _replacement(request.body.get("update"), rules)
        return _Verdict((), {0: found}) if found else None

    def _partly(
        self, client: socket.socket, server: socket.socket, name: str, request: Message, verdict: _Verdict
    ) -> Message:
        """Sends what MongoDB takes, and says of the rest why it doesn't."""
        if name == "findAndModify":
            return answer_to(request, _error(verdict.refused[0]))
        if not verdict.passed:
            return answer_to(request, _failed(_nothing_done(name), verdict.refused))
        raw = request.sequence(SEQUENCES[name])
        some = request.only(SEQUENCES[name], [raw[place] for place in verdict.passed])
        reply = self._ask(client, server, some)
        answer = reply.body
        if not answer.get("ok"):
            return reply
        for each in (*answer.get("writeErrors", ()), *answer.get("upserted", ())):
            each["index"] = verdict.passed[each["index"]]
        if request.body.get("ordered", True) and answer.get("writeErrors"):
            return reply.answered(answer, request.request_id)
        return reply.answered(_failed(answer, verdict.refused), request.request_id)

    # --- definitions ---

    def _ddl(self, client: socket.socket, server: socket.socket, name: str, request: Message) -> None:
        body = request.body
        database, touched = _touched(name, body)
        seconds = body["maxTimeMS"] / 1000 if body.get("maxTimeMS") else _FOREVER
        try:
            while session := self._transactions.wait_for(database, touched, body, seconds):
                # As MongoDB does after transactionLifetimeLimitSeconds.
                with suppress(PyMongoError):
                    self._client.admin.command("killSessions", [{"id": bson.Binary(session, 4)}])
        except TimeoutError:
            refusal = Refusal(50, "MaxTimeMSExpired", "operation exceeded time limit")
            client.sendall(answer_to(request, _error(refusal)).raw)
            return
        refused = self._refused_indexes(body) if name == "createIndexes" else None
        if refused is not None:
            client.sendall(answer_to(request, _error(refused)).raw)
            return
        self._catalog.forget(database, touched)
        reply = self._ask(client, server, request)
        self._catalog.forget(database, touched)
        client.sendall(reply.raw)

    def _refused_indexes(self, body: Mapping[str, Any]) -> Refusal | None:
        database, collection = body["$db"], body["createIndexes"]
        present = list(self._catalog.indexes(database, collection))
        new: list[documents.Index] = []
        for spec in body["indexes"]:
            named = {**spec, "name": spec.get("name") or name_of(spec["key"])}
            if found := indexes.refusal(named, present):
                return found
            present.append(documents.Index(named))
            new.append(documents.Index(named))
        looking = [each for each in new if each.can_refuse]
        if not looking:
            return None
        for document in self._catalog.documents(database, collection):
            if found := documents.refusal(document, looking):
                return found
        return None

    # --- connections ---

    def _ask(self, client: socket.socket, server: socket.socket, request: Message) -> Message:
        server.sendall(request.raw)
        self._wait(client, server)
        try:
            return Message(_message(server))
        except (_Gone, OSError):
            self._lost()
            raise

    def _stream_answer(self, client: socket.socket, server: socket.socket) -> bool:
        """Passes on one answer; True when another one follows."""
        self._wait(client, server)
        head = server.recv(_CHUNK)
        if not head:
            self._lost()
            raise _Gone
        while len(head) < 21:
            head += _exactly(server, 21 - len(head))
        (size, *_) = HEADER.unpack_from(head)
        client.sendall(head)
        left = size - len(head)
        while left > 0:
            some = server.recv(min(left, _CHUNK))
            if not some:
                self._lost()
                raise _Gone
            client.sendall(some)
            left -= len(some)
        return Message(head).more_to_come

    def _wait(self, client: socket.socket, server: socket.socket) -> None:
        """Until the server answers; ends when the client goes away first, as a killed process does."""
        poll = select.poll()
        poll.register(server, select.POLLIN)
        poll.register(client, select.POLLRDHUP)
        while True:
            ready = {handle for handle, _ in poll.poll()}
            if server.fileno() in ready:
                return
            raise _Gone

    def _lost(self) -> None:
        self._transactions.clear()
        self._catalog.clear()


def _replacement(update: object, rules: Sequence[documents.Index]) -> Refusal | None:
    """Of a whole document only; what operators make of one is not looked at."""
    if not isinstance(update, dict) or next(iter(update), "").startswith("$"):
        return None
    return documents.dollar_names(update) or documents.refusal(update, rules)


def _touched(name: str, body: Mapping[str, Any]) -> tuple[str, set[str] | None]:
    if name == "dropDatabase":
        return body["$db"], None
    if name == "renameCollection":
        database, _, one = body[name].partition(".")
        return database, {one, body["to"].partition(".")[2]}
    return body["$db"], {body[name]}


def _nothing_done(name: str) -> dict[str, Any]:
    return {"ok": 1.0, "n": 0, **({"nModified": 0} if name == "update" else {})}


def _failed(answer: Mapping[str, Any], refused: Mapping[int, Refusal]) -> dict[str, Any]:
    errors = [*answer.get("writeErrors", ())]
    errors += [{"index": place, "code": each.code, "errmsg": each.text} for place, each in refused.items()]
    return {**answer, "writeErrors": sorted(errors, key=lambda each: int(each["index"]))}


def _error(refusal: Refusal) -> dict[str, Any]:
    return {"ok": 0.0, "errmsg": refusal.text, "code": refusal.code, "codeName": refusal.name}


def _message(connection: socket.socket) -> bytes:
    size = _exactly(connection, 4)
    return size + _exactly(connection, int.from_bytes(size, "little") - 4)


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        some = connection.recv(min(size, _CHUNK))
        if not some:
            raise _Gone
        parts.append(some)
        size -= len(some)
    return b"".join(parts)
