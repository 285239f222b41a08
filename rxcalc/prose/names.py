"""What the names of a rulebook are called in sentences, and the anchor of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, OneOf, Type
from rxcalc.plan.nodes import Plan, PlanGroup, PlanInput, PlanKey, PlanList, PlanPart, PlanStep, Words, share_name
from rxcalc.prose.model import Run, Sentence

LOOSE: Final = re.compile(
    r"[,;:.“”]| (and|or|plus|minus|times|divided|is|are|was|if|than|among|otherwise|equals) |^(a|an|the|this|all|no) ",
    re.IGNORECASE,
)
"""What would run into the words around an English label: such a label stands in quotation marks."""

NOT_A_NOUN: Final = frozenset(
    {
        "above", "advanced", "after", "are", "at", "bears", "before", "below", "by", "cannot", "counts", "declared",
        "follows", "for", "from", "gets", "handed", "has", "in", "is", "keeps", "left", "less", "no", "not", "of",
        "off", "on", "out", "over", "owed", "paid", "pays", "received", "referred", "settled", "spent", "still",
        "their", "to", "treated", "under", "waived", "what", "whether", "with", "without",
    }
)  # fmt: skip
"""First words of labels that no article can stand before: `Paid by the fund`."""

ENDS: Final = frozenset(["as", "at", "by", "for", "from", "in", "of", "on", "to", "until", "with"])
"""Last words after which an English label leaves something open: `Supplied on`."""

SECOND: Final = frozenset(["as", "at", "back", "by", "on", "with"])
"""Second words of labels that are participles: `Bought at`, `Kept back by assessment`."""

BREAKS: Final = ENDS | frozenset(
    [
        "above",
        "after",
        "against",
        "back",
        "before",
        "below",
        "found",
        "kept",
        "left",
        "less",
        "not",
        "out",
        "paid",
        "per",
        "spent",
        "that",
        "who",
    ]
)
"""Words after the head noun of an English label: what stands before tells whether it is a plural."""

LOOSE_ZH: Final = re.compile(r"[，；：、。“”\s]|[与或且若加减乘除为是]|不[高低早晚等]")

AS_SET: Final = " as set"
"""Behind the label of a parameter that is also that of a step: the deductible, the deductible as set."""

KEY_WORDS: Final[dict[Op, Words]] = {
    Op.YEAR: (("en", "Year"), ("zh", "年份")),
    Op.MONTH: (("en", "Month"), ("zh", "月份")),
}

BEARERS: Final = {
    "fund": ("the fund", "基金"), "patient": ("the patient", "个人"), "hospital": ("the hospital", "医院"),
    "government": ("the government", "政府"), "other": ("others", "其他"),
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """Something with a name: its kind (as in anchors), the level it belongs to, its label."""

    kind: str
    level: str
    name: str
    label: str
    type: Type | None = None
    column: str = ""  # of a table

    @property
    def ref(self) -> str:
        """Its anchor."""
        return f"{self.kind}-{self.level}.{self.name}" if self.level else f"{self.kind}-{self.name}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others."""
        return (self.kind, self.level, f"{self.name}.{self.column}" if self.column else self.name)


