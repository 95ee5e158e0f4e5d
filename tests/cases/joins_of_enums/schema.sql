CREATE TABLE kinds (id INT PRIMARY KEY, e ENUM('red','2','1') CHARACTER SET latin1, t VARCHAR(9) CHARACTER SET utf8mb4, n INT);
CREATE TABLE things (id INT PRIMARY KEY, e ENUM('1','RED','blue') CHARACTER SET utf8mb4);
INSERT INTO kinds VALUES (1,'red','RED',1),(2,'2','2',2),(3,'1','1',3);
INSERT INTO things VALUES (1,'1'),(2,'RED'),(3,'blue');
