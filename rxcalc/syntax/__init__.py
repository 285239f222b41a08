"""The policy language as written: grammar, tree, canonical text."""
