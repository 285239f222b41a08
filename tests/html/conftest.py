"""One headless Chromium for all tests here; without one they are skipped."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """A module that stands beside the tests."""
    spec = importlib.util.spec_from_file_location(f"rxcalc_html_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    if spec.name not in sys.modules:
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return sys.modules[spec.name]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    found = load("browser")
    path = found.executable()
    if path is None:
        pytest.skip("no Chromium is installed: put one on the path or name it in RXCALC_CHROMIUM")
    with found.Browser(path) as opened:
        yield opened
