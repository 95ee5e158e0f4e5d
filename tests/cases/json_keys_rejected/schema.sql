CREATE TABLE docs (id INT PRIMARY KEY, j JSON);
INSERT INTO docs VALUES (1,'{"a.b": 1}'),(2,'{"x": [{"$c": 2}]}'),(3,'{"": 3, "a$": 1}'),(4,NULL),(5,'"a.b"');
