"""The current place in a stream of events."""

from __future__ import annotations

from migrator.model.change.coordinates import log_coordinates
from migrator.source.binlog.events import packets
from migrator.source.binlog.events.packets import ARTIFICIAL, Event, Kind

_LOW = 1 << 32


class Cursor:
    """File and offset after the last event that was passed."""

    def __init__(self, file: str, offset: int) -> None:
        self.file = file
        self.offset = offset

    def pass_by(self, event: Event) -> None:
        """Moves to the end of an event; a ROTATE of either kind leads to another file."""
        if event.kind == Kind.ROTATE:
            self.file, self.offset = packets.rotation(event.body)
            return
        if not event.end or (event.flags & ARTIFICIAL and event.kind not in (Kind.HEARTBEAT, Kind.HEARTBEAT_V2)):
            return
        high = self.offset - self.offset % _LOW
        if event.end + high < self.offset:
            high += _LOW  # 32 bits are too few for a file with a huge transaction
        self.offset = max(self.offset, high + event.end)

    def is_at_least(self, file: str, offset: int) -> bool:
        return log_coordinates(self.file, self.offset) >= log_coordinates(file, offset)

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"
