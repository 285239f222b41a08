"""FHIR resources: valid R4B for every example of the shipped rulebooks, with the amounts of the JSON, without floats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.explanationofbenefit import ExplanationOfBenefit

from rxcalc.cli.main import cli
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.cached import plan_for
from rxcalc.driver.explain import GivenBill, given_bill
from rxcalc.driver.find import Found, shipped
from rxcalc.inputs.episodes import read_entries
from rxcalc.plan.nodes import Plan
from rxcalc.report.as_json import document as as_json
from rxcalc.report.fhir import document
from rxcalc.report.fhir_json import written
from rxcalc.report.model import Explanation
from rxcalc.rulebook.load import load_yaml

BILLS = Path(__file__).parents[2] / "docs" / "bills"
HL7 = "http://terminology.hl7.org/CodeSystem/adjudication"
BOOKS = shipped()


def examples(found: Found) -> Iterator[tuple[str, Plan, tuple[Explanation, ...]]]:
    """Every example of a rulebook that is a bill: its name, its plan and its explanations in Chinese."""
    plan = plan_for(found, Sink())
    assert plan is not None
    for path in sorted((found.path.parent / "examples").glob("*.yaml")):
        sink = Sink()
        node = load_yaml(path, path.name, sink)
        assert node is not None
        for entry in read_entries(node, sink):
            if entry.rulebook and entry.rulebook not in (plan.rulebook, f"{plan.rulebook}@{plan.version}"):
                continue
            given = given_bill(plan, entry, Sink())
            if isinstance(given, GivenBill):
                yield entry.name, plan, given.explained("zh", grouped=False)


def amounts(resource: dict[str, object], key: str) -> list[Decimal]:
    entries = resource.get(key, [])
    assert isinstance(entries, list)
    return [e["amount"]["value"] for e in entries if "amount" in e]


@pytest.mark.parametrize("found", BOOKS, ids=lambda f: f.path.parent.name + f.path.stem.removeprefix("rulebook"))
def test_every_example_is_valid_and_holds_the_amounts(found: Found) -> None:
    """Each resource is accepted by the model of R4B; its shares are those of the JSON and add up to what was submitted."""
    seen = 0
    for name, plan, results in examples(found):
        for x in results:
            text = written(document([x], plan, language="zh", version="0"))
            resource = json.loads(text, parse_float=Decimal)
            assert_no_float(resource)
            ExplanationOfBenefit.model_validate_json(text)
            shares = as_json(x, "0")["shares"]
            assert isinstance(shares, list)
            told = amounts(resource, "adjudication")
            expected = [Decimal(s["amount"]) for s in shares]
            assert told[len(told) - len(expected) :] == expected, name
            if x.shares and x.problem is None:
                totals = amounts(resource, "total")
                assert totals[0] == sum(totals[1:]) == sum(Decimal(p.amount) for p in x.shares[0].parts), name
            assert resource["outcome"] == ("error" if x.problem else "partial" if x.incomplete else "complete")
            ElementTree.fromstring(resource["text"]["div"])  # noqa: S314 - our own text
            seen += 1
    assert seen > 3


def assert_no_float(value: object) -> None:
    assert not isinstance(value, float)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_no_float(inner)


def fhir(*args: str, code: int = 0) -> dict[str, object]:
    result = CliRunner().invoke(
        cli, ["explain", *args, "--format", "fhir"], catch_exceptions=False, standalone_mode=False
    )
    assert result.return_value == code, result.stderr
    found = json.loads(result.stdout, parse_float=Decimal)
    assert isinstance(found, dict)
    return found


def test_the_county_bill() -> None:
    """10,000.00 at a county hospital: deductible 200.00, 9,800.00 at 95% from the fund, 490.00 from the patient."""
    x = fhir(str(BILLS / "qin-county.yaml"), "--lang", "en")
    by_category = {t["category"]["coding"][0]["code"]: str(t["amount"]["value"]) for t in x["total"]}  # type: ignore[attr-defined]
    assert by_category == {
        "submitted": "10000.00", "benefit": "9310.00", "deductible": "200.00", "copay": "490.00", "patient": "0.00",
    }  # fmt: skip
    assert {t["category"]["coding"][0]["system"] for t in x["total"]} == {HL7, "urn:rxcalc:adjudication"}  # type: ignore[attr-defined]
    deductible = next(a for a in x["adjudication"] if a["reason"]["text"] == "Deductible")  # type: ignore[attr-defined]
    assert [(c["system"].rsplit("/")[-1], c["code"]) for c in deductible["reason"]["coding"]] == [
        ("urn:rxcalc:rulebook:qin:reason", "PR-1"),
        ("claim-adjustment-reason-codes", "1"),
        ("claim-adjustment-group-codes", "PR"),
    ]
    assert x["payment"]["amount"] == {"value": Decimal("9310.00"), "currency": "CNY"}  # type: ignore[index]
    assert x["billablePeriod"] == {"start": "2025-03-03", "end": "2025-03-10"}
    assert x["created"] == "2025-03-10"
    assert x["patient"]["identifier"]["value"] == "P-001"  # type: ignore[index]
    assert x["meta"]["security"][0]["code"] == "HTEST"  # type: ignore[index]
    assert "FICTIONAL" in x["processNote"][0]["text"]  # type: ignore[index]
    assert "FICTIONAL" in x["text"]["div"]  # type: ignore[index]


def test_declared_categories_in_scope_and_outside() -> None:
    """Beijing: the in-scope amount is `eligible`, what is out of scope not covered, by the rulebook's declarations."""
    x = fhir(str(BILLS / "beijing-check.yaml"), "--lang", "zh")
    codes = [c["code"] for a in x["adjudication"] for c in a["category"]["coding"]]  # type: ignore[attr-defined]
    assert codes[0] == "eligible"
    assert {"noncovered", "deductible", "copay", "abovecap", "benefit"} <= set(codes)
    eligible = x["adjudication"][0]  # type: ignore[index]
    assert str(eligible["amount"]["value"]) == "164411.81"
    assert x["language"] == "zh-CN"


