"""The tests of migrator.cutover."""
