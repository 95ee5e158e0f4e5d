CREATE TABLE products (id INT PRIMARY KEY);
CREATE TABLE attributes (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL);
CREATE TABLE product_texts (product_id INT, attribute_id INT, value TEXT, PRIMARY KEY (product_id, attribute_id),
  FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (attribute_id) REFERENCES attributes (id));
CREATE TABLE product_numbers (id INT PRIMARY KEY, product_id INT, attribute_id INT, store INT, value INT,
  FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (attribute_id) REFERENCES attributes (id));
INSERT INTO products VALUES (1),(2),(3),(4);
INSERT INTO attributes VALUES (1,'name'),(2,'size'),(3,'weight');
INSERT INTO product_texts VALUES (1,1,'chair'),(1,2,NULL),(2,1,'desk'),(3,3,'heavy');
INSERT INTO product_numbers VALUES (1,1,3,0,7),(2,1,2,1,9),(3,3,3,0,8),(4,2,3,1,5),(5,1,1,1,4);
