CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(10));
CREATE VIEW names AS SELECT id, UPPER(name) AS upper_name FROM users;
INSERT INTO users VALUES (1,'ann'),(2,'bob');
