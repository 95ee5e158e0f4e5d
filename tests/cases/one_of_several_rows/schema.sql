CREATE TABLE customers (id INT PRIMARY KEY);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT NOT NULL, placed DATE, paid INT,
  FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE items (id INT PRIMARY KEY, order_id INT NOT NULL, sku VARCHAR(5), price INT,
  FOREIGN KEY (order_id) REFERENCES orders (id));
INSERT INTO customers VALUES (1),(2),(3),(4);
INSERT INTO orders VALUES (1,1,'2024-01-01',1),(2,1,'2024-03-01',0),(3,1,'2024-02-01',1),
  (4,2,'2024-01-01',0),(5,2,'2024-01-01',0),(6,3,NULL,0),(7,3,NULL,1);
INSERT INTO items VALUES (1,2,'b',7),(2,2,'a',7),(3,2,'c',9),(4,4,'d',NULL),(5,4,'e',1);
