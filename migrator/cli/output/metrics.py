"""Metrics of a sync for Prometheus, at http://ADDRESS:PORT/metrics. Needs the extra `metrics`."""

from __future__ import annotations

from math import inf, nan

from migrator.errors import SettingsError
from migrator.model.change.events import SyncReport
from migrator.model.report.activity import PHASES, Activity

_STATES = ("unknown", "catching-up", "following", "standby", "stopped")


class Metrics:
    """Implements the observer of sync; serves what was reported last."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
        except ImportError:
            raise SettingsError(
                "--metrics needs the package prometheus-client", hint="pip install 'migrator[metrics]'"
            ) from None
        registry = CollectorRegistry()
        self._lag = Gauge("migrator_sync_lag_seconds", "Seconds behind the source", registry=registry)
        self._transactions = Gauge(
            "migrator_sync_lag_transactions", "Transactions behind the source", registry=registry
        )
        self._dirty = Gauge("migrator_sync_dirty", "Recorded changes that wait", registry=registry)
        self._expires = Gauge(
            "migrator_log_expires_seconds", "Seconds until the log that is needed may be purged", registry=registry
        )
        self._state = Gauge("migrator_sync_state", "1 for the state it is in", ["state"], registry=registry)
        self._phase = Gauge("migrator_phase", "1 for the phase it is in", ["phase"], registry=registry)
        self._waiting = Gauge("migrator_waiting_seconds", "How long the current wait has lasted", registry=registry)
        self._changes = Counter("migrator_sync_changes", "Row changes read", registry=registry)
        self._documents = Counter("migrator_sync_documents", "Documents written or deleted", registry=registry)
        self._before = (0, 0)
        try:
            self._server, self._thread = start_http_server(port, addr=address, registry=registry)
        except OSError as error:
            raise SettingsError(
                f"the port for metrics can't be opened: {error.strerror}",
                where=f"{address}:{port}",
                hint="Choose another.",
            ) from None

    def reported(self, report: SyncReport) -> None:
        # NaN is Prometheus' way to say that there is no number; what was said before must not stay.
        self._lag.set(nan if report.lag_seconds is None else report.lag_seconds)
        self._dirty.set(report.dirty)
        self._transactions.set(nan if report.lag_transactions is None else report.lag_transactions)
        self._expires.set(inf if report.expires_in is None else report.expires_in)
        for state in _STATES:
            self._state.labels(state).set(report.state == state)
        changes, documents = self._before
        self._changes.inc(report.changes - changes)
        self._documents.inc(report.documents - documents)
        self._before = report.changes, report.documents

    def doing(self, activity: Activity) -> None:
        for name in PHASES:
            is_at_it = name == activity.phase.name or (activity.beside is not None and name == activity.beside.name)
            self._phase.labels(name).set(is_at_it)
        self._waiting.set(0.0 if activity.waiting is None else activity.waiting.seconds)

    def note(self, text: str) -> None:
        """Numbers only."""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
