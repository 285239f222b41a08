"""Explanations as one HTML page: no script, no request, for screen, phone, paper and screen reader.

The words are the outline's; this module puts the result first, adds the chart, and makes names in formulas links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from jinja2 import Environment
from markupsafe import Markup, escape

from rxcalc.report import pages
from rxcalc.report.chart import Chart, Divided, chart, divided
from rxcalc.report.folds import SHORT, folds
from rxcalc.report.html_words import say
from rxcalc.report.model import Explanation
from rxcalc.report.outline import build, labels_of
from rxcalc.report.outline_model import Item, Outline, Section, Shares
from rxcalc.report.phrases import phrase

# The result, then the contents, then what it was computed from; the outline's order within each.
RESULT: Final = ("refusal", "reversal", "incomplete", "set_by_hand", "shares")
NEXT: Final = ("totals", "findings", "results", "facts")
OWN: Final = ("status",)  # printed as the banner
MOST_OPEN: Final = 60  # items that stand open on the screen; on paper all do
MOST_RESULTS: Final = 6
MARKED: Final = ("fictional", "illustrative", "unmarked")
CALCULATED: Final = (
    "clause",
    "formula",
    "over",
    "amount",
    "condition",
    "rest",
)  # of a Told: names in it are names of steps

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")


@dataclass(frozen=True)
class Facts:
    """What the page needs to know of an explanation besides its words."""

    name: str
    status: str
    currency: str
    results: tuple[tuple[str, str], ...] = ()
    refused: bool = False
    reverses: bool = False


@dataclass(frozen=True)
class Bill:
    """One explanation on the page. `prefix` stands before its ids, "" where it is the only one."""

    outline: Outline
    facts: Facts
    prefix: str
    heading: str
    result: tuple[Section, ...]
    rest: tuple[Section, ...]
    verdict: Divided | None
    notices: tuple[Item, ...]
    open: bool
    targets: frozenset[str]

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections in the order of the page."""
        return (*self.result, *self.rest)


def render(
    explanations: Sequence[Explanation], *, language: str = "en", detail: str = "steps", version: str = ""
) -> str:
    """The page. Its explanations must have been made for reading (`grouped`) and in the same language."""
    return page(
        [(build(x, language, detail), _facts(x, language)) for x in explanations],
        language=language,
        version=version,
    )


def page(outlines: Sequence[tuple[Outline, Facts]], *, language: str, version: str) -> str:
    """The page of bills that are already in words."""
    several = len(outlines) > 1
    bills = [
        _bill(outline, facts, f"bill-{at}-" if several else "", language)
        for at, (outline, facts) in enumerate(outlines, 1)
    ]
    status = next((s for s in MARKED if any(b.facts.status == s for b in bills)), "")
    env = _environment(language)
    return pages.render(
        env,
        "page.html",
        on_paper=": ".join(filter(None, _banner(status, language))),
        skip=say("skip", language),
        bills=bills,
        title=say("title_several", language, len(bills)) if several else bills[0].heading,
        level=3 if several else 2,
        version=version,
        lang=language,
    )


def _facts(x: Explanation, language: str) -> Facts:
    labels = labels_of(x, language)
    return Facts(
        name=next((value for field, _, value in x.episode if field == "episode_id"), x.rulebook),
        status=x.status if x.status in MARKED else "",
        currency=x.currency,
        results=tuple((labels.get(key, key), value) for key, value in x.outputs[:MOST_RESULTS]),
        refused=x.problem is not None,
        reverses=bool(x.reverses),
    )


def _bill(outline: Outline, facts: Facts, prefix: str, language: str) -> Bill:
    by_key = {key: tuple(s for s in outline.sections if s.key == key) for key in (*RESULT, *NEXT)}
    others = tuple(s for s in outline.sections if s.key not in (*RESULT, *NEXT, *OWN))
    shares = next((b for s in by_key["shares"] for b in s.blocks if isinstance(b, Shares)), None)
    items = list(_items(outline.sections))
    return Bill(
        outline=outline,
        facts=facts,
        prefix=prefix,
        heading=say(
            "title_refused" if facts.refused else "title_reversal" if facts.reverses else "title", language, facts.name
        ),
        result=tuple(s for key in RESULT for s in by_key[key]),
        rest=(*(s for key in NEXT for s in by_key[key]), *others),
        verdict=divided(shares) if shares is not None else None,
        notices=tuple(_items(by_key["findings"])),
        open=len(items) <= MOST_OPEN,
        targets=frozenset(item.id for item in items),
    )


def _items(sections: Sequence[Section]) -> Iterator[Item]:
    for section in sections:
        yield from (block for block in section.blocks if isinstance(block, Item))
        yield from _items(section.sections)


# ---- the template's own words ----


def _environment(language: str) -> Environment:
    return pages.environment(
        say=lambda key, *values: say(key, language, *values),
        phrase=lambda key: phrase(key, language),
        kind=_kind,
        title_of=partial(_title, language=language),
        unknown=_unknown,
        folds=folds,
        short=SHORT,
        divided=divided,
        chart=partial(_chart, language=language),
        linked=_linked,
        banner=lambda status: _banner(status, language),
    )


def _kind(block: object) -> str:
    return type(block).__name__


def _chart(d: Divided, currency: str, *, language: str) -> Mapping[str, Chart | str | None]:
    found = chart(d, currency, language)
    return {"drawn": None, "why": found} if isinstance(found, str) else {"drawn": found, "why": ""}


def _banner(status: str, language: str) -> tuple[str, str]:
    """The mark of a status and what it means."""
    return (say(f"banner_{status}", language), phrase(f"status_{status}", language)) if status else ("", "")


def _title(section: Section, language: str) -> str:
    """The title of a section; the bill's own facts need one on a page, where they do not stand first."""
    return section.title or (say("facts", language) if section.key == "facts" else "")


def _unknown(kind: str) -> None:
    """A block or part that no template prints would be left out in silence."""
    message = f"no template prints {kind}"
    raise TypeError(message)


def _linked(text: str, key: str, of: str, bill: Bill) -> Markup:
    """A text of the item or section `of` with the steps it names as links to them; only a formula has names."""
    text = str(pages.clean(text))
    if key not in CALCULATED:
        return escape(text)
    done = 0
    parts: list[Markup] = []
    for found in _NAME.finditer(text):
        name = found.group()
        target = next((t for t in _targets(name, of) if t in bill.targets), "")
        if not target or target == of or text[found.end() : found.end() + 1] == "(" or _inside(text, found):
            continue
        parts += [escape(text[done : found.start()]), _link(bill.prefix + target, name)]
        done = found.end()
    return Markup("").join([*parts, escape(text[done:])])


def _inside(text: str, found: re.Match[str]) -> bool:
    """Whether what was found is only a part of a longer word."""
    return text[max(0, found.start() - 1) : found.start()].isalnum() or text[found.end() : found.end() + 1].isalnum()


def _targets(name: str, of: str) -> Iterator[str]:
    """The ids that a name may mean, the innermost first: of the same row or group, then of the episode."""
    head, dot, field = name.partition(".")
    if dot:
        yield f"list-{head}-{field}"
        return
    within = of
    while "-" in within:
        within = within.rpartition("-")[0]
        yield f"{within}-{name}"
    if not of.startswith("group-"):
        yield f"step-{name}"


def _link(target: str, name: str) -> Markup:
    return Markup('<a href="#{}">{}</a>').format(target, name)


__all__ = ["Facts", "page", "render"]
