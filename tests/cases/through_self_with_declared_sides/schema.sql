CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE follows (follower INT, followed INT, PRIMARY KEY (follower, followed),
  FOREIGN KEY (follower) REFERENCES users (id), FOREIGN KEY (followed) REFERENCES users (id));
INSERT INTO users VALUES (1,'a'),(2,'b'),(3,'c');
INSERT INTO follows VALUES (1,2),(1,3),(2,1),(3,3);
