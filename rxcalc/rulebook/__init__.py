"""Rulebook files as located data."""
