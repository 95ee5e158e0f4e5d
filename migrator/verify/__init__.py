"""Whether the target agrees with the source: every document is rebuilt and compared, and so are sums of both sides."""
