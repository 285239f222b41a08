"""Where the shipped grammar and rulebooks are found."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

from rxcalc import shipped

REPOSITORY = Path(__file__).resolve().parents[2]


def _installed_at(folder: Path) -> ModuleType:
    """The module as it would be if the package lay in `folder`."""
    package = folder / "rxcalc"
    package.mkdir(parents=True)
    copy = shutil.copy(shipped.__file__, package / "shipped.py")
    spec = importlib.util.spec_from_file_location("shipped_copy", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_checkout_uses_its_own_folders() -> None:
    """Without a packaged copy the folders at the top of the repository are taken."""
    assert shipped.rulebooks_folder() == REPOSITORY / "rulebooks"
    assert shipped.grammar_file() == REPOSITORY / "grammar" / "rxcalc.lark"
    assert (shipped.rulebooks_folder() / "qin" / "rulebook.yaml").is_file()
    assert shipped.grammar_file().is_file()


def test_a_packaged_copy_comes_first(tmp_path: Path) -> None:
    """Inside an installed package its own copies are taken, whatever lies beside the package."""
    module = _installed_at(tmp_path)
    for folder in (tmp_path, tmp_path / "rxcalc"):
        (folder / "rulebooks").mkdir()
        (folder / "grammar").mkdir()
        (folder / "grammar" / "rxcalc.lark").touch()
    assert module.rulebooks_folder() == tmp_path / "rxcalc" / "rulebooks"
    assert module.grammar_file() == tmp_path / "rxcalc" / "grammar" / "rxcalc.lark"


def test_without_a_copy_the_folder_beside_the_package_is_named(tmp_path: Path) -> None:
    """The path is given even where nothing lies, so that the reader's message can name it."""
    module = _installed_at(tmp_path)
    assert module.rulebooks_folder() == tmp_path / "rulebooks"
    assert module.grammar_file() == tmp_path / "grammar" / "rxcalc.lark"
