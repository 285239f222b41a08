"""Made-up episodes of a rulebook: seeded, valid and varied, the same bytes anywhere."""
