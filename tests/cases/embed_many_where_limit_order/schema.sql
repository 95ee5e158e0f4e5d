CREATE TABLE players (id INT PRIMARY KEY);
CREATE TABLE scores (id INT PRIMARY KEY, player_id INT NOT NULL, points INT, FOREIGN KEY (player_id) REFERENCES players (id));
INSERT INTO players VALUES (1), (2), (3);
INSERT INTO scores VALUES (1,1,10),(2,1,30),(3,1,30),(4,1,20),(5,1,NULL),(6,2,-5),(7,2,5);
