"""What the pages call: cached reads, forms, views, and the state that a link carries."""
