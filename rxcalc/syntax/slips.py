"""The commonest slips of the pen in a rule, told apart so that the message can say what was meant."""

from __future__ import annotations

import re
from typing import Final

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from rxcalc.diagnostics.model import Diagnostic
from rxcalc.source import EmbeddedText
from rxcalc.syntax import problems

_TEXT_OR_COMMENT: Final = re.compile(r'"(?:[^"\\\n]|\\["\\])*"|#[^\n]*')
_COMMA: Final = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d_])")
_EXPONENT: Final = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?[eE][+-]?\d+\b")
_FULL_WIDTH: Final = {
    "（": "(", "）": ")", "【": "[", "】": "]", "｛": "{", "｝": "}", "，": ",", "、": ",", "；": ";",
    "：": ":", "。": ".", "＞": ">", "＜": "<", "＝": "=", "≥": ">=", "≤": "<=", "≠": "!=", "＋": "+",
    "－": "-", "−": "-", "–": "-", "—": "-", "＊": "*", "×": "*", "÷": "/", "／": "/", "％": "%",
    "￥": "¥", "“": '"', "”": '"', "＂": '"', "‘": '"', "’": '"', "＃": "#", "　": "a plain space",
    "\u00a0": "a plain space", "…": "..", "→": "->",
}  # fmt: skip
_OPERATORS: Final = (
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("===", "write `=`"),
    ("==", "write `=`"),
    ("!==", "write `!=`"),
    ("<>", "write `!=`"),
    ("=>", "write `>=` to compare, `->` before the body of a function"),
    ("=<", "write `<=`"),
    (":=", "write `=`; a step has its value from its rule"),
    ("**", "write power(x, y)"),
    ("^", "write power(x, y)"),
    ("++", "write `+`"),
    ("+=", "a step has its value from its rule"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("!", "write `not`"),
    ("?", "write `if c then x else y`"),
    ("//", "write floor(a / b, 1)"),
)
_FOREIGN: Final = re.compile(
    "|".join(re.escape(sign) for sign, _ in sorted(_OPERATORS, key=lambda pair: -len(pair[0])))
)
_ELSE_IF: Final = frozenset({"elif", "elsif", "elseif", "elsewhen"})
_COMPARING: Final = frozenset({"COMPARE", "HAS", "MEETS", "_IN", "_BETWEEN", "_IS"})
_OPERATOR_WORDS: Final = frozenset(
    {"+", "-", "*", "/", "=", "<", ">", "and", "or", "not", "has", "meets", "between", "in"}
)
_LAST_WORD: Final = re.compile(r"(\w+|[^\s\w])\s*$")
_ENDS_OPERAND: Final = re.compile(r"\w+|[)\]}%\"]")
_WORDS: Final = {
    "LPAR": "`(`", "RPAR": "`)`", "LSQB": "`[`", "RSQB": "`]`", "LBRACE": "`{`", "RBRACE": "`}`",
    "COMMA": "`,`", "DOT": "`.`", "COMPARE": "a comparison", "UNIT": "days, months or years",
    "$END": "the end of the rule", "STRING": "a text", "KNOWN": "`known`", "MISSING": "`missing`",
    "_THEN": "`then`", "_ELSE": "`else`", "_AND": "`and`", "_IN": "`in`", "_IS": "`is`", "_DAY": "`day`",
    "_OTHERWISE": "`otherwise`", "_WHEN": "`when`",
}  # fmt: skip


def prescan(text: EmbeddedText) -> Diagnostic | None:
    """A slip that would parse, but as something else: `1,300` and `1e5`."""
    if "," in text.text:
        found = _COMMA.search(_code(text.text))
        if found is not None:
            return problems.number_with_comma(text.span(found.start(), found.end()), found.group())
    return None


def explain(text: EmbeddedText, error: UnexpectedInput) -> Diagnostic:
    """What is wrong at the place where the parser stopped."""
    at = error.pos_in_stream
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        at = len(text.text)
    at = len(text.text) if at is None or at < 0 else at
    return _character_slip(text, error, at) or _word_slip(text, error, at) or _general(text, error, at)


def _code(text: str) -> str:
    """The text with its strings and comments blanked, at the same offsets."""
    return _TEXT_OR_COMMENT.sub(lambda found: " " * len(found.group()), text)


def _character_slip(text: EmbeddedText, error: UnexpectedInput, at: int) -> Diagnostic | None:
    code = _code(text.text)
    exponent = next((found for found in _EXPONENT.finditer(code) if found.start() <= at <= found.end()), None)
    if exponent is not None:
        return problems.exponent(text.span(exponent.start(), exponent.end()), exponent.group())
    for sign in _FOREIGN.finditer(code):
        if sign.start() <= at <= sign.end() and sign.group() not in (">=", "<=", "!="):
            if sign.group() == "!" and code[sign.start() : sign.end() + 1] == "!=":
                continue
            return problems.foreign_operator(
                text.span(sign.start(), sign.end()), sign.group(), dict(_OPERATORS)[sign.group()]
            )
    if re.match(r"not\s+in\b", code[at:]):
        return problems.foreign_operator(text.span(at, at + 3), "not in", "write `not (x in ..)`")
    if re.match(r"(not\s+)(known|missing)\b", code[at:]):
        return problems.foreign_operator(text.span(at, at + 3), "is not", "`x is known` and `x is missing` say the two")
    char = code[at : at + 1]
    span = text.span(at, at + 1)
    if char == "元":
        return problems.foreign_operator(
            span, "元", "in a rule an amount is written ¥500, as a value of a parameter 500"
        )
    if char in _FULL_WIDTH:
        return problems.full_width(span, char, _FULL_WIDTH[char])
    if "\uff01" <= char <= "\uff5e":
        return problems.full_width(span, char, chr(ord(char) - 0xFEE0))
    if char == '"':
        rest = text.text[at + 1 :].split("\n")[0]
        return (
            problems.bad_escape(span) if "\\" in rest and '"' in rest else problems.unclosed_text(span, is_plain=True)
        )
    if char in ("'", "`"):
        return problems.single_quotes(span)
    if char == "%":
        advice = (
            "write 85% without a space"
            if re.search(r"\d\s+$", code[:at])
            else "`%` stands behind a number, as in 85%; there is no remainder"
        )
        return problems.foreign_operator(span, "%", advice)
    if char == ";":
        return problems.foreign_operator(span, ";", "clauses follow each other without a sign between them")
    if char and not char.isascii() and isinstance(error, UnexpectedCharacters):
        return problems.unknown_character(span, char)
    return None


def _word_slip(text: EmbeddedText, error: UnexpectedInput, at: int) -> Diagnostic | None:
    if not isinstance(error, UnexpectedToken):
        return None
    token, accepts = error.token, _accepts(error)
    before = _before(text.text, at)
    stop = at + len(str(token)) if token.type != "$END" else at
    span = text.span(at, stop) if stop > at else text.span(max(0, at - 1), at)
    if str(token) in _ELSE_IF:
        return problems.else_if(span, str(token))
    if before in _ELSE_IF:
        start = text.text.rfind(before, 0, at)
        return problems.else_if(text.span(start, start + len(before)), before)
    if "_THEN" in accepts and token.type not in _COMPARING and token.type != "DOT":
        return problems.missing_then(span)
    if "_ELSE" in accepts and token.type in ("$END", "RPAR", "COMMA", "_WHEN", "_OTHERWISE", "_BECAUSE"):
        return problems.missing_else(span)
    if token.type == "_ELSE":
        return problems.else_without_if(span)
    if token.type == "_IF" and before in _OPERATOR_WORDS:
        return problems.if_in_operator(span)
    if (
        token.type in _COMPARING
        and _ENDS_OPERAND.fullmatch(before)
        and before not in _OPERATOR_WORDS
        and not accepts & _COMPARING
    ):
        return problems.chained(span)
    return None


def _before(text: str, at: int) -> str:
    """The last word or sign before a place, comments aside."""
    found = _LAST_WORD.search(re.sub(r"#[^\n]*", "", text[max(0, at - 1_000) : at]))
    return found.group(1) if found else ""


def _accepts(error: UnexpectedToken) -> set[str]:
    # `expected` names what the state's table holds; only `accepts` has followed the reductions.
    return set(error.accepts or error.expected)


def _general(text: EmbeddedText, error: UnexpectedInput, at: int) -> Diagnostic:
    if isinstance(error, UnexpectedCharacters):
        accepts = set(error.allowed or ())
    else:
        accepts = _accepts(error) if isinstance(error, UnexpectedToken) else set()
    wanted = _wanted(accepts)
    if at >= len(text.text.rstrip()) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        end = len(text.text.rstrip())
        return problems.unexpected_end(text.span(max(0, end - 1), end), wanted)
    if isinstance(error, UnexpectedToken):
        return problems.unexpected(text.span(at, at + len(str(error.token))), str(error.token), wanted)
    return problems.unknown_character(text.span(at, at + 1), text.text[at])


def _wanted(accepts: set[str]) -> str:
    words = []
    if "NAME" in accepts and "NUMBER" in accepts:
        words.append("a value")
    elif "NAME" in accepts:
        words.append("a name")
    if {"PLUS", "STAR"} & accepts:
        words.append("an operator")
    words += [_WORDS[name] for name in sorted(accepts) if name in _WORDS and not (name == "LPAR" and "NAME" in accepts)]
    shown = words[:6]
    if not shown:
        return "an operator, or the end of the rule"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
