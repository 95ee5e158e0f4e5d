CREATE TABLE orders (id INT PRIMARY KEY);
CREATE TABLE invoices (number VARCHAR(10) PRIMARY KEY, order_id INT UNIQUE, FOREIGN KEY (order_id) REFERENCES orders (id));
