"""Rules, decision tables, shares and guarantees: the declarations that hold DSL text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final, cast

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.rulebook.document import REPLACED, Entry, Mapping, Node, Scalar, Sequence
from rxcalc.source import Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax import problems
from rxcalc.syntax.declarations import (
    declared,
    entries,
    ident,
    is_yes,
    items,
    meta,
    opt_ident,
    scalar,
    text,
    type_spec,
    words,
)
from rxcalc.syntax.expressions import Built, read

_OPERATOR_FIRST: Final = re.compile(r"\s*(=|!=|<|>|&|(in|between|is|has|meets|not)\b)")
_PART_KEYS: Final = frozenset({"is", "reason", "x12", "label", "may_be_negative", "note", "cite", "names", "status"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def parse_expression(written: Scalar, sink: Sink) -> n.Expr:
    """The expression in a scalar; an ErrorExpr after reporting what is wrong (RX2xx)."""
    built = _read(written, "expression", sink)
    return n.ErrorExpr(span=written.span) if built is None else cast("n.Expr", built)


def parse_rule(written: Scalar, sink: Sink) -> n.Rule:
    """The rule in a scalar: one expression, or clauses; a rule of one ErrorExpr after reporting."""
    built = _read(written, "rule", sink)
    if built is None:
        return _error_rule(written.span)
    rule = cast("n.Rule", built)
    for clause in rule.clauses[:-1]:
        if rule.form == "clauses" and clause.when is None:
            after = rule.clauses[rule.clauses.index(clause) + 1]
            sink.add(problems.after_otherwise(after.span, clause.span))
            return _error_rule(rule.span)
    return rule


def _error_rule(span: Span) -> n.Rule:
    return n.Rule(clauses=(n.Clause(when=None, then=n.ErrorExpr(span=span), span=span),), span=span)


def _read(written: Scalar, start: str, sink: Sink, left: n.Expr | None = None) -> Built | None:
    if written.embedded is None:
        if written.style == "folded":
            sink.add(problems.folded(written.span))
        return None
    if not written.text.strip():
        sink.add(problems.no_rule(written.span))
        return None
    return read(written.embedded, start, sink, left)


def expression_at(node: Node | None, sink: Sink) -> n.Expr | None:
    """The expression in a node, if it is a scalar with a value."""
    found = scalar(node)
    return parse_expression(found, sink) if found is not None else None


# ---- steps ------------------------------------------------------------------------------------


def steps(node: Node | None, sink: Sink) -> tuple[n.StepDecl, ...]:
    """`steps:`; a step may be its rule alone. One that an overlay replaced is a step where the new one reads `base`."""
    found: list[n.StepDecl] = []
    for entry in entries(node):
        if entry.key.style == REPLACED:
            above = found[-1] if found else None
            if above is None or above.name.name + HIDDEN != entry.key.text or not _reads_base(above.rule):
                continue
        step = _declared_step(entry, sink)
        if step is not None:
            found.append(step)
    return tuple(found)


def _declared_step(entry: Entry, sink: Sink) -> n.StepDecl | None:
    name = declared(entry.key, sink)
    match entry.value:
        case Scalar() if not entry.value.is_null:
            step = n.StepDecl(name=name, rule=parse_rule(entry.value, sink))
        case Mapping():
            step = _step(name, entry.key, entry.value, sink)
        case _:
            return None
    return replace(step, lazy=entry.key.style == REPLACED)


def _reads_base(rule: n.Rule) -> bool:
    """Whether a rule reads `base`."""
    stack: list[object] = [rule]
    while stack:
        node = stack.pop()
        if isinstance(node, n.Name) and node.name == "base":
            return True
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, n.Expression | n.Rule | n.Clause | n.Argument):
            stack.extend(getattr(node, f.name) for f in fields(node))
    return False


def _step(name: n.Ident, key: Scalar, of: Mapping, sink: Sink) -> n.StepDecl:
    spec = type_spec(of, key.span, key.text, sink, needed=False)
    rule_entry, table = of.entry("rule"), of.get("table")
    if (rule_entry is None) == (table is None):
        sink.add(problems.one_of_two(key.span, f"`{key.text}`", "rule", "table", both=table is not None))
    written = scalar(rule_entry.value) if rule_entry is not None else None
    if written is not None:
        rule = parse_rule(written, sink)
    elif isinstance(table, Mapping):
        rule = decision_table(table, sink)
    else:
        rule = _error_rule(key.span)
    return n.StepDecl(
        name=name,
        type=spec,
        rule=rule,
        round=_round(of.get("round")),
        optional=is_yes(of.get("optional")),
        meta=meta(of),
    )


def _round(node: Node | None) -> n.RoundSpec | None:
    match node:
        case Scalar() if not node.is_null:
            if node.text == "none":
                return n.RoundSpec(exact=True, span=node.span)
            return n.RoundSpec(to=node, span=node.span)
        case Mapping():
            return n.RoundSpec(
                to=scalar(node.get("to")), mode=text(node.get("mode")), parts=is_yes(node.get("parts")), span=node.span
            )
        case _:
            return None


# ---- decision tables --------------------------------------------------------------------------


def decision_table(table: Mapping, sink: Sink) -> n.Rule:
    """A decision table as clauses: each row's cells become conditions on the `of` expressions."""
    of_node = table.get("of")
    columns = tuple(parse_expression(item, sink) for item in items(of_node) if isinstance(item, Scalar))
    clauses: list[n.Clause] = []
    last: Span | None = None
    for row in items(table.get("rows")):
        if not isinstance(row, Mapping):
            continue
        if last is not None:
            sink.add(problems.after_otherwise(row.span, last))
            break
        clause = _row(row, columns, of_node.span if of_node is not None else table.span, sink)
        if clause is None:
            continue
        clauses.append(clause)
        last = clause.span if clause.when is None else None
    if not clauses:
        return _error_rule(table.span)
    return n.Rule(clauses=tuple(clauses), form="table", hit=text(table.get("hit")) or "unique", span=table.span)


