"""ALTERs of tables under a sync, each with what it is to do with the documents: a case is a collection of its own."""

from __future__ import annotations

from dataclasses import dataclass

MAIN = "a INT NULL, v VARCHAR(20) CHARACTER SET utf8mb4"
ROWS = "(1, 1, 'x'), (2, NULL, 'y€😀'), (3, 3, 'ß '), (4, 4, '')"


@dataclass(frozen=True)
class Case:
    """Attributes:
    alter: statements; `{t}` is the main table, `{u}` the one embedded by key, `{w}` a link table.
    columns: of the main table in addition to `id INT PRIMARY KEY`.
    rows: values of the main table.
    mapping: what the file says after `collection:` and `from:`.
    reorders: by the mapping as it is written, fields have another order now; by the one that was applied they have not.
    """

    alter: tuple[str, ...]
    columns: str = MAIN
    rows: str = ROWS
    mapping: str = ""
    reorders: bool = False


def one(*alter: str, columns: str = MAIN, rows: str = ROWS, mapping: str = "", reorders: bool = False) -> Case:
    return Case(alter, columns, rows, mapping, reorders)


CHILD = "embed: {us: {from: {u}, many: true, on: {id: t_id}}}"
THROUGH = "embed: {us: {from: {u}, many: true, through: {table: {w}, on: {id: t_id}, to: {u_id: id}}}}"

# Documents stay as they are, and none is looked at.
KEPT: dict[str, Case] = {
    "varchar longer": one("ALTER TABLE {t} MODIFY v VARCHAR(50) CHARACTER SET utf8mb4"),
    "varchar to text": one("ALTER TABLE {t} MODIFY v TEXT CHARACTER SET utf8mb4"),
    "char to varchar": one("ALTER TABLE {t} MODIFY v VARCHAR(10)", columns="a INT, v CHAR(10)"),
    "wider character set": one(
        "ALTER TABLE {t} CONVERT TO CHARACTER SET utf8mb4",
        columns="a INT NULL, v VARCHAR(20) CHARACTER SET utf8mb3, w TEXT CHARACTER SET latin1, "
        "x CHAR(3) CHARACTER SET ascii",
        rows="(1, 1, 'x€', 'é', 'a'), (2, NULL, NULL, 'ÿ€', '')",
    ),
    "collation of a plain field": one("ALTER TABLE {t} MODIFY v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    "enum with more members": one(
        "ALTER TABLE {t} MODIFY e ENUM('a', 'b', 'c')", columns="e ENUM('a', 'b')", rows="(1, 'a'), (2, NULL)"
    ),
    "enum as a number": one(
        "ALTER TABLE {t} MODIFY e ENUM('a', 'b', 'c') DEFAULT 'c'",
        columns="e ENUM('a', 'b')",
        rows="(1, 'a'), (2, 'b')",
        mapping="fields: {e: {type: int}}",
    ),
    "set with more members": one(
        "ALTER TABLE {t} CHANGE s s SET('a', 'b', 'c')", columns="s SET('a', 'b')", rows="(1, 'a,b'), (2, '')"
    ),
    "not null to null": one(
        "ALTER TABLE {t} MODIFY a INT NULL", columns="a INT NOT NULL", rows="(1, 1)", mapping="validator: true"
    ),
    "a default": one("ALTER TABLE {t} ALTER COLUMN a SET DEFAULT 7"),
    "a default and a comment": one("ALTER TABLE {t} MODIFY a INT DEFAULT 8 COMMENT 'x, y'"),
    "decimal with more digits": one(
        "ALTER TABLE {t} MODIFY d DECIMAL(20, 2)", columns="d DECIMAL(10, 2)", rows="(1, 1.50), (2, -99999999.99)"
    ),
    "varbinary longer": one(
        "ALTER TABLE {t} MODIFY b VARBINARY(20)", columns="b VARBINARY(4)", rows="(1, x'00ff'), (2, x'')"
    ),
    "smallint to int, both int32 in a document": one(
        "ALTER TABLE {t} MODIFY n MEDIUMINT", columns="n SMALLINT", rows="(1, -32768)"
    ),
    "a column that no mapping has": one(
        "ALTER TABLE {t} MODIFY other VARCHAR(3) CHARACTER SET latin1",
        columns="a INT, other VARCHAR(20) CHARACTER SET utf8mb4",
        rows="(1, 2, 'ab😀d')",
        mapping="columns: [a]",
    ),
    "a new column": one("ALTER TABLE {t} ADD COLUMN more INT DEFAULT 5 FIRST", mapping="columns: [a, v]"),
    "a column of no mapping goes": one("ALTER TABLE {t} DROP COLUMN v", mapping="columns: [a]"),
    "an index": one("ALTER TABLE {t} ADD INDEX i (a), COMMENT = 'x', ENGINE = InnoDB"),
    "auto increment": one("ALTER TABLE {t} MODIFY id INT NOT NULL AUTO_INCREMENT"),
    "key of text with more room": one(
        "ALTER TABLE {t} MODIFY id VARCHAR(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
        columns="",
        rows="('a'), ('B')",
    ),
    "a child's table": one("ALTER TABLE {u} MODIFY name VARCHAR(90)", mapping=CHILD),
    "a link's table": one("ALTER TABLE {w} ADD COLUMN more INT", mapping=THROUGH),
    "columns of a condition and an expression": one(
        "ALTER TABLE {t} MODIFY v VARCHAR(60) CHARACTER SET utf8mb4, MODIFY a BIGINT",
        mapping="columns: []\nwhere: a IS NULL OR a < 4\nfields: {up: {sql: UPPER(v)}, more: {sql: a * 2.5e0}}",
    ),
}

