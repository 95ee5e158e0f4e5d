CREATE TABLE things (id INT PRIMARY KEY);
CREATE TABLE facts (id INT PRIMARY KEY, thing_id INT, d DATE, e ENUM('b','a'), n DECIMAL(5,2), l VARCHAR(5) CHARACTER SET latin1, FOREIGN KEY (thing_id) REFERENCES things (id));
INSERT INTO things VALUES (1);
INSERT INTO facts VALUES (1,1,'2024-01-02','b',1.50,'é'),(2,1,'1999-01-01','a',-1.00,'a');
