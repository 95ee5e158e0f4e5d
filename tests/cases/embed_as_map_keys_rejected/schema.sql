CREATE TABLE things (id INT PRIMARY KEY);
CREATE TABLE options (id INT PRIMARY KEY, thing_id INT, name VARCHAR(20), value VARCHAR(20), FOREIGN KEY (thing_id) REFERENCES things (id));
INSERT INTO things VALUES (1), (2), (3), (4);
INSERT INTO options VALUES (1,1,'a.b','1'),(2,2,'$a','2'),(3,3,'a$','1'),(4,3,'','2');
