CREATE TABLE tags (name VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, uses INT);
CREATE TABLE aliases (tag VARCHAR(20) CHARACTER SET utf8mb4, alias VARCHAR(20), PRIMARY KEY (tag, alias), FOREIGN KEY (tag) REFERENCES tags (name));
INSERT INTO tags VALUES ('', 0),('😀',1),('a''b',2),('Z',3),('back\\slash',4);
INSERT INTO aliases VALUES ('z','x'),('','empty'),('😀','smile'),('a''b','q'),('back\\slash','s');
