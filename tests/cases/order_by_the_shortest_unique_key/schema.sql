CREATE TABLE orders (id INT PRIMARY KEY);
-- No primary key. `a_two` comes first in the alphabet, `b_null` may be NULL, `c_part` is unique by its first letters only,
-- `D_first` comes before `e_second`.
CREATE TABLE items (
  order_id INT NOT NULL, e INT NOT NULL, d INT NOT NULL, n INT, code VARCHAR(9) NOT NULL, a INT NOT NULL,
  UNIQUE KEY a_two (order_id, a), UNIQUE KEY b_null (n), UNIQUE KEY c_part (code(3)), UNIQUE KEY e_second (e),
  UNIQUE KEY D_first (d), CONSTRAINT fk FOREIGN KEY (order_id) REFERENCES orders (id)
);
-- Only keys of two columns.
CREATE TABLE marks (
  order_id INT NOT NULL, x INT NOT NULL, y INT NOT NULL, z INT NOT NULL,
  UNIQUE KEY a (order_id, x, y), UNIQUE KEY zz (order_id, y), UNIQUE KEY zy (order_id, z),
  CONSTRAINT fkm FOREIGN KEY (order_id) REFERENCES orders (id)
);
INSERT INTO orders VALUES (1), (2);
INSERT INTO items VALUES (1, 10, 103, 1, 'aaa', 1), (1, 11, 102, 3, 'bbb', 2), (1, 12, 101, 2, 'ccc', 3), (2, 13, 100, NULL, 'ddd', 1);
INSERT INTO marks VALUES (1, 1, 2, 9), (1, 2, 3, 8), (1, 3, 1, 7);
