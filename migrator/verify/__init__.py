"""Whether the target says what the source says: every document rebuilt and compared, and sums beside each other."""
