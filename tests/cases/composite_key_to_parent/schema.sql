CREATE TABLE shelves (room VARCHAR(5), number INT, width FLOAT, PRIMARY KEY (number, room));
CREATE TABLE books (id BIGINT PRIMARY KEY, shelf_room VARCHAR(5), shelf_number INT,
  FOREIGN KEY (shelf_number, shelf_room) REFERENCES shelves (number, room));
INSERT INTO shelves VALUES ('A',1,1.1),('B',1,0.3),('A',2,NULL);
INSERT INTO books VALUES (1,'A',1),(2,'A',1),(3,'B',1),(4,NULL,1),(5,'A',NULL);