def _row(row: Mapping, columns: tuple[n.Expr, ...], of: Span, sink: Sink) -> n.Clause | None:
    when, then, otherwise = row.get("when"), row.get("then"), row.get("otherwise")
    if (otherwise is None) == (when is None) or (otherwise is None) == (then is None):
        sink.add(problems.bad_row(row.span))
        return None
    because = _because(scalar(row.get("because")))
    if otherwise is not None:
        return n.Clause(when=None, then=_outcome(otherwise, sink), because=because, span=row.span)
    cells = when.items if isinstance(when, Sequence) else (when,)
    if len(cells) != len(columns):
        sink.add(problems.row_length(when.span if when else row.span, len(cells), len(columns), of))
        return None
    conditions = []
    for left, cell in zip(columns, cells, strict=True):
        found = _cell(left, cell, sink) if cell is not None else None
        if found is not None:
            conditions.append(found)
    span = when.span if when is not None else row.span
    return n.Clause(when=_all(conditions, span), then=_outcome(then, sink), because=because, span=row.span)


def _all(conditions: list[n.Expr], span: Span) -> n.Expr:
    match conditions:
        case []:
            return n.Flag(value=True, span=span)
        case [single]:
            return single
        case _:
            return n.And(items=tuple(conditions), span=span)


def _outcome(node: Node | None, sink: Sink) -> n.Expr | None:
    written = scalar(node)
    if written is None:
        return n.ErrorExpr(span=node.span if node is not None else Span("", 0, 0))
    return None if written.text.strip() == "reject" else parse_expression(written, sink)


def _because(written: Scalar | None) -> n.Because | None:
    if written is None:
        return None
    if not written.is_quoted and _NAME.fullmatch(written.text):
        return n.Because(text=None, name=written.text, span=written.span)
    return n.Because(text=written.text, name=None, span=written.span)


def _cell(left: n.Expr, cell: Node, sink: Sink) -> n.Expr | None:
    """The condition of one cell; None for `any`."""
    match cell:
        case Sequence():
            members = tuple(_value(item, sink) for item in cell.items if isinstance(item, Scalar))
            if not members:
                sink.add(problems.bad_cell(cell.span, "[]"))
                return n.ErrorExpr(span=cell.span)
            return n.InSet(operand=left, members=members, span=cell.span)
        case Scalar() if cell.text == "any" and not cell.is_quoted:
            return None
        case Scalar() if _OPERATOR_FIRST.match(cell.text):
            built = _read(cell, "cell", sink, left)
            return n.ErrorExpr(span=cell.span) if built is None else cast("n.Expr", built)
        case Scalar():
            return n.Compare(operator="=", left=left, right=_value(cell, sink), span=cell.span)
        case _:
            sink.add(problems.bad_cell(cell.span, "{..}"))
            return n.ErrorExpr(span=cell.span)


def _value(cell: Scalar, sink: Sink) -> n.Expr:
    """A value as a cell writes it; quoted text that is no expression is a text."""
    trial = Sink()
    built = _read(cell, "expression", trial)
    if built is not None:
        return cast("n.Expr", built)
    if cell.is_quoted and cell.text:
        return n.Text(value=cell.text, span=cell.span)
    sink.add(problems.bad_cell(cell.span, cell.text))
    return n.ErrorExpr(span=cell.span)


# ---- shares -----------------------------------------------------------------------------------


