"""What the server says an SQL expression over one row of a table is, asked without reading a row."""

from __future__ import annotations

from typing import Protocol

import pymysql.err
from pymysql.constants import FIELD_TYPE, FLAG

from migrator.errors import SourceError
from migrator.model.schema.tables import Column, ColumnName
from migrator.source.connection.connect import connected_raw
from migrator.source.connection.failure import error_code, translate
from migrator.source.connection.url import SourceUrl
from migrator.source.sql.statements import join_probe, probe

_BINARY = 63  # id of the collation `binary`
_BYTES_PER_CHARACTER = 4  # lengths are in bytes of the session's utf8mb4
_VECTOR = 242  # MYSQL_TYPE_VECTOR, unknown to the driver
_NO_FRACTION = 31  # NOT_FIXED_DEC

_INTEGERS = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
}
_PLAIN = {
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.GEOMETRY: "geometry",
    _VECTOR: "vector",
    # The type of a bare NULL; text of no length fits it.
    FIELD_TYPE.NULL: "varchar",
}
_TEMPORAL = {FIELD_TYPE.DATETIME: "datetime", FIELD_TYPE.TIMESTAMP: "timestamp", FIELD_TYPE.TIME: "time"}
_BLOBS = (FIELD_TYPE.TINY_BLOB, FIELD_TYPE.BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB)
# ER_CANT_AGGREGATE_2COLLATIONS; MariaDB's ER_ILLEGAL_PARAMETER_DATA_TYPES2_FOR_OPERATION.
_NOT_COMPARABLE = (1267, 4078)
# The expression itself is wrong, as opposed to the server or the account. MySQL error reference.
_BAD_EXPRESSION = frozenset((1054, 1064, 1052, 1111, 1305, 1582, 1583, 1584, 1267, 1271, 1241, 1630, 3593))


class ResultField(Protocol):
    """Metadata of one column of a result: PyMySQL's FieldDescriptorPacket. Lengths are in bytes."""

    type_code: int
    flags: int
    charsetnr: int
    length: int
    scale: int


def describe(url: SourceUrl, schema: str, table: str, expression: str) -> Column:
    """The expression's result as a column whose name is the expression's text.

    An ENUM or SET expression is text: its members are not in the answer.

    Raises:
        SourceError: with the server's message when it can't compute the expression.
        SourceUnavailable: when the server can't be asked.
    """
    with connected_raw(url) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(probe(schema, table, expression))
        except pymysql.err.MySQLError as error:
            if error_code(error) not in _BAD_EXPRESSION:
                raise
            said = translate(error, url)
            raise SourceError(
                f"the server can't compute `{expression}`: {said.what}",
                where=f"{schema}.{table}",
                hint="Write one SQL expression over the columns of this table.",
            ) from error
        # The flags and the character set are only here, PEP 249's description lacks them.
        fields: list[ResultField] = cursor._result.fields
    if len(fields) != 1:
        raise SourceError(
            f"`{expression}` has {len(fields)} values", where=f"{schema}.{table}", hint="Write one SQL expression."
        )
    return column_of(fields[0], expression)


def can_compare(url: SourceUrl, left: ColumnName, right: ColumnName) -> bool:
    """Whether the server compares columns of two tables, (database, table, column) each. Text of two character sets may
    not be comparable, nor by two collations.

    Raises:
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected_raw(url) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(join_probe(left, right))
        except pymysql.err.MySQLError as error:
            if error_code(error) in _NOT_COMPARABLE:
                return False
            raise
    return True


def column_of(field: ResultField, name: str) -> Column:
    """A column from a result's metadata.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
    """
    nullable = not field.flags & FLAG.NOT_NULL
    sign = " unsigned" if field.flags & FLAG.UNSIGNED else ""
    code, decimals = field.type_code, field.scale
    if code in _INTEGERS:
        fill = " zerofill" if field.flags & FLAG.ZEROFILL else ""
        return Column(name, _INTEGERS[code], f"{_INTEGERS[code]}{sign}{fill}", nullable)
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        # my_decimal_precision_to_length turned around: the length counts the point and the sign.
        precision = field.length - (decimals > 0) - (not sign)
        return Column(
            name, "decimal", f"decimal({precision},{decimals}){sign}", nullable, precision=precision, scale=decimals
        )
    if code in _TEMPORAL:
        fraction = 0 if decimals >= _NO_FRACTION else decimals
        kind = _TEMPORAL[code]
        return Column(name, kind, f"{kind}({fraction})" if fraction else kind, nullable, fraction=fraction)
    if code == FIELD_TYPE.BIT:
        return Column(name, "bit", f"bit({field.length})", nullable, length=field.length)
    if code in _PLAIN:
        return Column(name, _PLAIN[code], _PLAIN[code] + (sign if code in _REALS else ""), nullable)
    return _string(field, name, nullable)


_REALS = (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE)


def _string(field: ResultField, name: str, nullable: bool) -> Column:
    if field.charsetnr == _BINARY:
        if field.type_code in _BLOBS or field.length > 65535:
            return Column(name, "longblob", "longblob", nullable, length=field.length)
        kind = "binary" if field.type_code == FIELD_TYPE.STRING else "varbinary"
        return Column(name, kind, f"{kind}({field.length})", nullable, length=field.length)
    length = field.length // _BYTES_PER_CHARACTER
    if field.type_code in _BLOBS or length > 16383:
        return Column(name, "longtext", "longtext", nullable, length=length, charset="utf8mb4")
    # The characters arrive converted, whatever set and collation they have inside the server.
    return Column(name, "varchar", f"varchar({length})", nullable, length=length, charset="utf8mb4")