class Names:
    """The names of a plan in the words of one language."""

    def __init__(self, plan: Plan, language: str) -> None:
        self.plan = plan
        self.chinese = language == "zh"
        self.language = language
        self.levels: dict[str, Plan | PlanList | PlanGroup] = {"": plan}
        self.levels |= {x.name: x for x in plan.lists}
        self.levels |= {g.name: g for g in plan.groups}
        self.groups = {g.name: g for g in plan.groups}
        self.fields: dict[tuple[str, str], Named] = {}
        for level, of in self.levels.items():
            self._level(level, of)
        for s in plan.spreads:
            self._add("spread", s.target, s.name, s.label)
        self.parameters = {p.name: self._named("parameter", "", p.name, p.label) for p in plan.parameters}
        self.tables = {t.name: self._named("table", "", t.name, t.label) for t in plan.tables}
        self.columns = {
            (t.name, c.name): Named("table", "", t.name, self.words(c.label) or spaced(c.name), c.type, c.name)
            for t in plan.tables
            for c in t.columns
        }
        self.lists = {x.name: self._named("list", "", x.name, x.label or LINES.get(x.name, ())) for x in plan.lists}
        self.kinds = {g.name: self._named("group", "", g.name, g.label) for g in plan.groups}
        self._values = self._set_values()
        self._shown = self._distinct()

    def words(self, words: Words) -> str:
        """A text in the language, else in English, else the first given; on one line."""
        texts = dict(words)
        text = texts.get(self.language) or texts.get("") or texts.get("en") or (words[0][1] if words else "")
        return " ".join(text.split())

    # ---- finding ----

    def field(self, level: str, name: str) -> Named | None:
        """A field as a row of a level reads it by its bare name."""
        found = self.fields.get((level, name))
        group = self.groups.get(level)
        if found is None and level and (group is None or group.inside == "bill"):
            found = self.fields.get(("", name))
        return found

    def value(self, of: OneOf | None, name: str) -> str:
        """A value of a set, in quotation marks."""
        label = self._values.get((of.values, name), "") if of is not None else ""
        shown = label or spaced(name)
        rivals = of.values if of is not None else ()
        if sum(1 for v in rivals if (self._values.get((rivals, v), "") or spaced(v)) == shown) > 1:
            shown = f"{shown}（{name}）" if self.chinese else f"{shown} ({name})"
        return f"“{shown}”"

    # ---- writing ----

    def shown(self, named: Named) -> str:
        """What it is called, without an article."""
        return self._shown.get(named.key, named.label)

    def run(self, named: Named, *, start: bool = False) -> Sentence:
        """It as a part of a sentence, with an article where English wants one; `start` begins the sentence."""
        text = self.shown(named)
        if named.kind == "share":
            return (Run(text[:1].upper() + text[1:] if start else text, named.ref),)
        if self.chinese:
            return (Run(f"“{text}”" if text.isascii() or LOOSE_ZH.search(text) else text, named.ref),)
        if self._is_noun(named, text):
            return (Run("The " if start else "the "), Run(self.lowered(text), named.ref))
        return (Run(f"“{text}”", named.ref),)

    def bare(self, named: Named) -> Sentence:
        """It without article, after a word that stands in its place: `its fund year`, `this line`."""
        text = self.shown(named)
        if self.chinese:
            return self.run(named)
        return (Run(self.lowered(text) if self._is_noun(named, text) else f"“{text}”", named.ref),)

    def quoted(self, kind: str) -> Sentence:
        """A kind of groups, by its label in quotation marks: labels of kinds are headings, `The fund in a year`."""
        named = self.kinds[kind]
        return (Run(f"“{self.shown(named)}”", named.ref),)

    def lowered(self, text: str) -> str:
        """A label inside a sentence: its first letter small, unless it is a name or an abbreviation."""
        first = re.split(r"[\s-]", text, maxsplit=1)[0]
        if not first[1:].islower() or first in self._proper:
            return text
        return text[0].lower() + text[1:]

    def _is_noun(self, named: Named, text: str) -> bool:
        words = text.removesuffix(AS_SET).lower().split(" ")
        loose = LOOSE.search(text) or words[0] in NOT_A_NOUN or words[-1] in ENDS
        head = next((words[at - 1] for at, w in enumerate(words) if at and _breaks(w)), words[-1])
        plural = head == "people" or (head.endswith("s") and not head.endswith(("ss", "us", "is")))
        plural = plural and named.kind != "list"
        return not (named.type == FLAG or loose or plural or (len(words) > 1 and words[1] in SECOND))

    # ---- reading the plan ----

    def _level(self, level: str, of: Plan | PlanList | PlanGroup) -> None:
        for i in of.inputs:
            self._add("input", level, i.name, i.label, i.type)
        if isinstance(of, PlanGroup):
            for key in of.keys:
                self._add("input", level, key.name, self._key_label(key), key.type)
        for s in of.steps:
            self._add("step", level, s.name, s.label, s.type)
        if isinstance(of, PlanList):
            return
        for total in of.totals:
            bearer = total.removesuffix("_pays")
            declared = next((part.bearer_label for part in of.shares[0].parts if part.bearer == bearer), ())
            self._share(level, total, self._owner(bearer, declared)[0], ("payment in all", "合计"))
        for at, p in enumerate(of.shares):
            for part in p.parts:
                self._part(level, at, p.name, part)

    def _key_label(self, key: PlanKey) -> Words:
        """A key has no label of its own: that of the field that it is, or of the part of a date."""
        node = self.plan.nodes[key.node]
        if node.op in KEY_WORDS and key.name == node.op.value:
            return KEY_WORDS[node.op]
        if node.op is Op.LIFT:
            node = self.plan.nodes[node.args[0]]
        field = self.fields.get((node.level, str(node.data)))
        return (("", field.label),) if node.op in (Op.INPUT, Op.STEP) and field is not None else ()

    def _part(self, level: str, at: int, partition: str, part: PlanPart) -> None:
        name = share_name(at, partition, part.bearer, part.part)
        owner, bearer = self._owner(part.bearer, part.bearer_label)
        what = self.words(part.label) or (spaced(part.part) if part.part else "")
        told = what if what.lower() != bearer else ""
        self._share(level, name, owner, (f"“{told}”", f"（{told}）") if told else ("share", "承担额"))

    def _owner(self, bearer: str, declared: Words) -> tuple[str, str]:
        """Whose a part is, before what it is, and as the bearer is called: by its own label, if it has one."""
        usual = BEARERS[bearer][1 if self.chinese else 0]
        label = self.words(declared)
        if self.chinese:
            return (f"“{label}”" if LOOSE_ZH.search(label) else label) or usual, (label or usual).lower()
        owner = f"“{label}”" if label else usual
        return owner + ("' " if usual.endswith("s") and not label else "'s "), (label or usual).removeprefix(
            "the "
        ).lower()

    def _share(self, level: str, name: str, owner: str, what: tuple[str, str]) -> None:
        """A part or total of the shares: `the patient's “Deductible”`."""
        text = owner + what[1 if self.chinese else 0]
        self.fields.setdefault((level, name), Named("share", level, name, text))

    def _add(self, kind: str, level: str, name: str, label: Words, of: Type | None = None) -> None:
        named = self._named(kind, level, name, label)
        self.fields.setdefault((level, name), replace(named, type=of))

    def _named(self, kind: str, level: str, name: str, label: Words) -> Named:
        return Named(kind, level, name, self.words(label) or spaced(name.partition("@")[0]))

    def _set_values(self) -> dict[tuple[tuple[str, ...], str], str]:
        found: dict[tuple[tuple[str, ...], str], str] = {}
        for of in self.levels.values():
            fields: tuple[PlanInput | PlanStep, ...] = (*of.inputs, *of.steps)
            for field in fields:
                if isinstance(field.type, OneOf):
                    for v in field.values:
                        if v.label:
                            found.setdefault((field.type.values, v.name), self.words(v.label))
        return found

    def _distinct(self) -> dict[tuple[str, str, str], str]:
        """Labels that several names bear get the name behind them, within what one rule can read."""
        every = [*self.fields.values(), *self.parameters.values(), *self.tables.values()]
        every += [*self.lists.values(), *self.kinds.values(), *self.columns.values()]
        words = [w for n in every if n.kind != "share" for w in re.split(r"[\s-]", n.label)[1:]]
        self._proper = frozenset(w for w in words if w[:1].isupper())
        labels = {n.key: n.label for n in every}
        common = [*self.parameters.values(), *self.tables.values(), *self.lists.values(), *self.kinds.values()]
        scopes = [self._scope(level) for level in self.levels]
        fields = {n.label.lower() for n in self.fields.values() if not n.level}
        for p in self.parameters.values():
            if p.label.lower() in fields:
                labels[p.key] = p.label + ("（规定值）" if self.chinese else AS_SET)
        clashing: set[tuple[str, str, str]] = set()
        for scope in scopes:
            seen: dict[str, list[Named]] = {}
            for n in (*scope, *common):
                seen.setdefault(labels[n.key].lower(), []).append(n)
            clashing |= {n.key for same in seen.values() if len({n.name for n in same}) > 1 for n in same}
        told = "{}（{}）" if self.chinese else "{} ({})"
        return {key: told.format(label, key[2]) if key in clashing else label for key, label in labels.items()}

    def _scope(self, level: str) -> list[Named]:
        """The fields that a rule of a level reads by their bare names."""
        group = self.groups.get(level)
        own = [n for n in self.fields.values() if n.level == level]
        if not level or (group is not None and group.inside != "bill"):
            return own
        names = {n.name for n in own}
        return own + [n for n in self.fields.values() if not n.level and n.name not in names]


def _breaks(word: str) -> bool:
    return word in BREAKS or word.endswith(("ed", "ing"))


LINES: Final[dict[str, Words]] = {"lines": (("en", "Lines"), ("zh", "明细"))}


def spaced(name: str) -> str:
    """A name as words, where no label is given."""
    return name.replace("_", " ")
