"""Which action follows from what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.model.mapping.tree import IndexSpec
from migrator.planning.decide import Consent, decide
from tests.planning.plans import before, owned, small

A = IndexSpec("a_1", (("a", 1),))
B = IndexSpec("b_1", (("b", 1),))
A_UNIQUE = IndexSpec("a_1", (("a", 1),), unique=True)
NOBODY = Consent()


def test_nothing_there_is_created_with_all_indexes() -> None:
    decision = decide(small("c", indexes=(A, B)), before("c"), "", NOBODY)
    assert (decision.action, decision.create_indexes, decision.drop_indexes) == ("create", (A, B), ())


def test_the_same_again_is_unchanged() -> None:
    held = owned("c", indexes=("a_1",), index_specs=(A,), validator="{}")
    assert decide(small("c", indexes=(A,)), held, "{}", NOBODY).action == "unchanged"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mapping_hash": "m2"}, "the mapping has changed since it was applied"),
        ({"schema_fingerprint": "s2"}, "the schema of shop.c has changed since"),
    ],
)
def test_other_documents_are_rebuilt_and_say_why(changed: dict[str, str], reason: str) -> None:
    decision = decide(small("c", **changed), owned("c"), "", NOBODY)
    assert decision.action == "rebuild"
    assert decision.reasons == (reason,)


def test_a_rebuild_says_what_differs_from_the_mapping_that_was_applied() -> None:
    old = small("c")
    more = replace(old.root, fields=(*old.root.fields, replace(old.root.fields[0], path=("note",))))
    new = replace(old, mapping_hash="m2", root=more)
    decision = decide(new, owned("c"), "", NOBODY, old)
    assert decision.reasons == ("the mapping has changed since it was applied", "columns changed: + note")


def test_rejected_documents_are_tried_again() -> None:
    decision = decide(small("c"), owned("c", rejected=2), "", NOBODY)
    assert decision.action == "rebuild"
    assert decision.reasons == ("2 reasons for rejected documents recorded when it was last copied",)


def test_only_what_differs_among_indexes_is_touched() -> None:
    held = owned("c", indexes=("a_1", "b_1", "by_hand"), index_specs=(A, B))
    decision = decide(small("c", indexes=(A_UNIQUE, IndexSpec("c_1", (("c", 1),)))), held, "", NOBODY)
    assert decision.action == "indexes"
    assert [spec.name for spec in decision.create_indexes] == ["a_1", "c_1"]
    assert decision.drop_indexes == ("a_1", "b_1"), "by_hand is not migrator's to drop"
    assert decision.reasons == ("index b_1 goes", "index a_1 changes", "index c_1 comes")


def test_an_index_that_somebody_dropped_comes_again() -> None:
    decision = decide(small("c", indexes=(A,)), owned("c"), "", NOBODY)
    assert (decision.action, decision.create_indexes) == ("indexes", (A,))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [("", "{}", "a validator comes"), ("{}", "", "the validator is removed"), ("{}", "{1}", "the validator changes")],
)
def test_validator_alone_touches_no_documents(old: str, new: str, reason: str) -> None:
    decision = decide(small("c"), owned("c", validator=old), new, NOBODY)
    assert (decision.action, decision.reasons) == ("indexes", (reason,))


def test_what_others_made_is_refused_and_both_ways_out_are_named() -> None:
    decision = decide(small("c"), before("c", exists=True, documents=88), "", NOBODY)
    (finding,) = decision.findings
    assert (finding.severity, finding.code) == ("blocked", "not-owned")
    assert "~88 documents" in finding.text
    assert "--replace c" in finding.fix
    assert "--adopt c" in finding.fix


def test_consent_for_one_collection_is_none_for_another() -> None:
    consent = Consent(adopt=frozenset({"x"}), replace=frozenset({"y"}))
    decision = decide(small("c"), before("c", exists=True), "", consent)
    assert [finding.code for finding in decision.findings] == ["not-owned"]


def test_replace_loads_next_to_it_and_says_what_goes() -> None:
    held = before("c", exists=True, documents=88, indexes=("a_1", "by_hand"))
    decision = decide(small("c", indexes=(A,)), held, "", Consent(replace=frozenset({"c"})))
    assert decision.action == "replace"
    assert "its ~88 documents go" in decision.reasons[0]
    assert [(finding.code, "by_hand" in finding.text, "a_1" in finding.text) for finding in decision.findings] == [
        ("index-lost", True, False)
    ]


def test_replace_of_an_own_unchanged_collection_copies_it_again() -> None:
    decision = decide(small("c"), owned("c"), "", Consent(replace=frozenset({"c"})))
    assert (decision.action, decision.reasons) == ("rebuild", ("asked for with --replace",))


def test_adopt_keeps_the_documents_and_warns_that_nobody_looked() -> None:
    held = before("c", exists=True, documents=88, indexes=("by_hand",))
    decision = decide(small("c", indexes=(A,)), held, "", Consent(adopt=frozenset({"c"})))
    assert (decision.action, decision.create_indexes, decision.drop_indexes) == ("adopt", (A,), ())
    assert [(finding.severity, finding.code) for finding in decision.findings] == [("warning", "adopted")]


def test_adopt_of_an_own_collection_changes_nothing() -> None:
    assert decide(small("c"), owned("c"), "", Consent(adopt=frozenset({"c"}))).action == "unchanged"
