CREATE TABLE people (id INT PRIMARY KEY, first VARCHAR(10), last VARCHAR(10), full_name VARCHAR(21) AS (CONCAT(first, ' ', last)) VIRTUAL,
  size INT AS (LENGTH(first)) STORED, secret INT INVISIBLE);
INSERT INTO people (id, first, last, secret) VALUES (1,'Ann','Lee',7),(2,'Bob',NULL,NULL);
