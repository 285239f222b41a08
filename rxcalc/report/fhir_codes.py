"""What a rulebook's declarations mean in FHIR: categories of amounts, codes of reasons, fields of the bill.

Nothing is guessed from names or labels. In this order count: what `names:` says for `fhir`, what it says for `nhsa` (the
national settlement list), the part's `x12`, and who bears it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from rxcalc.plan.nodes import PlanPart
from rxcalc.report.bearers import BEARERS
from rxcalc.report.model import ShareLine

Json: TypeAlias = "dict[str, object]"

ADJUDICATION: Final = "http://terminology.hl7.org/CodeSystem/adjudication"
X12_REASONS: Final = "https://x12.org/codes/claim-adjustment-reason-codes"
X12_GROUPS: Final = "https://x12.org/codes/claim-adjustment-group-codes"
LOCAL: Final = "urn:rxcalc:adjudication"

HL7_CATEGORIES: Final = {
    "submitted": "Submitted Amount", "copay": "CoPay", "eligible": "Eligible Amount", "deductible": "Deductible",
    "unallocdeduct": "Unallocated Deductible", "eligpercent": "Eligible %", "tax": "Tax", "benefit": "Benefit Amount",
}  # fmt: skip
"""The codes of HL7's example set; every other code is rxcalc's own."""

_OF_NHSA: Final = {
    "medfee_sumamt": "submitted", "det_item_fee_sumamt": "submitted", "inscp_scp_amt": "eligible", "act_pay_dedc": "deductible",
    "preselfpay_amt": "copay", "pool_prop_selfpay": "eligpercent", "fulamt_ownpay_amt": "noncovered",
    "overlmt_selfpay": "overprice", "hosp_part_amt": "hospital", "acct_pay": "account",
    "hifp_pay": "benefit", "hifob_pay": "benefit", "hifmi_pay": "benefit", "hifes_pay": "benefit", "cvlserv_pay": "benefit",
    "maf_pay": "benefit", "oth_pay": "benefit", "fund_pay_sumamt": "benefit",
}  # fmt: skip
_OF_X12: Final = {"PR-1": "deductible", "PR-2": "copay", "PR-3": "copay"}
_LOCAL_DISPLAYS: Final = {
    "noncovered": {"en": "Not covered", "zh": "政策范围外"},
    "overprice": {"en": "Above the price limit", "zh": "超限价"},
    "abovecap": {"en": "Above the cap", "zh": "超封顶线"},
    "account": {"en": "Personal account", "zh": "个人账户"},
    **BEARERS,
}

_FIELDS_OF_NHSA: Final = {
    "psn_no": "patient", "mdtrt_id": "identifier", "setl_id": "identifier", "adm_time": "start", "begntime": "start", "dscg_time": "end",
    "endtime": "end", "fixmedins_code": "provider", "fixmedins_name": "provider", "med_list_codg": "productOrService",
    "cnt": "quantity", "pric": "unitPrice", "det_item_fee_sumamt": "net", "medfee_sumamt": "submitted",
}  # fmt: skip
"""Inputs that have a place of their own; `names: {fhir: ..}` may name any of these places."""


def category_of_names(names: Mapping[str, str]) -> str:
    """The category that `names:` gives an amount, "" when it gives none."""
    return _word(names.get("fhir", "")) or _OF_NHSA.get(names.get("nhsa", ""), "")


def category_of_part(part: PlanPart) -> str:
    """The category of a part of the shares."""
    declared = category_of_names(dict(part.names)) or _OF_X12.get(part.x12, "")
    return declared or ("benefit" if part.bearer == "fund" else part.bearer)


def field_of_names(names: Mapping[str, str]) -> str:
    """The place of an input in the resource, "" when it has none of its own."""
    return _word(names.get("fhir", "")) or _FIELDS_OF_NHSA.get(names.get("nhsa", ""), "")


def category(code: str, language: str) -> Json:
    """A category as a concept."""
    if code in HL7_CATEGORIES:
        return {"coding": [{"system": ADJUDICATION, "code": code, "display": HL7_CATEGORIES[code]}]}
    told = _LOCAL_DISPLAYS.get(code, {}).get(language, code)
    return {"coding": [{"system": LOCAL, "code": code, "display": told}]}


def reason(share: ShareLine, rulebook: str) -> Json:
    """Why a part is what it is: the rulebook's reason, and its X12 codes; `text` is the part's label."""
    codings: list[Json] = []
    if code := _word(share.reason):
        codings.append({"system": f"urn:rxcalc:rulebook:{rulebook}:reason", "code": code, "display": share.label})
    if share.x12:
        group, _, number = share.x12.partition("-")
        codings += [{"system": X12_REASONS, "code": number}, {"system": X12_GROUPS, "code": group}]
    found: Json = {"coding": codings} if codings else {}
    return {**found, "text": share.label}


def _word(text: str) -> str:
    """A code as FHIR takes it: single blanks inside, none around."""
    return " ".join(text.split())
