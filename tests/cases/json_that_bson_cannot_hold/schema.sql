CREATE TABLE docs (id INT PRIMARY KEY, j TEXT);
INSERT INTO docs VALUES (1,'{"a\\u0000b": 1}'),(2,'"\\ud800"'),(3,'{"a": "\\u0000"}'),(4,'{"\\ud83d": 1}');
