"""The lines of a bill as items of the resource."""

from __future__ import annotations

from rxcalc.plan.nodes import Plan, PlanList
from rxcalc.report.fhir_codes import Json, category, category_of_names, field_of_names
from rxcalc.report.fhir_values import decimal, known, money, percent
from rxcalc.report.model import Explanation, ListLine, RowLine


def items(x: Explanation, plan: Plan, language: str) -> list[Json]:
    """An item for each row of `lines`, and of every list that declares what an item costs or is."""
    found: list[Json] = []
    specs = {spec.name: spec for spec in plan.lists}
    for of in x.lists:
        spec = specs[of.name]
        if _holds_items(spec):
            for row in of.rows:
                found.append({"sequence": len(found) + 1, **_item(x, of, row, spec, language)})
    return found


def _holds_items(spec: PlanList) -> bool:
    declared = {field_of_names(dict(i.names)) for i in spec.inputs}
    return spec.name == "lines" or bool(declared & {"productOrService", "net"})


def _item(x: Explanation, of: ListLine, row: RowLine, spec: PlanList, language: str) -> Json:
    values = {name: value for name, value in row.inputs if value is not None and known(value)}
    places: dict[str, tuple[str, str]] = {}
    for i in spec.inputs:
        place = field_of_names(dict(i.names))
        if place and i.name in values:
            places.setdefault(place, (i.name, values[i.name]))
    found: Json = {"category": {"text": of.label}, "productOrService": {"text": f"{of.label} {row.key}"}}
    if "productOrService" in places:
        name, code = places["productOrService"]
        system = f"urn:rxcalc:rulebook:{x.rulebook}:{of.name}:{name}"
        found["productOrService"] = {"coding": [{"system": system, "code": " ".join(code.split())}]}
    if (count := decimal(places.get("quantity", ("", ""))[1])) is not None:
        found["quantity"] = {"value": count}
    for place in ("unitPrice", "net"):
        if (amount := decimal(places.get(place, ("", ""))[1])) is not None:
            found[place] = money(amount, x.currency)
    found["adjudication"] = _adjudication(x, of, row, spec, values, language)
    return {key: value for key, value in found.items() if value != []}


def _adjudication(
    x: Explanation, of: ListLine, row: RowLine, spec: PlanList, values: dict[str, str], language: str
) -> list[Json]:
    """Declared amounts of the line under their category; amounts that its steps compute else under the step's name."""
    found: list[Json] = []
    for i in spec.inputs:
        code = category_of_names(dict(i.names))
        amount = decimal(values.get(i.name))
        if code and str(i.type) == "money" and amount is not None and field_of_names(dict(i.names)) != "unitPrice":
            found.append(
                {
                    "category": category("submitted" if code == "net" else code, language),
                    "amount": money(amount, x.currency),
                }
            )
    steps = {s.name: s for s in spec.steps}
    for line in row.steps:
        step = steps.get(line.name)
        code = category_of_names(dict(step.names)) if step is not None else ""
        coding = {"system": f"urn:rxcalc:rulebook:{x.rulebook}:{of.name}", "code": line.name, "display": line.label}
        concept = {**category(code, language), "text": line.label} if code else {"coding": [coding]}
        if line.type == "percent" and code and (rate := percent(line.value)) is not None:
            found.append({"category": concept, "value": rate})
        elif line.type == "money" and (amount := decimal(line.value)) is not None:
            found.append({"category": concept, "amount": money(amount, x.currency)})
    return found
