from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from migrator.errors import SourceError, SourceUnavailable
from migrator.model.mapping.tree import Field, Node, Order
from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from migrator.source.rows import snapshot as rows
from migrator.source.rows.snapshot import open_reader
from migrator.source.sql.statements import Templates
from tests.source.build import field, join, link, node, table
from tests.source.conftest import Execute
from tests.source.reading import children, gathered, keyless, raw, roots, roots_by_key, with_reader


def numbers(count: int) -> str:
    return f"WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {count}) SELECT n FROM r"


def key(*parts: object) -> tuple[bytes, ...]:
    return tuple(str(part).encode() for part in parts)


@pytest.fixture
def orders(source: MySQLSource, execute: Execute) -> MySQLSource:
    execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, state VARCHAR(20))",
        "CREATE TABLE items (id INT PRIMARY KEY AUTO_INCREMENT, order_id BIGINT, line INT, note VARCHAR(50),"
        " KEY (order_id))",
        "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE order_tags (seq INT PRIMARY KEY AUTO_INCREMENT, order_id BIGINT, tag_id INT, at DATE,"
        " KEY (order_id))",
        f"INSERT INTO orders SELECT n * 3, IF(n % 4 = 0, 'draft', 'open') FROM ({numbers(900)}) AS q",
        "INSERT INTO items (order_id, line, note) SELECT o.id, (o.id * 7 + k.n * 5) % 3, CONCAT('n', k.n)"
        f" FROM orders o JOIN ({numbers(4)}) AS k WHERE o.id % 5 > 0 ORDER BY RAND(7)",
        "INSERT INTO items (order_id, line) VALUES (NULL, 1), (999999, 1)",
        f"INSERT INTO tags SELECT n, CONCAT('tag', n) FROM ({numbers(20)}) AS q",
        "INSERT INTO order_tags (order_id, tag_id, at) SELECT o.id, (o.id + k.n) % 25, '2024-01-02'"
        f" FROM orders o JOIN ({numbers(3)}) AS k ORDER BY RAND(3)",
        "INSERT INTO order_tags (order_id, tag_id) VALUES (3, 5), (3, 5), (3, NULL), (NULL, 5)",
    )
    return source


def order_nodes(source: MySQLSource, *, exact: bool) -> tuple[Node, Node, Node]:
    schema = source.schema()
    order, item, tag, between = (table(schema, name) for name in ("orders", "items", "tags", "order_tags"))
    root = node(order)
    items = node(
        item,
        id="items",
        join=join(order, ["id"], item, ["order_id"], exact=exact),
        order=(Order("line", descending=True), Order("id")),
    )
    tags = node(
        tag,
        id="tags",
        link=link(
            between,
            join(order, ["id"], between, ["order_id"], exact=exact),
            join(between, ["tag_id"], tag, ["id"], exact=True),
        ),
    )
    return root, items, replace(tags, fields=(*tags.fields, field(between, "at", from_link=True)))


def test_roots_come_in_key_order_within_a_range(orders: MySQLSource) -> None:
    root, _, _ = order_nodes(orders, exact=True)
    everything = raw(orders, "SELECT id, state FROM orders ORDER BY id")
    assert roots(orders, root, KeyRange()) == everything
    assert roots(orders, root, KeyRange(key(30), key(60))) == [row for row in everything if 30 < int(row[0] or 0) <= 60]
    assert roots(orders, root, KeyRange(None, key(60)), 5) == everything[:5]
    assert roots(orders, root, KeyRange(key(2697), None)) == everything[-1:]
    kept = replace(root, where="state <> 'draft' OR 1 = 0 -- by hand")
    assert roots(orders, kept, KeyRange()) == [row for row in everything if row[1] != b"draft"]


