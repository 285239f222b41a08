"""Examples beside a rulebook."""
