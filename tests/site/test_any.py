"""Pages of rulebooks of all kinds, generated ones too: they are made, and every link and id is sound."""

from __future__ import annotations

import importlib.util
import posixpath
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.doc import given
from rxcalc.driver.find import Found
from rxcalc.site.pages import site

ROOT = Path(__file__).parents[2]
CASES = sorted(p for folder in ("atlas", "runs") for p in (ROOT / "tests" / "cases" / folder).rglob("rulebook*.yaml"))
HREF = re.compile(r'\shref="([^"]*)"')
ID = re.compile(r'\sid="([^"]*)"')


def _load(name: str) -> ModuleType:
    """A generator of the property tests."""
    folder = ROOT / "tests" / "properties"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(f"rxcalc_site_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GENERATE = _load("generate")


def sound(path: Path) -> bool:
    """Builds the pages and looks at their links and ids; False for a rulebook with errors."""
    book = given(Found(path, str(path)), Sink())
    if book is None:
        return False
    pages = site({"x": book}, ["en", "zh"], "1")
    ids = {name: ID.findall(text) for name, text in pages.items()}
    for name, found in ids.items():
        assert len(set(found)) == len(found), name
        assert ids[name.removeprefix("zh/")] == found, name
    for name, text in pages.items():
        for link in set(HREF.findall(text)) - {"data:,"}:
            if not re.match("https?://", link):
                to, _, at = link.partition("#")
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), to)) if to else name
                assert target in ids, (name, link)
                assert not at or at in ids[target], (name, link)
    return True


@pytest.mark.parametrize("seed", range(4))
def test_generated(seed: int, tmp_path: Path) -> None:
    assert sound(GENERATE.rulebook(seed).write(tmp_path / "x"))


@pytest.mark.long
def test_many_generated(tmp_path: Path) -> None:
    assert all(sound(GENERATE.rulebook(seed).write(tmp_path / str(seed))) for seed in range(4, 20))


@pytest.mark.long
def test_rulebooks_of_the_cases() -> None:
    made = [sound(path) for path in CASES[::2]]
    assert sum(made) > 0.8 * len(CASES[::2])
