"""JSON that a source lets pass and BSON, or MongoDB's users, could not tell from something else."""

from __future__ import annotations

import pytest

from migrator.documents.values.codec import Misfit
from migrator.documents.values.nested import encode_value, parse_json


@pytest.mark.parametrize("text", [b"1e999", b'{"a": [-1e999]}', b"NaN", b"Infinity", b'{"a":', b"\xff", b"1" * 5000])
def test_what_is_no_number_of_json_is_refused(text: bytes) -> None:
    with pytest.raises(Misfit):
        parse_json(text)


def test_usual_numbers_pass() -> None:
    assert parse_json(b"[1, 1.5, 1e300, 1e-999]") == [1, 1.5, 1e300, 0.0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": [{"b\\u0000": 1}]}', "key with a NUL character"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b"1" * 400, "beyond any double"),
        (b"1" * 5000, "beyond any double"),
    ],
)
def test_what_bson_cannot_hold_says_so_without_the_value(text: bytes, reason: str) -> None:
    with pytest.raises(Misfit, match=reason) as raised:
        encode_value(parse_json(text))
    assert "111" not in raised.value.reason
