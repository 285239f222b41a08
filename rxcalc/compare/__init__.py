"""Two rulebooks held against each other: what changed in meaning, and what that does to many bills."""
