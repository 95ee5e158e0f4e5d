CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(40), email VARCHAR(40));
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, status VARCHAR(10), ship_city VARCHAR(20), ship_zip VARCHAR(10),
  total DECIMAL(8,2), shipping DECIMAL(8,2), note TEXT, CONSTRAINT o_c FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE order_items (order_id INT, line_no INT, sku VARCHAR(10), qty INT, PRIMARY KEY (order_id, line_no),
  CONSTRAINT i_o FOREIGN KEY (order_id) REFERENCES orders (id));
INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com'), (2, 'Bob', NULL);
INSERT INTO orders VALUES (10, 1, 'paid', 'Rome', '00100', 20.50, 2.25, 'x'), (11, 1, 'draft', NULL, NULL, 0.00, 0.00, NULL),
  (12, NULL, 'sent', 'Oslo', NULL, -1.00, 3.10, ''), (13, 2, 'sent', NULL, '75001', NULL, 1.00, 'é😀');
INSERT INTO order_items VALUES (10, 2, 'B', 1), (10, 1, 'A', 5), (12, 1, 'C', 0);
