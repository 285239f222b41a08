"""Explanations as FHIR R4B: an ExplanationOfBenefit for each episode, several as a Bundle.

Amounts are those of `--format json`, to the last digit; the clock is never read. Where the bill does not say who the
insurer or the provider is, the resource says so in words instead of inventing a reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from rxcalc.lang.arithmetic import plain
from rxcalc.plan.nodes import Plan, PlanInput, PlanPart, share_name
from rxcalc.report.fhir_codes import Json, category, category_of_names, category_of_part, field_of_names, reason
from rxcalc.report.fhir_items import items
from rxcalc.report.fhir_values import decimal, known, money, percent
from rxcalc.report.fhir_words import narrative, notes, said
from rxcalc.report.model import Explanation, PartitionLine, ShareLine

_EVIDENCE = ("fictional", "illustrative")


def document(found: Sequence[Explanation], plan: Plan, *, language: str, version: str) -> Json:
    """The resource of one explanation, or a Bundle of several. They must be written as data, without grouped digits."""
    resources = [_Resource(x, plan, language, version).built() for x in found]
    if len(resources) == 1:
        return resources[0]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


class _Resource:
    """One episode."""

    def __init__(self, x: Explanation, plan: Plan, language: str, version: str) -> None:
        self.x = x
        self.plan = plan
        self.language = language
        self.version = version
        self.values = {name: value for name, _, value in x.episode if known(value)}
        self.places: dict[str, tuple[PlanInput, str]] = {}
        for spec in plan.inputs:
            place = field_of_names(dict(spec.names))
            if place and spec.name in self.values:
                self.places.setdefault(place, (spec, self.values[spec.name]))
        self.parts = {
            share_name(at, p.name, part.bearer, part.part): part for at, p in enumerate(plan.shares) for part in p.parts
        }

    def built(self) -> Json:
        """The resource."""
        x = self.x
        day = self.values.get(self.plan.effective_by, "")
        outcome = "error" if x.problem is not None else "partial" if x.incomplete else "complete"
        total = self._totals()
        resource: Json = {
            "resourceType": "ExplanationOfBenefit",
            "meta": self._meta(),
            "language": {"zh": "zh-CN"}.get(self.language, self.language),
            "text": narrative(x, self.language),
            "identifier": self._identifiers(),
            "status": "active",
            "type": {"text": x.title or x.rulebook},
            "use": "claim",
            "patient": self._patient(),
            "billablePeriod": self._period(day),
            "created": day,
            "insurer": {"display": said("insurer", self.language).format(x.title or x.rulebook)},
            "provider": self._provider(),
            "related": self._related(),
            "outcome": outcome,
            "disposition": self._disposition(),
            "supportingInfo": self._information(),
            "insurance": [{"focal": True, "coverage": {"display": x.title or x.rulebook}}],
            "item": items(x, self.plan, self.language),
            "adjudication": [*self._amounts(), *self._shares()],
            "total": total,
            "payment": self._payment(),
            "processNote": notes(x, self.language, self.version),
            "benefitBalance": self._balances(),
        }
        return {key: value for key, value in resource.items() if value not in ("", None, [], {})}

    def _meta(self) -> Json:
        """What the values rest on. Results of made-up values, or of values set by hand, are marked as test data."""
        tag = {"system": "urn:rxcalc:evidence", "code": self.x.status or "unmarked"}
        meta: Json = {"tag": [tag]}
        if self.x.status in _EVIDENCE or self.x.set_by_hand:
            display = "test health data"
            coding = {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                "code": "HTEST",
                "display": display,
            }
            meta["security"] = [coding]
        return meta

    def _identifiers(self) -> list[Json]:
        names = ["episode_id", *(spec.name for place, (spec, _) in self.places.items() if place == "identifier")]
        return [
            {"system": self._system("input", name), "value": self.values[name]}
            for name in dict.fromkeys(names)
            if name in self.values
        ]

    def _system(self, *of: str) -> str:
        return ":".join(("urn:rxcalc:rulebook", self.x.rulebook, *of))

    def _patient(self) -> Json:
        by = self.plan.sequence.by if self.plan.sequence is not None else ""
        spec, value = self.places.get("patient", (None, ""))
        name, value = (spec.name, value) if spec is not None else (by, self.values.get(by, ""))
        if value:
            return {"identifier": {"system": self._system("input", name), "value": value}}
        return {"display": said("patient", self.language)}

    def _provider(self) -> Json:
        spec, value = self.places.get("provider", (None, ""))
        if spec is not None:
            return {"identifier": {"system": self._system("input", spec.name), "value": value}}
        return {"display": said("provider", self.language)}

    def _period(self, day: str) -> Json:
        start, end = (self.places[name][1] if name in self.places else "" for name in ("start", "end"))
        return {key: value for key, value in (("start", start or day), ("end", end or day)) if value}

    def _related(self) -> list[Json]:
        if not self.x.reverses:
            return []
        claim = {"identifier": {"system": self._system("input", "episode_id"), "value": self.x.reverses}}
        return [{"claim": claim, "relationship": {"text": said("reverses", self.language)}}]

    def _disposition(self) -> str:
        x = self.x
        if x.problem is not None:
            return f"{x.problem.code}: {x.problem.message}"
        bearers = {share.bearer: share.bearer_label for p in x.shares for share in p.parts}
        told = (f"{bearers.get(n.removesuffix('_pays'), n)}: {x.currency} {amount}" for n, amount in x.totals)
        return "; ".join(told)

    def _information(self) -> list[Json]:
        """The inputs of the bill that have no place of their own."""
        own = {"episode_id", *(spec.name for spec, _ in self.places.values())}
        found: list[Json] = []
        for name, label, value in self.x.episode:
            if name in own or name not in self.values:
                continue
            spec = next(i for i in self.plan.inputs if i.name == name)
            concept = {"coding": [{"system": self._system("input"), "code": name, "display": label}]}
            told: Json = {"valueBoolean": value == "yes"} if str(spec.type) == "flag" else {"valueString": value}
            found.append({"sequence": len(found) + 1, "category": concept, **told})
        return found

    def _amounts(self) -> list[Json]:
        """Amounts and rates that steps or inputs declare, but for those that the parts of the bill give anyway."""
        taken = {category_of_part(part) for part in self.parts.values()} | {"submitted", "benefit"}
        found: list[Json] = []
        named: list[tuple[Mapping[str, str], str, str]] = [
            (dict(spec.names), self.values[spec.name], spec_label(self.x, spec.name))
            for spec in self.plan.inputs
            if spec.name in self.values and str(spec.type) in ("money", "percent")
        ]
        steps = {s.name: s for s in self.plan.steps}
        named += [(dict(steps[s.name].names), s.value or "", s.label) for s in self.x.steps if s.name in steps]
        for names, value, label in named:
            code = category_of_names(names)
            if not code or code in taken:
                continue
            concept = {**category(code, self.language), "text": label}
            if (rate := percent(value)) is not None:
                found.append({"category": concept, "value": rate})
            elif (amount := decimal(value)) is not None:
                found.append({"category": concept, "amount": money(amount, self.x.currency)})
        return found

    def _shares(self) -> list[Json]:
        """Who bears what. The parts of partitions after the first are named by their partition: they divide other amounts."""
        found: list[Json] = []
        for at, partition in enumerate(self.x.shares):
            for share in partition.parts:
                amount = decimal(share.amount)
                if amount is None:
                    continue
                concept = self._category(at, share)
                told: Json = {"category": concept, "reason": reason(share, self.x.rulebook)}
                found.append({**told, "amount": money(amount, self.x.currency)})
        return found

    def _category(self, at: int, share: ShareLine) -> Json:
        name = share_name(at, share.partition, share.bearer, share.part)
        if at:
            coding = {"system": self._system("shares"), "code": name, "display": share.label}
            return {"coding": [coding], "text": share.bearer_label}
        return {**category(category_of_part(self.parts[name]), self.language), "text": share.bearer_label}

    def _totals(self) -> list[Json]:
        """What the bill is, and what it comes to by category: the parts of the first partition add up to it."""
        if not self.x.shares:
            return []
        first: PartitionLine = self.x.shares[0]
        sums: dict[str, Fraction] = {}
        for share in first.parts:
            part: PlanPart = self.parts[share_name(0, share.partition, share.bearer, share.part)]
            code = category_of_part(part)
            sums[code] = sums.get(code, Fraction(0)) + Fraction(share.amount)
        whole = sum(sums.values(), Fraction(0))
        return [
            {"category": category(code, self.language), "amount": self._money(amount)}
            for code, amount in (("submitted", whole), *sums.items())
        ]

    def _money(self, amount: Fraction) -> Json:
        return money(Decimal(plain(amount, self.plan.decimals)), self.x.currency)

    def _payment(self) -> Json:
        """What the funds pay."""
        amount = decimal(dict(self.x.totals).get("fund_pays", ""))
        return {"amount": money(amount, self.x.currency)} if amount is not None else {}

    def _balances(self) -> list[Json]:
        """What earlier episodes have used of a window: sums of amounts."""
        calls = {c.key: c for c in self.plan.calls}
        found: list[Json] = []
        for w in self.x.windows:
            call, amount = calls.get(w.call), decimal(w.value)
            if call is None or call.function != "sum" or str(call.type) != "money" or amount is None:
                continue
            used = {"type": {"text": said("used", self.language)}, "usedMoney": money(amount, self.x.currency)}
            found.append({"category": {"text": w.call}, "financial": [used]})
        return found


def spec_label(x: Explanation, name: str) -> str:
    """The label of an input."""
    return next((label for own, label, _ in x.episode if own == name), name)
