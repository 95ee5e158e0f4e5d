CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(20) UNIQUE);
CREATE TABLE mails (id INT PRIMARY KEY, recipient VARCHAR(20), FOREIGN KEY (recipient) REFERENCES users (email));
INSERT INTO users VALUES (1,'a@x'),(2,NULL),(3,'b@x');
INSERT INTO mails VALUES (1,'A@X'),(2,'b@x'),(3,NULL);
