CREATE TABLE orders (id INT PRIMARY KEY);
CREATE TABLE comments (id INT PRIMARY KEY, subject_type VARCHAR(10), subject_id INT, body TEXT);
INSERT INTO orders VALUES (1), (2);
INSERT INTO comments VALUES (1,'order',1,'a'),(2,'user',1,'b'),(3,'ORDER',1,'c'),(4,NULL,1,'d'),(5,'it''s',2,'e');
