-- An online shop as real databases look after ten years. Runs unchanged on MySQL 8.0 to 9.x and MariaDB 10.6 and newer.
-- docs/sample.md says what is odd about it, odd.sql holds the oddest values.

CREATE TABLE currencies (
    id       TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    code     CHAR(3) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    symbol   VARCHAR(4) NOT NULL,
    decimals TINYINT NOT NULL DEFAULT 2,
    UNIQUE KEY code (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE brands (
    id      INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name    VARCHAR(80) NOT NULL,
    country CHAR(2) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    founded YEAR NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE categories (
    id        INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    parent_id INT NULL,
    name      VARCHAR(80) NOT NULL,
    slug      VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position  SMALLINT NOT NULL DEFAULT 0,
    UNIQUE KEY slug (slug),
    KEY parent (parent_id, position),
    CONSTRAINT categories_parent FOREIGN KEY (parent_id) REFERENCES categories (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE products (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sku          VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    title        VARCHAR(160) NOT NULL,
    title_length SMALLINT UNSIGNED GENERATED ALWAYS AS (CHAR_LENGTH(title)) VIRTUAL,
    description  TEXT NULL,
    brand_id     INT NULL,
    category_id  INT NULL,
    state        ENUM('draft', 'active', 'retired') NOT NULL DEFAULT 'draft',
    price        DECIMAL(10, 2) NOT NULL,
    gross_price  DECIMAL(10, 2) GENERATED ALWAYS AS (price * 1.19) STORED,
    unit_cost    DECIMAL(40, 10) NULL COMMENT 'up to 40 digits, six more than Decimal128 holds',
    weight_kg    FLOAT NULL,
    rating       DOUBLE NULL,
    views        BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'goes above 2^63-1',
    sizes        SET('S', 'M', 'L', 'XL', 'XXL') NOT NULL DEFAULT '',
    is_digital   BIT(1) NOT NULL DEFAULT b'0',
    flags        BIT(8) NOT NULL DEFAULT b'0',
    model_year   YEAR NULL,
    attributes   JSON NULL,
    thumbnail    VARBINARY(64) NULL,
    created_at   DATETIME NOT NULL,
    deleted_at   DATETIME NULL,
    UNIQUE KEY sku (sku),
    KEY brand (brand_id),
    KEY category (category_id),
    CONSTRAINT products_brand FOREIGN KEY (brand_id) REFERENCES brands (id) ON DELETE SET NULL,
    CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What is really sold: a product in one colour and size.
CREATE TABLE articles (
    product_id BIGINT UNSIGNED NOT NULL,
    article_no SMALLINT NOT NULL,
    color      VARCHAR(30) NULL,
    size       VARCHAR(5) NULL,
    ean        CHAR(13) CHARACTER SET ascii COLLATE ascii_bin NULL,
    surcharge  DECIMAL(8, 2) NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, article_no),
    UNIQUE KEY ean (ean),
    CONSTRAINT articles_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE product_categories (
    product_id  BIGINT UNSIGNED NOT NULL,
    category_id INT NOT NULL,
    PRIMARY KEY (product_id, category_id),
    KEY category (category_id),
    CONSTRAINT product_categories_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    CONSTRAINT product_categories_category FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- 'Sale' and 'sale' are two tags here: the collation is binary.
CREATE TABLE tags (
    id   SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(40) COLLATE utf8mb4_bin NOT NULL,
    UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE product_tags (
    product_id BIGINT UNSIGNED NOT NULL,
    tag_id     SMALLINT UNSIGNED NOT NULL,
    relevance  FLOAT NOT NULL,
    tagged_at  DATETIME NOT NULL,
    PRIMARY KEY (product_id, tag_id),
    KEY tag (tag_id),
    CONSTRAINT product_tags_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    CONSTRAINT product_tags_tag FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE warehouses (
    id         SMALLINT NOT NULL PRIMARY KEY,
    name       VARCHAR(60) NOT NULL,
    utc_offset TIME NOT NULL COMMENT 'negative west of Greenwich',
    lead_time  TIME NOT NULL COMMENT 'more than 24 hours where the ship is slow',
    opened_on  DATE NULL,
    location   POINT NULL COMMENT 'longitude, latitude',
    floor_plan POLYGON NULL COMMENT 'metres from the south-west corner'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE warehouse_stock (
    warehouse_id SMALLINT NOT NULL,
    product_id   BIGINT UNSIGNED NOT NULL,
    quantity     INT NOT NULL,
    reserved     INT UNSIGNED NOT NULL DEFAULT 0,
    available    INT GENERATED ALWAYS AS (quantity - CAST(reserved AS SIGNED)) VIRTUAL,
    counted_at   DATETIME(6) NULL,
    PRIMARY KEY (warehouse_id, product_id),
    KEY product (product_id),
    CONSTRAINT warehouse_stock_warehouse FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
    CONSTRAINT warehouse_stock_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE customers (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id    BINARY(16) NOT NULL,
    email        VARCHAR(120) NOT NULL,
    phone        VARCHAR(20) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    name         VARCHAR(100) NOT NULL,
    legacy_name  VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,
    kind         ENUM('private', 'business', 'reseller') NOT NULL DEFAULT 'private',
    newsletter   TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'a boolean, but 2 (asked twice) and -1 (bounced) exist',
    born_on      DATE NULL,
    last_login   DATETIME NULL,
    referrer_id  BIGINT UNSIGNED NULL,
    preferences  TEXT NULL COMMENT 'JSON from before MySQL had JSON',
    risk_score   SMALLINT NULL /*!80023 INVISIBLE */ /*M! INVISIBLE */,
    created_at   DATETIME(6) NOT NULL,
    deleted_at   DATETIME NULL,
    UNIQUE KEY public_id (public_id),
    UNIQUE KEY email (email),
    UNIQUE KEY phone (phone),
    KEY referrer (referrer_id),
    CONSTRAINT customers_referrer FOREIGN KEY (referrer_id) REFERENCES customers (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE addresses (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id BIGINT UNSIGNED NOT NULL,
    label       VARCHAR(20) NULL,
    street      VARCHAR(100) NOT NULL,
    city        VARCHAR(60) NOT NULL,
    postcode    VARCHAR(12) NULL,
    country     CHAR(2) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    location    POINT NULL COMMENT 'longitude, latitude',
    KEY customer (customer_id),
    CONSTRAINT addresses_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE wishlists (
    customer_id BIGINT UNSIGNED NOT NULL,
    product_id  BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (customer_id, product_id),
    KEY product (product_id),
    CONSTRAINT wishlists_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    CONSTRAINT wishlists_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE orders (
    id                  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number              VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    customer_id         BIGINT UNSIGNED NULL COMMENT 'NULL: ordered as a guest',
    billing_address_id  BIGINT UNSIGNED NULL,
    shipping_address_id BIGINT UNSIGNED NULL,
    warehouse_id        SMALLINT NULL,
    currency_code       CHAR(3) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    status              ENUM('cart', 'placed', 'paid', 'shipped', 'returned') NOT NULL,
    total               DECIMAL(12, 2) NOT NULL,
    shipping_fee        DECIMAL(8, 2) NOT NULL DEFAULT 0,
    is_gift             TINYINT(1) NOT NULL DEFAULT 0,
    provider_ref        BIGINT UNSIGNED NULL COMMENT 'any 64 bits',
    token               BINARY(16) NOT NULL,
    note                VARCHAR(500) NULL,
    internal_note       TEXT NULL,
    placed_at           DATETIME(6) NOT NULL,
    updated_at          TIMESTAMP NULL DEFAULT NULL,
    UNIQUE KEY number (number),
    KEY customer (customer_id, placed_at),
    KEY billing_address (billing_address_id),
    KEY shipping_address (shipping_address_id),
    KEY warehouse (warehouse_id),
    KEY currency (currency_code),
    CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL,
    CONSTRAINT orders_billing FOREIGN KEY (billing_address_id) REFERENCES addresses (id) ON DELETE SET NULL,
    CONSTRAINT orders_shipping FOREIGN KEY (shipping_address_id) REFERENCES addresses (id) ON DELETE SET NULL,
    CONSTRAINT orders_warehouse FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
    CONSTRAINT orders_currency FOREIGN KEY (currency_code) REFERENCES currencies (code) ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE order_items (
    order_id   BIGINT UNSIGNED NOT NULL,
    line_no    SMALLINT UNSIGNED NOT NULL,
    product_id BIGINT UNSIGNED NOT NULL,
    article_no SMALLINT NULL,
    quantity   INT UNSIGNED NOT NULL,
    unit_price DECIMAL(10, 2) NOT NULL,
    line_total DECIMAL(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    engraving  VARCHAR(60) NULL,
    PRIMARY KEY (order_id, line_no),
    KEY article (product_id, article_no),
    CONSTRAINT order_items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    CONSTRAINT order_items_product FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT order_items_article FOREIGN KEY (product_id, article_no) REFERENCES articles (product_id, article_no)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE order_options (
    order_id BIGINT UNSIGNED NOT NULL,
    name     VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value    VARCHAR(120) NULL,
    PRIMARY KEY (order_id, name),
    CONSTRAINT order_options_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE coupons (
    code        VARCHAR(20) NOT NULL PRIMARY KEY,
    percent     DECIMAL(5, 2) NOT NULL,
    valid_until DATE NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- coupon_code is as the customer typed it: to the collation 'spring5' is 'SPRING5'.
CREATE TABLE order_coupons (
    order_id    BIGINT UNSIGNED NOT NULL,
    coupon_code VARCHAR(20) NOT NULL,
    amount      DECIMAL(8, 2) NOT NULL,
    redeemed_at DATETIME(3) NOT NULL,
    PRIMARY KEY (order_id, coupon_code),
    KEY coupon (coupon_code),
    CONSTRAINT order_coupons_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    CONSTRAINT order_coupons_coupon FOREIGN KEY (coupon_code) REFERENCES coupons (code) ON UPDATE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE invoices (
    id        INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id  BIGINT UNSIGNED NOT NULL,
    number    CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount    DECIMAL(12, 2) NOT NULL,
    issued_on DATE NOT NULL,
    due_on    DATE NOT NULL,
    UNIQUE KEY one_per_order (order_id),
    UNIQUE KEY number (number),
    CONSTRAINT invoices_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- One table, two shapes: kind says which columns mean something.
CREATE TABLE payments (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id   BIGINT UNSIGNED NOT NULL,
    kind       ENUM('card', 'bank') NOT NULL,
    amount     DECIMAL(12, 2) NOT NULL,
    paid_at    DATETIME(6) NOT NULL,
    card_brand VARCHAR(20) NULL,
    card_last4 CHAR(4) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    iban       VARCHAR(34) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    bic        CHAR(8) CHARACTER SET ascii COLLATE ascii_general_ci NULL,
    KEY `order` (order_id),
    CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE shipments (
    id           BINARY(16) NOT NULL PRIMARY KEY,
    order_id     BIGINT UNSIGNED NOT NULL,
    carrier      VARCHAR(20) NOT NULL,
    packed_in    TIME(3) NULL,
    shipped_at   TIMESTAMP(3) NULL DEFAULT NULL,
    delivered_on DATE NULL,
    KEY `order` (order_id),
    CONSTRAINT shipments_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Polymorphic: subject_id is a key of the table that subject_type names, so no foreign key guards it.
CREATE TABLE comments (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subject_type ENUM('order', 'product') NOT NULL,
    subject_id   BIGINT UNSIGNED NOT NULL,
    author_id    BIGINT UNSIGNED NULL,
    stars        TINYINT NULL,
    body         TEXT NOT NULL,
    written_at   DATETIME NOT NULL,
    deleted_at   DATETIME NULL,
    KEY subject (subject_id, subject_type),
    KEY author (author_id),
    CONSTRAINT comments_author FOREIGN KEY (author_id) REFERENCES customers (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Imported from the shop's first system. MyISAM: no transactions, no foreign keys, so orphans.
CREATE TABLE legacy_notes (
    id          INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id BIGINT UNSIGNED NOT NULL,
    body        VARCHAR(200) NOT NULL,
    noted_on    DATE NULL,
    KEY customer (customer_id)
) ENGINE = MyISAM DEFAULT CHARSET = latin1;

-- No primary key, and the same row may stand here several times.
CREATE TABLE visits (
    visited_at  DATETIME NOT NULL,
    path        VARCHAR(200) NOT NULL,
    customer_id BIGINT UNSIGNED NULL,
    ip          VARBINARY(16) NOT NULL,
    took_ms     FLOAT NOT NULL,
    KEY visited_at (visited_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