def test_roots_by_key_gives_just_these(orders: MySQLSource) -> None:
    root, _, _ = order_nodes(orders, exact=True)
    found = roots_by_key(orders, root, [key(n) for n in (9, 3, 7, 9, 12)])
    assert [row[0] for row in found] == [b"3", b"9", b"12"]
    assert roots_by_key(orders, root, []) == []
    many = roots_by_key(orders, root, [key(n) for n in range(0, 20000, 3)])
    assert len(many) == 900


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("wanted", ["all", "dense", "sparse", "one", "none"])
def test_children_are_those_of_sql_in_the_nodes_order(orders: MySQLSource, exact: bool, wanted: str) -> None:
    root, items, tags = order_nodes(orders, exact=exact)
    chosen = {
        "all": range(3, 2703, 3),
        "dense": range(300, 600, 3),
        "sparse": range(3, 2703, 90),
        "one": [300],
        "none": [1, 2],
    }[wanted]
    match = [key(n) for n in chosen]
    asked = {one[0] for one in match}
    listed = ",".join(map(str, chosen))
    found = [row for row in children(orders, items, root, match) if row[0] in asked]
    # A field that is the child's side of an exact join is there once.
    values = "order_id, id, line, note" if exact else "order_id, id, order_id, line, note"
    assert found == raw(
        orders, f"SELECT {values} FROM items WHERE order_id IN ({listed}) ORDER BY order_id, line DESC, id"
    )
    linked = [row for row in children(orders, tags, root, match) if row[0] in asked]
    assert linked == raw(
        orders,
        "SELECT l.order_id, t.id, t.name, l.at FROM order_tags l JOIN tags t ON t.id = l.tag_id"
        f" WHERE l.order_id IN ({listed}) ORDER BY l.order_id, t.id, l.seq",
    )


@pytest.mark.parametrize("exact", [True, False])
def test_limit_keeps_the_first_of_each_parent(orders: MySQLSource, exact: bool) -> None:
    root, items, tags = order_nodes(orders, exact=exact)
    match = [key(n) for n in range(3, 2703, 9)]
    for child in (items, tags):
        full = children(orders, child, root, match)
        expected = []
        seen: dict[bytes | None, int] = {}
        for row in full:
            seen[row[0]] = seen.get(row[0], 0) + 1
            if seen[row[0]] <= 2:
                expected.append(row)
        assert children(orders, replace(child, limit=2), root, match) == expected
        assert len(expected) < len(full)


def test_one_follows_the_parents_key_and_null_never_matches(orders: MySQLSource) -> None:
    schema = orders.schema()
    item, order = table(schema, "items"), table(schema, "orders")
    child = node(order, id="order", shape="one", join=join(item, ["order_id"], order, ["id"], exact=True))
    found = children(orders, child, node(item), [key(n) for n in (6, 3, 6, 999999)])
    assert found == [(b"3", b"open"), (b"6", b"open")]
    assert children(orders, child, node(item), []) == []


def test_where_and_match_constants_are_taken_literally(source: MySQLSource, execute: Execute) -> None:
    odd = """it's "a" 100% :name \\ back é😀 `tick` -- /* {x} %s %(a)s"""
    execute(
        "CREATE TABLE posts (id INT PRIMARY KEY)",
        "CREATE TABLE comments (id INT PRIMARY KEY, post INT, kind VARCHAR(100), text VARCHAR(100))"
        " CHARACTER SET utf8mb4",
        "INSERT INTO posts VALUES (1), (2)",
        "INSERT INTO comments VALUES (1, 1, 'other', '100%'), (2, 2, 'other', '1000')",
        f"INSERT INTO comments VALUES (3, 1, x'{odd.encode().hex()}', '100%'),"
        f" (4, 2, x'{odd.encode().hex()}', 'a:b'), (5, 2, x'{odd.encode().hex()}', 'it''s')",
    )
    schema = source.schema()
    post, comment = table(schema, "posts"), table(schema, "comments")
    child = node(
        comment,
        id="comments",
        fields=["id"],
        join=join(post, ["id"], comment, ["post"], exact=True),
        match=(("kind", odd),),
    )

    def ids(**change: object) -> list[bytes | None]:
        return [row[1] for row in children(source, replace(child, **change), node(post), [key(1), key(2)])]  # type: ignore[arg-type]

    assert ids() == [b"3", b"4", b"5"]
    assert ids(match=(("kind", "no'; DROP TABLE comments; -- "),)) == []
    assert ids(where="text LIKE '%0\\%' OR comments.text = 'it''s'") == [b"3", b"5"]
    assert ids(where='text = "a:b" # comment') == [b"4"]
    assert ids(match=(("kind", "other"),), where="text = '100%' or text = ':x'") == [b"1"]


