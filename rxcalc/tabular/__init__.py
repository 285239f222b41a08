"""Files of episodes: reading, writing, accounting."""
