CREATE TABLE orders (id INT PRIMARY KEY);
CREATE TABLE invoices (number VARCHAR(10) PRIMARY KEY, order_id INT UNIQUE, amount DECIMAL(6,2), FOREIGN KEY (order_id) REFERENCES orders (id));
INSERT INTO orders VALUES (1), (2);
INSERT INTO invoices VALUES ('R1', 1, 9.90), ('R0', NULL, 1.00);
