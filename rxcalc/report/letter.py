"""A letter of objection to a bill: what is charged, what the rules give, what is asked. It claims no more than is proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from rxcalc.bill.audit import Audited
from rxcalc.lang.types import DATE
from rxcalc.report.audit_words import Sentences
from rxcalc.report.audited import AuditView
from rxcalc.report.markdown_audit import amounts, rule, sources
from rxcalc.report.markdown_whatif import escaped
from rxcalc.report.wording import in_language

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "subject": ("Objection to bill {0}", "关于账单 {0} 的异议"),
    "from": ("[Name and address of the sender]", "[申请人姓名、地址]"),
    "to": ("[Name and address of the hospital or insurance office]", "[医疗机构或医保经办机构名称、地址]"),
    "date": ("[Place, date]", "[地点、日期]"),
    "patient": ("Patient: [name]. Bill: {0}.", "患者：[姓名]。账单：{0}。"),
    "dear": ("Dear Sir or Madam,", "您好："),
    "body": (
        "I have compared the bill named above with the rules of {0}. {1} of the {2} amounts compared differ from what these rules give:",
        "本人已将上述账单与{0}核对。所核对的 {2} 项金额中，有 {1} 项与按该规则计算的结果不一致：",
    ),
    "body_fine": (
        ("I have compared the bill named above with the rules of {0}. The {1} amounts compared are those of the rules. There is "
        "nothing to object to in them."),
        "本人已将上述账单与{0}核对。所核对的 {1} 项金额均与规则一致，对此没有异议。",
    ),
    "refused": (
        "By these rules the bill as described could not be settled at all. What the rules say of it: {0}",
        "按该规则，该账单所载情形不予计算。规则说明：{0}",
    ),
    "first": (
        "The first amount that differs, in the order of the calculation, is “{0}”. By the rules it comes out like this:",
        "按计算顺序，第一处不一致的是“{0}”。按规则计算如下：",
    ),
    "facts": ("The calculation rests on these facts of the bill:", "上述计算依据账单所载下列事实："),
    "ask_cause": (
        ("One possible explanation: {0} I do not know whether this is the reason. Please check whether it is so, and if it is, on "
        "what ground."),
        "一种可能的解释：{0}本人不能确定原因即在于此，请核实是否如此；如是，请说明依据。",
    ),
    "ask_causes": (
        "Several things would each explain the charged amounts, and from the bill I cannot tell them apart. Please say which applies, if any:",
        "以下各项均可解释账单金额，仅凭账单无法分辨，请说明是否有其一属实：",
    ),
    "ask_none": (
        "I found no single reason that explains the charged amounts. Please show me the calculation behind them.",
        "本人未能找到可以解释账单金额的单一原因，请提供这些金额的计算过程。",
    ),
    "findings": ("The bill also shows the following, which I ask you to look into:", "账单另有以下情况，请一并核查："),
    "ask": (
        ("I ask you to check the bill, to correct it where it is wrong and to refund what was charged in excess, or to explain in "
        "writing by which rule the charged amounts were reached."),
        "请核查该账单；如有误，请予更正并退还多收部分；如无误，请书面说明所依据的规定。",
    ),
    "assumed": (
        "The calculation takes it that nothing came before this bill that would count towards it, apart from what the bill file lists.",
        "计算时假定，除已列明者外，此前没有应当累计的就诊。",
    ),
    "kind": ("Yours faithfully,", "此致"),
    "sign": ("[Signature]", "[签名]"),
    "fictional": (
        "Note to the sender, to be removed before sending: the rules used contain fictional values. This letter must not be sent as it stands; it shows the form only.",
        "给申请人的提示（寄出前删除）：所用规则含虚构数值，本信仅示范格式，不得照此寄出。",
    ),
    "illustrative": (
        ("Note to the sender, to be removed before sending: some values of the rules used are illustrative, confirmed by no source. "
        "Check the amounts against the official rules first."),
        "给申请人的提示（寄出前删除）：所用规则部分数值仅为示意、未经来源证实，寄出前请先与正式文件核对。",
    ),
    "unmarked": (
        "Note to the sender, to be removed before sending: some values of the rules used carry no evidence. Check the amounts against the official rules first.",
        "给申请人的提示（寄出前删除）：所用规则部分数值未标明依据，寄出前请先与正式文件核对。",
    ),
}  # fmt: skip
MOST_CAUSES: Final = 5


def objection(audited: Audited, x: AuditView) -> str:
    """The letter as Markdown, with places in square brackets to fill in."""

    def say(key: str, *values: object) -> str:
        return _TEXTS[key][1 if x.language == "zh" else 0].format(*values)

    lines: list[str] = []
    if x.evidence in ("fictional", "illustrative", "unmarked"):
        lines += [f"> **{say(x.evidence)}**", ""]
    lines += [say("from"), "", say("to"), "", say("date"), "", f"# {escaped(say('subject', x.episode))}", ""]
    lines += [
        f"{say('patient', escaped(x.episode))} {escaped(_dates(audited, x.language))}".strip(),
        "",
        say("dear"),
        "",
    ]
    differing = sum(a.differs for a in audited.amounts)
    if not differing:
        lines += [say("body_fine", escaped(x.rulebook), len(x.amounts)), ""]
    else:
        lines += [say("body", escaped(x.rulebook), differing, len(x.amounts)), "", *amounts(x), ""]
    if x.refused:
        lines += [say("refused", escaped(x.refused)), ""]
    if x.first is not None and x.rule is not None:
        lines += [say("first", escaped(x.first.label)), *rule(x.rule, x.language), ""]
        lines += [say("facts"), "", *_facts(audited, x.language), ""]
    if differing:
        lines += _reasons(x, say("ask_none"), say("ask_causes"), lambda sentence: say("ask_cause", sentence))
    if x.checks:
        lines += [say("findings"), "", *(f"- {escaped(c.text)}" for c in x.checks), ""]
    if differing or x.checks:
        lines += [say("ask"), ""]
    if x.assumptions:
        lines += [say("assumed"), ""]
    lines += [say("kind"), "", say("sign")]
    lines += sources(x)
    return "\n".join(lines) + "\n"


def _reasons(x: AuditView, none: str, several: str, one: Callable[[str], str]) -> list[str]:
    """The likely cause as a question; several are listed, none is said."""
    if not x.causes:
        return [none, ""]
    if x.likely == 1:
        return [one(escaped(x.causes[0].sentence)), ""]
    return [several, "", *(f"- {escaped(c.sentence)}" for c in x.causes[: min(x.likely, MOST_CAUSES)]), ""]


def _dates(audited: Audited, language: str) -> str:
    """The dates of the bill, so that it can be found."""
    found = []
    for spec in audited.subject.plan.inputs:
        value = audited.subject.bill.get(spec.name)
        if spec.type == DATE and isinstance(value, date):
            label = in_language(spec.label, language) or spec.name
            found.append(f"{label}：{value}。" if language == "zh" else f"{label}: {value}.")
    return ("" if language == "zh" else " ").join(found)


def _facts(audited: Audited, language: str) -> list[str]:
    """The fields of the bill that are known, without ids."""
    words = Sentences(audited, language)
    plan = audited.subject.plan
    ids = {
        "episode_id",
        *((plan.sequence.by, plan.sequence.reverses) if plan.sequence is not None else ()),
        "person_id",
    }
    lines = []
    for spec in plan.inputs:
        value = audited.subject.bill.get(spec.name)
        if spec.name in ids or value is None or spec.type == DATE:
            continue
        label = words.wording.words(spec.label) or spec.name
        lines.append(f"- {escaped(label)}: {escaped(words.value(value, spec.type, spec.values))}")
    for listed in plan.lists:
        rows = audited.subject.rows(listed.name)
        if rows:
            label = words.wording.words(listed.label) or listed.name
            lines.append(f"- {escaped(label)}: {len(rows)}")
    return lines
