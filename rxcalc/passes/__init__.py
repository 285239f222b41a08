"""Sequences and windows: one description for both back ends."""
