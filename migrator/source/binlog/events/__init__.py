"""Events of the change log as bytes.

stream: the server's log over one connection.
packets: the fields that are needed of an event.
compressed: MariaDB's compressed events.
transaction_payload: MySQL's compressed transactions.
"""
