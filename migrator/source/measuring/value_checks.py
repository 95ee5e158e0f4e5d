"""Values of a row that have no exact place in a document: a condition in SQL for each, and what to say about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator.model.mapping.representation import DECIMAL128_DIGITS
from migrator.model.mapping.tree import Field
from migrator.model.plan.plan import DOLLAR_NAMES, Severity

INT64_MAX = 2**63 - 1

REJECTED = "their documents will be rejected"
"""What becomes of documents with such values."""


@dataclass(frozen=True, slots=True)
class ValueCheck:
    """A condition on one field's value.

    Attributes:
        condition: SQL, true for a row that has such a value; NULL counts as false.
        what: such values: `zero or partial dates`.
        then: what becomes of them: `they become null`; "" when that is the target's affair.
        fix: what to write instead, "" when nothing needs doing.
    """

    code: str
    severity: Severity
    condition: str
    what: str
    then: str
    fix: str = ""


def value_checks(field: Field, value: str) -> Iterator[ValueCheck]:
    """What can be wrong with a field's values; `value` is the field in SQL."""
    family, kind = field.value.family, field.value.kind
    if kind == "date":
        yield from _date(field, value)
    if kind == "decimal128" and family == "decimal" and (field.column.precision or 0) > DECIMAL128_DIGITS:
        whole = DECIMAL128_DIGITS - (field.column.scale or 0)
        yield ValueCheck(
            "big-decimal",
            "warning",
            f"ABS({value}) >= 1e{whole} AND LENGTH({_digits(field, value)}) > {DECIMAL128_DIGITS}",
            "numbers of more than the 34 digits of Decimal128",
            REJECTED,
            "Write `big_decimal: string` at the field: text for the whole column.",
        )
    if kind == "int64" and (family == "bit" or (family == "integer" and field.column.unsigned)):
        yield ValueCheck(
            "unsigned-overflow",
            "warning",
            f"{value} + 0 > {INT64_MAX}",
            "numbers above 2^63-1, BSON's largest integer",
            REJECTED,
            "Write `unsigned_overflow: decimal` (or `string`) at the field: one type for the whole column.",
        )
    if family == "text" and kind == "string" and field.column.charset in ("utf8mb4", "utf8mb3", "utf8", "ascii"):
        yield _text(field, value, str(field.column.charset))
    if (unfit := _unfit(field, value)) is not None:
        condition, what = unfit
        fix = "Fix the rows, or choose another `type:`."
        yield ValueCheck("unfit-value", "warning", condition, what, REJECTED, fix)


def map_key_checks(policy: str, key: str) -> Iterator[ValueCheck]:
    """Keys of an `as: map` that MongoDB's queries stumble over, and those that some servers don't replace."""
    severity, then, fix = of_names(policy)
    condition, what = f"{key} LIKE '%.%' OR {key} LIKE '$%'", "map keys with '.', or with '$' in front,"
    yield ValueCheck("json-keys", severity, condition, what, then, fix)
    if policy == "keep":
        # Some targets don't replace such documents: planning says what becomes of them.
        yield ValueCheck(DOLLAR_NAMES, "info", f"{key} LIKE '$%'", "map keys with '$' in front", "")


def of_names(policy: str) -> tuple[Severity, str, str]:
    """How bad names with '.' or with '$' in front are under a policy `json_keys`, what becomes of them, and the fix."""
    if policy == "reject":
        return "warning", REJECTED, "Write `json_keys: keep` to keep them as they are."
    then = "MongoDB stores them, queries need $getField for them"
    return "info", then, "`json_keys: reject` leaves such documents out."


def _date(field: Field, value: str) -> Iterator[ValueCheck]:
    policies = field.value.policies
    if (field.column.fraction or 0) > 3 and policies.submillisecond in ("truncate", "reject"):
        yield ValueCheck(
            "lossy-microseconds",
            "warning",
            f"MICROSECOND({value}) % 1000 <> 0",
            "microseconds",
            "BSON dates have milliseconds, the rest is cut" if policies.submillisecond == "truncate" else REJECTED,
            "Write `submillisecond: companion` at the field to keep them in a second field, or `string` for text.",
        )
    # Not a day of the calendar: a part is 0, or ALLOW_INVALID_DATES let it in.
    no_day = (
        f"{value} IS NOT NULL AND (TO_DAYS({value}) IS NULL OR YEAR({value}) = 0 OR (DAYOFMONTH({value}) > 28"
        f" AND DAYOFMONTH({value}) > DAYOFMONTH(LAST_DAY(DATE_FORMAT({value}, '%Y-%m-01')))))"
    )
    what = "zero or partial dates (as '0000-00-00' or '2024-00-10')"
    match policies.zero_date:
        case "reject":
            fix = "Write `zero_date: null` (or `string`, to keep the text) at the field or under `policies:`."
            yield ValueCheck("lossy-zero-date", "warning", no_day, what, REJECTED, fix)
        case "null":
            yield ValueCheck("lossy-zero-date", "info", no_day, what, "they become null (policy zero_date)")
        case "string":
            yield ValueCheck("lossy-zero-date", "info", no_day, what, "they stay text among dates (policy zero_date)")


def _digits(field: Field, value: str) -> str:
    """The significant digits of a DECIMAL; zeros at the end of the decimals are none."""
    text = f"TRIM(TRAILING '0' FROM {value})" if field.column.scale else value
    return f"TRIM(LEADING '0' FROM REPLACE(REPLACE({text}, '-', ''), '.', ''))"


def _text(field: Field, value: str, charset: str) -> ValueCheck:
    raw = f"CAST({value} AS BINARY)"
    # What isn't valid doesn't survive a conversion. From ASCII it must start as text: any byte may become UTF-8.
    start = value if charset == "ascii" else raw
    condition = f"NOT ({raw} <=> CAST(CONVERT({start} USING utf8mb4) AS BINARY))"
    what = f"bytes that are no {charset} text"
    if field.value.policies.invalid_text == "binary":
        return ValueCheck("invalid-text", "info", condition, what, "they become binary (policy invalid_text)")
    fix = "Write `invalid_text: binary` at the field, or fix the rows."
    return ValueCheck("invalid-text", "warning", condition, what, REJECTED, fix)


def _unfit(field: Field, value: str) -> tuple[str, str] | None:
    """Values that the field's `type:` can't hold."""
    match field.value.family, field.value.kind:
        case "text", "uuid":
            return f"REPLACE({value}, '-', '') NOT REGEXP '^[0-9A-Fa-f]{{32}}$'", "text that is not a UUID"
        case "text", "objectid":
            return f"{value} NOT REGEXP '^[0-9A-Fa-f]{{24}}$'", "text that is not an ObjectId"
        case "text", "decimal128":
            number = "^[[:space:]]*[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?[[:space:]]*$"
            return f"{value} NOT REGEXP '{number}'", "text that is not a decimal number"
        case "binary", "uuid" if field.column.column_type != "binary(16)":
            return f"LENGTH({value}) <> 16", "bytes that are not a UUID (16 bytes)"
        case "binary", "objectid" if field.column.column_type != "binary(12)":
            return f"LENGTH({value}) <> 12", "bytes that are not an ObjectId (12 bytes)"
        case "binary", "string":
            return f"NOT ({value} <=> CAST(CONVERT({value} USING utf8mb4) AS BINARY))", "bytes that are not UTF-8 text"
        case "decimal", "int64":
            return (
                f"{value} <> TRUNCATE({value}, 0) OR ABS({value}) > {INT64_MAX}",
                "numbers that are not whole or don't fit 64 bits",
            )
    return None