# Every document is built again.
REBUILT: dict[str, Case] = {
    "int to bigint": one("ALTER TABLE {t} MODIFY a BIGINT", mapping="validator: true"),
    "bigint to int": one("ALTER TABLE {t} MODIFY n INT", columns="n BIGINT", rows="(1, 5), (2, NULL)"),
    "int to unsigned": one("ALTER TABLE {t} MODIFY a INT UNSIGNED", mapping="validator: true"),
    "the key, int to bigint": one("ALTER TABLE {t} MODIFY id BIGINT NOT NULL", mapping="validator: true"),
    "the key of many parts": one(
        "ALTER TABLE {t} MODIFY b BIGINT NOT NULL",
        columns="b INT NOT NULL DEFAULT 7, UNIQUE (id, b)",
        rows="(1, 5), (2, 6)",
        mapping="key: [id, b]",
    ),
    "the join's column, int to bigint": one("ALTER TABLE {u} MODIFY t_id BIGINT", mapping=CHILD),
    "both sides of a join": one("ALTER TABLE {u} MODIFY t_id BIGINT, MODIFY id BIGINT", mapping=CHILD),
    "narrower character set": one("ALTER TABLE {t} CONVERT TO CHARACTER SET latin1"),
    "narrower character set of a column": one("ALTER TABLE {t} MODIFY v VARCHAR(20) CHARACTER SET utf8mb3"),
    "varchar shorter": one("ALTER TABLE {t} MODIFY v VARCHAR(2) CHARACTER SET utf8mb4"),
    "varchar shorter and longer again": one(
        "ALTER TABLE {t} MODIFY v VARCHAR(2) CHARACTER SET utf8mb4",
        "ALTER TABLE {t} MODIFY v VARCHAR(20) CHARACTER SET utf8mb4",
    ),
    "varchar to char": one("ALTER TABLE {t} MODIFY v CHAR(20) CHARACTER SET utf8mb4"),
    "text to int": one("ALTER TABLE {t} MODIFY v INT", columns="v VARCHAR(9)", rows="(1, '5'), (2, NULL)"),
    "enum in another order, as a number": one(
        "ALTER TABLE {t} MODIFY e ENUM('b', 'a')",
        columns="e ENUM('a', 'b')",
        rows="(1, 'a'), (2, 'b')",
        mapping="fields: {e: {type: int}}",
    ),
    "enum in another order": one(
        "ALTER TABLE {t} MODIFY e ENUM('b', 'a')", columns="e ENUM('a', 'b')", rows="(1, 'a'), (2, 'b')"
    ),
    "enum without a member": one(
        "ALTER TABLE {t} MODIFY e ENUM('a')", columns="e ENUM('a', 'b')", rows="(1, 'a'), (2, 'b')"
    ),
    "set in another order": one(
        "ALTER TABLE {t} MODIFY s SET('b', 'a')", columns="s SET('a', 'b')", rows="(1, 'a,b'), (2, 'b')"
    ),
    "null to not null": one("ALTER TABLE {t} MODIFY a INT NOT NULL", mapping="validator: true"),
    "null to not null, left out": one("ALTER TABLE {t} MODIFY a INT NOT NULL", mapping="validator: true\nnull: omit"),
    "decimal with more decimals": one(
        "ALTER TABLE {t} MODIFY d DECIMAL(12, 4)", columns="d DECIMAL(10, 2)", rows="(1, 1.50)"
    ),
    "decimal with fewer digits": one(
        "ALTER TABLE {t} MODIFY d DECIMAL(4, 2)", columns="d DECIMAL(10, 2)", rows="(1, 1.50), (2, 12345.67)"
    ),
    "seconds with fractions": one(
        "ALTER TABLE {t} MODIFY d DATETIME(6)", columns="d DATETIME", rows="(1, '2020-01-02 03:04:05')"
    ),
    "seconds without fractions": one(
        "ALTER TABLE {t} MODIFY d DATETIME", columns="d DATETIME(3)", rows="(1, '2020-01-02 03:04:05.678')"
    ),
    "datetime to timestamp": one(
        "SET SESSION time_zone = '+03:00'",
        "ALTER TABLE {t} MODIFY d TIMESTAMP NULL",
        columns="d DATETIME",
        rows="(1, '2020-01-02 03:04:05')",
    ),
    "json to text": one("ALTER TABLE {t} MODIFY j LONGTEXT", columns="j JSON", rows="(1, '{\"a\": 1}')"),
    "bits": one(
        "ALTER TABLE {t} MODIFY b BIT(8)", columns="b BIT(1)", rows="(1, b'1')", mapping="fields: {b: {type: long}}"
    ),
    "zeros in front": one(
        "ALTER TABLE {t} MODIFY n INT(6) ZEROFILL",
        columns="n INT(5) ZEROFILL",
        rows="(1, 5)",
        mapping="fields: {n: {type: string}}",
    ),
    "float to double": one("ALTER TABLE {t} MODIFY f DOUBLE", columns="f FLOAT", rows="(1, 0.1)"),
    "how a column is computed": one(
        "ALTER TABLE {t} MODIFY g INT AS (a + 2) STORED",
        columns="a INT, g INT AS (a + 1) STORED",
        rows="(1, 5, DEFAULT)",
    ),
    "what a column is computed from": one(
        "ALTER TABLE {t} MODIFY v VARCHAR(1)",
        columns="v VARCHAR(9), g VARCHAR(20) AS (CONCAT(v, v)) STORED",
        rows="(1, 'ab', DEFAULT)",
        mapping="columns: [g]",
    ),
    "two columns swap names": one(
        "ALTER TABLE {t} RENAME COLUMN a TO b, RENAME COLUMN b TO a",
        columns="a INT, b INT",
        rows="(1, 2, 3)",
        reorders=True,
    ),
    "a column comes again": one("ALTER TABLE {t} DROP COLUMN a, ADD COLUMN a INT DEFAULT 9", reorders=True),
    "swapped for another table": one(
        "CREATE TABLE {t}_gho LIKE {t}",
        "ALTER TABLE {t}_gho MODIFY a BIGINT",
        "INSERT INTO {t}_gho SELECT * FROM {t} WHERE id < 4",
        "RENAME TABLE {t} TO {t}_del, {t}_gho TO {t}",
    ),
    "collation of an order": one(
        "ALTER TABLE {u} MODIFY name VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        mapping="embed: {us: {from: {u}, many: true, on: {id: t_id}, order_by: [name], limit: 1}}",
    ),
    "collation of a condition": one(
        "ALTER TABLE {t} MODIFY v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", mapping="where: v <> 'X'"
    ),
    "what an expression becomes": one(
        "ALTER TABLE {t} MODIFY a DECIMAL(10, 3)", mapping="columns: []\nfields: {double: {sql: a * 2}}"
    ),
    "partitions go": one(
        "ALTER TABLE {t} DROP PARTITION p1",
        columns="a INT",
        rows="(1, 1), (20, 2)",
    ),
}

