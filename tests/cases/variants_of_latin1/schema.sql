CREATE TABLE things (id INT PRIMARY KEY, kind VARCHAR(10) CHARACTER SET latin1, v INT, w VARCHAR(10) CHARACTER SET latin1);
INSERT INTO things VALUES (1,'é',1,'ü'),(2,'e',2,'u'),(3,'É',3,'Ü'),(4,NULL,4,'y');
