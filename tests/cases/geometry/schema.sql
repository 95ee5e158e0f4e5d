CREATE TABLE places (id INT PRIMARY KEY, g GEOMETRY, p POINT);
INSERT INTO places VALUES (1,ST_GeomFromText('POINT(12.5 41.9)'),ST_GeomFromText('POINT(-180 90)')),
 (2,ST_GeomFromText('LINESTRING(0 0, 1 1, 2.5 -3)'),NULL),(3,ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,2 1,2 2,1 2,1 1))'),NULL),
 (4,ST_GeomFromText('MULTIPOINT(0 0,1 2)'),NULL),(5,ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'),NULL),
 (6,ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))'),NULL),(7,ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))'),NULL),
 (8,ST_GeomFromText('POINT(181 0)'),ST_GeomFromText('POINT(0 -90.5)')),(9,NULL,NULL),(10,ST_GeomFromText('LINESTRING(0 0, 500 1)'),NULL);
