CREATE TABLE notes (id INT PRIMARY KEY, a INT, b VARCHAR(10));
INSERT INTO notes VALUES (1,1,'--x'),(2,2,'y#'),(3,1,'z'),(4,NULL,'/*');
