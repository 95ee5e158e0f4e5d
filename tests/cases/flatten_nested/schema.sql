CREATE TABLE countries (code CHAR(2) PRIMARY KEY, name VARCHAR(10));
CREATE TABLE cities (id INT PRIMARY KEY, country CHAR(2), name VARCHAR(10), FOREIGN KEY (country) REFERENCES countries (code));
CREATE TABLE streets (id INT PRIMARY KEY, city_id INT, FOREIGN KEY (city_id) REFERENCES cities (id));
CREATE TABLE houses (id INT PRIMARY KEY, city_id INT, FOREIGN KEY (city_id) REFERENCES cities (id));
INSERT INTO countries VALUES ('it','Italy');
INSERT INTO cities VALUES (1,'it','Rome'),(2,NULL,'Nowhere');
INSERT INTO streets VALUES (1,1),(2,2),(3,NULL);
INSERT INTO houses VALUES (7,1),(8,1);
