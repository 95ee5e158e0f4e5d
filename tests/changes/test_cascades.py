"""Which silent cascades need nothing, which have to be remembered, and which can't be followed (premise B)."""

from __future__ import annotations

from dataclasses import replace

from migrator.changes.cascades import Cascades, silent_cascades
from migrator.model.schema.tables import Table
from migrator.sync.cascades.row_snapshot import missing_tables
from tests.changes.build import collection, column, join, link, node, refers, schema, table

GROUPS = table("groups_")
TAGS = table("tags", "group_id", keys=(refers("g", "group_id", "groups_", delete="CASCADE"),))
CUSTOMERS = table("customers")
ORDERS = table("orders", "customer_id", keys=(refers("c", "customer_id", "customers", delete="CASCADE"),))
ITEMS = table(
    "items",
    "order_id",
    "product_id",
    keys=(refers("o", "order_id", "orders", delete="CASCADE"), refers("p", "product_id", "products")),
)
PRODUCTS = table("products")
ORDER_TAGS = table(
    "order_tags",
    key=("order_id", "tag_id"),
    keys=(refers("lo", "order_id", "orders", delete="CASCADE"), refers("lt", "tag_id", "tags", delete="CASCADE")),
)
ALL = schema(GROUPS, TAGS, CUSTOMERS, ORDERS, ITEMS, PRODUCTS, ORDER_TAGS)


def names(cascades: Cascades) -> tuple[list[str], list[str]]:
    return [each.shown for each in cascades.covered], [each.shown for each in cascades.tracked]


def test_rows_below_their_parent_are_covered_by_its_event() -> None:
    customers = node(
        CUSTOMERS,
        children=(
            node(
                ORDERS,
                "orders",
                join=join(CUSTOMERS, "id", ORDERS, "customer_id"),
                children=(node(ITEMS, "items", join=join(ORDERS, "id", ITEMS, "order_id")),),
            ),
        ),
    )
    found = silent_cascades(ALL, [collection(customers)])
    assert names(found) == (["items.o", "orders.c"], [])
    assert found.tables == ()


def test_a_deleted_tag_takes_link_rows_away_that_no_document_names() -> None:
    to_tags = link(ORDER_TAGS, join(ORDERS, "id", ORDER_TAGS, "order_id"), join(ORDER_TAGS, "tag_id", TAGS, "id"))
    found = silent_cascades(ALL, [collection(node(ORDERS, children=(node(TAGS, "tags", link=to_tags),)))])
    # A tag that goes with its group goes silently itself, and so do orders with their customer. Link rows are
    # remembered for their tags, so what an order's cascade does to them has to be seen, too.
    assert names(found) == ([], ["order_tags.lo", "order_tags.lt", "orders.c", "tags.g"])
    assert {each.table[1]: each.columns for each in found.tables} == {
        "order_tags": ("order_id", "tag_id"),
        "orders": ("id", "customer_id"),
        "tags": ("id", "group_id"),
    }


def test_a_cascade_through_unmapped_tables_is_followed_from_its_start() -> None:
    products = node(PRODUCTS, children=(node(ITEMS, "items", join=join(PRODUCTS, "id", ITEMS, "product_id")),))
    found = silent_cascades(ALL, [collection(products)])
    assert names(found) == ([], ["items.o", "orders.c"])
    # orders is mapped nowhere: remembered is what its items refer to, and what refers to its customer.
    assert {each.table[1]: each.columns for each in found.tables} == {
        "items": ("id", "order_id", "product_id"),
        "orders": ("id", "customer_id"),
    }


def test_a_root_has_nothing_above_it_that_could_cover_it() -> None:
    found = silent_cascades(ALL, [collection(node(ORDERS))])
    assert names(found) == ([], ["orders.c"])
    assert found.of_parent(("shop", "customers")) == found.tracked


def test_covered_in_one_collection_is_not_covered_in_all() -> None:
    below = node(CUSTOMERS, children=(node(ORDERS, "orders", join=join(CUSTOMERS, "id", ORDERS, "customer_id")),))
    assert names(silent_cascades(ALL, [collection(below)])) == (["orders.c"], [])
    assert names(silent_cascades(ALL, [collection(below), collection(node(ORDERS))])) == ([], ["orders.c"])


def test_joined_by_other_columns_is_not_covered() -> None:
    below = node(CUSTOMERS, children=(node(ORDERS, "orders", join=join(CUSTOMERS, "id", ORDERS, "id")),))
    assert names(silent_cascades(ALL, [collection(below)])) == ([], ["orders.c"])


def test_set_null_and_on_update_count_and_restrict_does_not() -> None:
    def orders(**rules: str) -> Table:
        return replace(ORDERS, foreign_keys=(refers("c", "customer_id", "customers", **rules),))

    for rules, tracked in (({"delete": "SET NULL"}, 1), ({"update": "CASCADE"}, 1), ({"delete": "NO ACTION"}, 0)):
        child = orders(**rules)
        assert len(silent_cascades(schema(CUSTOMERS, child), [collection(node(child))]).tracked) == tracked


def test_what_cannot_be_followed_is_said() -> None:
    keyless = replace(ORDERS, primary_key=())
    outside = replace(ORDERS, foreign_keys=(replace(ORDERS.foreign_keys[0], parent_schema="crm"),))
    (first,) = silent_cascades(schema(CUSTOMERS, keyless), [collection(node(ORDERS))]).hidden
    (second,) = silent_cascades(schema(outside), [collection(node(outside))]).hidden
    assert "shop.orders" in first
    assert "crm.customers" in second


def test_tables_that_refer_to_each_other_come_to_an_end() -> None:
    tree = table("categories", "parent_id", keys=(refers("up", "parent_id", "categories", delete="CASCADE"),))
    found = silent_cascades(schema(tree), [collection(node(tree))])
    assert names(found) == ([], ["categories.up"])
    assert found.tables[0].columns == ("id", "parent_id")


def test_keys_that_pad_with_spaces_are_kept_without_them_besides() -> None:
    """A state of before that has no such twin has to be filled again."""
    text = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
    tags = replace(TAGS, columns=(column("id"), column("code", "varchar", **text), column("fixed", "char", **text)))
    tags = replace(
        tags,
        foreign_keys=(
            refers("g", "code", "groups_", delete="CASCADE"),
            refers("f", "fixed", "groups_", delete="CASCADE"),
        ),
    )
    (found,) = silent_cascades(schema(GROUPS, tags), [collection(node(tags))]).tables
    assert found.columns == ("id", "fixed", "code")
    assert found.stripped == ("code",)
    assert missing_tables([found], {found.table: ("id", "fixed", "code")}) == (found,)
    assert missing_tables([found], {found.table: found.noted}) == ()


def test_a_table_of_which_some_columns_can_be_read_hides_its_keys() -> None:
    hiding = replace(ORDERS, denied_to="'u'@'%'")
    seen = schema(CUSTOMERS, hiding)
    found = silent_cascades(seen, [collection(node(hiding))])
    assert len(found.hidden) == 1
    assert "may read some columns of" in found.hidden[0]
    assert silent_cascades(seen, [collection(node(CUSTOMERS))]).hidden == ()
