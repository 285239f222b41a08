"""Steps and parts as items of an outline: fixed words before labels, formulas and figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rxcalc.report.model import (
    BandsFigures,
    CallLine,
    Cites,
    Explanation,
    GroupValue,
    NotApplied,
    PartitionLine,
    SeenLine,
    ShareLine,
    SpreadFigures,
    StepLine,
    Used,
)
from rxcalc.report.outline_model import BandRow, Bands, Item, Part, Share, Shares, Told
from rxcalc.report.phrases import phrase, word

MOST_ROWS: Final = 12
MOST_TERMS: Final = 100
FEW_ZEROS: Final = 3
LONGEST_TITLE: Final = 40
SHORTEST_TITLE: Final = 10


class Teller:
    """Says the parts of one explanation in one language and depth."""

    def __init__(self, language: str, detail: str, sources: Sequence[tuple[str, str, str]]) -> None:
        self.language = language
        self.detail = detail
        self.full = detail == "full"
        self.titles = {name: short_title(title) or name for name, title, _ in sources}
        self.rules: dict[str, str] = {}
        self.placed = self.full
        self.kinds = {"episodes": self.phrase("episodes")}
        self.fields: dict[tuple[str, str], str] = {}

    @classmethod
    def of(cls, x: Explanation, language: str, detail: str) -> Teller:
        """One that knows the rules, lists and groups of an explanation."""
        teller = cls(language, detail, x.sources)
        teller.rules = {r.file: f"{r.rulebook} {r.version}" for r in x.rules}
        teller.placed = teller.full or bool(x.bases)
        if language == "zh":  # in English a list and its fields are called by the names that the formulas use
            teller.kinds |= {"lines": teller.phrase("lines")}
            teller.kinds |= {level.name: level.label for level in x.lists if level.label != level.name}
            teller.kinds |= {g.kind: g.label for g in x.groups if g.label != g.kind}
            teller.fields = {(level.name, f.name): f.label for level in x.lists for f in level.fields}
        return teller

    def phrase(self, key: str) -> str:
        """A fixed word or sentence."""
        return phrase(key, self.language)

    def kind(self, level: str) -> str:
        """What the rows of a list or the groups of a kind are called."""
        return self.kinds.get(level, level)

    def field(self, level: str, name: str) -> str:
        """What a field of a list is called."""
        return self.fields.get((level, name), name)

    def counted(self, key: str, count: int) -> str:
        """A phrase with a number; some languages have another one for one."""
        return self.phrase(f"{key}_1" if count == 1 else key).format(count)

    def told(self, key: str, text: str, title: str = "") -> Iterator[Told]:
        """A line, when there is something to say."""
        if text:
            yield Told(key, self.phrase(title or key), text)

    # ---- steps ----

    def step(self, s: StepLine, at: str) -> Item:
        """A step with everything that it rests on; `at` begins its id."""
        return Item(
            identifier(at, s.name), s.label, "" if s.label == s.name else s.name, s.shown, tuple(self._step(s)),
            s.qualifier if s.qualifier not in s.shown else "",
        )  # fmt: skip

    def _step(self, s: StepLine) -> Iterator[Part]:
        if self.full:
            for n in s.not_applied:
                yield from self.not_applied(n)
        yield from self.clause(s.clause, s.clause_figures)
        yield from self.told("because", s.because)
        if s.formula != s.shown:
            yield from self.told("formula", s.formula)
        for bands in s.bands:
            yield from self.bands(bands)
        if s.figures != s.formula and not any(c.call == s.formula for c in s.calls):
            yield from self.told("figures", s.figures)
        if s.exact is not None:
            yield from self.told("exact", f"{s.exact}{', ' + s.rounding if s.rounding else ''}")
        if s.spread is not None:
            yield from self.told("given_amount", s.spread.working)
            yield from self.told("weights", self.weights(s.spread))
            if s.spread.group:
                yield from self.told("group", self.part_of(s.spread))
        for call in s.calls:
            yield from self.told("over", self.called(call, s.formula))
        for group in s.groups:
            yield from self.told("group", self.group_value(group))
        for used in s.used:
            yield from self.told("uses", self.used(used, s.cite))
        yield from self.sourced(s)

    def clause(self, clause: str, figures: str) -> Iterator[Told]:
        """The condition that decided."""
        if clause and clause != "otherwise":
            yield from self.told("clause", f"{clause}  ({figures})" if figures not in ("", clause) else clause)
        elif clause:
            yield from self.told("clause", word(clause, self.language))

    def not_applied(self, n: NotApplied) -> Iterator[Told]:
        """A clause that did not hold and why, then the condition that was tested."""
        tested = f"{n.condition}  ({n.figures})" if n.figures != n.condition else n.condition
        if not n.what or not n.reason:
            yield Told("not_applied", self.phrase("not_applied"), n.what or n.reason or tested, sentence=True)
        else:
            text = self.phrase("reason").format(_sentence(n.what), n.reason)
            yield Told("not_applied", self.phrase("not_applied"), text, sentence=True)
        if n.what or n.reason:
            yield from self.told("tested", tested)

    def bands(self, b: BandsFigures) -> Iterator[Part]:
        """The bands walked, how their limits came about, and what they add up to."""
        for limit in b.limits:
            figures = f" = {limit.figures}" if limit.figures != limit.formula else ""
            yield from self.told("limit", f"{limit.formula}{figures} = {limit.value}")
        head = tuple(self.phrase(key) for key in ("low", "high", "length", "rate", "part_amount"))
        rows = tuple(BandRow(r.low, r.high, r.length, r.rate, r.amount, r.given, r.exact) for r in b.lines)
        if rows:
            yield Bands(self.phrase("bands"), head, rows, self.phrase("rate_from"))
        if b.rounding:
            yield from self.told("rounded", self.phrase("each_rounded").format(b.rounding))
        if len(rows) > 1 and b.total:
            yield from self.told("together", f"{joined(tuple(r.amount for r in b.lines), ' + ')} = {b.total}")

    def sourced(self, s: StepLine) -> Iterator[Told]:
        """What a step rests on, its note, and where its rule stands."""
        status = f" [{word(s.status, self.language)}]" if s.status else ""
        yield from self.told("source", self.cited(s.cite) + status if s.cite else "")
        if self.full:
            yield from self.told("note", " ".join(s.note.split()))
        if self.placed:
            yield from self.told("place", self.place(s.file, s.line))

    def place(self, file: str, line: int) -> str:
        """Where a rule stands, with the version of its rulebook: `qin 2019.1, rulebook.yaml:282`."""
        rules = self.rules.get(file, "")
        return f"{rules}, {file.rpartition('/')[2]}:{line}" if rules else f"{file}:{line}"

    def cited(self, cites: Cites) -> str:
        """Citations by the title of their source and the place in it; one title for several places."""
        found: dict[str, list[str]] = {}
        for cite in cites:
            source, _, place = cite.partition(", ")
            if source in self.titles:
                found.setdefault(self.titles[source], []).append(place)
            else:
                found.setdefault(cite, [])
        between = "；" if self.language == "zh" else "; "
        texts = [f"{title}, {between.join(p for p in places if p)}" for title, places in found.items()]
        return between.join(t.removesuffix(", ") for t in texts)

    def used(self, u: Used, known: Cites = ()) -> str:
        """A parameter or cell with its value, and its source where the step does not name it anyway (`known`)."""
        value = f" = {u.value}" if u.value else ""
        about = [f"{self.phrase('since')} {u.since}" if u.since else ""]
        if u.by_hand:
            about = [self.phrase("by_hand")]
        else:
            about += [word(u.status, self.language), self.cited(tuple(c for c in u.cite if c not in known))]
        said = ("，" if self.language == "zh" else ", ").join(a for a in about if a)
        return f"{u.name}{value}{f' ({said})' if said else ''}"

    # ---- other rows ----

    def called(self, c: CallLine, formula: str) -> str:
        """A call over rows with what it saw: `sum(lines.amount where ..) = 300.00: 100.00 + 200.00 (lines 2, 5)`.

        Where the call is the whole formula, what it saw only.
        """
        text = self._terms(c)
        if c.call != formula:
            text = f"{c.call} = {c.value}{': ' + text if text else ''}"
        if c.is_window and self._terms(c):
            return text  # each term bears its episode
        seen = self._seen(c)
        return f"{text} ({seen})" if text else seen

    def _terms(self, c: CallLine) -> str:
        counted = c.function == "count" and "count(distinct " not in c.call
        if c.is_window:
            return "" if counted else self.window_terms(c.function, c.seen, c.opened)
        if c.function in ("any", "all") or counted:
            return ""
        if len(c.terms) < 2:
            return ""
        if c.function == "sum":
            text = self.summed(c.terms if self.full else c.terms[:MOST_TERMS])
            return text + " + .." if c.count > (len(c.terms) if self.full else min(MOST_TERMS, len(c.terms))) else text
        most = len(c.terms) if self.full else MOST_ROWS
        return ", ".join(c.terms[:most]) + (", .." if c.count > min(most, len(c.terms)) else "")

    def summed(self, terms: Sequence[str]) -> str:
        """Terms as a sum; many zeros are counted only."""
        zeros = [t for t in terms if is_zero(t)]
        if len(zeros) <= FEW_ZEROS or len(zeros) == len(terms):
            return (
                joined(tuple(terms), " + ")
                if len(zeros) < len(terms) or len(terms) <= FEW_ZEROS
                else self._zeros(zeros)
            )
        return self.phrase("zeros_rows").format(
            joined(tuple(t for t in terms if not is_zero(t)), " + "), self._zeros(zeros)
        )

    def _zeros(self, zeros: Sequence[str]) -> str:
        return self.phrase("zeros").format(len(zeros), zeros[0])

    def window_terms(self, function: str, seen: Sequence[SeenLine], opened: str) -> str:
        """What each earlier episode gave, with its id and day: `60,000.00 (Y-1, 2025-02-03) + 40,000.00 (Y-3, 2025-06-11)`."""
        terms = [self.phrase("opened").format(opened)] if opened else []
        for s in seen:
            given = (s.value, s.episode) if s.value else (s.episode,)
            shape = "for_episode" if len(given) + bool(s.day) == 3 else "for_episode_only"
            words = (*given, s.day) if s.day else given
            terms.append(self.phrase(shape).format(*words) if len(words) > 1 else words[0])
        return joined(tuple(terms), " + " if function == "sum" else ", ") if terms else ""

    def _seen(self, c: CallLine) -> str:
        most = len(c.rows) if self.full or (c.function == "sum" and len(c.rows) <= MOST_TERMS) else MOST_ROWS
        rows = c.rows[:most]
        of = self.kind(c.of)
        seen = self.phrase("none_before") if c.is_window else self.phrase("none_of").format(of)
        if rows:
            seen = f"{of} {', '.join(rows)}"
            seen += self.phrase("in_all").format(c.count) if c.count > len(rows) else ""
            if (c.function, c.value) == ("all", "no"):
                seen = self.phrase("not_so").format(seen)
            elif (c.function, c.value) == ("any", "no"):
                seen = self.phrase("none_holds").format(seen)
        return f"{seen}; {self.phrase('opened').format(c.opened)}" if c.opening and c.opened else seen

    def part_of(self, s: SpreadFigures) -> str:
        """That an amount is a part of what a group gives."""
        return self.phrase("part_of_1" if s.parts == 1 else "part_of").format(s.group, s.whole, s.parts)

    def weights(self, s: SpreadFigures) -> str:
        """The weights of all rows that received, from which every part can be redone; nothing for a single one."""
        if s.parts < 2:
            return ""
        most = len(s.all_weights) if self.full else MOST_TERMS
        zeros = [w for _, w in s.all_weights[:most] if is_zero(w)]
        zeros = zeros if len(zeros) > FEW_ZEROS else []
        shown = [(name, w) for name, w in s.all_weights[:most] if not zeros or not is_zero(w)]
        text = " + ".join(self.phrase("for_episode_only").format(w, name) for name, w in shown)
        text += " + .." if s.parts > min(most, len(s.all_weights)) else ""
        text = self.phrase("zeros_rows").format(text, self._zeros(zeros)) if zeros and text else text
        return f"{text} = {s.weights}" if text else ""

    def group_value(self, g: GroupValue) -> str:
        """A value of a group and where it comes from."""
        source = self.counted("group_computed", g.members) if g.members else self.phrase(f"group_{g.source}")
        more = "; " + self.phrase("group_lost") if g.incomplete else ""
        return f"{g.name} = {g.value} ({source}{more})"

    # ---- who bears what ----

    def shares(self, p: PartitionLine) -> Shares:
        """Who bears an amount; in brief, parts of nothing are counted only."""
        nothing = [part for part in p.parts if is_zero(part.shown)] if self.detail == "brief" else []
        folded = nothing if 1 < len(nothing) < len(p.parts) else []
        parts = tuple(
            Share(
                part.bearer, part.bearer_label, part.label, part.shown, self._reason(part),
                tuple(self._working(part, p)) if self.detail != "brief" else (), self.cited(part.cite),
            )
            for part in p.parts
            if part not in folded
        )  # fmt: skip
        whole = self._formula(p.whole) if p.whole is not None and self.detail != "brief" else ()
        zeros = self.phrase("zero_parts").format(len(folded), folded[0].shown) if folded else ""
        return Shares(p.name, p.amount, parts, tuple(whole), zeros)

    def _reason(self, part: ShareLine) -> str:
        """The rulebook's reason; in full also the code of X12."""
        code = f"X12 {part.x12}" if part.x12 and self.detail == "full" else ""
        return f"{part.reason} ({code})" if part.reason and code else part.reason or code

    def shares_title(self, p: PartitionLine) -> str:
        """`Who bears each yuan of 500.00`."""
        title = f"{self.phrase('shares')} {self.phrase('of')} {p.amount}"
        return f"{title} ({p.label})" if p.label != p.name or p.name != "bill" else title

    def _working(self, part: ShareLine, p: PartitionLine) -> Iterator[str]:
        """How a part's amount comes about: its formula with figures, or for `rest` what the others leave."""
        if part.formula == "rest":
            others = [other.shown for other in p.parts if other is not part]
            yield f"= {self.phrase('rest')}: " + self._left((p.amount, *others))
        elif part.formula:  # of a reversal there is none
            yield from self._formula(part)

    def _left(self, terms: Sequence[str]) -> str:
        """What is left of the first term; many zeros are counted only."""
        zeros = [t for t in terms[1:] if is_zero(t)]
        if len(zeros) <= FEW_ZEROS:
            return joined(tuple(terms), " - ")
        text = joined((terms[0], *(t for t in terms[1:] if not is_zero(t))), " - ")
        return self.phrase("zeros_rows").format(text, self._zeros(zeros))

    def _formula(self, part: ShareLine) -> Iterator[str]:
        figures = f" = {part.figures}" if part.figures and part.figures not in (part.formula, part.shown) else ""
        exact = f" = {part.exact}, {part.rounding}" if part.exact else ""
        yield f"= {part.formula}{figures}{exact}"
        for bands in part.bands:
            yield from (self.flat(b) for b in self.bands(bands))
        for call in part.calls:
            yield f"{self.phrase('over')} {self.called(call, part.formula)}"
        for group in part.groups:
            yield f"{self.phrase('group')} {self.group_value(group)}"
        for used in part.used:
            yield f"{self.phrase('uses')} {self.used(used, part.cite)}"

    def flat(self, part: Part) -> str:
        """A line of bands in one piece."""
        if isinstance(part, Bands):
            return f"{part.title} " + "; ".join(f"{r.length} * {r.rate} = {r.amount}" for r in part.rows)
        return f"{part.title} {part.text}" if isinstance(part, Told) else ""


