CREATE TABLE prices (sku VARCHAR(5) NOT NULL, country CHAR(2) NOT NULL, price DECIMAL(6,2), id INT PRIMARY KEY, UNIQUE (sku, country));
INSERT INTO prices VALUES ('A','it',1.00,1),('A','no',2.00,2),('B','it',NULL,3);
