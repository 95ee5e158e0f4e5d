CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE people (id INT PRIMARY KEY, phone VARCHAR(10), region_id INT, FOREIGN KEY (region_id) REFERENCES regions (id));
CREATE TABLE pets (id INT PRIMARY KEY, owner INT, name VARCHAR(10), region_id INT, FOREIGN KEY (owner) REFERENCES people (id), FOREIGN KEY (region_id) REFERENCES regions (id));
INSERT INTO regions VALUES (1,NULL);
INSERT INTO people VALUES (1,NULL,1),(2,NULL,NULL);
INSERT INTO pets VALUES (1,1,NULL,NULL),(2,1,NULL,1);
