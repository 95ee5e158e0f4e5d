CREATE TABLE users (id INT PRIMARY KEY, deleted_at DATETIME);
CREATE TABLE posts (id INT PRIMARY KEY, user_id INT, deleted_at DATETIME, FOREIGN KEY (user_id) REFERENCES users (id));
CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE post_tags (post_id INT, tag_id INT, deleted_at DATETIME, PRIMARY KEY (post_id, tag_id), FOREIGN KEY (post_id) REFERENCES posts (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
INSERT INTO users VALUES (1,NULL),(2,'2024-01-01 00:00:00');
INSERT INTO posts VALUES (1,1,NULL),(2,1,'2024-01-01 00:00:00'),(3,2,NULL);
INSERT INTO tags VALUES (1,'a'),(2,'b');
INSERT INTO post_tags VALUES (1,1,NULL),(1,2,'2024-01-01 00:00:00');
