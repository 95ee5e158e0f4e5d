CREATE TABLE posts (id INT PRIMARY KEY);
CREATE TABLE postmeta (id INT PRIMARY KEY, post_id INT, meta_key VARCHAR(20), meta_value TEXT,
  FOREIGN KEY (post_id) REFERENCES posts (id));
INSERT INTO posts VALUES (1),(2);
INSERT INTO postmeta VALUES (1,1,'tag','x'),(2,1,'lock',NULL),(3,1,'tag','y'),(4,1,'Tag','z'),(5,1,'tag',NULL);
