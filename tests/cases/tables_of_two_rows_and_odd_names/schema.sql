CREATE TABLE `order` (`key` INT PRIMARY KEY, `a b` INT, `select` VARCHAR(10), `50%` INT, `x``y` INT, `per'iod` INT, `größe` INT);
CREATE TABLE `group` (`id` INT PRIMARY KEY, `key` INT, FOREIGN KEY (`key`) REFERENCES `order` (`key`));
INSERT INTO `order` VALUES (1,2,'x',50,3,4,5);
INSERT INTO `group` VALUES (1,1),(2,NULL);
