CREATE TABLE payments (id INT PRIMARY KEY, kind VARCHAR(10), last4 CHAR(4), iban VARCHAR(34), owner VARCHAR(10), amount INT);
INSERT INTO payments VALUES (1,'card','1234','no','Ann',5),(2,'bank','9999','IT60','Bob',6),(3,'cash',NULL,NULL,NULL,7),(4,NULL,NULL,NULL,NULL,8),(5,'CARD','1','2','3',9);