def shares(node: Node | None, sink: Sink) -> tuple[n.PartitionDecl, ...]:
    """`shares:`."""
    found = []
    for entry in entries(node):
        if not isinstance(entry.value, Mapping):
            continue
        of = expression_at(entry.value.get("of"), sink)
        bearers = tuple(_bearers(entry.value, sink))
        if of is not None:
            found.append(n.PartitionDecl(name=ident(entry.key), of=of, bearers=bearers, meta=meta(entry.value)))
    return tuple(found)


def _bearers(of: Mapping, sink: Sink) -> Iterator[n.BearerDecl]:
    for entry in of.entries:
        if entry.key.text not in ("fund", "patient", "hospital", "government", "other"):
            continue
        match entry.value:
            case Scalar() if not entry.value.is_null:
                part = n.PartDecl(name=None, value=_amount(entry.value, sink), span=entry.value.span)
                yield n.BearerDecl(name=ident(entry.key), parts=(part,))
            case Mapping() if entry.value.get("is") is not None:
                yield n.BearerDecl(name=ident(entry.key), parts=_single_part(entry.value, sink))
            case Mapping():
                own = ("label", "names")  # of the bearer; everything else is a part
                parts = tuple(
                    part for item in entry.value.entries if item.key.text not in own for part in _part(item, sink)
                )
                told = meta(entry.value)
                label = n.Meta(label=told.label, names=told.names) if told.label or told.names else n.NO_META
                yield n.BearerDecl(name=ident(entry.key), parts=parts, meta=label)
            case _:
                pass


def _single_part(of: Mapping, sink: Sink) -> tuple[n.PartDecl, ...]:
    for entry in of.entries:
        if entry.key.text not in _PART_KEYS:
            sink.add(
                problems.bad_part(
                    entry.key.span,
                    f"`{entry.key.text}` stands beside `is`",
                    "give the bearer one unnamed part with `is`, or named parts",
                )
            )
    written = scalar(of.get("is"))
    return (_detailed(None, written, of, sink),) if written is not None else ()


def _part(entry: Entry, sink: Sink) -> Iterator[n.PartDecl]:
    match entry.value:
        case Scalar() if not entry.value.is_null:
            yield n.PartDecl(name=ident(entry.key), value=_amount(entry.value, sink), span=entry.value.span)
        case Mapping():
            written = scalar(entry.value.get("is"))
            if written is not None:
                yield _detailed(ident(entry.key), written, entry.value, sink)
            elif entry.value.get("is") is None:
                sink.add(
                    problems.bad_part(
                        entry.key.span, f"the part `{entry.key.text}` has no amount", "give `is: AMOUNT`, or `is: rest`"
                    )
                )
        case _:
            pass


def _detailed(name: n.Ident | None, written: Scalar, of: Mapping, sink: Sink) -> n.PartDecl:
    return n.PartDecl(
        name=name,
        value=_amount(written, sink),
        reason=text(of.get("reason")),
        x12=opt_ident(of.get("x12")),
        may_be_negative=is_yes(of.get("may_be_negative")),
        meta=meta(of),
        span=written.span,
    )


def _amount(written: Scalar, sink: Sink) -> n.Expr | None:
    return None if written.text.strip() == "rest" else parse_expression(written, sink)


# ---- conditions and guarantees ----------------------------------------------------------------


def requires(node: Node | None, sink: Sink) -> tuple[n.Condition, ...]:
    """`requires:`; a condition alone, or with what to say."""
    found = []
    for item in items(node):
        that = expression_at(item.get("that") if isinstance(item, Mapping) else item, sink)
        if that is not None:
            said = words(item.get("say")) if isinstance(item, Mapping) else None
            found.append(n.Condition(that=that, say=said, meta=meta(item), span=item.span))
    return tuple(found)


def guarantees(node: Node | None, sink: Sink) -> tuple[n.GuaranteeDecl, ...]:
    """`guarantees:`."""
    return tuple(found for item in items(node) for found in _guarantee(item, sink))


def _guarantee(item: Node, sink: Sink) -> Iterator[n.GuaranteeDecl]:
    if not isinstance(item, Mapping):
        that = expression_at(item, sink)
        if that is not None:
            yield n.GuaranteeDecl(kind="compare", that=that, span=item.span)
        return
    forms = [key for key in ("that", "increasing", "within") if item.get(key) is not None]
    if len(forms) != 1:
        sink.add(problems.bad_guarantee(item.span))
        return
    said = words(item.get("say"))
    if forms[0] == "that":
        that = expression_at(item.get("that"), sink)
        if that is not None:
            yield n.GuaranteeDecl(kind="compare", that=that, say=said, span=item.span)
        return
    detail = item.get(forms[0])
    if isinstance(detail, Mapping):
        what, field = expression_at(detail.get("what"), sink), scalar(detail.get("in"))
        if what is not None and field is not None:
            yield n.GuaranteeDecl(kind=forms[0], what=what, within=ident(field), say=said, span=item.span)
