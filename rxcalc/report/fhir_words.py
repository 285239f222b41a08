"""The words of a FHIR resource: its narrative and its notes, in the reader's language."""

from __future__ import annotations

from html import escape
from typing import Final

from rxcalc.report.fhir_codes import Json
from rxcalc.report.model import Explanation
from rxcalc.report.phrases import phrase

_SAID: Final = {
    "insurer": ("Payer under {0}", "{0} 的支付方"),
    "patient": ("not named in the bill", "账单未载明"),
    "provider": ("not named in the bill", "账单未载明"),
    "reverses": ("reverses this episode", "冲销该次就诊"),
    "used": ("used before this bill", "本单之前已用"),
    "rulebook": (
        "Computed by rxcalc {0} with rulebook {1}, version {2}, files of SHA-256 {3}.",
        "由 rxcalc {0} 按规则 {1} 版本 {2} 计算，文件 SHA-256：{3}。",
    ),
    "by_hand": ("Set by hand, not from the bill or the rulebook: {0}", "手工设定，非账单或规则所载：{0}"),
    "defaulted": ("Filled with its default: {0}", "采用默认值：{0}"),
    "assumed": ("Taken as nothing before the first episode: {0}", "首次就诊之前视为没有：{0}"),
    "incomplete": (
        "Members of {0} were refused: what is read of it is not final.",
        "{0} 有成员被拒，据此所得金额未定。",
    ),
    "bearer": ("Borne by", "承担方"),
    "part": ("Part", "项目"),
    "amount": ("Amount", "金额"),
    "reason": ("Reason", "理由"),
}
_XHTML: Final = "http://www.w3.org/1999/xhtml"


def said(key: str, language: str) -> str:
    """A fixed text."""
    return _SAID[key][1 if language == "zh" else 0]


def status_text(x: Explanation, language: str) -> str:
    """What must be said of values that are not a real tariff, "" when there is nothing to say."""
    return phrase(f"status_{x.status}", language) if x.status in ("fictional", "illustrative") else ""


def narrative(x: Explanation, language: str) -> Json:
    """The resource as a reader sees it: what the values are worth, the refusal, who bears what."""
    body = [f"<p><b>{_safe(x.title or x.rulebook)}</b> ({_safe(x.rulebook)} {_safe(x.version)})</p>"]
    if told := status_text(x, language):
        body.append(f"<p><b>{_safe(told)}</b></p>")
    if x.problem is not None:
        body.append(f"<p>{_safe(phrase('refused', language))}: {_safe(x.problem.code)} {_safe(x.problem.message)}</p>")
    heads = "".join(f"<th>{_safe(said(key, language))}</th>" for key in ("bearer", "part", "amount", "reason"))
    for partition in x.shares:
        rows = "".join(
            f"<tr>{''.join(f'<td>{_safe(t)}</td>' for t in (s.bearer_label, s.label, f'{x.currency} {s.amount}', s.reason))}</tr>"
            for s in partition.parts
        )
        caption = f"<caption>{_safe(partition.label)}</caption>"
        body.append(f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    lang = "zh-CN" if language == "zh" else language
    return {
        "status": "generated",
        "div": f'<div xmlns="{_XHTML}" lang="{lang}" xml:lang="{lang}">{"".join(body)}</div>',
    }


def notes(x: Explanation, language: str, version: str) -> list[Json]:
    """Status, rulebook and hash, refusal, findings, assumptions, defaults, what was set by hand."""
    texts = [said("rulebook", language).format(version, x.rulebook, x.version, x.digest)]
    if told := status_text(x, language):
        texts.insert(0, told)
    if x.problem is not None:
        texts.append(f"{x.problem.code} {x.problem.field}: {x.problem.message}")
    for check in x.checks:
        row = ", ".join(f"{name} {value}" for name, value in check.row)
        where = f" ({check.level} {row})" if check.level else ""
        amount = f", {x.currency} {check.amount}" if check.amount else ""
        texts.append(f"{phrase(check.severity, language)}: {check.say or check.name}{where}{amount}")
    if x.set_by_hand:
        texts.append(said("by_hand", language).format(", ".join(x.set_by_hand)))
    if x.defaulted:
        texts.append(said("defaulted", language).format(", ".join(x.defaulted)))
    if x.assumptions:
        texts.append(said("assumed", language).format("; ".join(x.assumptions)))
    if x.incomplete:
        texts.append(said("incomplete", language).format(", ".join(x.incomplete)))
    return [{"number": at, "type": "display", "text": text} for at, text in enumerate(texts, start=1)]


def _safe(text: str) -> str:
    """A text inside XHTML, without the characters that XML has not."""
    kept = "".join(
        c
        for c in text
        if c in "\t\n\r" or (ord(c) >= 0x20 and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) not in (0xFFFE, 0xFFFF))
    )
    return escape(kept, quote=True)
