"""Results for readers: text and JSON."""
