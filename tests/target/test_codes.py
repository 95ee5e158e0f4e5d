"""Which errors concern one document: told by hand-made answers, so that it holds on every server."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import BulkWriteError, OperationFailure

from migrator.errors import TargetError, TargetUnavailable
from migrator.target.mongo.connection import codes
from migrator.target.mongo.writing import bulk
from migrator.target.mongo.writing.bulk import BatchRefused, Failure

OF_A_DOCUMENT = (
    *(2, 9, 14, 15, 22, 28, 52, 53, 55, 56, 57, 66, 121, 171, 10334, 11000, 13026, 13027, 16746, 16755, 16766, 16804),
    *(17261, 17262, 17280, 17419, 17420),
    # Not known by anybody yet.
    *(54_321, 5_290_300, 9_999_999),
)
OF_THE_SURROUNDINGS = (0, 1, 8, 13, 18, 20, 26, 59, 61, 73, 100, 115, 166, 251, 263, 303, 371, 391, 8000, 14031)
TRANSIENT = (6, 91, 112, 189, 10107, 11600, 13435, 16500)


def failing(*found: int, concern: bool = False) -> Any:
    failures = [{"index": index, "code": code, "errmsg": "no"} for index, code in enumerate(found)]
    concerns = [{"code": 64, "errmsg": "waiting for replication timed out"}] if concern else []

    def send() -> None:
        raise BulkWriteError({"writeErrors": failures, "writeConcernErrors": concerns})

    return send


def test_the_document_is_rejected() -> None:
    found = bulk.outcome("there", failing(*OF_A_DOCUMENT))
    assert [found[index].code for index in sorted(found)] == list(OF_A_DOCUMENT)


@pytest.mark.parametrize("code", OF_THE_SURROUNDINGS)
def test_the_work_ends(code: int) -> None:
    with pytest.raises(TargetError) as caught:
        bulk.outcome("there", failing(171, code, 189))
    # What is for good goes before what would be tried again.
    assert type(caught.value) is TargetError


@pytest.mark.parametrize("code", TRANSIENT)
def test_it_is_tried_again(code: int) -> None:
    with pytest.raises(TargetUnavailable):
        bulk.outcome("there", failing(171, code))


def test_what_no_majority_has_is_tried_again() -> None:
    with pytest.raises(TargetUnavailable):
        bulk.outcome("there", failing(171, concern=True))


def test_no_code_is_of_two_kinds() -> None:
    assert not codes.TRANSIENT & {*OF_A_DOCUMENT, *OF_THE_SURROUNDINGS}
    assert all(codes.refuses_a_document(code) for code in OF_A_DOCUMENT)
    assert all(map(codes.refuses_a_document, filter(codes.may_be_one_document, range(20_000))))


def command(code: int, *labels: str) -> Any:
    def send() -> None:
        raise OperationFailure("no", code, {"errmsg": "no", "code": code, "errorLabels": list(labels)})

    return send


def test_a_whole_command_that_is_refused_for_one_of_its_documents() -> None:
    with pytest.raises(BatchRefused) as caught:
        bulk.outcome("there", command(16755))
    assert caught.value.failure.code == 16755


@pytest.mark.parametrize(("code", "labels"), [(9, ()), (72, ()), (99_999, ()), (171, ("TransientTransactionError",))])
def test_a_command_is_not_taken_for_a_document(code: int, labels: tuple[str, ...]) -> None:
    with pytest.raises(OperationFailure):
        bulk.outcome("there", command(code, *labels))


@pytest.mark.parametrize("bad", [(), (0,), (6,), (2, 3), range(7)])
def test_halves_are_sent_until_it_is_clear_which(bad: Any) -> None:
    done: list[int] = []

    def send(items: Any) -> dict[int, Failure]:
        if any(item in bad for item in items):
            raise BatchRefused(Failure(16755, f"{items}", {}, {}))
        done.extend(items)
        return {}

    found = bulk.divided(send, range(7))
    assert sorted(found) == list(bad)
    assert sorted(done) == [item for item in range(7) if item not in bad]


def test_what_single_writes_say_keeps_its_place() -> None:
    def send(items: Any) -> dict[int, Failure]:
        if len(items) > 2:
            raise BatchRefused(Failure(171, "", {}, {}))
        return {index: Failure(11000, str(item), {}, {}) for index, item in enumerate(items) if item == 5}

    assert {index: each.text for index, each in bulk.divided(send, range(8)).items()} == {5: "5"}
