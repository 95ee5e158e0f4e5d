CREATE TABLE shops (id INT PRIMARY KEY);
CREATE TABLE banks (code INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE payments (id INT PRIMARY KEY, shop_id INT, kind INT, last4 CHAR(4), bank INT, amount INT, FOREIGN KEY (shop_id) REFERENCES shops (id), FOREIGN KEY (bank) REFERENCES banks (code));
INSERT INTO shops VALUES (1);
INSERT INTO banks VALUES (7,'B');
INSERT INTO payments VALUES (1,1,1,'1234',7,5),(2,1,2,NULL,7,6),(3,1,3,NULL,NULL,7);