# The sync ends: the mapping doesn't fit, or rows are found in another way.
STOPS: dict[str, Case] = {
    "a column goes": one("ALTER TABLE {t} DROP COLUMN a"),
    "a column gets another name": one("ALTER TABLE {t} CHANGE a b INT"),
    "a column of a condition goes": one("ALTER TABLE {t} DROP COLUMN v", mapping="columns: [a]\nwhere: v <> 'x'"),
    "a column of an order goes": one(
        "ALTER TABLE {u} DROP COLUMN name",
        mapping="embed: {us: {from: {u}, many: true, on: {id: t_id}, columns: [id], order_by: [name]}}",
    ),
    "a type that can't be had": one("ALTER TABLE {t} MODIFY a BIGINT", mapping="fields: {a: {type: int}}"),
    "the key gets another collation": one(
        "ALTER TABLE {t} MODIFY id VARCHAR(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
        columns="",
        rows="('a'), ('B')",
    ),
    "a join's column becomes text": one("ALTER TABLE {u} MODIFY t_id VARCHAR(10)", mapping=CHILD),
    "a link's column becomes text": one("ALTER TABLE {w} MODIFY u_id VARCHAR(10)", mapping=THROUGH),
    "the key names no row any more": one(
        "ALTER TABLE {t} DROP INDEX u", columns="a INT NOT NULL, UNIQUE u (a)", rows="(1, 5)", mapping="key: a"
    ),
    "an index that MongoDB has not": one(
        "ALTER TABLE {t} MODIFY d VARCHAR(30)",
        columns="d DATETIME",
        rows="(1, '2020-01-02 03:04:05')",
        mapping="indexes: [{keys: {d: 1}, expire_after_seconds: 9999999}]",
    ),
    "a constant that can't be": one(
        "ALTER TABLE {u} MODIFY kind ENUM('c')",
        mapping="embed: {us: {from: {u}, many: true, on: {id: t_id}, match: {kind: a}}}",
    ),
}


