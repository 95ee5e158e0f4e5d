CREATE TABLE things (id INT PRIMARY KEY);
CREATE TABLE options (id INT PRIMARY KEY, thing_id INT, name VARCHAR(20), value VARCHAR(20), FOREIGN KEY (thing_id) REFERENCES things (id));
INSERT INTO things VALUES (1), (2), (3);
INSERT INTO options VALUES (1,1,'a','1'),(2,1,'a','2'),(3,2,'a','1'),(4,2,'A','2'),(5,3,'a',NULL),(6,3,'a',NULL);
