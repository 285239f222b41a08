"""What the source distribution and the wheel built from it contain."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = (
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
    "setup.py",
    "grammar",
    "rulebooks",
    "rxcalc",
    "docs",
)


@pytest.mark.long
def test_the_wheel_holds_the_grammar_every_rulebook_and_every_page_of_a_code(tmp_path: Path) -> None:
    """The source distribution builds a wheel with each data file inside the package, and with no test."""
    source = tmp_path / "source"
    source.mkdir()
    for name in SOURCES:
        origin = REPOSITORY / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, source / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    data = [
        file.relative_to(source)
        for folder in ("grammar", "rulebooks", "docs/diagnostics")
        for file in (source / folder).rglob("*")
        if file.is_file()
    ]
    assert data
    assert {f"rxcalc/{file.as_posix()}" for file in data} <= held
    modules = {file.relative_to(source).as_posix() for file in (source / "rxcalc").rglob("*.py")}
    assert modules <= held
    templates = {file.relative_to(source).as_posix() for file in (source / "rxcalc" / "report" / "templates").iterdir()}
    assert templates
    assert templates <= held
    assert not [name for name in held if name.startswith(("tests/", "grammar/", "rulebooks/", "docs/"))]
    assert not [name for name in held if name.startswith("rxcalc/docs/") and "/diagnostics/" not in name]
