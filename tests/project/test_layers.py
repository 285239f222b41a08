"""The layers hold: nothing imports from a stage after its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_import_contracts() -> None:
    """import-linter finds no broken contract."""
    script = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([str(script)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stdout


def test_modules_are_small() -> None:
    """No module passes 500 lines."""
    long = {
        str(p.relative_to(ROOT)): n
        for p in (ROOT / "rxcalc").rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert long == {}


def test_no_float_in_the_core() -> None:
    """No module of the core names float: amounts are whole numbers and fractions only."""
    import ast

    for folder in ("lang", "typed", "plan", "backends", "passes", "inputs", "tracing", "report"):
        for path in (ROOT / "rxcalc" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                is_float_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
                is_float_call = (
                    isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
                )
                assert not is_float_literal, (path, node.lineno)
                assert not is_float_call, (path, node.lineno)
