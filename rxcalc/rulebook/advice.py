"""What the YAML reader's complaints mean for someone who writes a rulebook."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rxcalc.diagnostics.model import Diagnostic, Label
from rxcalc.rulebook import problems
from rxcalc.source import SourceFile, Span


@dataclass(frozen=True)
class Complaint:
    """A YAML error as plain data: what and where, in character offsets."""

    problem: str
    at: int
    context: str = ""
    context_at: int | None = None


def advise(file: SourceFile, complaint: Complaint) -> Diagnostic:
    """One diagnostic for a YAML syntax error, with what to do about it."""
    text, at = file.text, min(complaint.at, len(file.text))
    here = Span(file.name, at, min(at + 1, len(text)))
    problem, context, start = complaint.problem, complaint.context, complaint.context_at
    line_start = text.rfind("\n", 0, at) + 1
    if "quoted scalar" in context and start is not None and "end of stream" in problem:
        return problems.unclosed_quote(Span(file.name, start, start + 1), text[start : start + 1])
    indent = re.match(r"[ ]*\t", text[line_start:])
    if indent or text[at : at + 1] == "\t":
        tab = line_start + indent.end() - 1 if indent else at
        return problems.tab_indent(Span(file.name, tab, tab + 1))
    if start is not None and ("flow mapping" in context or "flow sequence" in context):
        found = _unquoted(file, start, at, is_mapping="mapping" in context)
        if found is not None:
            return found
        if at >= len(text.rstrip()):
            opening = Span(file.name, start, start + 1)
            return problems.yaml_syntax(
                opening, f"the bracket {text[start]} that opens here is never closed", ["close it"]
            )
        opened = Label(span=Span(file.name, start, start + 1), text="opened here")
        return problems.yaml_syntax(
            here,
            "expected a comma or the closing bracket",
            ["close the bracket, or quote texts that hold , [ ] { }"],
            (opened,),
        )
    if "node content" in problem:
        sign = text[at : at + 1].strip()
        message = f"expected a value, not `{sign}`" if sign else "expected a value"
        return problems.yaml_syntax(here, message, ["give a value; quote a text that starts with a sign"])
    if "unknown escape" in problem:
        return problems.yaml_syntax(
            here, "unknown escape in a double-quoted text", ["write \\\\ for a backslash, or use single quotes"]
        )
    key = re.match(r"[ ]*(?:- )*([\w.\"' -]*?):[ ]+(\S.*)", text[line_start : _line_end(text, at)])
    if key is not None:
        value = key.group(2)
        block = [f"{key.group(1).strip()}: |", f"  {value}"]
        value_span = Span(file.name, line_start + key.start(2), line_start + key.end(2))
        if "mapping values" in problem and at > line_start + key.start(2):
            return problems.needs_block(value_span, "it holds `: `", block)
        if value[0] in "\"'[{" and at > line_start + key.start(2):
            return problems.needs_block(
                value_span, f"it starts with {value[0]} and goes on after the end of that", block
            )
        if value.startswith("- "):
            return problems.needs_block(value_span, "it starts with `- `", block)
        if value[0] in "@`%":
            return problems.needs_block(value_span, f"it starts with {value[0]}", block)
    colon = _colon_slip(file, at)
    if colon is not None:
        return colon
    if "mapping values" in problem:
        return problems.yaml_syntax(
            here,
            "a key is not allowed here",
            ["check the indentation of this line and the one above; quote a text that holds `: `"],
        )
    if "block end" in problem or "expected key" in problem or "could not find expected ':'" in problem:
        return problems.yaml_syntax(
            here,
            "this line does not fit the ones above it",
            ["give entries of one mapping the same indentation, each as `key: value`"],
        )
    if "cannot start any token" in problem:
        return problems.yaml_syntax(here, f"a text cannot start with `{text[at : at + 1]}`", ["quote it"])
    return problems.yaml_syntax(here, f"not valid YAML: {problems.shorten(problem)}")


def _colon_slip(file: SourceFile, at: int) -> Diagnostic | None:
    """A line with `name：value` or `name:value`, which YAML takes for text and complains about further down."""
    text = file.text
    end = _line_end(text, at)
    for _ in range(3):
        start = text.rfind("\n", 0, end) + 1
        slip = re.match(r"[ ]*(?:- )*([A-Za-z_][\w.-]*)[ ]*(：|:(?=[^\s]))", text[start:end])
        if slip is not None:
            span = Span(file.name, start + slip.start(2), start + slip.end(2))
            sign = "the full-width colon" if slip[2] == "：" else "a colon without a blank behind it"
            return problems.yaml_syntax(
                span, f"{sign} does not part a name from its value", [f"write `{slip[1]}: ` with a colon and a blank"]
            )
        if start == 0:
            return None
        end = start - 1
    return None


def _line_end(text: str, at: int) -> int:
    stop = text.find("\n", at)
    return len(text) if stop < 0 else stop


def _unquoted(file: SourceFile, start: int, at: int, *, is_mapping: bool) -> Diagnostic | None:
    """A rule such as `p[key]` inside braces, where YAML stops at the bracket."""
    text = file.text
    if at >= len(text) or text[at] in ",}]\n":
        return None
    if is_mapping:
        colon = text.rfind(": ", start, at)
        if colon < 0:
            return None
        value_start = colon + 2
    else:
        value_start, depth = start + 1, 0
        for index in range(start + 1, at):
            depth += (text[index] in "([{") - (text[index] in ")]}")
            if text[index] == "," and depth == 0:
                value_start = index + 1
    while value_start < at and text[value_start] == " ":
        value_start += 1
    value_end = extent(text, value_start)
    if value_end <= at or text[value_start] in "\"'":
        return None
    return problems.unquoted_rule(Span(file.name, value_start, value_end), quoted(text[value_start:value_end]))


def extent(text: str, start: int) -> int:
    """Where a text that starts at `start` inside a flow collection was meant to end."""
    depth, at = 0, start
    while at < len(text):
        char = text[at]
        if char == '"':
            close = text.find('"', at + 1)
            at = at if close < 0 else close
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif char == "\n" or (char == "," and depth == 0):
            break
        at += 1
    while at > start and text[at - 1] in " \r":
        at -= 1
    return at


def quoted(rule: str) -> str:
    """A rule as a YAML text that holds any of its characters."""
    return f'"{rule}"' if '"' not in rule and "\\" not in rule else "'" + rule.replace("'", "''") + "'"
