"""The order of the passes, and what each command needs of them."""
