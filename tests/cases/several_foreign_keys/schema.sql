CREATE TABLE addresses (id INT PRIMARY KEY, city VARCHAR(10));
CREATE TABLE orders (id INT PRIMARY KEY, shipping_address_id INT, billing_address_id INT,
  FOREIGN KEY (shipping_address_id) REFERENCES addresses (id), FOREIGN KEY (billing_address_id) REFERENCES addresses (id));
INSERT INTO addresses VALUES (1,'Rome'),(2,'Oslo');
INSERT INTO orders VALUES (1,1,2),(2,2,NULL);
