CREATE TABLE people (id INT PRIMARY KEY, `0` INT);
CREATE TABLE scores (id INT PRIMARY KEY, person_id INT NOT NULL, `1` INT, x INT,
  CONSTRAINT fk_person FOREIGN KEY (person_id) REFERENCES people (id));
