CREATE TABLE users (name VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, age INT);
CREATE TABLE posts (id INT PRIMARY KEY, author VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci);
INSERT INTO users VALUES ('Ann',1),('é',2);
INSERT INTO posts VALUES (1,'ANN'),(2,'ann '),(3,'E'),(4,'nobody'),(5,NULL);
