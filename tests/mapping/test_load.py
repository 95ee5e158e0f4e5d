"""Reading files: what YAML may hold, and what a folder may hold."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from migrator.errors import MappingError, Problem
from migrator.mapping.file.load import load_mappings, load_text
from migrator.mapping.file.yaml_document import MAX_BYTES, read_document
from migrator.model.mapping.policies import Policies, SoftDelete
from migrator.model.mapping.spec import overlay

MINIMAL = "collection: orders\nfrom: orders\n"


def problems(text: str | bytes) -> tuple[Problem, ...]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(MappingError) as caught:
        load_text("m.yaml", content)
    return caught.value.problems


def only(text: str | bytes) -> Problem:
    (problem,) = problems(text)
    return problem


def folder_problem(folder: Path) -> Problem:
    with pytest.raises(MappingError) as caught:
        load_mappings(folder)
    (problem,) = caught.value.problems
    return problem


def test_place_and_text_of_a_mistake() -> None:
    problem = only(MINIMAL + "fields:\n  state:\n    colum: status\n")
    assert (problem.file, problem.line, problem.column) == ("m.yaml", 5, 5)
    assert problem.text == "colum: status"


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "---\n"])
def test_empty_file(text: str) -> None:
    problem = problems(text)[0]
    assert problem.message in ("the file is empty", "a mapping is a block of `name: value` lines")


@pytest.mark.parametrize("text", ["- a", "text", "7", "[]"])
def test_no_mapping(text: str) -> None:
    assert only(text).message == "a mapping is a block of `name: value` lines"


def test_not_utf8() -> None:
    problem = only("collection: a\nfrom: ä\n".encode("latin-1"))
    assert problem.message == "the file is not UTF-8"
    assert problem.line == 2


def test_byte_order_mark_is_no_matter() -> None:
    assert load_text("m.yaml", b"\xef\xbb\xbf" + MINIMAL.encode()).spec.collection == "orders"


def test_several_documents() -> None:
    assert only(MINIMAL + "---\n" + MINIMAL).message == "the file holds several documents"


def test_huge_file() -> None:
    assert "larger than" in only(b"#" * (MAX_BYTES + 1)).message


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "a: " + "{b: " * 5000])
def test_deep_nesting(text: str) -> None:
    assert only(text).message == "brackets are nested too deeply"


def test_alias_bomb() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, after in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]")
    assert "once its anchors are filled in" in problems("\n".join(lines))[-1].message


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {b: {c: [*a]}}", "a: &a {<<: *a}"])
def test_anchor_that_contains_itself(text: str) -> None:
    assert "an anchor that contains itself has no end" in [problem.message for problem in problems(text)]


def test_anchors_and_merges_work() -> None:
    text = "fields: {a: &same {column: x, type: string}, b: *same, c: {<<: *same, column: y}}\n"
    fields = load_text("m.yaml", (MINIMAL + text).encode()).spec.fields
    assert [(field.column, field.type) for field in fields.values()] == [
        ("x", "string"),
        ("x", "string"),
        ("y", "string"),
    ]


@pytest.mark.parametrize("text", ["!!python/name:os.system x", "!x y", "!!set {a}", "!!binary aGk="])
def test_tags_make_no_objects(text: str) -> None:
    messages = [problem.message for problem in problems(MINIMAL + f"where: {text}\n")]
    assert "tags such as `!x` have no meaning here" in messages


def test_words_that_yaml_1_1_reads_as_booleans_are_words() -> None:
    spec = load_text(
        "m.yaml", b"%YAML 1.1\n---\ncollection: yes\nfrom: on\nembed: {no: {from: off, on: {y: n}}}\n"
    ).spec
    assert (spec.collection, spec.from_, list(spec.embed)) == ("yes", "on", ["no"])
    assert (spec.embed["no"].from_, spec.embed["no"].on) == ("off", {"y": "n"})


def test_null_is_a_word_where_it_is_a_policy() -> None:
    text = MINIMAL + "null: null\npolicies: {zero_date: null, null: omit}\nfields: {a: {zero_date: ~}}\n"
    spec = load_text("m.yaml", text.encode()).spec
    assert (spec.null, spec.policies and spec.policies.zero_date) == ("null", "null")
    assert spec.fields["a"].zero_date == "null"


def test_numbers_are_texts_where_texts_are_wanted() -> None:
    text = MINIMAL + "embed: {x: {from: y, match: {a: 7, b: 007, c: 1.50, d: true, e: '', f: 2024-01-01, g: -3}}}\n"
    match = load_text("m.yaml", text.encode()).spec.embed["x"].match
    assert list(match.values()) == ["7", "007", "1.50", "true", "", "2024-01-01", "-3"]


def test_missing_folder(tmp_path: Path) -> None:
    problem = folder_problem(tmp_path / "no")
    assert problem.message == "the mappings folder doesn't exist"
    assert problem.file == str(tmp_path / "no")


def test_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MINIMAL)
    assert folder_problem(tmp_path / "m.yaml").message == "the mappings folder is not a folder"


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "m.yaml").write_text(MINIMAL)
    assert "holds no mapping" in folder_problem(tmp_path).message


def test_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.yaml", ".hidden.yaml"):
        (tmp_path / name).write_text(f"collection: from_{name[0]}\nfrom: t\n")
    assert load_mappings(tmp_path).collections == ("from_a", "from_b", "from_c")


def test_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    assert folder_problem(tmp_path).message.startswith("the file can't be read")


def test_two_files_for_one_collection(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# first\n" + MINIMAL)
    (tmp_path / "b.yaml").write_text(MINIMAL)
    problem = folder_problem(tmp_path)
    assert problem.file == str(tmp_path / "b.yaml")
    assert problem.message == f"the collection `orders` has a mapping already: {tmp_path / 'a.yaml'}:2"


def test_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MINIMAL + "x: 1\ny: 2\n")
    (tmp_path / "b.yaml").write_text("[")
    (tmp_path / "c.yaml").write_text("")
    with pytest.raises(MappingError) as caught:
        load_mappings(tmp_path)
    assert [(Path(problem.file).name, problem.line) for problem in caught.value.problems] == [
        *(("a.yaml", 3), ("a.yaml", 4), ("b.yaml", 1), ("c.yaml", 0)),
    ]


def test_inner_policies_win() -> None:
    text = (
        MINIMAL + "policies: {null: omit, zero_date: string, soft_delete: {column: gone}}\nfields: {a: {null: null}}\n"
    )
    spec = load_text("m.yaml", text.encode()).spec
    outer = overlay(Policies(zero_date="reject", orphans="reject"), spec.policies)
    assert outer == Policies(
        null="omit", zero_date="string", orphans="reject", soft_delete=SoftDelete("gone", "`gone` IS NULL")
    )
    assert overlay(outer, spec.fields["a"]).null == "null"
    off = load_text("m.yaml", (MINIMAL + "policies: {soft_delete: false}\n").encode()).spec
    assert overlay(outer, off.policies).soft_delete is None


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_result(content: bytes) -> None:
    document = read_document("m.yaml", content)
    assert document.data is not None or document.problems or content.decode("utf-8-sig").strip()


_KEYS = st.sampled_from(
    [
        *("collection", "from", "key", "columns", "fields", "embed", "many", "through", "value", "as", "on", "match"),
        *("null", "variants", "cases", "indexes", "keys", "policies", "soft_delete", "order_by", "references", "type"),
        *("x", "$y", ""),
    ]
)
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, _TREES, max_size=8))
def test_any_tree_is_read_or_explained(tree: dict[str, object]) -> None:
    out = BytesIO()
    YAML(typ="safe", pure=True).dump(tree, out)
    text = explanation(out.getvalue())
    assert text != "0 mistakes in the mapping files"
    jargon = ("Input should", "pydantic", "validation", "dict_type", "can't be used here")
    assert [word for word in jargon if word in text] == []


def explanation(content: bytes) -> str:
    """What the user reads, "" when the mapping is right."""
    try:
        load_text("m.yaml", content)
    except MappingError as error:
        return str(error)
    return ""
