"""A watched table as one table map event describes it: where its wanted columns are, and its rows' changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from migrator.errors import LogLost, SyncBlocked
from migrator.model.change.events import RowChange, Watch
from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column
from migrator.source.binlog.events.packets import Kind, length_encoded
from migrator.source.binlog.rows.column_values import Charsets, Convert, Undecodable, converter
from migrator.source.binlog.rows.row_images import ImageReader, compile_image
from migrator.source.binlog.rows.table_map import LoggedColumn, TableMap, Type

CHANGES_AT_ONCE = 1000

_NAMES_HINT = (
    "SET GLOBAL binlog_row_metadata = 'FULL'; and have the applications reconnect, so that the log names the "
    "columns. Then `migrator apply` again."
)
_AGAIN = "Then `migrator apply` again: what such events changed can't be told from the log."
_IMAGE_HINT = f"SET GLOBAL binlog_row_image = 'FULL'; and look for sessions that set it for themselves. {_AGAIN}"

_INSERTS = frozenset((Kind.WRITE_ROWS_V1, Kind.WRITE_ROWS))
_DELETES = frozenset((Kind.DELETE_ROWS_V1, Kind.DELETE_ROWS))
_SECOND_VERSION = frozenset((Kind.WRITE_ROWS, Kind.UPDATE_ROWS, Kind.DELETE_ROWS))


@dataclass(frozen=True)
class WatchedTable:
    """Attributes:
    watch: what is wanted of it.
    columns: all that the table had when the event was written.
    places: of the wanted columns among them, in the order of `watch.columns`.
    convert: how each of those is converted.
    """

    watch: Watch
    columns: tuple[LoggedColumn, ...]
    places: tuple[int, ...]
    convert: Mapping[int, Convert]
    _images: dict[bytes, ImageReader] = field(default_factory=dict)

    @classmethod
    def of(cls, watch: Watch, logged: TableMap, charsets: Charsets) -> WatchedTable:
        """Raises SyncBlocked where the event is of none of the tables that are known, or values can't be had exactly:
        as for `watch.table`."""
        try:
            return cls._of(watch, logged, charsets)
        except SyncBlocked:
            for other in watch.others:
                with suppress(SyncBlocked):
                    return cls._of(replace(watch, table=other), logged, charsets)
            raise

    @classmethod
    def _of(cls, watch: Watch, logged: TableMap, charsets: Charsets) -> WatchedTable:
        places = _places_by_name(watch, logged) if logged.names is not None else _places_by_order(watch, logged)
        convert: dict[int, Convert] = {}
        for name, place in zip(watch.columns, places, strict=True):
            try:
                convert[place] = converter(_column(watch, name), logged.columns[place], charsets)
            except Undecodable as reason:
                raise blocked_column(watch, name, str(reason)) from None
        return cls(watch, logged.columns, places, convert)

    def changes(self, kind: int, body: bytes) -> Iterator[tuple[RowChange, ...]]:
        """The rows of an event, some at a time.

        Raises:
            SyncBlocked: when the row images lack a wanted column.
        """
        at = 8
        if kind in _SECOND_VERSION:
            at += int.from_bytes(body[8:10], "little")  # extra data, these two bytes included
        count, at = length_encoded(body, at)
        width = (count + 7) // 8
        first = self._image(body[at : at + width])
        self._require(first)
        at += width
        if kind in _INSERTS or kind in _DELETES:
            yield from self._single(first, body, at, is_insert=kind in _INSERTS)
        else:
            second = self._image(body[at : at + width])
            yield from self._pairs(first, second, body, at + width)

    def _single(self, image: ImageReader, body: bytes, at: int, *, is_insert: bool) -> Iterator[tuple[RowChange, ...]]:
        read, end = image.read, len(body)
        while at < end:
            found: list[RowChange] = []
            while at < end and len(found) < CHANGES_AT_ONCE:
                values, at = read(body, at)
                found.append(RowChange(None, values) if is_insert else RowChange(values, None))
            yield tuple(found)

    def _pairs(self, before: ImageReader, after: ImageReader, body: bytes, at: int) -> Iterator[tuple[RowChange, ...]]:
        end = len(body)
        while at < end:
            found: list[RowChange] = []
            while at < end and len(found) < CHANGES_AT_ONCE:
                old, at = before.read(body, at)
                new, at = after.read(body, at)
                if after.absent:
                    # A column that the second image lacks was not changed, in whichever format.
                    new = tuple(old[place] if place in after.absent else value for place, value in enumerate(new))
                found.append(RowChange(old, new))
            yield tuple(found)

    def _image(self, present: bytes) -> ImageReader:
        known = self._images.get(present)
        if known is None:
            known = self._images[present] = compile_image(self.columns, present, self.places, self.convert)
        return known

    def _require(self, image: ImageReader) -> None:
        if image.absent:
            missing = ", ".join(self.watch.columns[place] for place in image.absent)
            raise LogLost(
                f"a row event lacks the columns {missing}: a session has binlog_row_image = MINIMAL",
                where=self.watch.table.qualified,
                hint=_IMAGE_HINT,
            )


def _column(watch: Watch, name: str) -> Column:
    """A column of the table as it is known; one that it has not is one of another definition."""
    column = watch.table.by_name.get(name)
    if column is None:
        raise Undecodable("the table as it is known has no such column")
    return column


def blocked_column(watch: Watch, name: str, reason: str) -> SyncBlocked:
    return SyncBlocked(
        f"changes of this column can't be followed: {reason}",
        where=f"{watch.table.qualified}.{name}",
        hint="Leave the column out of keys and joins of the mapping, or change its type; then `migrator apply` again.",
    )


def _places_by_name(watch: Watch, logged: TableMap) -> tuple[int, ...]:
    by_name = {name: place for place, name in enumerate(logged.names or ())}
    missing = [name for name in watch.columns if name not in by_name]
    if missing:
        raise LogLost(
            f"a row event is of a table without the columns {', '.join(missing)}",
            where=watch.table.qualified,
            hint="The table was changed since the mapping was applied: `migrator apply` again.",
        )
    return tuple(by_name[name] for name in watch.columns)


def _places_by_order(watch: Watch, logged: TableMap) -> tuple[int, ...]:
    """The log names no columns: they are those of the schema if their number and types are."""
    columns = watch.table.columns
    missing = [name for name in watch.columns if name not in watch.table.by_name]
    if missing:
        what = f"a row event is of a table without the columns {', '.join(missing)}"
        raise LogLost(what, where=watch.table.qualified, hint=_NAMES_HINT)
    if len(columns) != len(logged.columns):
        what = f"a row event has {len(logged.columns)} columns, the table {len(columns)}"
        what += " that the account may read" if watch.table.denied_to else ""
        raise LogLost(what, where=watch.table.qualified, hint=_NAMES_HINT)
    for column, found in zip(columns, logged.columns, strict=True):
        if not _is_like(column, found):
            raise LogLost(
                f"a row event has another type ({found.type.name}) than the table has now ({column.column_type})",
                where=f"{watch.table.qualified}.{column.name}",
                hint=_NAMES_HINT,
            )
    places = {column.name: place for place, column in enumerate(columns)}
    return tuple(places[name] for name in watch.columns)


_BLOBS = frozenset((Type.BLOB, Type.TINY_BLOB, Type.MEDIUM_BLOB, Type.LONG_BLOB, Type.BLOB_COMPRESSED))
_VARIABLE = frozenset((Type.VARCHAR, Type.VAR_STRING, Type.VARCHAR_COMPRESSED))
_LIKE: dict[str, frozenset[Type]] = {
    "tinyint": frozenset((Type.TINY,)),
    "smallint": frozenset((Type.SHORT,)),
    "mediumint": frozenset((Type.INT24,)),
    "int": frozenset((Type.LONG,)),
    "bigint": frozenset((Type.LONGLONG,)),
    "float": frozenset((Type.FLOAT,)),
    "double": frozenset((Type.DOUBLE,)),
    "decimal": frozenset((Type.NEWDECIMAL,)),
    "date": frozenset((Type.DATE, Type.NEWDATE)),
    "datetime": frozenset((Type.DATETIME, Type.DATETIME2)),
    "timestamp": frozenset((Type.TIMESTAMP, Type.TIMESTAMP2)),
    "time": frozenset((Type.TIME, Type.TIME2)),
    "year": frozenset((Type.YEAR,)),
    "bit": frozenset((Type.BIT,)),
    "enum": frozenset((Type.ENUM,)),
    "set": frozenset((Type.SET,)),
    "varchar": _VARIABLE,
    "varbinary": _VARIABLE,
    "char": frozenset((Type.STRING,)),
    "binary": frozenset((Type.STRING,)),
    "uuid": frozenset((Type.STRING,)),
    "inet4": frozenset((Type.STRING,)),
    "inet6": frozenset((Type.STRING,)),
    "json": frozenset((Type.JSON,)) | _BLOBS,
    "vector": frozenset((Type.VECTOR,)) | _VARIABLE,
}
_BYTES_A_CHARACTER = {"utf8mb4": 4, "utf8mb3": 3, "utf8": 3, "latin1": 1, "ascii": 1, None: 1}


def _is_like(column: Column, logged: LoggedColumn) -> bool:
    """Whether a column may have been logged so, as far as the log tells."""
    expected = _LIKE.get(column.data_type)
    if expected is None:
        expected = frozenset((Type.GEOMETRY,)) if family_of(column) == "geometry" else _BLOBS
    if logged.type not in expected:
        return False
    match logged.type:
        case Type.NEWDECIMAL:
            return logged.meta == (column.precision or 0) << 8 | (column.scale or 0)
        case Type.DATETIME2 | Type.TIMESTAMP2 | Type.TIME2:
            return logged.meta == (column.fraction or 0)
        case Type.BIT:
            return logged.meta == column.length
        case Type.VARCHAR | Type.STRING:
            width = _BYTES_A_CHARACTER.get(column.charset)
            return width is None or column.length is None or logged.meta == column.length * width
    return True
