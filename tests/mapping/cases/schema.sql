CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(40), email VARCHAR(60), code CHAR(5) NOT NULL, deleted_at DATETIME,
  UNIQUE KEY email (email), UNIQUE KEY code (code));
CREATE TABLE addresses (id INT PRIMARY KEY, city VARCHAR(40));
CREATE TABLE warehouses (id INT PRIMARY KEY, name VARCHAR(40), token BINARY(16));
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, shipping_address_id INT, billing_address_id INT, warehouse_id INT,
  number VARCHAR(20), status ENUM('new', 'paid', 'sent') NOT NULL, total DECIMAL(10, 2) NOT NULL, shipping DECIMAL(10, 2),
  placed_at DATETIME(6), place POINT, prefs JSON, note TEXT, deleted_at DATETIME, kind INT,
  CONSTRAINT fk_customer FOREIGN KEY (customer_id) REFERENCES customers (id),
  CONSTRAINT fk_shipping FOREIGN KEY (shipping_address_id) REFERENCES addresses (id),
  CONSTRAINT fk_billing FOREIGN KEY (billing_address_id) REFERENCES addresses (id),
  CONSTRAINT fk_warehouse FOREIGN KEY (warehouse_id) REFERENCES warehouses (id));
CREATE TABLE order_items (order_id INT NOT NULL, line_no INT NOT NULL, sku VARCHAR(20), quantity INT, big DECIMAL(40, 5),
  PRIMARY KEY (order_id, line_no), CONSTRAINT fk_order FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE invoices (id INT PRIMARY KEY, order_id INT, number VARCHAR(20), UNIQUE KEY order_id (order_id),
  CONSTRAINT fk_invoice FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE order_tags (order_id INT NOT NULL, tag_id INT NOT NULL, added_at DATETIME, PRIMARY KEY (order_id, tag_id),
  CONSTRAINT fk_tagged FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT fk_tag FOREIGN KEY (tag_id) REFERENCES tags (id));
CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), boss_id INT, CONSTRAINT fk_boss FOREIGN KEY (boss_id) REFERENCES people (id));
CREATE TABLE friends (one_id INT NOT NULL, other_id INT NOT NULL, PRIMARY KEY (one_id, other_id),
  CONSTRAINT fk_one FOREIGN KEY (one_id) REFERENCES people (id), CONSTRAINT fk_other FOREIGN KEY (other_id) REFERENCES people (id));
CREATE TABLE comments (id INT PRIMARY KEY, subject_id INT, subject_type ENUM('order', 'person'), customer_id INT, body TEXT);
CREATE TABLE log (at DATETIME, text VARCHAR(20), order_number VARCHAR(20));
CREATE TABLE sessions (token VARCHAR(40) NOT NULL, device INT NOT NULL, ip VARCHAR(40), UNIQUE KEY token (token, device));
CREATE TABLE events (at DATETIME(6) NOT NULL PRIMARY KEY, flags SET('a', 'b'));
CREATE TABLE texts (id INT PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_general_ci, b VARCHAR(9) COLLATE utf8mb4_unicode_ci);
CREATE TABLE odd (id INT PRIMARY KEY, `a.b` INT, `$c` INT, _id INT);
CREATE VIEW paid_orders AS SELECT id, total FROM orders WHERE status = 'paid';