def test_lines_are_items() -> None:
    """Each line has its code, quantity, price and net, and what its steps compute."""
    x = fhir(str(BILLS / "qin-lines.yaml"), code=1)  # a finding of severity error
    first = x["item"][0]  # type: ignore[index]
    assert (first["quantity"]["value"], first["unitPrice"]["value"], first["net"]["value"]) == (
        10,
        Decimal("13.65"),
        Decimal("136.50"),
    )
    assert first["productOrService"]["coding"][0]["code"] == "EX-MED-1"
    told = {a["category"]["coding"][0]["code"]: a["amount"]["value"] for a in first["adjudication"]}
    # Sold at 13.65, bought at 11.90: 1.75 too much for each of 10.
    assert (told["submitted"], told["excess"]) == (Decimal("136.50"), Decimal("17.50"))
    assert any("17.50" in n["text"] for n in x["processNote"])  # type: ignore[attr-defined]


def test_a_refused_bill_is_an_error(tmp_path: Path) -> None:
    bill = (BILLS / "qin-county.yaml").read_text(encoding="utf-8").replace("2025-03-03", "2025-04-03")
    (tmp_path / "bill.yaml").write_text(bill, encoding="utf-8")
    x = fhir(str(tmp_path / "bill.yaml"), code=1)
    ExplanationOfBenefit.model_validate(x)
    assert x["outcome"] == "error"
    assert str(x["disposition"]).startswith("RX722")
    assert any("RX722" in n["text"] for n in x["processNote"])  # type: ignore[attr-defined]
    assert "total" not in x
    assert "payment" not in x


def test_several_episodes_are_a_bundle(tmp_path: Path) -> None:
    fields = "episode_id: E{0}, person_id: P, level: county, admission_date: 2025-0{0}-03, discharge_date: 2025-0{0}-10, total_cost: 1000.00, referred: no, emergency: no"
    items = "".join(f"  - episode: {{{fields.format(n)}}}\n" for n in (1, 2))
    (tmp_path / "bills.yaml").write_text(f"rulebook: qin\nepisodes:\n{items}", encoding="utf-8")
    x = fhir(str(tmp_path / "bills.yaml"))
    Bundle.model_validate(x)
    assert [e["resource"]["identifier"][0]["value"] for e in x["entry"]] == ["E1", "E2"]  # type: ignore[attr-defined]


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """Markup in ids, codes and labels is neither XHTML nor broken JSON."""
    evil = '</div><script>alert(1)</script>&"]}'
    bill = (BILLS / "qin-county.yaml").read_text(encoding="utf-8")
    bill = bill.replace("P-001", json.dumps(evil)).replace("BILL-2", json.dumps("<b>" + evil))
    (tmp_path / "bill.yaml").write_text(bill, encoding="utf-8")
    x = fhir(str(tmp_path / "bill.yaml"))
    ExplanationOfBenefit.model_validate(x)
    assert x["patient"]["identifier"]["value"] == evil  # type: ignore[index]
    plan = plan_for(next(f for f in BOOKS if f.path.parent.name == "qin"), Sink())
    assert plan is not None
    entry_name, _, results = next(examples(next(f for f in BOOKS if f.path.parent.name == "qin")))
    first = results[0]
    share = replace(first.shares[0].parts[0], label=evil, reason=f" {evil}\n x ", bearer_label=evil)
    hostile = replace(first, title=evil, shares=(replace(first.shares[0], parts=(share, *first.shares[0].parts[1:])),))
    text = written(document([hostile], plan, language="en", version="0"))
    ExplanationOfBenefit.model_validate_json(text)
    div = ElementTree.fromstring(json.loads(text)["text"]["div"])  # noqa: S314 - our own text
    assert not div.findall(".//{http://www.w3.org/1999/xhtml}script"), entry_name
    assert evil in "".join(div.itertext())


def test_decimals_are_written_as_they_are() -> None:
    """No digit is added or lost, whatever the size; a float is refused."""
    assert written({"a": [Decimal("10.00"), 3, Decimal("0.000001"), Decimal("123456789012345678901234567890.10")]}) == (
        '{\n  "a": [\n    10.00,\n    3,\n    0.000001,\n    123456789012345678901234567890.10\n  ]\n}\n'
    )
    for wrong in (0.1, Fraction(1, 2), Decimal("NaN")):
        with pytest.raises(TypeError):
            written({"a": wrong})
