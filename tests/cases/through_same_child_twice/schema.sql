CREATE TABLE teams (id INT PRIMARY KEY);
CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE roles (id INT PRIMARY KEY, team_id INT, person_id INT, role VARCHAR(10),
  FOREIGN KEY (team_id) REFERENCES teams (id), FOREIGN KEY (person_id) REFERENCES people (id));
INSERT INTO teams VALUES (1);
INSERT INTO people VALUES (1,'Ann'),(2,'Bob');
INSERT INTO roles VALUES (5,1,1,'lead'),(3,1,2,'dev'),(4,1,1,'dev'),(6,NULL,1,'x'),(7,1,NULL,'y');
