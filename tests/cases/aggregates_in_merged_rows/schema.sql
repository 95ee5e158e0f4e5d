CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE visits (id INT PRIMARY KEY, customer_id INT, FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, placed DATE, FOREIGN KEY (customer_id) REFERENCES customers (id));
INSERT INTO customers VALUES (1,'Ann'),(2,NULL);
INSERT INTO visits VALUES (1,1);
INSERT INTO orders VALUES (1,1,'2024-01-01'),(2,NULL,'2024-01-02'),(3,1,NULL),(4,2,NULL);
