CREATE TABLE people (id INT PRIMARY KEY, home POINT);
CREATE TABLE places (id INT PRIMARY KEY, person_id INT NOT NULL, location POINT, must POINT NOT NULL, prefs JSON, city_id INT,
  CONSTRAINT fk_person FOREIGN KEY (person_id) REFERENCES people (id));
CREATE TABLE cities (id INT PRIMARY KEY, center POINT NOT NULL);
