CREATE TABLE users (id INT PRIMARY KEY, latin VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci, small VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci,
  chinese VARCHAR(20) CHARACTER SET gbk COLLATE gbk_chinese_ci, plain VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin, raw VARBINARY(20), KEY (latin), KEY (small));
CREATE TABLE posts (id INT PRIMARY KEY, author VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, latin VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin, KEY (author));
INSERT INTO users VALUES (1,'Müller','Müller','漢字','anna',X'4DFC6C6C6572'),(2,'Muller','Muller','?','?',X'3F'),(3,'anna ','ANNA','anna','Anna',X'616E6E61'),(4,'?','?','Жук','??',X'3F3F'),(5,NULL,NULL,NULL,NULL,NULL),(6,'ß','ß','ss','ss',X'DF');
INSERT INTO posts VALUES (1,'Müller','Müller'),(2,'MULLER','Muller'),(3,'anna','anna '),(4,'Anna','Anna'),(5,'漢字','?'),(6,'anna😀','??'),(7,'?','?'),(8,'SS','ß'),(9,'änna',NULL),(10,NULL,'ss'),(11,'жук','x');
