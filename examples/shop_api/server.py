"""HTTP around the views. An instance keeps nothing: any number may run, and any may be killed."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from examples.shop_api import views
from examples.shop_data import ShopData
from examples.shop_data.cache import Cache, open_store
from examples.shop_data.errors import BadCursor, NotFound

FANOUT_SECONDS = 5.0

_LOG = logging.getLogger(__name__)


class Queries(CommandListener):
    """Counts what a request sends to the database: the header X-Queries tells it."""

    def __init__(self) -> None:
        self._here = threading.local()

    def reset(self) -> None:
        self._here.count = 0

    @property
    def count(self) -> int:
        return getattr(self._here, "count", 0)

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "getMore", "aggregate"):
            self._here.count = self.count + 1

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


class Server(ThreadingHTTPServer):
    """One instance.

    Args:
        port: of 127.0.0.1; 0 for a free one.
        mongodb_url: with the shop's database.
        cache_url: `redis://…` or `memcached://…`, None for no cache.
        cache_seconds: time to live of what is cached.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, mongodb_url: str, cache_url: str | None, cache_seconds: float) -> None:
        self.queries = Queries()
        client: MongoClient[dict[str, Any]] = MongoClient(mongodb_url, event_listeners=[self.queries])
        cache = Cache(open_store(cache_url), seconds=cache_seconds, rest=0.2) if cache_url else None
        self.data = ShopData(client.get_default_database(), cache=cache)
        super().__init__(("127.0.0.1", port), Handler)
        # A running instance finishes what a killed one has begun.
        threading.Thread(target=self._fan_out, daemon=True).start()

    def _fan_out(self) -> None:
        while not threading.Event().wait(FANOUT_SECONDS):
            try:
                self.data.fanout()
            except PyMongoError as error:
                # The entries stay, and so does this thread: the next round tries again.
                _LOG.warning("the fan-out is put off: %s", error)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._answer("GET", None)

    def do_PATCH(self) -> None:
        self._answer("PATCH", json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or "{}"))

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _answer(self, method: str, body: Any) -> None:
        self.server.queries.reset()
        try:
            status, content = 200, self._call(method, body)
        except (views.Missing, NotFound) as error:
            status, content = 404, {"error": str(error)}
        except (BadCursor, KeyError, ValueError) as error:
            status, content = 400, {"error": str(error)}
        text = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Queries", str(self.server.queries.count))
        self.end_headers()
        self.wfile.write(text)

    def _call(self, method: str, body: Any) -> dict[str, Any]:
        url = urlsplit(self.path)
        if (method, url.path) == ("GET", "/orders"):
            return views.orders(self.server.data, dict(parse_qsl(url.query)))
        place = re.fullmatch(r"/(orders|customers)/(\d+)", url.path)
        if place is None:
            raise views.Missing(f"there is nothing at {url.path}")
        name, key = place[1], int(place[2])
        if method == "GET":
            reading: dict[str, Callable[[ShopData, int], dict[str, Any]]]
            reading = {"orders": views.order, "customers": views.customer}
            return reading[name](self.server.data, key)
        writing = {"orders": views.note_order, "customers": views.rename_customer}
        return writing[name](self.server.data, key, body)
