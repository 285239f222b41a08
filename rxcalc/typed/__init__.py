"""The rulebook as meant: names, types, units, missing values, cases."""
