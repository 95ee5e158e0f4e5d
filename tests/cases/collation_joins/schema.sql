CREATE TABLE codes (code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, label VARCHAR(10));
CREATE TABLE uses (id INT PRIMARY KEY, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, FOREIGN KEY (code) REFERENCES codes (code));
INSERT INTO codes VALUES ('abc','x'),('é','y'),('z','w');
INSERT INTO uses VALUES (1,'ABC'),(2,'abc'),(3,'E'),(4,'e'),(5,'z  '),(6,NULL);
