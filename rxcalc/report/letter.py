"""A letter of objection to a bill: what is charged, what the rules give, what is asked. It claims no more than is proven."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from rxcalc.bill.audit import Audited
from rxcalc.lang.types import DATE
from rxcalc.report.audit_labels import Labels
from rxcalc.report.audit_sums import overcharged
from rxcalc.report.audit_words import Sentences, phrase
from rxcalc.report.audited import AuditView, CauseLine, RuleLine
from rxcalc.report.markdown_audit import amounts
from rxcalc.report.markdown_whatif import escaped
from rxcalc.report.phrases import word
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
    "body_1": (
        "I have compared the bill named above with the rules of {0}. One of the {2} amounts compared differs from what these rules give:",
        "本人已将上述账单与{0}核对。所核对的 {2} 项金额中，有 1 项与按该规则计算的结果不一致：",
    ),
    "body_all": (
        "I have compared the bill named above with the rules of {0}. None of the {2} amounts compared is what these rules give:",
        "本人已将上述账单与{0}核对。所核对的 {2} 项金额均与按该规则计算的结果不一致：",
    ),
    "body_only": (
        "I have compared an amount of the bill named above with the rules of {0}. It differs from what these rules give:",
        "本人已将上述账单的一项金额与{0}核对，与按该规则计算的结果不一致：",
    ),
    "body_fine": (
        "I have compared the bill named above with the rules of {0}. The {1} amounts compared are those of the rules.",
        "本人已将上述账单与{0}核对。所核对的 {1} 项金额均与规则一致。",
    ),
    "body_fine_1": (
        "I have compared an amount of the bill named above with the rules of {0}. It is that of the rules.",
        "本人已将上述账单的一项金额与{0}核对，与规则一致。",
    ),
    "reversal": (
        "The bill reverses bill {0}. By the rules each of its amounts is that of bill {0} with the other sign.",
        "该账单冲销账单 {0}；按规则，各项金额应为账单 {0} 相应金额的相反数。",
    ),
    "behind": ("The amounts in this calculation come out like this:", "其中各项金额计算如下："),
    "more_behind": (
        "- {0} more steps are behind these; I can show them on request.",
        "- 另有 {0} 个计算步骤，可应要求提供。",
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
    "ask_refund": (
        ("I ask you to check the bill, to correct it where it is wrong and to refund what was charged in excess, or to explain in "
        "writing by which rule the charged amounts were reached."),
        "请核查该账单；如有误，请予更正并退还多收部分；如无误，请书面说明所依据的规定。",
    ),
    "ask": (
        "I ask you to check the bill and to correct it where it is wrong, or to explain in writing by which rule the charged amounts were reached.",
        "请核查该账单；如有误，请予更正；如无误，请书面说明所依据的规定。",
    ),
    "no_use": (
        "Note to the sender, to be removed before sending: think twice before sending this letter. {0}",
        "给申请人的提示（寄出前删除）：寄出前请再考虑。{0}",
    ),
    "assumed": (
        "The calculation takes it that nothing came before this bill that would count towards it, apart from what is named here.",
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
_UNSAFE: Final = re.compile(r"[`\\|~{}]|<(?![ =])|(?<! )>|&\w|&#|!\[|\](?=[(:\[])|(?<![\w ])_|_(?!\w)|(?<! )\*|\*(?! )")
_CODED: Final = re.compile(r" \([A-Za-z_]\w*\)$")  # the name behind the label of a value of a set
_AT_START: Final = re.compile(r"^(?=[-+*] |[#>=]|--|\*\*)|^(\d{1,9})(?=[.)] )")


def objects(audited: Audited, x: AuditView) -> bool:
    """Whether there is anything to write about: an amount that differs, a bill refused, a finding on what is charged."""
    return any(a.differs for a in audited.amounts) or bool(x.refused) or any(c.is_charge for c in x.checks)


def objection(audited: Audited, x: AuditView) -> str:
    """The letter as Markdown that reads well as it stands, with places in square brackets to fill in."""
    return _Letter(audited, x).text()


class _Letter:
    def __init__(self, audited: Audited, x: AuditView) -> None:
        self.audited = audited
        self.x = x
        self.words = Sentences(audited, x.language)
        self.labels = Labels(audited.subject.plan, self.words.wording)
        self.findings = [c for c in x.checks if c.is_charge]

    def say(self, key: str, *values: object) -> str:
        return _TEXTS[key][1 if self.x.language == "zh" else 0].format(*values)

    def text(self) -> str:
        """The whole letter."""
        x = self.x
        differing = sum(a.differs for a in self.audited.amounts)
        lines = [*self._notes(), self.say("from"), "", self.say("to"), "", self.say("date"), ""]
        lines += [f"# {plainly(self.say('subject', x.episode))}", ""]
        between = "" if x.language == "zh" else " "
        lines += [between.join([self.say("patient", plainly(x.episode)), *self._dates()]), "", self.say("dear"), ""]
        lines += self._body(differing)
        for note in x.contradictions:
            lines += [plainly(note), ""]
        if x.reversal:
            lines += [self.say("reversal", plainly(self.audited.outcome.reverses)), ""]
        problem = self.audited.outcome.problem
        if problem is not None:
            lines += [self.say("refused", plainly(self.labels.sentence(problem.message))), ""]
        lines += self._calculation()
        if differing and not x.reversal and problem is None:
            lines += self._reasons()
        if self.findings:
            lines += [self.say("findings"), "", *(f"- {plainly(c.text)}" for c in self.findings), ""]
        lines += [self.say("ask_refund" if overcharged(self.audited) else "ask"), ""]
        if x.assumptions:
            lines += [self.say("assumed"), ""]
        lines += [self.say("kind"), "", self.say("sign"), *self._sources()]
        return "\n".join(lines) + "\n"

    def _notes(self) -> list[str]:
        """What the sender must know and nobody else needs."""
        x = self.x
        notes = [self.say(x.evidence)] if x.evidence in ("fictional", "illustrative", "unmarked") else []
        if x.patient in ("more", "equal"):
            notes.append(self.say("no_use", x.told_patient))
        return [line for note in notes for line in (f"> {note}", "")]

    def _body(self, differing: int) -> list[str]:
        x, count = self.x, len(self.x.amounts)
        rules = plainly(x.rulebook)
        if not differing:
            key = "body_fine_1" if count == 1 else "body_fine"
            return [self.say(key, rules, count), ""] if count else []
        if count == 1:
            told = self.say("body_only", rules)
        else:
            told = self.say(
                "body_all" if differing == count else "body_1" if differing == 1 else "body", rules, differing, count
            )
        return [told, "", *amounts(x, plainly, strong=False), ""]

    def _calculation(self) -> list[str]:
        """How the rules come to the first amount that differs, step by step, and what of the bill it rests on."""
        x = self.x
        if x.first is None or x.rule is None or not x.first.ours:
            return []
        lines = [self.say("first", plainly(x.first.label)), "", *self._rule(x.rule)]
        if x.behind:
            lines += ["", self.say("behind"), ""]
            lines += [line for rule in x.behind for line in self._rule(rule)]
            lines += [self.say("more_behind", x.more_behind)] if x.more_behind else []
        facts = self._facts()
        return [*lines, "", self.say("facts"), "", *facts, ""] if facts else [*lines, ""]

    def _rule(self, rule: RuleLine) -> list[str]:
        """A step as an entry of a list: formula and figures, why this case, its bands, what it read, its source."""
        # How a schedule is read stands in its bands, one below the other; a mapping of its rates is code.
        formula = "" if "->" in rule.formula else self.labels.put(rule.formula)
        value = _CODED.sub("", rule.value)
        head = rule.label + rule.worked(formula, self.labels.put(rule.figures), value, self.x.language)
        said = [head + (self.words.aside(rule.because))]
        said += [self.labels.put(band) for band in rule.bands]
        said += [self.labels.put(used) for used in rule.used]
        status = self.words.aside(rule.status)
        said += [phrase("source", self.x.language, rule.cite + status)] if rule.cite else []
        if not rule.cite and rule.status:
            said[0] += status
        first, *more = said
        return [f"- {plainly(first)}", *(f"  - {plainly(text)}" for text in more)]

    def _reasons(self) -> list[str]:
        """The likely cause as a question, with what else does the same; several are listed, none is said."""
        x = self.x
        if not x.causes:
            return [self.say("ask_none"), ""]
        told = [self._cause(c) for c in x.causes[: min(x.likely, MOST_CAUSES)]]
        if x.likely == 1:
            return [self.say("ask_cause", told[0]), ""]
        return [self.say("ask_causes"), "", *(f"- {text}" for text in told), ""]

    def _cause(self, c: CauseLine) -> str:
        texts = [self.labels.sentence(t) for t in (c.sentence, c.also, c.inexact) if t]
        return plainly(("" if self.x.language == "zh" else " ").join(texts))

    def _dates(self) -> list[str]:
        """The dates of the bill by which it can be found: those that decide the values and the order of bills."""
        plan = self.audited.subject.plan
        wanted = {plan.effective_by, *(plan.sequence.order if plan.sequence is not None else ())}
        return [
            plainly(f"{label}：{value}。" if self.x.language == "zh" else f"{label}: {value}.")
            for name, label, value in self._dated()
            if name in wanted or name in self.x.facts
        ]

    def _dated(self) -> list[tuple[str, str, str]]:
        found = []
        for spec in self.audited.subject.plan.inputs:
            value = self.audited.subject.bill.get(spec.name)
            if spec.type == DATE and isinstance(value, date):
                found.append((spec.name, in_language(spec.label, self.x.language) or spec.name, str(value)))
        return found

    def _facts(self) -> list[str]:
        """The fields of the bill that the calculation read, and the date that chose the values; no ids."""
        plan, colon = self.audited.subject.plan, "：" if self.x.language == "zh" else ": "
        ids = {"episode_id", "person_id"} | (
            {plan.sequence.by, plan.sequence.reverses} if plan.sequence is not None else set()
        )
        read = self.x.facts | {plan.effective_by}
        lines = []
        for spec in plan.inputs:
            value = self.audited.subject.bill.get(spec.name)
            if spec.name in ids or spec.name not in read or value is None:
                continue
            label = self.words.wording.words(spec.label) or spec.name
            lines.append(f"- {plainly(label + colon + self.words.value(value, spec.type, spec.values))}")
        for listed in plan.lists:
            rows = self.audited.subject.rows(listed.name)
            if rows:
                label = self.words.wording.words(listed.label) or listed.name
                lines.append(f"- {plainly(label + colon + str(len(rows)))}")
        return lines

    def _sources(self) -> list[str]:
        """The sources that citations name, with their whole titles; what is made up is called so."""
        x = self.x
        if not x.letter_sources:
            return []
        lines = ["", f"## {phrase('sources', x.language)}", ""]
        for _, title, status in x.letter_sources:
            mark = self.words.aside(word(status, x.language)) if status in ("fictional", "illustrative") else ""
            lines.append(f"- {plainly(title + mark)}")
        return lines


def plainly(text: str) -> str:
    """A text that reads as it stands, also before Markdown is made into a page: escaped only where it would be taken for more."""
    text = " ".join(text.split())
    if _UNSAFE.search(text):
        return escaped(text)
    return _AT_START.sub(lambda m: f"{m[1]}\\" if m[1] else "\\", text)
