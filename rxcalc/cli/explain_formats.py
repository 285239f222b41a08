"""Explanations in the format that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan
    from rxcalc.report.model import Explanation

FORMATS: Final = ("text", "json", "md", "html", "fhir")
GROUPED: Final = frozenset({"text", "md", "html"})
"""Formats for readers, in which digits stand in groups."""


def written(found: Sequence[Explanation], plan: Plan, form: str, *, language: str, detail: str, columns: int) -> str:
    """The explanations of one run as text of a format."""
    from rxcalc import __version__

    match form:
        case "json":
            import json

            from rxcalc.report.as_json import document

            documents = [document(x, __version__) for x in found]
            return json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, indent=2) + "\n"
        case "md":
            from rxcalc.report.markdown import render as as_markdown

            return "\n".join(as_markdown(x, language=language, detail=detail) for x in found)
        case "html":
            from rxcalc.report.html import render as as_html

            return as_html(found, language=language, detail=detail, version=__version__)
        case "fhir":
            from rxcalc.report.fhir import document as resource
            from rxcalc.report.fhir_json import written as as_fhir

            return as_fhir(resource(found, plan, language=language, version=__version__))
        case _:
            from rxcalc.report.text import render

            return "\n".join(render(x, language=language, detail=detail, columns=columns) for x in found)
