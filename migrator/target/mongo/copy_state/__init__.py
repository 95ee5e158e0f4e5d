"""What a copy keeps in the target: runs, chunks, what is loaded and what is live."""
