CREATE TABLE users (id INT PRIMARY KEY);
CREATE TABLE visits (page INT, user_id INT, seconds INT, FOREIGN KEY (user_id) REFERENCES users (id));
INSERT INTO users VALUES (1),(2);
INSERT INTO visits VALUES (2,1,5),(1,1,9),(NULL,1,7),(1,1,3),(1,1,3);
