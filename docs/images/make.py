"""Takes the pictures in this folder anew: `python docs/images/make.py`, with rxcalc installed and a Chromium on the path.

The first ones are the top of the page that `rxcalc explain BILL --format html` writes, then parts of pages of `rxcalc doc`, the others a
terminal of 80 columns.
"""

from __future__ import annotations

import base64
import html
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PICTURES = (  # file, bill, language, width, height, pixels for a pixel of the page
    ("explain-desktop-en.png", "qin-lines", "en", 1000, 1100, 1),
    ("explain-phone-zh.png", "sanming-transfer", "zh", 360, 950, 2),
)
SITES = (  # file, rulebook, page and place, width, height, pixels for a pixel of the page
    ("site-rules-en.png", "beijing-employee", "rules.html#step-deductible_due", 1000, 1100, 1),
    ("site-graph-zh.png", "qin", "zh/graph.html", 1240, 560, 1),
)
TERMINALS = (  # file, command, lines shown
    ("terminal-explain.png", ["explain", "docs/bills/qin-city.yaml", "--set", "referred=no"], 46),
    ("terminal-audit.png", ["audit", "docs/bills/beijing-objection.yaml"], 38),
    ("terminal-audit-zh.png", ["audit", "docs/bills/beijing-objection.yaml", "--lang", "zh"], 36),
)
LINE = 18  # pixels
SCREEN = (
    "<!doctype html><meta charset=utf-8><title>Terminal</title><style>body{{margin:0;background:#1d1f21;color:#e6e6e6}}"
    "pre{{margin:12px;font:14px/18px 'Noto Sans Mono CJK SC','DejaVu Sans Mono',monospace}}b{{color:#8abeb7}}</style>"
    "<pre><b>$ rxcalc {command}</b>\n{text}</pre>"
)


def main() -> None:
    """Writes every picture."""
    browser = _browser()
    path = browser.executable()
    if path is None:
        sys.exit("no Chromium is installed: put one on the path or name it in RXCALC_CHROMIUM")
    with tempfile.TemporaryDirectory() as folder, browser.Browser(path) as opened:
        page = Path(folder) / "page.html"
        for name, bill, language, width, height, scale in PICTURES:
            command = [sys.executable, "-m", "rxcalc", "explain", str(ROOT / "docs" / "bills" / f"{bill}.yaml")]
            command += ["--format", "html", "--lang", language, "-o", str(page)]
            subprocess.run(command, check=False, cwd=ROOT)  # noqa: S603 - a bill with findings ends with 1
            opened.look(width=width, height=height, scale=scale)
            opened.open(page)
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            shot = opened.ask("Page.captureScreenshot", format="png", clip=clip)
            (HERE / name).write_bytes(base64.b64decode(shot["data"]))
            page.unlink()
        for name, rulebook, place, width, height, scale in SITES:
            site = Path(folder) / rulebook
            subprocess.run([sys.executable, "-m", "rxcalc", "doc", rulebook, "-o", str(site)], check=True, cwd=ROOT)  # noqa: S603 - our own program
            file, _, at = place.partition("#")
            opened.look(width=width, height=height, scale=scale)
            opened.open(site / file)
            top = (
                opened.value(f"document.getElementById('{at}').parentElement.getBoundingClientRect().top") if at else 0
            )
            clip = {"x": 0, "y": max(0, top - 12), "width": width, "height": height, "scale": 1}
            shot = opened.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
            (HERE / name).write_bytes(base64.b64decode(shot["data"]))
        for name, words, lines in TERMINALS:
            ran = subprocess.run(  # noqa: S603 - as above
                [sys.executable, "-m", "rxcalc", *words],
                capture_output=True,
                check=False,
                cwd=ROOT,
                encoding="utf-8",
                env={**os.environ, "COLUMNS": "80"},
            )
            text = "\n".join(ran.stdout.splitlines()[:lines])
            page.write_text(
                SCREEN.format(command=html.escape(" ".join(words)), text=html.escape(text)), encoding="utf-8"
            )
            height = LINE * (lines + 1) + 24
            opened.look(width=700, height=height, scale=1)
            opened.open(page)
            clip = {"x": 0, "y": 0, "width": 700, "height": height, "scale": 1}
            shot = opened.ask("Page.captureScreenshot", format="png", clip=clip)
            (HERE / name).write_bytes(base64.b64decode(shot["data"]))


def _browser() -> ModuleType:
    """The tests' way to a browser."""
    spec = importlib.util.spec_from_file_location("rxcalc_html_browser", ROOT / "tests" / "html" / "browser.py")
    if spec is None or spec.loader is None:
        sys.exit("tests/html/browser.py is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
