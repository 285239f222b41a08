"""Types, units, operations and exact arithmetic of the policy language."""
