CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(10), zone VARCHAR(5));
CREATE TABLE people (id INT PRIMARY KEY, city VARCHAR(10), phone VARCHAR(10), zip VARCHAR(10), region_id INT, FOREIGN KEY (region_id) REFERENCES regions (id));
INSERT INTO regions VALUES (1,'north','N'),(2,NULL,NULL);
INSERT INTO people VALUES (1,'Rome','1','00100',1),(2,NULL,'2','00100',2),(3,NULL,NULL,NULL,NULL),(4,'Oslo',NULL,NULL,2);
