CREATE TABLE boxes (id INT PRIMARY KEY);
CREATE TABLE things (id INT PRIMARY KEY, box_id INT, weight INT, label VARCHAR(5), FOREIGN KEY (box_id) REFERENCES boxes (id));
INSERT INTO boxes VALUES (1);
INSERT INTO things VALUES (1,1,5,'b'),(2,1,NULL,'A'),(3,1,3,'a'),(4,1,3,NULL);