@dataclass(frozen=True)
class Placed:
    """A case with names of its own."""

    name: str
    case: Case

    def text(self, template: str) -> str:
        for short in ("t", "u", "w"):
            template = template.replace(f"{{{short}}}", f"{self.name}_{short}")
        return template

    def tables(self) -> list[str]:
        columns, rows = self.case.columns, self.case.rows
        key = "id INT PRIMARY KEY"
        if not columns:
            key = "id VARCHAR(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin PRIMARY KEY"
        more = ""
        if "PARTITION" in " ".join(self.case.alter):
            more = " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100))"
        whole = ", ".join(filter(None, (key, columns)))
        return [
            self.text(f"CREATE TABLE {{t}} ({whole}) CHARACTER SET utf8mb4{more}"),
            self.text(f"INSERT INTO {{t}} VALUES {rows}"),
            self.text(
                "CREATE TABLE {u} (id INT PRIMARY KEY, t_id INT, name VARCHAR(20), kind ENUM('a', 'b')) "
                "CHARACTER SET utf8mb4"
            ),
            self.text("INSERT INTO {u} VALUES (10, 1, 'b', 'a'), (11, 1, 'A', 'b'), (12, 2, 'c', NULL)"),
            self.text("CREATE TABLE {w} (t_id INT, u_id INT, PRIMARY KEY (t_id, u_id))"),
            self.text("INSERT INTO {w} VALUES (1, 10), (1, 12), (2, 11)"),
        ]

    def mapping(self) -> str:
        return self.text(f"collection: {self.name}\nfrom: {{t}}\n{self.case.mapping}\n")

    def alter(self) -> list[str]:
        return [self.text(statement) for statement in self.case.alter]
