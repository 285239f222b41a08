"""Citations, notes and evidence as declared, by the names of `refs`; the plan keeps only those that explanations print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rxcalc.plan.nodes import share_name
from rxcalc.site.refs import ref
from rxcalc.syntax import nodes as syn


def metas(decl: syn.RulebookDecl) -> Mapping[str, syn.Meta]:
    """What every declaration carries."""
    found: dict[str, syn.Meta] = {}
    for name, meta in _all(decl):
        found.setdefault(name, meta)
    return found


def _all(decl: syn.RulebookDecl) -> Iterator[tuple[str, syn.Meta]]:
    yield from _rows("", decl)
    for p in decl.parameters:
        yield ref("parameter", "", p.name.name), p.meta
    for t in decl.tables:
        cites = tuple(dict.fromkeys((*t.meta.cite, *(c for column in t.columns for c in column.meta.cite))))
        yield ref("table", "", t.name.name), _with(t.meta, cites)
    for x in decl.lists:
        yield ref("list", "", x.name.name), x.meta
        yield from _rows(x.name.name, x)
    for g in decl.groups:
        yield ref("group", "", g.name.name), g.meta
        yield from _rows(g.name.name, g)
    for s in (*decl.spreads, *(s for g in decl.groups for s in g.spreads)):
        yield ref("spread", "" if s.over.name == "episodes" else s.over.name, s.name.name), s.meta
    of: list[tuple[syn.CheckDecl, ...]] = [
        decl.checks,
        *(x.checks for x in decl.lists),
        *(g.checks for g in decl.groups),
    ]
    for number, check in enumerate((c for checks in of for c in checks), start=1):
        yield ref("check", "", number), check.meta


def _rows(level: str, of: syn.RulebookDecl | syn.ListDecl | syn.GroupDecl) -> Iterator[tuple[str, syn.Meta]]:
    for i in of.inputs:
        yield ref("input", level, i.name.name), i.meta
    for at, condition in enumerate(of.requires, start=1):
        yield ref("requires", level, at), condition.meta
    for step in of.steps:
        yield ref("step", level, step.name.name), step.meta
    if isinstance(of, syn.ListDecl):
        return
    for at, partition in enumerate(of.shares):
        yield ref("partition", level, partition.name.name), partition.meta
        for bearer in partition.bearers:
            for part in bearer.parts:
                name = share_name(at, partition.name.name, bearer.name.name, part.name.name if part.name else "")
                yield ref("share", level, name), _with(part.meta, part.meta.cite or bearer.meta.cite)


def _with(meta: syn.Meta, cites: tuple[syn.Cite, ...]) -> syn.Meta:
    return syn.Meta(label=meta.label, note=meta.note, cite=cites, status=meta.status, names=meta.names)
