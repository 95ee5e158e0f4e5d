CREATE TABLE things (id INT PRIMARY KEY);
CREATE TABLE facts (id INT PRIMARY KEY, thing_id INT, name VARCHAR(5), FOREIGN KEY (thing_id) REFERENCES things (id));
INSERT INTO things VALUES (1),(2);
INSERT INTO facts VALUES (1,1,NULL),(2,2,'x');
