"""What goes out: casting, rows, messages, batches and bookmarks."""
