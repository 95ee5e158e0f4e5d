CREATE TABLE picks (id INT PRIMARY KEY, e ENUM('b','a','it''s','é,x'), s SET('z','a','m','é'));
INSERT INTO picks VALUES (1,'b','m,z'),(2,'a',''),(3,'it''s','a'),(4,'é,x','é,m,a,z'),(5,NULL,NULL),(6,0,'z');
