"""Why a clause did not apply: every template, in both languages, from labels and figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli

BOOK = """\
rxcalc: 1
rulebook: reasons
version: "1"
currency: CNY
rounding: half-up
effective: {{from: 2025-01-01, by: discharge_date}}
sources: {{act: {{title: {{en: The act, zh: 法}}, status: sourced}}}}
inputs:
  episode_id: {{type: code}}
  discharge_date: {{type: date, label: {{en: Discharge, zh: 出院日期}}}}
  level:
    one_of: {{county: {{label: {{en: county hospital, zh: 县医院}}}}, city: {{label: {{en: city hospital, zh: 市医院}}}}, province: {{label: {{en: province hospital, zh: 省医院}}}}}}
    ordered: yes
    label: {{en: The hospital, zh: 医院}}
  days: {{type: days, label: {{en: Stay, zh: 住院天数}}}}
  total: {{type: money, label: {{en: Total, zh: 总额}}}}
  other: {{type: money, label: {{en: Other amount, zh: 其他金额}}}}
  referred: {{type: flag, label: {{en: Referred, zh: 转诊}}}}
  chain: {{type: code, optional: yes, label: {{en: Referral, zh: 转诊单}}}}
  code: {{type: code, label: {{en: Item, zh: 项目}}}}
  codes: {{type: codes, label: {{en: Diagnoses, zh: 诊断}}}}
  unnamed: {{type: count}}
parameters:
  cap: {{type: money, by: [level], label: {{en: Cap, zh: 封顶}}, values: {{2025-01-01: {{county: 50, city: 70, province: 90}}}}}}
  plain: {{type: money, values: {{2025-01-01: 5}}}}
tables:
  listed: {{file: listed.csv, key: [code], columns: {{price: money}}, label: {{en: the list, zh: 目录}}}}
steps:
  found:
    type: count
    rule: |
      when {condition} then 1{because}
      otherwise 2
outputs: [found]
shares: {{bill: {{of: total, fund: rest}}}}
"""

BILL = """\
episode:
  {episode_id: E1, discharge_date: 2025-06-30, level: county, days: 3, total: 100.00, other: 40.00, referred: no, code: B, codes: [I10, E11], unnamed: 7}
