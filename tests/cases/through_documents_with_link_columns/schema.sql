CREATE TABLE posts (id INT PRIMARY KEY, title VARCHAR(20));
CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE post_tags (post_id INT, tag_id INT, added DATE, hidden INT, PRIMARY KEY (post_id, tag_id),
  FOREIGN KEY (post_id) REFERENCES posts (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
INSERT INTO posts VALUES (1,'one'),(2,'two'),(3,'three');
INSERT INTO tags VALUES (1,'red'),(2,'blue'),(3,NULL),(4,'green');
INSERT INTO post_tags VALUES (1,2,'2024-01-02',0),(1,1,'2024-03-01',1),(1,3,NULL,0),(2,4,'2020-02-29',0);
