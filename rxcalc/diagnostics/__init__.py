"""Mistakes as data and how they print."""
