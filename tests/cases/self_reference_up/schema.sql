CREATE TABLE categories (id INT PRIMARY KEY, parent_id INT, name VARCHAR(10), FOREIGN KEY (parent_id) REFERENCES categories (id));
INSERT INTO categories VALUES (1,NULL,'root'),(2,1,'a'),(3,2,'b'),(4,3,'c');
