"""From row changes to the documents they concern: which columns to watch, where they lead, what cascades hide. Pure."""
