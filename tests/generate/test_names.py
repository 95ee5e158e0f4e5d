"""Good names where they can be had, safe ones always."""

from __future__ import annotations

import ast
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.generate import python_names


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("ship_city", "ship_city"),
        ("shipCity", "ship_city"),
        ("ArtistId", "artist_id"),
        ("HTTPServer", "http_server"),
        ("class", "class_"),
        ("1st", "n1st"),
        ("a-b c", "a_b_c"),
        ("", "field"),
        ("😀", "field"),
        ("__init__", "init"),
        ("Größe", "größe"),
        ("ﬁne", "fine"),
        ("None", "none_"),
    ],
)
def test_attributes(name: str, made: str) -> None:
    assert python_names.attribute(name) == made


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("orders", "order"),
        ("order_items", "order_item"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("people", "person"),
        ("status", "status"),
        ("warehouse_stock", "warehouse_stock"),
        ("movies", "movie"),
        ("cases", "case"),
        ("series", "series"),
        ("statuses", "status"),
    ],
)
def test_singular(many: str, one: str) -> None:
    assert python_names.singular(many) == one


@given(st.text())
def test_any_text_gives_safe_names_and_constants(text: str) -> None:
    for made in (python_names.attribute(text), python_names.class_name(text)):
        assert made.isidentifier()
        assert not keyword.iskeyword(made)
        assert not made.startswith("_")
    assert ast.literal_eval(python_names.literal(text)) == text
    assert "\n" not in python_names.literal(text)
    assert ast.literal_eval(f'"""{python_names.prose(text)}"""') == python_names.prose(text)


def test_clashes_are_numbered() -> None:
    taken = python_names.UniqueNames(["rest"])
    assert [taken.take("rest"), taken.take("id"), taken.take("id")] == ["rest_2", "id", "id_2"]
