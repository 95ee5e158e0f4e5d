CREATE TABLE things (id INT PRIMARY KEY);
CREATE TABLE options (id INT PRIMARY KEY, thing_id INT, name VARCHAR(20), value VARCHAR(20), FOREIGN KEY (thing_id) REFERENCES things (id));
CREATE TABLE ratings (thing_id INT, stars INT, votes INT, PRIMARY KEY (thing_id, stars), FOREIGN KEY (thing_id) REFERENCES things (id));
INSERT INTO things VALUES (1), (2);
INSERT INTO options VALUES (1,1,'zoom','2'),(2,1,'color',NULL),(3,1,'a.b','dot'),(4,1,'$x','dollar');
INSERT INTO ratings VALUES (1,5,10),(1,1,3),(1,10,0);
