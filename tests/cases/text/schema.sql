CREATE TABLE words (id INT PRIMARY KEY, c CHAR(5), v VARCHAR(20), t TINYTEXT, x TEXT, m MEDIUMTEXT, l LONGTEXT) CHARACTER SET utf8mb4;
INSERT INTO words VALUES (1,'ab ','ab  ','','x\ny','😀é中',REPEAT('ä',70000)),(2,NULL,NULL,NULL,NULL,NULL,NULL),(3,'','\0','"''\\','\t','a','NULL');
