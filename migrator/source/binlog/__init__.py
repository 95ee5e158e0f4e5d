"""The change log of MySQL and MariaDB, followed for sync: from raw events to migrator.model.change.events.

events: events of the change log as bytes.
open_reader: opening the change log at a position.
positions: positions in the change log.
reader: the change log as whole transactions of watched tables.
rows: rows in events of the change log.
snapshots: snapshots that contain every event already read (premise A).
statements: statements that are logged as text.
"""
