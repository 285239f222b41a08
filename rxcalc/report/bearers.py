"""What those who bear a part are called, and what they bear in all."""

from __future__ import annotations

from typing import Final

BEARERS: Final = {
    "fund": {"en": "Fund", "zh": "基金"},
    "patient": {"en": "Patient", "zh": "个人"},
    "hospital": {"en": "Hospital", "zh": "医院"},
    "government": {"en": "Government", "zh": "政府"},
    "other": {"en": "Other", "zh": "其他"},
}
_IN_ALL: Final = {"en": ", in all", "zh": "合计"}


def bearer_label(bearer: str, declared: str, language: str) -> str:
    """The label that the rulebook gives a bearer (`declared`), else the usual one."""
    return declared or BEARERS.get(bearer, {}).get(language, bearer)


def total_label(bearer: str, declared: str, language: str) -> str:
    """What all parts of a bearer together are called: `Fund, in all`."""
    label, suffix = bearer_label(bearer, declared, language), _IN_ALL.get(language, _IN_ALL["en"])
    return label if label.endswith(suffix) else label + suffix


def bearer_of(total: str) -> str:
    """The bearer of a total: `fund` of `fund_pays`; "" where a name is none."""
    return total.removesuffix("_pays") if total.endswith("_pays") else ""
