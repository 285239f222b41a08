"""What every HTML page of rxcalc is built in: one file without script that loads nothing, in one style.

`templates/base.html` is the shell; a page extends it. The policy in its head allows the page's own style sheet and
nothing else, so that a name or note from a file can neither run nor send anything, should it ever break out of its text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# What HTML forbids in a page, and half characters, which no file can hold.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def environment(**names: object) -> Environment:
    """Templates of this package with `names` known to them: all text is escaped, an unknown name is an error."""
    env = Environment(
        loader=PackageLoader("rxcalc.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(names)
    return env


def render(env: Environment, template: str, *styles: str, on_paper: str = "", **values: object) -> str:
    """The page of a template that extends `base.html`, in the common style and the style sheets `styles`.

    `values` must have `title`, `lang` (`en` or `zh`) and `skip`, the words of the link past what stands before the
    content. `on_paper` stands at the top of every sheet.
    """
    sources = PackageLoader("rxcalc.report")
    style = "".join(sources.get_source(env, name)[0] for name in ("page.css", *styles))
    style = style.replace("STATUS-ON-PAPER", _quoted(on_paper))
    language = "zh-Hans" if values.pop("lang") == "zh" else "en"
    return env.get_template(template).render(
        values,
        lang=language,
        style=Markup(style),  # noqa: S704 - the package's own files; the one text put into them is quoted
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
    )


def clean(value: object) -> object:
    """Text without the characters that a page must not hold; everything else as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _FORBIDDEN.sub("\ufffd", value)


def _quoted(text: str) -> str:
    """A text as a string of CSS."""
    return '"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text) + '"'
