"""The change log of MySQL and MariaDB, followed for sync: from raw events to migrator.model.change."""
