CREATE TABLE words (id INT PRIMARY KEY, word VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci);
CREATE TABLE uses (id INT PRIMARY KEY, used VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, often INT);
INSERT INTO words VALUES (1,'a'),(2,'A'),(3,'b'),(4,NULL);
INSERT INTO uses VALUES (1,'a',1),(2,'A',5),(3,'á',7),(4,'B',NULL),(5,NULL,9);
