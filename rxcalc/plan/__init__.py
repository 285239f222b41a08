"""The compiled rulebook that both back ends run."""
