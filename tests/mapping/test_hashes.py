"""Hashes of mappings stay what they were in the state of earlier versions."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from migrator.model.mapping.hashes import mapping_hash, spec_hash
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.spec import CollectionSpec
from migrator.model.mapping.tree import Field, Node
from migrator.model.schema.tables import Column
from migrator.model.serialize import to_json

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def node(name: str, sql: str | None, stated: str | None) -> Node:
    column = Column(name, "enum", "enum('x')", True, members=(name, "x"))
    field = Field((name, "b"), column, sql, represent(column, None, Policies()), stated_type=stated)
    child = Node(
        "c.x", "shop", "t", "many", ("x",), (column,), (replace(field, from_link=True),), match=((name, name),)
    )
    return Node("c", "shop", name, "root", (), (column,), (field,), where=sql, children=(child,))


@given(_TEXT, st.none() | _TEXT, st.none() | st.sampled_from(("", "string", "long")))
def test_it_is_the_hash_of_the_tree_as_it_was_stored_before(name: str, sql: str | None, stated: str | None) -> None:
    """Before fields kept the type that the mapping states, and maps what becomes of keys that come twice."""
    root = node(name, sql, stated)
    text = re.sub(r',"stated_type":(null|"[a-z]*")', "", to_json(root))
    text = text.replace(',"map_key_from_link":false,"duplicates":"reject"', "").replace(',"aggregate":null', "")
    assert mapping_hash(root) == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_what_came_later_counts_where_it_says_something() -> None:
    root = node("a", None, None)
    assert mapping_hash(replace(root, duplicates="last")) != mapping_hash(root)
    assert mapping_hash(replace(root, map_key_from_link=True)) != mapping_hash(root)


def test_what_is_written_counts() -> None:
    def spec(**more: object) -> CollectionSpec:
        return CollectionSpec.model_validate({"collection": "c", "from": "t", **more})

    plain = spec_hash(spec(), Policies())
    assert plain == spec_hash(spec(), Policies())
    assert plain != spec_hash(spec(where="a > 1"), Policies())
    assert plain != spec_hash(spec(soft_delete=False), Policies())
    assert plain != spec_hash(spec(), Policies(null="omit"))
