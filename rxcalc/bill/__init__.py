"""One bill looked at from all sides: computed again with one thing changed, bounded while facts are unknown."""
