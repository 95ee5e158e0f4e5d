"""Random histories of a database, with a sync at the same time; the documents are compared with an oracle's."""
