"""What an evaluation leaves behind for its explanation."""
