"""A rulebook document to its syntax tree."""

from __future__ import annotations

from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Document, Mapping, Node
from rxcalc.rulebook.schema import check_structure
from rxcalc.syntax import declarations as d
from rxcalc.syntax import levels, problems, rules
from rxcalc.syntax import nodes as n
from rxcalc.syntax.rules import parse_expression, parse_rule
from rxcalc.syntax.windows import windows as read_windows

__all__ = ["parse_expression", "parse_rule", "parse_rulebook"]

# ISO 4217: the currencies whose minor unit is not the hundredth.
_DECIMALS: Final = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    "CLF": 4,
}


# Mistakes after which a declaration or a row is missing from the tree: later passes would only stumble.
_LOSING: Final = frozenset({"RX208", "RX220", "RX221", "RX223", "RX224", "RX226", "RX227", "RX228", "RX229"})


def parse_rulebook(document: Document, sink: Sink) -> n.RulebookDecl | None:
    """The rulebook in a document, with every mistake of shape (RX1xx) and of syntax (RX2xx) reported.

    None where a declaration is lost, so that no later pass trips over what is missing; an expression
    that cannot be read is an ErrorExpr in an otherwise whole tree.
    """
    is_sound = check_structure(document, sink)
    found = Sink(limit=sink.limit)
    decl = _read(document, found)
    sink.extend(found)
    sink.left_out += found.left_out
    has_lost = found.left_out > 0 or any(diagnostic.code in _LOSING for diagnostic in found)
    return decl if is_sound and not has_lost else None


def _read(document: Document, sink: Sink) -> n.RulebookDecl | None:
    root = document.root
    effective = _effective(root.get("effective"), sink)
    code, decimals = _currency(root.get("currency"))
    name = d.scalar(root.get("rulebook"))
    sets, inputs = d.sets(root.get("sets"), sink), d.inputs(root.get("inputs"), sink)
    requires = rules.requires(root.get("requires"), sink)
    windows = read_windows(root.get("windows"), sink)
    parameters, tables = d.parameters(root.get("parameters"), sink), d.tables(root.get("tables"), sink)
    steps, shares = rules.steps(root.get("steps"), sink), rules.shares(root.get("shares"), sink)
    guarantees = rules.guarantees(root.get("guarantees"), sink)
    outputs = _outputs(root.get("outputs"), sink)
    lists = levels.lists(root.entry("lines"), root.get("lists"), sink)
    groups = levels.groups(root.get("groups"), sink)
    spreads, checks = levels.spreads(root.get("spread"), sink), levels.checks(root.get("checks"), sink)
    if effective is None or name is None:
        return None
    return n.RulebookDecl(
        file=document.file.name,
        name=d.ident(name),
        title=d.words(root.get("title")),
        version=d.text(root.get("version")) or "",
        currency=code,
        decimals=decimals,
        rounding=d.text(root.get("rounding")) or "",
        effective=effective,
        status=d.text(root.get("status")),
        note=d.words(root.get("note")),
        sources=d.sources(root.get("sources")),
        sets=sets,
        inputs=inputs,
        requires=requires,
        sequence=d.sequence(root.get("sequence")),
        windows=windows,
        parameters=parameters,
        tables=tables,
        steps=steps,
        shares=shares,
        guarantees=guarantees,
        outputs=outputs,
        messages=d.messages(root.get("messages")),
        bases=document.bases,
        lists=lists,
        groups=groups,
        spreads=spreads,
        checks=checks,
        sample=hints if isinstance(hints := root.get("sample"), Mapping) else None,
    )


def _currency(node: Node | None) -> tuple[str, int]:
    if isinstance(node, Mapping):
        code, decimals = d.text(node.get("code")) or "", d.text(node.get("decimals"))
        if decimals is not None and decimals.isascii() and decimals.isdigit():
            return code, int(decimals[:4])
        return code, _DECIMALS.get(code, 2)
    code = d.text(node) or ""
    return code, _DECIMALS.get(code, 2)


def _effective(node: Node | None, sink: Sink) -> n.EffectiveDecl | None:
    if not isinstance(node, Mapping):
        return None
    first, last, by = d.scalar(node.get("from")), d.scalar(node.get("to")), d.opt_ident(node.get("by"))
    start = d.day(first, sink) if first is not None else None
    end = d.day(last, sink) if last is not None else None
    if first is not None and last is not None and start is not None and end is not None and end < start:
        sink.add(problems.ends_before(last.span, first.span))
    if start is None or by is None:
        return None
    return n.EffectiveDecl(start=start, end=end, by=by, span=node.span)


def _outputs(node: Node | None, sink: Sink) -> tuple[n.Ident, ...]:
    found = d.idents(node)
    seen: dict[str, n.Ident] = {}
    for name in found:
        first = seen.setdefault(name.name, name)
        if first is not name:
            sink.add(problems.twice(name.span, "the output", name.name, first.span))
    return tuple(seen.values())
