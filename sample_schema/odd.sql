-- Values that a database has only because sql_mode was lax once, checks were off, or a counter ran over. Each exists at
-- every scale. Runs after the rows are there, with sql_mode = '' and foreign_key_checks = 0.

-- Index 0 of an ENUM, what MySQL stores for a value it doesn't know.
UPDATE orders SET status = 'lost in the post' WHERE id = 3;
UPDATE products SET state = '' WHERE id = 3;

-- 64 bits unsigned: the largest value, and the first that BSON's int64 can't hold.
UPDATE products SET views = 18446744073709551615 WHERE id = 4;
UPDATE products SET views = 9223372036854775808 WHERE id = 5;
UPDATE orders SET provider_ref = 18446744073709551615 WHERE id = 4;

-- 40 digits, the largest and smallest DECIMAL(40,10), and zero with its scale.
UPDATE products SET unit_cost = 123456789012345678901234567890.1234567890 WHERE id = 6;
UPDATE products SET unit_cost = 999999999999999999999999999999.9999999999 WHERE id = 7;
UPDATE products SET unit_cost = -999999999999999999999999999999.9999999999 WHERE id = 8;
UPDATE products SET unit_cost = 0 WHERE id = 9;

-- Dates that are none.
UPDATE customers SET born_on = '0000-00-00', last_login = '0000-00-00 00:00:00' WHERE id = 10;
UPDATE customers SET born_on = '1984-00-00' WHERE id = 11;
UPDATE customers SET born_on = '1984-05-00', last_login = '2024-00-10 12:00:00' WHERE id = 12;
UPDATE orders SET updated_at = '0000-00-00 00:00:00' WHERE id = 5;
UPDATE legacy_notes SET noted_on = '0000-00-00' WHERE id = 1;

-- The ends of DATE, DATETIME(6) and YEAR, and the last microsecond of a year.
UPDATE customers SET born_on = '1000-01-01' WHERE id = 13;
UPDATE customers SET born_on = '9999-12-31', last_login = '9999-12-31 23:59:59' WHERE id = 14;
UPDATE orders SET placed_at = '2023-12-31 23:59:59.999999' WHERE id = 6;
UPDATE products SET model_year = 0 WHERE id = 10;
UPDATE products SET model_year = 1901 WHERE id = 11;
UPDATE products SET model_year = 2155 WHERE id = 12;

-- The ends of TIME.
UPDATE warehouses SET lead_time = '838:59:59' WHERE id = 1;
UPDATE warehouses SET utc_offset = '-838:59:59' WHERE id = 2;

-- A boolean with more than two values.
UPDATE customers SET newsletter = -1 WHERE id = 15;
UPDATE customers SET newsletter = 2 WHERE id = 16;
UPDATE customers SET newsletter = 127 WHERE id = 17;

-- Bits.
UPDATE products SET is_digital = b'1', flags = b'11111111' WHERE id = 13;
UPDATE products SET is_digital = b'0', flags = b'00000000' WHERE id = 14;

-- SET: nothing, everything, and given in another order than defined.
UPDATE products SET sizes = '' WHERE id = 15;
UPDATE products SET sizes = 'XXL,XL,L,M,S' WHERE id = 16;
UPDATE products SET sizes = 'XL,S' WHERE id = 17;

-- JSON: null is not NULL; keys with dots and dollars, the empty key; integers of 32, 64 and more bits; deep nesting.
UPDATE products SET attributes = 'null' WHERE id = 18;
UPDATE products SET attributes = NULL WHERE id = 19;
UPDATE products SET attributes = '{"size.cm": 12, "$sale": true, "a": {"b.c": {"$d": []}}}' WHERE id = 20;
UPDATE products SET attributes = '{"small": 2147483647, "large": 2147483648, "huge": 9223372036854775808, "real": 1.50}' WHERE id = 21;
UPDATE products SET attributes = '[[[[[["deep"]]]]], "\\u00e9\\ud83d\\ude00", ""]' WHERE id = 22;

-- FLOAT and DOUBLE: short decimals that binary can't hold, and the ends.
UPDATE products SET weight_kg = 0.1, rating = 0.1 WHERE id = 23;
UPDATE products SET weight_kg = 16777217, rating = 1.7976931348623157e308 WHERE id = 24;
UPDATE products SET weight_kg = 1e-30, rating = -2.2250738585072014e-308 WHERE id = 25;

-- Keys with zero bytes at their end, which the binary log cuts off.
UPDATE customers SET public_id = 0x11111111111111111111111111110000 WHERE id = 18;
UPDATE shipments SET id = 0x22222222222222222222222200000000 ORDER BY order_id, id LIMIT 1;

-- Text: emoji with joiners, right to left, a NUL, decomposed against composed letters, spaces at both ends, quotes.
UPDATE products SET title = '👩‍👩‍👧‍👦 board game' WHERE id = 26;
UPDATE products SET title = 'לוח שחמט' WHERE id = 27;
UPDATE products SET title = 'nul\0byte' WHERE id = 28;
UPDATE products SET title = CONCAT('cafe', _utf8mb4 0xCC81) WHERE id = 29;
UPDATE products SET title = '  two  spaces  ', description = '' WHERE id = 30;
UPDATE products SET title = 'O''Neill "Pro" \\ 100%' WHERE id = 31;

-- latin1 of MySQL is cp1252; and UTF-8 that was stored as if it were latin1.
UPDATE customers SET legacy_name = 'Zoë “Œuf” Žižek €' WHERE id = 19;
UPDATE customers SET legacy_name = 'MÃ¼ller' WHERE id = 20;

-- Keys that are equal to the collation only.
UPDATE order_coupons SET coupon_code = 'spring5' WHERE coupon_code = 'SPRING5' ORDER BY order_id LIMIT 2;
UPDATE order_coupons SET coupon_code = 'SPRING5 ' WHERE coupon_code = 'SPRING5' COLLATE utf8mb4_bin ORDER BY order_id LIMIT 1;

-- Orphans: rows whose parent is gone.
UPDATE orders SET customer_id = 4000000001 WHERE id = 7;
UPDATE orders SET shipping_address_id = 4000000002 WHERE id = 8;
UPDATE order_items SET product_id = 4000000003, article_no = NULL WHERE order_id = 9 AND line_no = 1;
UPDATE order_items SET article_no = 999 WHERE order_id = 10 AND line_no = 1;
INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price) VALUES (4000000004, 1, 1, 1, 1);
INSERT INTO product_tags (product_id, tag_id, relevance, tagged_at) VALUES (1, 65000, 0.5, '2022-02-22 22:22:22');
INSERT INTO comments (subject_type, subject_id, body, written_at) VALUES ('order', 4000000005, 'Where is it?', '2022-02-22');
UPDATE categories SET parent_id = 4000000 WHERE id = 2;