def test_expressions_see_only_their_table(orders: MySQLSource) -> None:
    schema = orders.schema()
    order, item = table(schema, "orders"), table(schema, "items")
    sql = "CONCAT(id, ':', items.line, '%d', \"'\") -- why"
    column = orders.describe(orders.url.database, "items", sql)
    plain = field(item, "id")
    child = node(
        item,
        id="items",
        join=join(order, ["id"], item, ["order_id"], exact=False),
        where="id > 0 AND items.order_id = 3",
        fields=["id"],
    )
    child = replace(child, fields=(plain, Field(("x0",), column, sql, plain.value)))
    found = children(orders, child, node(order), [key(3)])
    assert [row[2] for row in found] == [
        row[0]
        for row in raw(orders, "SELECT CONCAT(id, ':', line, '%d', '''') FROM items WHERE order_id = 3 ORDER BY id")
    ]


def test_tables_of_other_databases(source: MySQLSource, execute: Execute, second_database: str) -> None:
    execute(
        f"CREATE TABLE `{second_database}`.far (id INT PRIMARY KEY, near INT)",
        "CREATE TABLE near (id INT PRIMARY KEY)",
        "INSERT INTO near VALUES (1), (2)",
        f"INSERT INTO `{second_database}`.far VALUES (10, 2), (11, 2)",
    )
    both = MySQLSource(replace(source.url, databases=(source.url.database, second_database)))
    near, far = table(both.schema(), "near"), table(both.schema(), "far", second_database)
    child = node(far, id="far", join=join(near, ["id"], far, ["near"], exact=True))
    assert children(both, child, node(near), [key(1), key(2)]) == [(b"2", b"10"), (b"2", b"11")]
    child = node(far, id="far", join=join(near, ["id"], far, ["near"], exact=False))
    assert children(both, child, node(near), [key(1), key(2)]) == [(b"2", b"10", b"2"), (b"2", b"11", b"2")]


def test_composite_keys_range_and_match(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE pairs (a INT, b VARCHAR(5) COLLATE utf8mb4_bin, c DATE, PRIMARY KEY (a, b, c))",
        "INSERT INTO pairs SELECT n % 7, CHAR(97 + n % 11), '2024-01-01' + INTERVAL n % 13 DAY"
        f" FROM ({numbers(900)}) AS q",
        "CREATE TABLE parts (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(5) COLLATE utf8mb4_bin, c DATE)",
        "INSERT INTO parts (a, b, c) SELECT a, b, c FROM pairs",
        "INSERT INTO parts (a, b, c) VALUES (1, NULL, '2024-01-02'), (NULL, 'b', '2024-01-02')",
    )
    schema = source.schema()
    pairs, parts = table(schema, "pairs"), table(schema, "parts")
    root = node(pairs)
    everything = raw(source, "SELECT a, b, c FROM pairs ORDER BY a, b, c")
    for start, stop in [(0, 5), (5, 500), (499, 500), (250, 899), (100, 101)]:
        after, upto = everything[start], everything[stop]
        within = KeyRange(after, upto)  # type: ignore[arg-type]
        assert roots(source, root, within) == everything[start + 1 : stop + 1]
    wanted = everything[::17]
    assert roots_by_key(source, root, wanted) == wanted  # type: ignore[arg-type]
    child = node(parts, id="parts", join=join(pairs, ["a", "b", "c"], parts, ["a", "b", "c"], exact=False))
    found = children(source, child, root, wanted)  # type: ignore[arg-type]
    assert [row[:3] for row in found] == wanted


