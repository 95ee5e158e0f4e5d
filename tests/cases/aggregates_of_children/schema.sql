CREATE TABLE customers (id INT PRIMARY KEY);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, placed DATE, total DECIMAL(10,2), quantity INT, weight DOUBLE,
  took TIME, paid INT NOT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE items (id INT PRIMARY KEY, order_id INT NOT NULL, price DECIMAL(6,3) NOT NULL,
  FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE notes (id INT PRIMARY KEY, subject VARCHAR(10), subject_id INT);
INSERT INTO customers VALUES (1),(2),(3),(4);
INSERT INTO orders VALUES (1,1,'2024-01-01',10.10,3,0.1,'10:00:00',1),(2,1,'2023-05-05',0.25,-7,0.2,'-01:00:00',0),
  (3,1,NULL,NULL,NULL,NULL,NULL,0),(4,2,'2024-02-02',5.00,1,-0.0,'838:59:59',1),(5,3,NULL,NULL,NULL,NULL,NULL,1),
  (6,NULL,'2020-01-01',1,1,1,'00:00:01',1),(7,1,'2024-01-01',1.01,2147483647,1e10,'00:00:01',0);
INSERT INTO items VALUES (1,2,1.005),(2,2,2.500),(3,7,9.999);
INSERT INTO notes VALUES (1,'customer',1),(2,'customer',1),(3,'order',1),(4,'customer',3);
