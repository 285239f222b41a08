"""The page of inputs: what a bill must hold, field by field."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import PlanGroup, PlanInput, PlanList
from rxcalc.site import sentences
from rxcalc.site.book import Book
from rxcalc.site.facts import cited
from rxcalc.site.model import Input, Inputs
from rxcalc.site.refs import anchor, levels, ref

_TEXTS = (Kind.CODE, Kind.CODES, Kind.TEXT)
_WITH_DECIMALS = (Kind.MONEY, Kind.NUMBER, Kind.PERCENT, Kind.MONEY_PER_DAY)


def inputs(book: Book) -> tuple[Inputs, ...]:
    """The fields of the bill, of the rows of its lists, and what is given for groups."""
    found = []
    for level, of in levels(book.plan):
        if not of.inputs:
            continue
        title = book.level(level)
        about: list[str] = []
        if isinstance(of, PlanList):
            title = book.say("rows_of", title)
            about += [book.say("rows_needed")] if of.required else []
            named = book.say("list_sep").join(book.label(ref("input", level, name)) for name in of.order)
            about += [book.say("rows_order", named)] if of.order else []
        elif isinstance(of, PlanGroup):
            title = book.say("group_inputs", title)
        at = f"of-{level}" if level else "episode"
        found.append(Inputs(anchor(at), title, tuple(about), tuple(_input(book, level, i) for i in of.inputs)))
    return tuple(found)


def _input(book: Book, level: str, i: PlanInput) -> Input:
    of = ref("input", level, i.name)
    is_set = isinstance(i.type, OneOf)
    values = (
        tuple((v.name, book.words(v.label), book.say("list_sep").join(v.aliases)) for v in i.values) if is_set else ()
    )
    return Input(
        ref=of,
        label=book.label(of),
        name=f"{level}.{i.name}" if level else i.name,
        said=sentences.field(book, level, i.name),
        facts=tuple(_facts(book, level, i)),
        caption=book.say("set_values_ordered" if isinstance(i.type, OneOf) and i.type.ordered else "set_values"),
        values=values,
        note=book.note(of),
        cites=cited(book, of),
        read_by=book.runs(book.uses.read_by.get(of, ())),
    )


def _facts(book: Book, level: str, i: PlanInput) -> Iterator[tuple[str, str]]:
    if roles := book.say("clause_sep").join(book.say(role) for role in _roles(book, level, i.name)):
        yield book.say("role"), roles
    if isinstance(i.type, Plain) and i.type.kind in _WITH_DECIMALS:
        yield book.say("decimals"), str(i.decimals)
    if isinstance(i.type, Plain) and i.type.kind in _TEXTS and isinstance(i.low, int) and isinstance(i.high, int):
        yield book.say("bounds"), book.say("length_told", i.low, i.high)
    if i.aliases:
        yield book.say("headers"), book.say("list_sep").join(i.aliases)
    if i.flags:
        told = (f"{alias} = {book.wording.figure(yes, i.type)}" for alias, yes in i.flags)
        yield book.say("spellings"), book.say("list_sep").join(told)
    if i.drop_time:
        yield book.say("note"), book.say("time_dropped")
    if i.names:
        yield book.say("codes_to"), book.say("list_sep").join(f"{system}: {name}" for system, name in i.names)


def _roles(book: Book, level: str, name: str) -> Iterator[str]:
    """What a field is for besides what rules read of it."""
    plan = book.plan
    if level:
        if any(x.name == level and name in x.order for x in plan.lists):
            yield "role_rows"
        return
    if name == "episode_id":
        yield "role_id"
    if name == plan.effective_by:
        yield "role_date"
    if plan.sequence is not None:
        if name == plan.sequence.by:
            yield "role_by"
        elif name in plan.sequence.order and name != "episode_id":
            yield "role_order"
        if name == plan.sequence.reverses:
            yield "role_reverses"
