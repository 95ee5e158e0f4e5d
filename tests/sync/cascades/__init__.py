"""The tests of migrator.sync.cascades."""
