CREATE TABLE facts (code VARCHAR(5) NOT NULL UNIQUE, value INT);
INSERT INTO facts VALUES ('b',1),('a',2);
