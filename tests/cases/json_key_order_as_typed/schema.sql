CREATE TABLE docs (id INT PRIMARY KEY, j JSON);
INSERT INTO docs VALUES (1,'{"bb":1,"a":2,  "c":{"zz":1,"y":2}}');
