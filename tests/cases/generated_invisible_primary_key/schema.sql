SET sql_generate_invisible_primary_key = 1;
CREATE TABLE notes (body VARCHAR(10));
INSERT INTO notes VALUES ('a'),('b');
