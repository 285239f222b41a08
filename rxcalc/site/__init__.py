"""A rulebook as a static site for readers who do not write rules: its pages as data, then as HTML."""
