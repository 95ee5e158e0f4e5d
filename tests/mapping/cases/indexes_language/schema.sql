CREATE TABLE books (id INT PRIMARY KEY, title TEXT, language VARCHAR(20));
CREATE TABLE chapters (id INT PRIMARY KEY, book_id INT NOT NULL, body TEXT, language INT NOT NULL,
  CONSTRAINT fk_book FOREIGN KEY (book_id) REFERENCES books (id));
