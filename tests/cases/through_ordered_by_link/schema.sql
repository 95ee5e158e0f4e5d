CREATE TABLE posts (id INT PRIMARY KEY, title VARCHAR(20));
CREATE TABLE photos (id INT PRIMARY KEY, name VARCHAR(20), position INT, taken DATE);
CREATE TABLE post_photos (
  post_id INT NOT NULL, photo_id INT NOT NULL, position INT, added INT,
  PRIMARY KEY (post_id, photo_id),
  CONSTRAINT fk_post FOREIGN KEY (post_id) REFERENCES posts (id),
  CONSTRAINT fk_photo FOREIGN KEY (photo_id) REFERENCES photos (id)
);
INSERT INTO posts VALUES (1, 'one'), (2, 'two'), (3, 'none');
INSERT INTO photos VALUES (10, 'a', 3, '2024-01-01'), (11, 'b', 2, '2024-01-01'), (12, 'c', 1, '2024-01-01'), (13, 'd', 1, NULL);
-- The same position twice, and NULL: the photo's key decides.
INSERT INTO post_photos VALUES (1, 10, 2, 7), (1, 11, 1, 7), (1, 12, 2, 9), (1, 13, NULL, 8), (2, 10, 1, 1), (2, 12, 2, 2);
