CREATE TABLE employees (id INT PRIMARY KEY);
CREATE TABLE departments (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE dept_emp (emp_id INT, dept_id INT, since DATE, left_on DATE, PRIMARY KEY (emp_id, dept_id),
  FOREIGN KEY (emp_id) REFERENCES employees (id), FOREIGN KEY (dept_id) REFERENCES departments (id));
INSERT INTO employees VALUES (1),(2),(3);
INSERT INTO departments VALUES (1,'sales'),(2,'design'),(3,NULL);
INSERT INTO dept_emp VALUES (1,1,'2020-01-01','2021-01-01'),(1,2,'2021-01-01',NULL),(1,3,'2020-06-01',NULL),
  (2,1,'2022-01-01','2023-01-01');
