CREATE TABLE posts (id INT PRIMARY KEY);
CREATE TABLE marks (id INT PRIMARY KEY, post_id INT, label VARCHAR(10), weight DECIMAL(4,2), FOREIGN KEY (post_id) REFERENCES posts (id));
INSERT INTO posts VALUES (1), (2);
INSERT INTO marks VALUES (1,1,'b',1.50),(2,1,NULL,NULL),(3,1,'a',2.00),(4,1,'a',2.00);
