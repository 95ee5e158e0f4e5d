"""Where a changed row leads: every image of every event, whatever the mapping's conditions say."""

from __future__ import annotations

from migrator.changes.cascades import Cascades
from migrator.changes.document_refs import Resolver
from migrator.changes.watches import watches
from migrator.model.change.events import DocumentRef, RowChange, Rows
from migrator.model.mapping.tree import Collection
from tests.changes.build import collection, join, link, node, schema, table

ORDERS = table("orders", "customer_id")
ITEMS = table("items", "order_id", "product_id")
PRODUCTS = table("products")
CUSTOMERS = table("customers")
TAGS = table("tags")
ORDER_TAGS = table("order_tags", key=("order_id", "tag_id"))
ALL = schema(ORDERS, ITEMS, PRODUCTS, CUSTOMERS, TAGS, ORDER_TAGS)


def shop() -> Collection:
    product = node(PRODUCTS, "items.product", shape="one", join=join(ITEMS, "product_id", PRODUCTS, "id"))
    items = node(ITEMS, "items", join=join(ORDERS, "id", ITEMS, "order_id"), children=(product,))
    customer = node(CUSTOMERS, "customer", shape="one", join=join(ORDERS, "customer_id", CUSTOMERS, "id"))
    to_tags = link(ORDER_TAGS, join(ORDERS, "id", ORDER_TAGS, "order_id"), join(ORDER_TAGS, "tag_id", TAGS, "id"))
    return collection(node(ORDERS, children=(customer, items, node(TAGS, "tags", link=to_tags))))


def reaches(
    name: str, *changes: tuple[dict[str, bytes | None] | None, dict[str, bytes | None] | None]
) -> list[DocumentRef]:
    found = watches(ALL, [shop()], [Cascades()])
    watch = found["shop", name]

    def image(values: dict[str, bytes | None] | None) -> tuple[bytes | None, ...] | None:
        return None if values is None else tuple(values[column] for column in watch.columns)

    rows = Rows(("shop", name), tuple(RowChange(image(before), image(after)) for before, after in changes))
    return list(Resolver(shop(), found).document_refs(rows))


def test_a_root_row_names_its_document() -> None:
    row = {"id": b"7"}
    assert reaches("orders", (None, row), (row, row), (row, None)) == [DocumentRef("root", "key", (b"7",))] * 3


def test_a_changed_key_names_both_documents() -> None:
    found = reaches("orders", ({"id": b"7"}, {"id": b"8"}))
    assert found == [DocumentRef("root", "key", (b"7",)), DocumentRef("root", "key", (b"8",))]


def test_a_child_that_holds_the_roots_key_needs_no_search() -> None:
    """From r1 over r2 to r3 in one batch: no image may be lost (edge case 48)."""
    found = reaches("items", ({"order_id": b"1"}, {"order_id": b"2"}), ({"order_id": b"2"}, {"order_id": b"3"}))
    assert list(dict.fromkeys(ref.values for ref in found)) == [(b"1",), (b"2",), (b"3",)]
    assert {(ref.node, ref.kind) for ref in found} == {("root", "key")}


def test_a_row_that_parents_refer_to_is_searched_for_from_above() -> None:
    assert reaches("customers", (None, {"id": b"5"})) == [DocumentRef("customer", "parent", (b"5",))]
    assert reaches("products", ({"id": b"5"}, None)) == [DocumentRef("items.product", "parent", (b"5",))]


def test_rows_of_a_link_table_are_searched_for_through_it() -> None:
    assert reaches("tags", (None, {"id": b"5"})) == [DocumentRef("tags", "child", (b"5",))]
    assert reaches("order_tags", ({"order_id": b"1"}, None)) == [DocumentRef("root", "key", (b"1",))]


def test_null_leads_nowhere() -> None:
    assert reaches("items", ({"order_id": None}, {"order_id": b"2"})) == [DocumentRef("root", "key", (b"2",))]


def test_tables_of_other_collections_lead_nowhere() -> None:
    resolver = Resolver(shop(), watches(ALL, [shop()], [Cascades()]))
    assert list(resolver.document_refs(Rows(("shop", "invoices"), (RowChange(None, ()),)))) == []
    assert resolver.emptied(("shop", "invoices")) == ()


def test_an_emptied_table_means_documents_or_rows() -> None:
    resolver = Resolver(shop(), watches(ALL, [shop()], [Cascades()]))
    assert resolver.emptied(("shop", shop().root.table)) == (
        DocumentRef("root", "documents", ()),
        DocumentRef("root", "rejected", ()),
    )
    for embedded in ("tags", "order_tags", "items"):
        assert resolver.emptied(("shop", embedded)) == (DocumentRef("root", "rows", ()),)