def joined(terms: tuple[str, ...], sign: str) -> str:
    """Terms as a sum, a difference or a list; two signs become one."""
    other = {" + ": " - ", " - ": " + "}
    text = terms[0]
    for term in terms[1:]:
        text += other[sign] + term[1:] if term.startswith("-") and sign in other else sign + term
    return text


def is_zero(text: str) -> bool:
    """Whether a figure is nothing: `0.00`, `0 days`."""
    number = text.partition(" ")[0].removesuffix("%")
    return number.replace(".", "").replace("0", "") == "" and "0" in number


def identifier(*parts: str) -> str:
    """An id for a place in a page, of plain letters, digits and signs; other characters by their number."""
    return "-".join(
        "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"x{ord(c):x}" for c in p) for p in parts
    )


def short_title(title: str) -> str:
    """The beginning of a long title, up to its first aside: citations name it often, the list of sources has it in full."""
    if len(title) <= LONGEST_TITLE:
        return title
    signs = ("(", "（", ", ", "，", "; ", "；", ": ", "：")
    ends = [at for sign in signs if (at := title.find(sign, SHORTEST_TITLE)) > 0]
    return title[: min(ends)].rstrip() if ends else title


def unique(parts: Iterable[str]) -> tuple[str, ...]:
    """Texts without repetition, in order."""
    return tuple(dict.fromkeys(parts))


def _sentence(text: str) -> str:
    """A text that another one goes on from."""
    return text.rstrip().rstrip(".。")
