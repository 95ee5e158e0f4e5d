CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(10));
CREATE VIEW names AS SELECT id, UPPER(name) AS upper_name FROM users;
