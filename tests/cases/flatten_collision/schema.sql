CREATE TABLE cities (id INT PRIMARY KEY, name VARCHAR(10));
CREATE TABLE streets (id INT PRIMARY KEY, name VARCHAR(10), city_id INT, FOREIGN KEY (city_id) REFERENCES cities (id));
