-- Made to be hard on sync: cascades the log doesn't show, keys that differ only in case, joins that no foreign key guards.
-- Runs unchanged on MySQL 8.0 to 9.x and MariaDB 10.6 and newer.

-- A lookup row that many documents embed; its own key may change.
CREATE TABLE regions (
    id   SMALLINT NOT NULL PRIMARY KEY,
    name VARCHAR(12) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE users (
    id        INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    login     VARCHAR(10) NOT NULL,
    region_id SMALLINT NULL,
    UNIQUE KEY login (login),
    CONSTRAINT users_region FOREIGN KEY (region_id) REFERENCES regions (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- 'abc', 'ABC' and 'abc ' are one key here.
CREATE TABLE customers (
    code      VARCHAR(8) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY,
    name      VARCHAR(12) NULL,
    region_id SMALLINT NULL,
    CONSTRAINT customers_region FOREIGN KEY (region_id) REFERENCES regions (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- No foreign key: joined by the collation alone.
CREATE TABLE aliases (
    id            INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_code VARCHAR(10) COLLATE utf8mb4_general_ci NULL,
    alias         VARCHAR(12) NOT NULL,
    KEY customer (customer_code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE orders (
    id            INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_code VARCHAR(8) COLLATE utf8mb4_general_ci NOT NULL,
    number        VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    state         ENUM('open', 'paid', 'void') NOT NULL,
    UNIQUE KEY number (number),
    CONSTRAINT orders_customer FOREIGN KEY (customer_code) REFERENCES customers (code)
        ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Referred to by a unique column that is not the primary key.
CREATE TABLE makers (
    id   INT NOT NULL PRIMARY KEY,
    code VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
    name VARCHAR(12) NULL,
    UNIQUE KEY code (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE products (
    id         BINARY(16) NOT NULL PRIMARY KEY,
    sku        VARCHAR(10) COLLATE utf8mb4_bin NOT NULL,
    name       VARCHAR(12) NULL,
    price      DECIMAL(8, 2) NOT NULL,
    width      INT NOT NULL DEFAULT 0,
    height     INT NOT NULL DEFAULT 0,
    area       INT GENERATED ALWAYS AS (width * height) STORED,
    size_class INT GENERATED ALWAYS AS (width + height) VIRTUAL,
    maker_code VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,
    UNIQUE KEY sku (sku),
    CONSTRAINT products_maker FOREIGN KEY (maker_code) REFERENCES makers (code) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- customers -> orders -> items vanish together, while products embed the items.
CREATE TABLE items (
    order_id   INT NOT NULL,
    line       SMALLINT NOT NULL,
    product_id BINARY(16) NOT NULL,
    quantity   INT NOT NULL,
    PRIMARY KEY (order_id, line),
    KEY product (product_id),
    CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT items_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Joined by a generated column: its value changes without being written.
CREATE TABLE boxes (
    id         INT NOT NULL PRIMARY KEY,
    size_class INT NULL,
    name       VARCHAR(12) NULL,
    KEY size_class (size_class)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE labels (
    id   SMALLINT NOT NULL PRIMARY KEY,
    name VARCHAR(10) COLLATE utf8mb4_bin NOT NULL,
    UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE product_labels (
    product_id BINARY(16) NOT NULL,
    label_id   SMALLINT NOT NULL,
    position   SMALLINT NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, label_id),
    CONSTRAINT product_labels_product FOREIGN KEY (product_id) REFERENCES products (id)
        ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT product_labels_label FOREIGN KEY (label_id) REFERENCES labels (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- No foreign key, and text as its own collation has it on either side.
CREATE TABLE stocks (
    id     INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sku    VARCHAR(10) COLLATE utf8mb4_bin NULL,
    amount DECIMAL(10, 3) NOT NULL,
    KEY sku (sku)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- No mapping names companies and divisions; deleting one deletes teams, which are documents.
CREATE TABLE companies (
    id   INT NOT NULL PRIMARY KEY,
    name VARCHAR(12) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE divisions (
    id         INT NOT NULL PRIMARY KEY,
    company_id INT NOT NULL,
    CONSTRAINT divisions_company FOREIGN KEY (company_id) REFERENCES companies (id)
        ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE teams (
    id          INT NOT NULL PRIMARY KEY,
    division_id INT NULL,
    name        VARCHAR(12) NULL,
    lead_id     INT NULL,
    CONSTRAINT teams_division FOREIGN KEY (division_id) REFERENCES divisions (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT teams_lead FOREIGN KEY (lead_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE members (
    team_id INT NOT NULL,
    seat    TINYINT NOT NULL,
    user_id INT NOT NULL,
    PRIMARY KEY (team_id, seat),
    CONSTRAINT members_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT members_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A document while nobody holds the lock: deleting the user lets it in.
CREATE TABLE tickets (
    id         INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    title      VARCHAR(12) NOT NULL,
    locked_by  INT NULL,
    team_id    INT NULL,
    deleted_at DATETIME NULL,
    CONSTRAINT tickets_lock FOREIGN KEY (locked_by) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT tickets_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE places (
    name VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL PRIMARY KEY,
    zip  CHAR(5) CHARACTER SET ascii COLLATE ascii_general_ci NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE boards (
    id         INT NOT NULL PRIMARY KEY,
    name       VARCHAR(12) NULL,
    place_name VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,
    CONSTRAINT boards_place FOREIGN KEY (place_name) REFERENCES places (name) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The best three without an owner: deleting an owner lets a card in and pushes another out.
CREATE TABLE cards (
    id       INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    board_id INT NOT NULL,
    owner_id INT NULL,
    score    SMALLINT NOT NULL,
    text     VARCHAR(12) NULL,
    CONSTRAINT cards_board FOREIGN KEY (board_id) REFERENCES boards (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT cards_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE board_settings (
    board_id INT NOT NULL,
    name     VARCHAR(8) COLLATE utf8mb4_bin NOT NULL,
    value    VARCHAR(12) NULL,
    PRIMARY KEY (board_id, name),
    CONSTRAINT board_settings_board FOREIGN KEY (board_id) REFERENCES boards (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE remarks (
    id           INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subject_type ENUM('ticket', 'board') NOT NULL,
    subject_id   INT NOT NULL,
    author_id    INT NULL,
    body         VARCHAR(12) NOT NULL,
    KEY subject (subject_id, subject_type),
    CONSTRAINT remarks_author FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Deleting a folder deletes what is below it, at any depth.
CREATE TABLE folders (
    id        INT NOT NULL PRIMARY KEY,
    parent_id INT NULL,
    name      VARCHAR(12) NULL,
    CONSTRAINT folders_parent FOREIGN KEY (parent_id) REFERENCES folders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE shelves (
    a     SMALLINT NOT NULL,
    b     SMALLINT NOT NULL,
    title VARCHAR(12) NULL,
    PRIMARY KEY (a, b)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Either half of the key may be NULL.
CREATE TABLE books (
    id      INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    shelf_a SMALLINT NULL,
    shelf_b SMALLINT NULL,
    title   VARCHAR(12) NULL,
    KEY shelf (shelf_a, shelf_b),
    CONSTRAINT books_shelf FOREIGN KEY (shelf_a, shelf_b) REFERENCES shelves (a, b) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE rates (
    rate DECIMAL(8, 3) NOT NULL PRIMARY KEY,
    name VARCHAR(12) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE rate_uses (
    id      INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    rate    DECIMAL(8, 3) NULL,
    used_at TIMESTAMP(3) NULL DEFAULT NULL,
    CONSTRAINT rate_uses_rate FOREIGN KEY (rate) REFERENCES rates (rate) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE moments (
    happened DATETIME(6) NOT NULL PRIMARY KEY,
    what     VARCHAR(12) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE moment_notes (
    id       INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    happened DATETIME(6) NOT NULL,
    note     VARCHAR(12) NULL,
    CONSTRAINT moment_notes_moment FOREIGN KEY (happened) REFERENCES moments (happened)
        ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- No transactions, no foreign keys: what a failed or rolled back statement wrote stays.
CREATE TABLE journals (
    id       INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    board_id INT NULL,
    line     VARCHAR(12) NOT NULL,
    KEY board (board_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Half converted: essays are in the new character set, authors in every older one. Essays find them by the collation of
-- the new one, to which 'ä' is 'a' and what an older set lacks is nobody's.
CREATE TABLE authors (
    id    INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    latin VARCHAR(6) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,
    small VARCHAR(6) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci NULL,
    alike VARCHAR(6) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci NULL,
    plain VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin NULL,
    asian VARCHAR(6) CHARACTER SET gbk COLLATE gbk_chinese_ci NULL,
    KEY latin (latin),
    KEY small (small),
    KEY alike (alike),
    KEY plain (plain)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE genres (
    code VARCHAR(6) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE essays (
    id     INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author VARCHAR(6) COLLATE utf8mb4_unicode_ci NULL,
    exact  VARCHAR(6) COLLATE utf8mb4_bin NULL,
    genre  VARCHAR(6) COLLATE utf8mb4_bin NULL,
    state  ENUM('a', 'B', 'red') CHARACTER SET latin1 NULL,
    KEY author (author),
    KEY exact (exact),
    CONSTRAINT essays_genre FOREIGN KEY (genre) REFERENCES genres (code) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