def test_source_collation_decides_a_join_and_the_parents_key_tells_whose_it_is(
    source: MySQLSource, execute: Execute
) -> None:
    execute(
        "CREATE TABLE codes (code VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY)",
        "CREATE TABLE uses (id INT PRIMARY KEY, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci)",
        "INSERT INTO codes VALUES ('Abc'), ('é''x'), ('q')",
        "INSERT INTO uses VALUES (1, 'abc'), (2, 'ABC '), (3, 'É''x'), (4, NULL)",
    )
    schema = source.schema()
    codes, uses = table(schema, "codes"), table(schema, "uses")
    child = node(uses, id="uses", fields=["id"], join=join(codes, ["code"], uses, ["code"], exact=False))
    found = children(source, child, node(codes), [(b"Abc",), ("é'x".encode(),), (b"q",)])
    assert found == [(b"Abc", b"1"), (b"Abc", b"2"), ("é'x".encode(), b"3")]
    # The caller sees that the bytes differ from what it asked for.
    assert roots_by_key(source, node(codes), [(b"ABC",)]) == [(b"Abc",)]


ODD_KEYS = [
    ("BIGINT UNSIGNED", ["0", "9223372036854775808", "18446744073709551615"]),
    ("BIGINT", ["-9223372036854775808", "-1", "0", "9223372036854775807"]),
    ("INT(8) ZEROFILL", ["0", "7", "42"]),
    ("DECIMAL(20,4)", ["-1.5000", "0.0000", "12345678901.2345"]),
    ("DOUBLE", ["-1e300", "0.1", "1.5e300"]),
    ("FLOAT", ["-0.1", "0.1", "16777216"]),
    ("DATE", ["'0000-00-00'", "'2024-00-10'", "'2024-02-29'"]),
    ("DATETIME(6)", ["'0000-00-00 00:00:00'", "'2024-02-29 23:59:59.999999'"]),
    ("TIMESTAMP(3)", ["'1970-01-02 00:00:01'", "'2024-02-29 23:59:59.999'"]),
    ("TIME(3)", ["'-838:59:59'", "'-00:00:00.5'", "'838:59:59'"]),
    ("YEAR", ["0", "1901", "2155"]),
    ("BIT(9)", ["b'0'", "b'101'", "b'111111111'"]),
    ("BINARY(4)", ["x'00'", "x'00ff5c27'", "x'ffffffff'"]),
    ("VARBINARY(4)", ["x''", "x'00'", "x'5c'", "x'ff'"]),
    ("VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ["''", "'%s:a'", "'\\\\'", "'it''s'", "'é€😀'"]),
    ("VARCHAR(9) CHARACTER SET latin1", ["''", "'%s:a'", "'é€'"]),
    ("VARCHAR(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", ["''", "'b'", "'é€'"]),
    ("ENUM('z','it''s','a')", ["'z'", "'it''s'", "'a'"]),
    ("SET('z','y','a')", ["''", "'z'", "'y'", "'z,a'", "'z,y,a'"]),
]


@pytest.mark.parametrize(("kind", "values"), ODD_KEYS, ids=[kind for kind, _ in ODD_KEYS])
def test_keys_of_every_type_find_their_rows_again(
    source: MySQLSource, execute: Execute, kind: str, values: list[str]
) -> None:
    execute(
        f"CREATE TABLE parents (k {kind} NOT NULL, PRIMARY KEY (k))",
        f"CREATE TABLE kids (id INT PRIMARY KEY AUTO_INCREMENT, k {kind})",
        *(f"INSERT INTO parents VALUES ({value})" for value in values),
        "INSERT INTO kids (k) SELECT k FROM parents",
        "INSERT INTO kids (k) VALUES (NULL)",
    )
    schema = source.schema()
    parents, kids = table(schema, "parents"), table(schema, "kids")
    root = node(parents)
    found = [row[:1] for row in roots(source, root, KeyRange())]
    assert len(found) == len(values)
    assert [row[:1] for row in roots_by_key(source, root, found)] == found  # type: ignore[arg-type]
    for place, one in enumerate(found):
        above = roots(source, root, KeyRange(one, None))  # type: ignore[arg-type]
        upto = roots(source, root, KeyRange(None, one))  # type: ignore[arg-type]
        assert [row[:1] for row in upto] == found[: place + 1]
        assert [row[:1] for row in above] == found[place + 1 :]
    child = node(kids, id="kids", join=join(parents, ["k"], kids, ["k"], exact=False))
    joined = children(source, child, root, found)  # type: ignore[arg-type]
    assert [row[:1] for row in joined] == found


def test_values_arrive_in_the_layouts_forms(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE forms (id INT(5) ZEROFILL PRIMARY KEY, f FLOAT, e ENUM('a','b'), p POINT,"
        " t VARCHAR(9) CHARACTER SET utf8mb3, ts TIMESTAMP NULL, d DATETIME)",
        "SET SESSION time_zone = '+05:00'",
        "INSERT INTO forms VALUES (7, 16777217.5, 'b', ST_GeomFromText('POINT(1 2)'), 'é', '2024-01-01 05:00:00',"
        " '2024-01-01 05:00:00')",
        "INSERT INTO forms VALUES (8, 0.1, '', NULL, NULL, NULL, NULL)",
    )
    forms = table(source.schema(), "forms")
    root = replace(node(forms), fields=(*node(forms).fields, field(forms, "e", "int")))
    first, second = roots(source, root, KeyRange())
    assert first[:4] == (b"7", b"16777218", b"b", b"\0\0\0\0" + first[3][4:] if first[3] else None)
    assert first[4:] == ("é".encode(), b"2024-01-01 00:00:00", b"2024-01-01 05:00:00", b"2")
    assert second == (b"8", b"0.10000000149011612", b"", None, None, None, None, b"0")


def test_rows_without_a_key_are_next_to_their_like(source: MySQLSource, execute: Execute) -> None:
    # Longer than max_sort_length, and different only at the end.
    execute(
        "CREATE TABLE logs (a DOUBLE, t LONGTEXT, raw VARBINARY(3), doc JSON)",
        *(
            f"INSERT INTO logs VALUES ({a}, CONCAT(REPEAT('x', 3000), '{t}'), x'{raw}', '{{\"a\": {t}}}')"
            for _ in range(3)
            for a in ("0e0", "-0e0", "NULL")
            for t in (1, 2)
            for raw in ("00", "0000")
        ),
    )
    root = replace(node(table(source.schema(), "logs")), key=())
    found = keyless(source, root)
    assert len(found) == 36
    groups = [row for place, row in enumerate(found) if place == 0 or found[place - 1] != row]
    assert sorted(groups, key=repr) == sorted(set(raw(source, "SELECT a, t, raw, doc FROM logs")), key=repr)
    assert len(groups) >= 8  # 12 where the server keeps the sign of a zero


def test_a_map_is_ordered_by_its_key_column(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE things (id INT PRIMARY KEY)",
        "CREATE TABLE options (id INT PRIMARY KEY, thing INT, name VARCHAR(9), value VARCHAR(9))",
        "INSERT INTO things VALUES (1)",
        "INSERT INTO options VALUES (1, 1, 'z', '1'), (2, 1, 'a', '2'), (3, 1, 'm', '3')",
    )
    schema = source.schema()
    things, options = table(schema, "things"), table(schema, "options")
    child = node(
        options,
        id="options",
        shape="map",
        fields=["value"],
        order=(),
        map_key=options.by_name["name"],
        join=join(things, ["id"], options, ["thing"], exact=True),
    )
    assert [row[2] for row in children(source, child, node(things), [key(1)])] == [b"a", b"m", b"z"]


def test_one_snapshot_does_not_see_later_writes(orders: MySQLSource, execute: Execute) -> None:
    root, items, _ = order_nodes(orders, exact=True)

    async def work(reader: rows.SnapshotReader) -> tuple[int, int]:
        before = len(await reader.roots(root, KeyRange(), 10_000))
        execute("DELETE FROM orders WHERE id < 300", "DELETE FROM items")
        return before, len(await gathered(reader.children(items, root, [key(n) for n in range(300)])))

    before, seen = with_reader(orders, work)
    assert before == 900
    assert seen > 0
    assert len(roots(orders, root, KeyRange())) < 900


def test_stopping_early_leaves_the_reader_usable(orders: MySQLSource) -> None:
    root, items, _ = order_nodes(orders, exact=True)
    match = [key(n) for n in range(3, 2703, 3)]

    async def work(reader: rows.SnapshotReader) -> int:
        for _ in range(3):
            async with aclosing(reader.children(items, root, match)) as lists:
                async for some in lists:
                    assert some
                    break
        return len(await reader.roots(root, KeyRange(), 10_000))

    assert with_reader(orders, work) == 900


def test_big_rows_come_a_few_at_a_time(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE blobs (id INT PRIMARY KEY, data LONGBLOB)",
        f"INSERT INTO blobs SELECT n, REPEAT('x', 500000) FROM ({numbers(120)}) AS q",
    )
    root = node(table(source.schema(), "blobs"))
    sizes: list[int] = []

    async def work(reader: rows.SnapshotReader) -> None:
        async for some in reader.keyless(replace(root, key=())):
            sizes.append(len(some))

    with_reader(source, work)
    assert sum(sizes) == 120
    assert max(sizes[1:]) <= 8


def test_a_huge_row_passes_the_16_mb_packet(source: MySQLSource, execute: Execute) -> None:
    if int(raw(source, "SELECT @@max_allowed_packet")[0][0] or 0) <= 17_000_000:
        pytest.skip("max_allowed_packet of this server is too small")
    execute(
        "CREATE TABLE huge (id INT PRIMARY KEY, data LONGBLOB)",
        "INSERT INTO huge VALUES (1, REPEAT('x', 17000000)), (2, 'y')",
    )
    found = roots(source, node(table(source.schema(), "huge")), KeyRange())
    assert [len(row[1] or b"") for row in found] == [17_000_000, 1]


def test_another_server_than_before_is_refused(orders: MySQLSource) -> None:
    async def open_elsewhere() -> None:
        async with open_reader(orders.url, replace(orders.identity(), uuid="another"), Templates()):
            pass

    with pytest.raises(SourceError, match="reached server"):
        asyncio.run(open_elsewhere())


def test_a_lost_connection_is_retryable(orders: MySQLSource, execute: Execute) -> None:
    root, _, _ = order_nodes(orders, exact=True)

    async def work(reader: rows.SnapshotReader) -> None:
        (own,) = await reader._all("SELECT CONNECTION_ID()")
        execute(f"KILL {int(own[0] or 0)}")
        await reader.roots(root, KeyRange(), 10)

    with pytest.raises(SourceUnavailable):
        with_reader(orders, work)


def test_a_wrong_value_for_a_key_is_refused(orders: MySQLSource) -> None:
    root, _, _ = order_nodes(orders, exact=True)
    with pytest.raises(SourceError, match="not a value of type bigint"):
        roots(orders, root, KeyRange((b"1 OR 1=1",), None))


def test_templates_are_of_the_node_they_are_asked_for(orders: MySQLSource) -> None:
    root, items, _ = order_nodes(orders, exact=True)
    templates = Templates()
    first = templates.children(items, root)
    assert templates.children(items, root) is first
    limited = replace(items, limit=1)
    # As after a journey to another process, where a node may have the id that another one had.
    templates._known[id(limited)] = (items, first)
    assert "row_number" in templates.children(limited, root).text


def test_embedded_rows_without_a_key_have_one_order(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE tops (id INT PRIMARY KEY)",
        "CREATE TABLE bare (top INT, name VARCHAR(9) COLLATE utf8mb4_general_ci, doc JSON, place POINT, bits BIT(3))",
        "INSERT INTO tops VALUES (1)",
        *(
            f"INSERT INTO bare VALUES (1, '{name}', '{doc}', ST_GeomFromText('POINT({x} 1)'), b'1')"
            for name in ("a", "A", "b")
            for doc in ('{"a": 1}', '{"b": 1}')
            for x in (2, 1)
        ),
    )
    schema = source.schema()
    tops, bare = table(schema, "tops"), table(schema, "bare")
    names = tuple(Order(column.name) for column in bare.columns)
    for order in (names, (Order("name"),), ()):
        child = node(bare, id="bare", order=order, join=join(tops, ["id"], bare, ["top"], exact=True))
        found = children(source, child, node(tops), [key(1)])
        assert len(set(found)) == 12
        execute("CREATE TABLE again LIKE bare", "INSERT INTO again SELECT * FROM bare ORDER BY RAND(3)")
        execute("DROP TABLE bare", "RENAME TABLE again TO bare")
        assert children(source, child, node(tops), [key(1)]) == found
