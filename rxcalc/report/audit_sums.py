"""What charged amounts say together: whom a difference favours, and whether they contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rxcalc.bill.audit import Audited, Compared
from rxcalc.bill.charged import plain_step
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Value, share_name
from rxcalc.report.audit_words import Sentences, phrase

_PATIENT = "patient"


def patient_side(audited: Audited, words: Sentences) -> tuple[str, str]:
    """What the rules make the patient pay besides what is charged (less, more, equal), and a sentence that says it.

    The patient's total decides; without one a single part can only tell that too much is charged for it, which says
    nothing of the whole: "" then, and where nothing of the patient's is charged.
    """
    total = next(
        (a for a in audited.amounts if a.charged.of.name == f"{_PATIENT}_pays" and not a.charged.of.level), None
    )
    if audited.first is None or audited.outcome.reverses or total is None or total.difference is None:
        return "", ""
    apart = total.difference
    if not total.differs:
        return "equal", phrase("patient_equal", words.language)
    told = words.wording.figure(abs(apart), MONEY)
    side = "less" if apart > 0 else "more"
    return side, phrase(f"{_PATIENT}_{side}", words.language, told)


def overcharged(audited: Audited) -> bool:
    """Whether more is charged to the patient than the rules give: in all, or where no total is charged in a part."""
    own = {a.charged.of.name: a.difference for a in audited.amounts if a.differs and not a.charged.of.level}
    whole = next((a for a in audited.amounts if a.charged.of.name == f"{_PATIENT}_pays"), None)
    if whole is not None:
        return whole.differs and (whole.difference or 0) > 0
    return any(name.startswith(f"{_PATIENT}.") and (apart or 0) > 0 for name, apart in own.items())


def contradictions(audited: Audited, words: Sentences) -> tuple[str, ...]:
    """Charged shares that cannot all be right, whatever the rules are."""
    if audited.outcome.problem is not None or audited.outcome.reverses or not audited.subject.plan.shares:
        return ()
    notes = []
    partition = audited.subject.plan.shares[0]
    charged = {a.charged.of.name: a for a in audited.amounts if not a.charged.of.level}
    together: list[Fraction | None] = []
    whole = Fraction(0)
    for bearer in dict.fromkeys(p.bearer for p in partition.parts):
        names = [share_name(0, partition.name, bearer, p.part) for p in partition.parts if p.bearer == bearer]
        ours = {name: _amount(audited.outcome.shares.get(name)) for name in names}
        whole += sum(ours.values(), Fraction(0))
        parts = [_part(audited, charged, name, own) for name, own in ours.items()]
        known = sum((p for p in parts if p is not None), Fraction(0)) if None not in parts else None
        total = charged.get(f"{bearer}_pays")
        if total is None or _amount(total.ours) != sum(
            ours.values(), Fraction(0)
        ):  # a step of that name may be another amount
            together.append(known)
            continue
        own = _amount(total.charged.charged)
        together.append(own)
        if (
            known is not None
            and abs(known - own) > audited.tolerance
            and f"{bearer}_pays" not in names
            and _any(charged, names)
        ):
            shown = words.wording.figure(known, MONEY), words.amount(total.charged, total.charged.charged)
            notes.append(phrase("sum_of_parts", words.language, *shown, words.label(total.charged)))
    if None not in together and any(a.differs for a in audited.amounts):
        all_ = sum((t for t in together if t is not None), Fraction(0))
        if abs(all_ - whole) > audited.tolerance:
            shown = words.wording.figure(all_, MONEY), words.wording.figure(whole, MONEY)
            notes.append(phrase("sum_of_totals", words.language, *shown))
    return tuple(notes)


def _part(audited: Audited, charged: Mapping[str, Compared], name: str, ours: Fraction) -> Fraction | None:
    """What is charged for a part, by its name or as the step that it is; what is not charged and nothing by the rules is nothing."""
    for own in (name, plain_step(audited.subject.plan, name)):
        if own in charged:
            return _amount(charged[own].charged.charged)
    return Fraction(0) if ours == 0 else None


def _any(charged: Mapping[str, Compared], names: list[str]) -> bool:
    return any(name in charged for name in names)


def _amount(value: Value) -> Fraction:
    return Fraction(value) if isinstance(value, int | Fraction) else Fraction(0)
