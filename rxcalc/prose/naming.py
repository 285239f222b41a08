"""What the names in an expression stand for, and what they are called there."""

from __future__ import annotations

from collections.abc import Sequence

from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.nodes import Plan, PlanCall, PlanNode
from rxcalc.prose.literals import quoted
from rxcalc.prose.model import Run, Sentence
from rxcalc.prose.names import Named, Names
from rxcalc.prose.phrase import CLOSED, KEYED, TERM, Phrase
from rxcalc.prose.rows import Rows
from rxcalc.prose.words import VALUES, fill
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.syntax import nodes as n
from rxcalc.syntax.unparse import unparse


class Naming:
    """The names of one rule: of the node `root` and what it is made of."""

    def __init__(self, plan: Plan, names: Names, root: int, gives: Type | None = None) -> None:
        self.plan = plan
        self.names = names
        self.level = plan.nodes[root].level
        self.gives = gives  # the type that is wanted of the whole
        self.rows = Rows(plan, names)
        self.at = 1 if names.chinese else 0
        self._nodes: dict[str, list[PlanNode]] = {}
        self._replaced: list[Named] = []  # what `base` stands for
        self._collect(root, set())
        self._locals: tuple[str, ...] = ()
        self._call: PlanCall | None = None

    def _collect(self, at: int, seen: set[int]) -> None:
        if at in seen:
            return
        seen.add(at)
        node = self.plan.nodes[at]
        self._nodes.setdefault(node.text, []).append(node)
        if node.op is Op.STEP and HIDDEN in str(node.data):
            self._replaced.append(self.names.fields[node.level, str(node.data)])
        for a in node.args:
            self._collect(a, seen)
        if node.op in (Op.WINDOW, Op.ROWS) and isinstance(node.data, int):
            call = self.plan.calls[node.data]
            for a in (call.value, call.where):
                if a >= 0:
                    self._collect(a, seen)

    def operand(self, x: n.Expr, needed: int, *also: int, like: n.Expr | None = None) -> Sentence:
        """A value inside something that needs it to hold together so tightly (or just as `also` says); else in brackets."""
        raise NotImplementedError

    def join(self, key: str, items: Sequence[Sentence], table: dict[str, tuple[str, str]] = VALUES) -> Sentence:
        """Parts with a word between them."""
        runs: list[Run] = list(items[0]) if items else []
        for item in items[1:]:
            runs += [Run(table[key][self.at]), *item]
        return tuple(runs)

    def _name(self, x: n.Name, like: n.Expr | None) -> Phrase:
        if x.name in self._locals:
            return Phrase((Run(quoted(x.name)),), CLOSED)
        if x.name == "base":
            base = next((f for f in self._replaced if f.level == self.level), None)
            if base is not None:
                return self._own(base)
        other = self._other_row((x.name,)) if self._bare_other else None
        if other is not None:
            return other
        field = self.names.field(self.level, x.name)
        if field is not None:
            return self._own(field)
        known = self.names.parameters.get(x.name)
        if known is not None:
            return Phrase(self.names.run(known), CLOSED)
        return Phrase((Run(self.names.value(self._set_of(x, like), x.name)),), CLOSED)

    _bare_other = False  # inside `w.sum(x)`: the one bare name is the other row's

    def _own(self, field: Named) -> Phrase:
        """A field of this row; beside fields of other rows it says so."""
        runs = self.names.run(field)
        if self._call is None:
            return Phrase(runs, CLOSED)
        this = (Run(self.rows.noun(field.level)),)
        return self._tell("this", CLOSED, a=runs, b=this)

    def _set_of(self, x: n.Name, like: n.Expr | None) -> OneOf | None:
        """The set that a bare word is a value of."""
        text = unparse(x)
        own = [node.type for node in self._nodes.get(text, ()) if isinstance(node.type, OneOf)]
        across = self.type_of(like) if like is not None else None
        for known in (across, self.gives):
            if isinstance(known, OneOf) and x.name in known.values and (known in own or not own):
                return known
        return own[0] if own else None

    def type_of(self, x: n.Expr) -> Type | None:
        """The type of an expression; that of a name as it is declared."""
        chain = self.chain(x)
        if len(chain) == 1:
            field = self.names.field(self.level, chain[0])
            if field is not None and field.type is not None:
                return field.type
        found = self._nodes.get(unparse(x), ())
        return next((node.type for node in found), None)

    def chain(self, x: n.Expr) -> tuple[str, ...]:
        """`a.b.c` as its names; empty for anything else."""
        match x:
            case n.Name():
                return (x.name,)
            case n.Member():
                head = self.chain(x.of)
                return (*head, x.name) if head else ()
            case _:
                return ()

    def _member(self, x: n.Member) -> Phrase:
        chain = self.chain(x)
        if isinstance(x.of, n.Index):
            return self._index(x.of, x.name)
        other = self._other_row(chain)
        if other is not None:
            return other
        share = self.names.field(self.level, ".".join(chain))
        if share is not None:
            return self._own(share)
        kind = self.names.kinds.get(chain[0])
        if kind is not None:
            field = self.names.fields[chain[0], ".".join(chain[1:])]
            return self._tell("of_own", CLOSED, a=self.names.run(field), b=self.names.quoted(kind.name))
        message = f"`{unparse(x)}` names nothing"
        raise ValueError(message)

    def _other_row(self, chain: tuple[str, ...]) -> Phrase | None:
        """A field of the row that a call goes over, or of the episode whose line that is."""
        call = self._call
        if call is None:
            return None
        lone = self.names.fields.get((call.element, ".".join(chain))) if self._bare_other else None
        if lone is not None:
            return Phrase(self.names.run(lone), CLOSED)
        prefix = self.rows.prefix(call)
        if chain[: len(prefix)] == prefix and len(chain) > len(prefix):
            field = self.names.fields[call.element, ".".join(chain[len(prefix) :])]
            return Phrase(self.names.run(field), CLOSED)
        if call.inner and chain[0] == prefix[0]:
            field = self.names.fields[self.rows.window_level(call.of), ".".join(chain[1:])]
            return self._tell("its_episode", CLOSED, a=self.names.run(field))
        return None

    def _index(self, x: n.Index, column: str) -> Phrase:
        name = x.of.name if isinstance(x.of, n.Name) else ""
        few = len(x.keys) == 1
        parameter = self.names.parameters.get(name)
        keys = self._keys(name, x.keys)
        holds = KEYED if few else CLOSED
        if parameter is not None:
            return self._tell("key" if few else "keys", holds, a=self.names.run(parameter), b=keys)
        table = self.names.tables.get(name)
        if table is not None:
            a = self.names.run(self.names.columns[name, column])
            return self._tell("cell" if few else "cells", holds, a=a, b=self.names.run(table), c=keys)
        field, kind = self.names.fields[name, column], self.names.kinds[name]
        key = "of_group" if few else "of_groups"
        return self._tell(key, holds, a=self.names.run(field), b=self.names.quoted(kind.name), c=keys)

    def _keys(self, of: str, keys: Sequence[n.Expr]) -> Sentence:
        """The keys of a lookup; a lone word that is a value of a set is known by the set of that key."""
        sets: list[OneOf | None] = [None] * len(keys)
        for p in self.plan.parameters:
            if p.name == of:
                sets = [self._key_set(values) for values in p.keys]
        shown: list[Sentence] = []
        for key, known in zip(keys, sets, strict=True):
            if known is not None and isinstance(key, n.Name) and key.name in known.values and not self._is_name(key):
                shown.append((Run(self.names.value(known, key.name)),))
            else:
                lone = len(keys) == 1
                runs = self.operand(key, CLOSED if lone else TERM)
                # Else the date would look like that of the lookup.
                dated = lone and isinstance(key, n.At)
                shown.append(self._fill(VALUES["bracket"], a=runs) if dated else runs)
        return self.join("key_then", shown)

    def _key_set(self, values: tuple[str, ...]) -> OneOf:
        return OneOf(values)

    def _is_name(self, x: n.Name) -> bool:
        return x.name in self._locals or self.names.field(self.level, x.name) is not None

    def _tell(self, key: str, holds: int, **parts: Sentence) -> Phrase:
        return Phrase(self._fill(VALUES[key], **parts), holds)

    def _fill(self, template: tuple[str, str], **parts: Sentence) -> Sentence:
        return fill(template[self.at], parts)
