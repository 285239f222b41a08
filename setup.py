"""Copies the data folders that stand at the top of the repository into the built package.

Everything else is in pyproject.toml. `rxcalc/shipped.py` is what reads the copies.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA_FOLDERS = ("grammar", "rulebooks", "docs/diagnostics")


class BuildPyWithData(build_py):
    """`build_py`, then each data folder under its own name inside `rxcalc/`."""

    def run(self) -> None:
        """Builds the modules and replaces the data folders, so that no file of an earlier build stays."""
        super().run()
        if self.editable_mode:  # an editable install reads the checkout's own folders
            return
        for folder in DATA_FOLDERS:
            target = Path(self.build_lib, "rxcalc", folder)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)


setup(cmdclass={"build_py": BuildPyWithData})
