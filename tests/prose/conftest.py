"""Lets the tests of this folder share their helpers, the generator of rulebooks and the reader of sentences."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

for folder in (Path(__file__).parent, TESTS / "properties", TESTS / "independent"):
    sys.path.insert(0, str(folder))
