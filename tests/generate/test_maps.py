"""Maps in generated packages: of linked values, filled by several tables, with arrays as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator import api
from migrator.generate.describe import PackageOptions
from migrator.planning.planner import MappingFiles
from tests.generate.test_copies import Both, made_of

SCHEMA = """
CREATE TABLE products (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE attributes (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL);
CREATE TABLE texts (product_id INT, attribute_id INT, value TEXT NOT NULL, PRIMARY KEY (product_id, attribute_id),
  FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (attribute_id) REFERENCES attributes (id));
CREATE TABLE numbers (product_id INT, attribute_id INT, value INT NOT NULL, PRIMARY KEY (product_id, attribute_id),
  FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (attribute_id) REFERENCES attributes (id));
CREATE TABLE meta (id INT PRIMARY KEY, product_id INT, name VARCHAR(20) NOT NULL, value TEXT,
  FOREIGN KEY (product_id) REFERENCES products (id));
INSERT INTO products VALUES (1, 'chair'), (2, 'desk');
INSERT INTO attributes VALUES (1, 'color'), (2, 'weight'), (3, 'size');
INSERT INTO texts VALUES (1, 1, 'red'), (2, 1, 'blue');
INSERT INTO numbers VALUES (1, 2, 7), (1, 3, 40);
INSERT INTO meta VALUES (1, 1, 'tag', 'new'), (2, 1, 'tag', NULL), (3, 1, 'note', 'x');
"""
MAPPING = """
collection: products
from: products
embed:
  attributes: {from: attributes, through: texts, as: map, key: code, value: texts.value}
  numbers: {from: attributes, through: numbers, as: map, key: code, value: numbers.value, into: attributes}
  weights: {from: attributes, through: numbers, as: map, key: code, value: numbers.value}
  meta: {from: meta, as: map, many: true, key: name, value: value}
"""


@pytest.fixture
def both(source_factory: Callable[[], str], mongodb_url: str, tmp_path: Path) -> Iterator[Both]:
    package = "shop_with_maps"
    yield from made_of(SCHEMA, {"products": MAPPING}, source_factory(), mongodb_url, tmp_path, package, None)


def test_maps_are_read_and_written(both: Both) -> None:
    assert both.differences() == {}
    products, f = both.live.data.products, both.live.f.ProductFields
    chair = products.get(1)
    assert chair.attributes == {"color": "red", "weight": 7, "size": 40}
    assert chair.weights == {"weight": 7, "size": 40}
    assert chair.meta == {"tag": ["new", None], "note": ["x"]}
    both.sql("UPDATE texts SET value = 'green' WHERE product_id = 1", "UPDATE meta SET value = 'old' WHERE id = 2")
    products.update(1, [f.attributes.set({**chair.attributes, "color": "green"})])
    products.update(1, [f.meta.set({**chair.meta, "tag": ["new", "old"]})])
    assert both.differences() == {}


def test_what_nobody_keeps(both: Both) -> None:
    package = api.package(both.source, MappingFiles(both.made.mappings), PackageOptions("any"))
    assert {each.path: each.reason for each in package.unowned} == dict.fromkeys(
        ("attributes", "weights"), "each row is in many documents, and no collection is made of the table"
    )
