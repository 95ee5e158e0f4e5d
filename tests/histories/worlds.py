"""The two databases that histories happen in: the sample shop, and one that is made to be hard on sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

# SQL of values that a column holds, where its type says too little.
Hints = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class World:
    """A schema with its mappings.

    Attributes:
        collections: those that a sync keeps in step; None for all.
        hints: by (table, column).
        rows: about how many each table starts with.
    """

    name: str
    schema: Path
    mappings: Path
    collections: tuple[str, ...] | None = None
    hints: Hints = field(default_factory=dict)
    rows: int = 12


_JSON_TEXTS = (*["""'{"mail": true}'"""] * 5, """'{"b.c": [1, 2.5], "a": null}'""", "'null'", "'not json'", "NULL")
SHOP = World(
    name="shop",
    schema=ROOT / "sample_schema" / "schema.sql",
    mappings=ROOT / "mappings",
    # A table without a key is copied only (docs/mapping.md, `key`).
    collections=("categories", "customers", "orders", "products", "warehouse_stock", "warehouses"),
    hints={
        ("customers", "preferences"): _JSON_TEXTS,
        ("customers", "deleted_at"): ("NULL", "NULL", "NULL", "'2024-05-06 07:08:09'"),
        ("products", "deleted_at"): ("NULL", "NULL", "NULL", "'2024-05-06 07:08:09'"),
        ("comments", "deleted_at"): ("NULL", "NULL", "NULL", "'2024-05-06 07:08:09'"),
        ("products", "views"): ("0", "7", "9223372036854775807", "9223372036854775808", "18446744073709551615"),
        ("orders", "provider_ref"): ("NULL", "1", "18446744073709551615"),
        ("customers", "newsletter"): ("0", "1", "2", "-1"),
        ("warehouse_stock", "reserved"): ("0", "1", "2"),
        ("order_items", "unit_price"): ("0.00", "9.99", "120.50"),
        ("order_items", "quantity"): ("1", "2", "3"),
        ("products", "price"): ("0.01", "9.99", "120.50"),
        ("product_tags", "relevance"): ("0.1", "0.25", "1e-30"),
        ("visits", "took_ms"): ("0.1", "3"),
    },
)
NASTY = World(
    name="nasty",
    schema=HERE / "nasty" / "schema.sql",
    mappings=HERE / "nasty" / "mappings",
    hints={
        ("products", "width"): ("0", "1", "2"),
        ("products", "height"): ("0", "1", "2"),
        ("cards", "score"): ("1", "2", "3", "4", "5"),
        ("tickets", "deleted_at"): ("NULL", "NULL", "NULL", "'2024-05-06 07:08:09'"),
        ("product_labels", "position"): ("0", "1", "2"),
    },
)
WORLDS = {world.name: world for world in (SHOP, NASTY)}
