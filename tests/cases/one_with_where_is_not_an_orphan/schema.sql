CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(10), active INT);
CREATE TABLE posts (id INT PRIMARY KEY, user_id INT, FOREIGN KEY (user_id) REFERENCES users (id));
INSERT INTO users VALUES (1,'Ann',1),(2,'Bob',0);
INSERT INTO posts VALUES (1,1),(2,2),(3,NULL);