"""


def reasons(folder: Path, condition: str, *, because: str = "", language: str = "en") -> dict[str, str | None]:
    """The clause of a rulebook with one condition that does not hold on the bill."""
    text = BOOK.format(condition=condition, because=f" because {because}" if because else "")
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    (folder / "listed.csv").write_text("code,price\nA,1\n", encoding="utf-8")
    (folder / "bill.yaml").write_text(BILL, encoding="utf-8")
    args = ["explain", str(folder / "bill.yaml"), "-r", str(folder / "rulebook.yaml")]
    result = CliRunner().invoke(cli, [*args, "--format", "json", "--lang", language], catch_exceptions=False)
    found = json.loads(result.stdout)["not_applied"]
    assert len(found) == 1, (condition, result.stdout)
    clause: dict[str, str | None] = found[0]
    return clause


# What is asked for, and why it did not hold; worked out from the bill above by reading.
CASES = [
    ("level = province", "The hospital is province hospital", "The hospital is county hospital, not province hospital",
     "医院为省医院", "医院为县医院，不是省医院"),
    ("level != county", "The hospital is not county hospital", "The hospital is county hospital", "医院不是县医院", "医院为县医院"),
    ("level >= city", "The hospital is not below city hospital", "The hospital is county hospital, below city hospital",
     "医院不低于市医院", "医院为县医院，低于市医院"),
    ("days >= 5 days", "Stay is not less than 5 days", "Stay is 3 days, less than 5 days", "住院天数不低于5天", "住院天数为3天，低于5天"),
    ("days > 3 days", "Stay is more than 3 days", "Stay is 3 days, not more than 3 days", "住院天数高于3天", "住院天数为3天，不高于3天"),
    ("days < 3 days", "Stay is less than 3 days", "Stay is 3 days, not less than 3 days", "住院天数低于3天", "住院天数为3天，不低于3天"),
    ("days <= 2 days", "Stay is not more than 2 days", "Stay is 3 days, more than 2 days", "住院天数不高于2天", "住院天数为3天，高于2天"),
    ("2 days > days", "Stay is less than 2 days", "Stay is 3 days, not less than 2 days", "住院天数低于2天", "住院天数为3天，不低于2天"),
    ("total = other", "Total is Other amount", "Total is 100.00, not Other amount, which is 40.00", "总额为其他金额", "总额为100.00，不是其他金额（40.00）"),
    ("total != other + ¥60", "Total is not `other + ¥60`", "Total is 100.00, as `other + ¥60`", "总额不是`other + ¥60`", "总额为100.00，与`other + ¥60`相同"),
    ("total <= cap[level]", "Total is not more than Cap, county hospital", "Total is 100.00, more than Cap, county hospital, which is 50.00",
     "总额不高于封顶、县医院", "总额为100.00，高于封顶、县医院（50.00）"),
    ("total <= plain", "Total is not more than `plain`", "Total is 100.00, more than `plain`, which is 5.00", "总额不高于`plain`", "总额为100.00，高于`plain`（5.00）"),
    ("discharge_date < 2025-06-01", "Discharge is before 2025-06-01", "Discharge is 2025-06-30, not before 2025-06-01",
     "出院日期早于2025-06-01", "出院日期为2025-06-30，不早于2025-06-01"),
    ("unnamed > 7", "unnamed is more than 7", "unnamed is 7, not more than 7", "unnamed高于7", "unnamed为7，不高于7"),
    ("referred", None, "Referred is no", None, "转诊为否"),
    ("chain is known", None, "Referral is not known", None, "转诊单未知"),
    ("total is missing or referred", None, None, None, None),
    ("level in {city, province}", "The hospital is city hospital or province hospital", "The hospital is county hospital, not city hospital or province hospital",
     "医院为市医院或省医院", "医院为县医院，不是市医院或省医院"),
    ("code in listed", None, "B is not in the list", None, "B不在目录中"),
    ('codes has "A00"', None, "Diagnoses does not hold A00", None, "诊断不含A00"),
    ("level = county and days >= 5 days and referred", "The hospital is county hospital and Stay is not less than 5 days and Referred is yes",
     "Stay is 3 days, less than 5 days", "医院为县医院，且住院天数不低于5天，且转诊为是", "住院天数为3天，低于5天"),
    ("level = city or days >= 5 days", "The hospital is city hospital or Stay is not less than 5 days",
     "The hospital is county hospital, not city hospital and Stay is 3 days, less than 5 days",
     "医院为市医院或住院天数不低于5天", "医院为县医院，不是市医院，且住院天数为3天，低于5天"),
    ("not (level = county)", "The hospital is not county hospital", "The hospital is county hospital", "医院不是县医院", "医院为县医院"),
    ("days between 5 days and 9 days", "Stay is not less than 5 days and Stay is not more than 9 days", "Stay is 3 days, less than 5 days",
     "住院天数不低于5天，且住院天数不高于9天", "住院天数为3天，低于5天"),
]  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if c[2] is not None], ids=lambda c: c[0])
def test_a_condition_that_failed_is_said_in_words(
    case: tuple[str, str | None, str, str | None, str], tmp_path: Path
) -> None:
    """Each shape of a condition has a sentence in English and in Chinese."""
    condition, wanted, failed, wanted_zh, failed_zh = case
    english = reasons(tmp_path, condition)
    assert (english["what"], english["reason"]) == (wanted, failed)
    chinese = reasons(tmp_path, condition, language="zh")
    assert (chinese["what"], chinese["reason"]) == (wanted_zh, failed_zh)


def test_a_clause_is_called_by_its_because(tmp_path: Path) -> None:
    """What did not apply is named by the rulebook's own words where it has them; they may hold signs of a template."""
    clause = reasons(tmp_path, "referred", because='"a {transfer} on referral."')
    assert (clause["what"], clause["reason"]) == ("a {transfer} on referral.", "Referred is no")
    args = ["explain", str(tmp_path / "bill.yaml"), "-r", str(tmp_path / "rulebook.yaml"), "--detail", "full"]
    text = CliRunner().invoke(cli, args, catch_exceptions=False).stdout
    assert "  Not applied: a {transfer} on referral, because Referred is no\n" in text
    assert "  tested    referred  (no)\n" in text
    chinese = CliRunner().invoke(cli, [*args, "--lang", "zh"], catch_exceptions=False).stdout
    assert "  未适用：a {transfer} on referral，因为转诊为否\n" in chinese


def test_the_depth_decides(tmp_path: Path) -> None:
    """What did not apply stands in the full explanation only."""
    reasons(tmp_path, "referred")
    args = ["explain", str(tmp_path / "bill.yaml"), "-r", str(tmp_path / "rulebook.yaml")]
    for detail in ("brief", "steps"):
        assert "Not applied" not in CliRunner().invoke(cli, [*args, "--detail", detail]).stdout


def test_an_unusual_condition_keeps_its_formula(tmp_path: Path) -> None:
    """Operands without a label are quoted as written, with their value."""
    clause = reasons(tmp_path, 'default(chain, code) = "A"')
    assert clause["reason"] == "`default(chain, code)` is B, not A"
    clause = reasons(tmp_path, "max(total, other) - ¥1 > ¥100")
    assert clause["reason"] == "`max(total, other) - ¥1` is 99.00, not more than 100.00"
