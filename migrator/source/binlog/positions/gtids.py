"""Sets of GTIDs as both servers print them. Pure.

https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html (sources, tags, intervals)
https://mariadb.com/kb/en/gtid/ (domain-server-number; the last one of each domain)
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

# Source's uuid in lower case, and tag ("" for none).
Origin = tuple[str, str]


class GtidState(Protocol):
    """What has been read so far."""

    def add(self, gtid: str) -> None:
        """Takes in one transaction."""
        ...

    @property
    def text(self) -> str:
        """As the server prints and takes it."""
        ...


class MySQLGtids:
    """A set of transactions: of each source (and tag) the numbers, as intervals."""

    def __init__(self, text: str = "") -> None:
        self._intervals: dict[Origin, list[tuple[int, int]]] = {}
        self._texts: dict[str, str] = {}
        for part in filter(None, "".join(text.split()).split(",")):
            source, *numbers = part.split(":")
            tag = ""
            for number in numbers:
                if not number[0].isdigit():
                    tag = number
                    continue
                first, _, last = number.partition("-")
                self._include((source.lower(), tag), int(first), int(last or first))

    def add(self, gtid: str) -> None:
        source, *tag, number = gtid.split(":")
        self._include((source.lower(), tag[0] if tag else ""), int(number), int(number))

    @property
    def text(self) -> str:
        sources = sorted({source for source, _ in self._intervals})
        return ",".join(self._of_source(source) for source in sources)

    @property
    def has_tags(self) -> bool:
        return any(tag for _, tag in self._intervals)

    def contains(self, other: MySQLGtids) -> bool:
        return all(self._holds(origin, one) for origin, found in other._intervals.items() for one in found)

    def count_beyond(self, other: MySQLGtids) -> int:
        """How many of these transactions `other` lacks."""
        return sum(
            last
            - first
            + 1
            - sum(max(0, min(last, b) - max(first, a) + 1) for a, b in other._intervals.get(origin, ()))
            for origin, found in self._intervals.items()
            for first, last in found
        )

    def _holds(self, origin: Origin, wanted: tuple[int, int]) -> bool:
        return any(first <= wanted[0] and wanted[1] <= last for first, last in self._intervals.get(origin, ()))

    def _include(self, origin: Origin, first: int, last: int) -> None:
        found = self._intervals.setdefault(origin, [])
        self._texts.pop(origin[0], None)
        at = bisect_right(found, (first, last))
        # The neighbour before may touch it, and so may any number of those after it.
        if at and found[at - 1][1] >= first - 1:
            at -= 1
        end = at
        while end < len(found) and found[end][0] <= last + 1:
            first, last = min(first, found[end][0]), max(last, found[end][1])
            end += 1
        found[at:end] = [(first, last)]

    def _of_source(self, source: str) -> str:
        known = self._texts.get(source)
        if known is None:
            parts = [source]
            for origin in sorted(one for one in self._intervals if one[0] == source):
                parts += [origin[1]] if origin[1] else []
                parts += [str(a) if a == b else f"{a}-{b}" for a, b in self._intervals[origin]]
            known = self._texts[source] = ":".join(parts)
        return known


class MariaDBGtids:
    """The last transaction of each domain."""

    def __init__(self, text: str = "") -> None:
        self._last: dict[int, str] = {}
        for part in filter(None, "".join(text.split()).split(",")):
            self.add(part)

    def add(self, gtid: str) -> None:
        self._last[int(gtid.partition("-")[0])] = gtid

    @property
    def text(self) -> str:
        return ",".join(self._last[domain] for domain in sorted(self._last))


def has_reached(here: str, wanted: str) -> bool:
    """Whether MariaDB's `here` has numbers at least as high as `wanted` in each of its domains."""
    numbers = {gtid.split("-")[0]: int(gtid.split("-")[2]) for gtid in here.split(",") if gtid}
    return all(numbers.get(one.split("-")[0], -1) >= int(one.split("-")[2]) for one in wanted.split(",") if one)


class NoGtids:
    """Of a server that numbers no transactions."""

    text = ""

    def add(self, gtid: str) -> None:
        raise AssertionError(f"{gtid} from a server without GTIDs")
