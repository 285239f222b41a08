"""The exact and the columnar back end."""
