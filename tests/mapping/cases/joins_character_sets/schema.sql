CREATE TABLE old (
    id INT PRIMARY KEY,
    latin VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
    chinese VARCHAR(10) CHARACTER SET gbk COLLATE gbk_chinese_ci,
    small VARCHAR(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci,
    plain VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin
);
CREATE TABLE new (
    id INT PRIMARY KEY,
    latin VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_general_ci,
    kind VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
    text VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,
    other VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci
);
CREATE TABLE far (
    id INT PRIMARY KEY,
    latin VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci
);
