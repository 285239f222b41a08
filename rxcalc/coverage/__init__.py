"""What the examples of a rulebook use of it, item by item."""
