"""JSON that a source lets pass and BSON, or MongoDB's users, could not tell from something else."""

from __future__ import annotations

import pytest

from migrator.documents.values.codec import Misfit
from migrator.documents.values.nested import parse_json


@pytest.mark.parametrize("text", [b"1e999", b'{"a": [-1e999]}', b"NaN", b"Infinity", b'{"a":', b"\xff"])
def test_what_is_no_number_of_json_is_refused(text: bytes) -> None:
    with pytest.raises(Misfit):
        parse_json(text)


def test_usual_numbers_pass() -> None:
    assert parse_json(b"[1, 1.5, 1e300, 1e-999]") == [1, 1.5, 1e300, 0.0]
