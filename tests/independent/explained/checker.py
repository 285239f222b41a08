"""A whole explanation redone. `check(text, columns)` says what does not follow from the text and how much was redone."""

from __future__ import annotations

import re
from fractions import Fraction

from . import page as pages
from . import told as reading
from .bands import check_bands, plain
from .calculator import worked_out
from .language import NotReadable, read
from .lines import Told, Unreadable
from .model import Fact, Group, Item, Listing, Page, Shares, Window
from .rows import added, check_call
from .scope import Report, Scope, in_figures, spelled
from .spreads import check_whole
from .steps import Step, check_figures, check_item, check_row, lookups
from .values import UNKNOWN, Value, bare, printed, same, shown


def check(text: str, columns: int) -> Report:
    """What does not follow from a printed explanation, and how much of it was redone."""
    report = Report()
    try:
        page = pages.read(text, columns)
    except Unreadable as problem:
        report.add(problem.line, "unreadable", str(problem))
        return report
    _Checker(page, report).all()
    return report


class _Checker:
    def __init__(self, page: Page, report: Report) -> None:
        self.page = page
        self.report = report
        self.bill = Scope("bill", facts=page.facts)
        self.groups: list[tuple[Group, Scope]] = []

    def all(self) -> None:
        """Everything, in the order in which it is needed."""
        self.bill.mode = self.mode()
        self.bill.windows = {" ".join(w.call.split()): bare(printed(w.value)) for w in self.page.windows}
        self.gather()
        self.bill.labels = self.labels()
        for listing in self.page.lists:
            self.listing(listing)
        for item in self.page.items:
            check_item(item, self.bill, self.report, reversal=self.page.reverses)
        for group, scope in self.groups:
            for item in group.items:
                check_item(item, scope, self.report, reversal=self.page.reverses)
            for shares in group.shares:
                self.shares(shares, scope)
        for shares in self.page.shares:
            self.shares(shares, self.bill)
        self.totals()
        self.results()
        for window in self.page.windows:
            self.window(window)
        for finding in self.page.findings:
            self.finding(finding)
        self.refusal()
        self.same_everywhere()

    def mode(self) -> str:
        """How the rulebook rounds, by the roundings that are told."""
        for item in [*self.page.items, *(i for x in self.page.lists for i in x.items)]:
            for told in (*item.all("exact"), *item.all("rounded")):
                match = re.search(r"\b(half-up|half-even|half-down) to", told.text)
                if match:
                    return match[1]
        return "half-up"

    def labels(self) -> set[str]:
        """The words of all labels: `Level 3` is no number."""
        items = [
            *self.page.items,
            *(i for g in self.page.groups for i in g.items),
            *(i for x in self.page.lists for i in x.items),
        ]
        texts = [i.label for i in items] + [f.label for f in self.page.facts]
        texts += [f.value for f in self.page.facts if f.value.endswith(")")]
        return {word for text in texts for word in re.findall(r"[\w.,%-]+", text)}

    # ---- what there is ----

    def gather(self) -> None:
        """The values of all steps, so that any may be read anywhere."""
        self.bill.steps = {i.name: bare(printed(i.value)) for i in self.page.items}
        for fact in self.page.totals:
            self.bill.steps.setdefault(fact.label, printed(fact.value))
        for shares in self.page.shares:
            self.bill.parts += [(spelled(p.bearer), printed(p.amount)) for p in shares.parts]
        for listing in self.page.lists:
            self.bill.rows[listing.name] = {key: self.row_scope(listing, key) for key in listing.rows}
        for group in self.page.groups:
            scope = Scope(group.kind, facts=[*group.facts, *group.keys], above=None, mode=self.bill.mode)
            scope.labels = {word for f in group.facts for word in re.findall(r"[\w.,%-]+", f.value)} | self.labels()
            scope.steps = {i.name: bare(printed(i.value)) for i in group.items}
            scope.steps.update({f.label: printed(f.value) for f in group.results})
            for key in group.keys:
                scope.bound[key.label] = printed(key.value)
            if group.members is not None and (group.members.text.split(" ")[0] in self.bill.rows):
                scope.above = self.bill  # groups inside the bill
                self.inside(group, scope)
            if group.members is not None and " in all" not in group.members.text:
                scope.members = frozenset(group.members.text.partition(" ")[2].split(", "))
            self.groups.append((group, scope))

    def inside(self, group: Group, scope: Scope) -> None:
        """A group inside the bill goes over its own rows only, and is itself a row that the bill may go over."""
        assert group.members is not None
        of, _, listed = group.members.text.partition(" ")
        keys = re.sub(r", \.\. \d+ in all$", "", listed).split(", ")
        if " in all" not in listed:
            scope.rows[of] = {k: r for k, r in self.bill.rows[of].items() if k in keys}
        self.bill.rows.setdefault(group.kind, {})["/".join(k.value for k in group.keys)] = scope

    def row_scope(self, listing: Listing, key: str) -> Scope:
        """What one row of a list holds."""
        scope = Scope(f"{listing.name} {key}", above=self.bill, mode=self.bill.mode)
        labels = {i.label: i.name for i in listing.items} | {
            i.label: i.name for items in listing.row_items.values() for i in items
        }
        labels |= {i.name: i.name for i in listing.items}
        for label, fact in listing.rows[key].items():
            if step_of(label, labels) is None:
                scope.facts.append(fact)
        for item in listing.items:
            for row in item.rows:
                if row.key == key:
                    text = row.value or row.text.rpartition(" = ")[2]
                    scope.steps[item.name] = bare(printed(text))
        for item in listing.row_items.get(key, []):
            scope.steps[item.name] = bare(printed(item.value))
        return scope

    # ---- lists ----

    def listing(self, listing: Listing) -> None:
        """The steps of a list row by row, and the table against them."""
        if len(listing.rows) != listing.count and self.page.refusal is None:
            self.report.add(listing.line, "rows", f"{len(listing.rows)} rows are shown of {listing.count}")
        if listing.twice and self.page.refusal is None:
            self.report.add(listing.line, "rows", f"row {listing.twice[0]} stands twice in the table")
        scopes = self.bill.rows[listing.name]
        for item in listing.items:
            if len({row.key for row in item.rows}) != len(item.rows):
                self.report.add(item.line, "rows", f"a row stands twice under {item.name}")
            for row in item.rows:
                if row.key not in scopes:
                    self.report.add(row.line, "rows", f"row {row.key} is not in the table")
                elif self.page.reverses:
                    self.report.count("of a reversal")
                else:
                    check_row(item, row, scopes[row.key], self.report)
            if not self.page.reverses:
                check_whole(item, self.report)
        for key, items in listing.row_items.items():
            for item in items:
                check_item(item, scopes[key], self.report, reversal=self.page.reverses)
        self.cells(listing)

    def cells(self, listing: Listing) -> None:
        """The table shows the results of the steps below it."""
        for key, cells in listing.rows.items():
            steps = self.bill.rows[listing.name][key].steps
            named = {i.label: i.name for i in listing.items}
            named |= {i.label: i.name for items in listing.row_items.values() for i in items}
            named |= {name: name for name in named.values()}
            for label, fact in cells.items():
                name = step_of(label, named)
                if name is None or name not in steps:
                    continue
                value = printed(fact.value)
                if fact.value.endswith("..") or same(value, steps[name]):
                    self.report.count("line: cell of the table")
                else:
                    self.report.add(
                        fact.line,
                        "rows",
                        f"{label} of row {key} is {shown(steps[name])} below, {fact.value} in the table",
                    )

    # ---- shares ----

    def shares(self, shares: Shares, scope: Scope) -> None:
        """Each part is its figures; together they are the amount."""
        amounts = [printed(p.amount) for p in shares.parts]
        total = added(amounts)
        if not same(total, printed(shares.amount)):
            self.report.add(shares.line, "shares", f"the parts add up to {shown(total)}, not {shares.amount}")
        self.report.count("line: shares add up")
        if not self.page.reverses and not self.known(printed(shares.amount), scope):
            self.report.add(shares.line, "not derivable", f"the amount {shares.amount} that is divided")
        if shares.told:
            self.part(shares.told, printed(shares.amount), scope, shares.line, "the amount that is divided")
        for n, part in enumerate(shares.parts):
            working = next((t.text for t in part.told if t.key == "="), "")
            if not working:
                if not self.page.reverses:
                    self.report.add(
                        part.line, "not derivable", f"{part.amount} of {part.bearer}, {part.label}: no working"
                    )
                continue
            if working.startswith("what is left: "):
                self.rest(working.removeprefix("what is left: "), shares, n)
                continue
            self.part(part.told, printed(part.amount), scope, part.line, f"{part.bearer}, {part.label}")

    def window(self, window: Window) -> None:
        """What the earlier episodes gave comes to the value of the call."""
        called = reading.called(Told("over", window.seen, window.line), window.call, [])
        if called is None:
            self.report.add(window.line, "unreadable", f"`{window.seen}`")
            return
        check_call(called, bare(printed(window.value)), self.bill, self.report)

    def rest(self, figures: str, shares: Shares, n: int) -> None:
        """What the other parts leave: the amount less each of them."""
        part = shares.parts[n]
        tail = re.search(r" and (\d+) of (0(?:\.0+)?)$", figures)
        figures = figures[: tail.start()] + f" - {tail[2]}" * int(tail[1]) if tail else figures
        others = [printed(p.amount) for m, p in enumerate(shares.parts) if m != n]
        try:
            result = worked_out(read(figures), in_figures)
        except NotReadable:
            self.report.add(part.line, "unreadable", f"`{figures}`")
            return
        if not same(result, printed(part.amount)):
            self.report.add(part.line, "shares", f"{figures} is {shown(result)}, not {part.amount}")
        terms = [printed(t) for t in reading.split_sum(figures)]
        if not same(terms[0], printed(shares.amount)):
            self.report.add(part.line, "not derivable", f"{shown(terms[0])} is not the amount {shares.amount}")
        left = list(others)
        for term in terms[1:]:
            negative = -term if isinstance(term, Fraction) else term
            match = next((o for o in left if same(o, negative)), None)
            if match is None:
                self.report.add(part.line, "not derivable", f"{shown(term)} is none of the other parts")
            else:
                left.remove(match)
                self.report.count("number: another part")
        if left:
            self.report.add(part.line, "shares", f"{', '.join(shown(o) for o in left)} is left out of what is left")
        self.report.count("line: rest")

    def part(self, told: list[Told], amount: Value, scope: Scope, line: int, what: str) -> None:
        """`formula = figures = exact, half-up to 0.01` of a part, and what stands below it."""
        working = next((t.text for t in told if t.key in ("=", "amount")), "")
        step = Step(scope, self.report, line, what)
        step.tell(told, [working.partition(" = ")[0]] if " = " not in working else [*lefts(working)])
        exact = ""
        rounding = ("", "")
        end = re.search(r" = ([^=]+(?: = [^=]+\.\.)?), (half-up|half-even|half-down|up|down) to (\S+)$", working)
        if end:
            exact, rounding = end[1], (end[2], end[3])
            working = working[: end.start()]
            fraction = re.search(r" = (-?\d+/\d+)$", working)
            if fraction and exact.endswith(".."):
                exact, working = f"{fraction[1]} = {exact}", working[: fraction.start()]
        for formula, figures in [*pairs(working), (working, "")]:
            filled = step.filled(formula, figures or formula)
            if filled is None or (figures and worked_out(filled.figures, in_figures, scope.mode) is UNKNOWN):
                continue
            check_figures(step, formula, figures, exact, rounding, amount, shown(amount), line, constant=shown(amount))
            self.report.count("line: figures of a part")
            return
        self.report.add(line, "shares", f"`{working}` does not give {shown(amount)} ({what})")

    def known(self, value: Value, scope: Scope) -> bool:
        """Whether an amount is an input or a result."""
        for one in scope.chain():
            if any(same(printed(f.value), value) for f in one.facts) or any(same(v, value) for v in one.steps.values()):
                return True
        return same(value, Fraction(0))

    # ---- totals, results, findings ----

    def totals(self) -> None:
        """What each bearer has in all, over the parts of the first division."""
        if not self.page.shares:
            return
        sums: dict[str, list[Value]] = {}
        for part in self.page.shares[0].parts:
            sums.setdefault(part.bearer, []).append(printed(part.amount))
        for total in self.page.totals:
            bearer = total.label.partition(" [")[0]  # `Fund, in all [fund_pays]`
            own = next((amounts for label, amounts in sums.items() if bearer in (f"{label}, in all", label)), None)
            value = printed(total.value)
            if own is None:
                if not any(same(added(amounts), value) for amounts in sums.values()):
                    self.report.add(total.line, "totals", f"{total.label} {total.value} is no bearer's sum")
            elif not same(added(own), value):
                self.report.add(total.line, "totals", f"{total.label} is {shown(added(own))}, not {total.value}")
            if total.working:
                self.working(total, own or [a for amounts in sums.values() for a in amounts], whole=own is not None)
            self.report.count("line: total")

    def working(self, total: Fact, known: list[Value], *, whole: bool) -> None:
        """`= 70.48 + 0.00`: parts that are shown above, and their sum."""
        terms = [printed(t) for t in reading.summed(total.working.removeprefix("= "))]
        if not same(added(terms), printed(total.value)):
            self.report.add(total.line, "totals", f"{total.working} is {shown(added(terms))}, not {total.value}")
        if whole and len(terms) != len(known):
            self.report.add(total.line, "totals", f"{len(terms)} terms of {len(known)} parts: {total.working}")
        for term in terms:
            if not any(same(term, k) for k in known):
                self.report.add(total.line, "not derivable", f"{shown(term)} of {total.label} is no part shown above")
            self.report.count("number: another part")

    def results(self) -> None:
        """Results are those of the steps."""
        for fact in self.page.results:
            value = printed(fact.value)
            if not self.known(value, self.bill):
                self.report.add(fact.line, "not derivable", f"the result {fact.label} {fact.value}")
            self.report.count("line: result")

    def finding(self, item: Item) -> None:
        """The condition holds, and the amount is its figures."""
        scope = self.found_on(item)
        step = Step(scope, self.report, item.line, item.title[:40])
        step.blocks = [plain(lines) for lines in item.bands]
        for lines in item.bands:
            check_bands(lines, [t.text for t in item.all("rounded")], self.report)
        case, amount = item.all("case"), item.all("amount")
        conditions = [step.split(t.text)[0] for t in case]
        step.tell(item.told, [*conditions, *(f for t in amount for f in lefts(t.text))])
        for told in case:
            step.condition(told.text, told.line, holds=True)
        step.check_calls("", printed(item.value))
        if amount:
            rest = [
                t for t in item.told if not any(t.text.startswith(f"{c} = ") for f in conditions for c in lookups(f))
            ]
            self.part(rest, printed(item.value), scope, amount[0].line, item.title[:40])

    def found_on(self, item: Item) -> Scope:
        """The row that a finding is on."""
        of, _, keys = item.one("on").partition(", ")
        values = [part.partition(" ")[2] for part in keys.split(", ")]
        if of in self.bill.rows:
            return self.bill.rows[of].get("/".join(values), self.bill)
        for group, scope in self.groups:
            if group.kind == of and [k.value for k in group.keys] == values:
                return scope
        return self.bill

    def refusal(self) -> None:
        """A condition that does not hold is told with its figures."""
        if self.page.refusal is None:
            return
        text = self.page.refusal.text
        if text.count(")") == text.count("(") and text.endswith("))") and "is refused (RX" in text:
            text = text[:-1]
        match = re.search(r"`(?P<condition>[^`]+)` does not hold \((?P<figures>.*)\)$", text)
        if match is None:
            return
        step = Step(self.bill, self.report, self.page.refusal.line, "the refusal")
        row = re.match(r"REFUSED RX\d+: ([a-z_]+) (\S+): ", self.page.refusal.text)
        if row and row[1] in self.bill.rows and row[2] in self.bill.rows[row[1]]:
            step = Step(self.bill.rows[row[1]][row[2]], self.report, self.page.refusal.line, "the refusal")
        filled = step.filled(match["condition"], match["figures"])
        if filled is None:
            self.report.add(self.page.refusal.line, "unreadable", f"`{match['condition']}` does not fit its figures")
            return
        if re.search(r"refused \(RX\d+: |refused with RX\d+: ", text):
            # Another bill or a group was refused: its message is quoted, and its inputs are none of this bill's.
            self.report.count("figures of another refusal")
        else:
            step.trace(filled, self.page.refusal.line)
        value = worked_out(filled.figures, in_figures)
        if value is True:
            self.report.add(self.page.refusal.line, "condition", f"`{match['figures']}` holds")
        self.report.count("line: refusal" if value is not UNKNOWN else "undecided condition")

    # ---- the same thing said twice ----

    def same_everywhere(self) -> None:
        """A parameter has one value, a group one result, wherever it is named."""
        seen: dict[str, tuple[str, int]] = {}
        items = [*self.page.items, *(i for g, _ in self.groups for i in g.items)]
        for listing in self.page.lists:
            items += [*listing.items, *(i for of in listing.row_items.values() for i in of)]
        for item in items:
            for told in (*item.all("uses"), *item.all("group")):
                name, sign, rest = told.text.partition(" = ")
                if not sign:
                    name, _, _ = told.text.partition(" (")
                if re.match(r"\S+ (?:for|at) ", rest):
                    continue  # what was read off a schedule: another value at another place
                since = re.search(r"\(since (\d{4}-\d{2}-\d{2})", told.text)
                rest = rest.partition(" (")[0] + (f" since {since[1]}" if since else "")
                text, line = seen.setdefault(name, (rest, told.line))
                if told.key == "group":
                    self.same_group(told)
                if text != rest:
                    self.report.add(told.line, "unlike", f"`{name}` is {rest} here, {text} on line {line}")
                else:
                    self.report.count("the same again")

    def same_group(self, told: Told) -> None:
        """A value read from a group is that of the group where it is shown."""
        read = reading.of_group(told)
        if read is None or read.value is None or "no such group" in read.about:
            return
        for group, scope in self.groups:
            keys = [k.value for k in group.keys]
            if group.kind != read.name or (list(read.keys) != keys and keys and read.keys):
                continue
            own = [scope.steps[read.field]] if read.field in scope.steps else [printed(f.value) for f in group.facts]
            own += [v for k, v in scope.bound.items() if k == read.field]
            if not any(same(v, read.value) for v in own):
                self.report.add(told.line, "unlike", f"`{told.text}`: the group below says otherwise")
            members = re.match(r"computed from (\d[\d,]*) members", read.about)
            shown_ = re.search(r", \.\. (\d+) in all$", group.members.text) if group.members is not None else None
            if members and group.members is not None:
                count = int(shown_[1]) if shown_ else len(scope.members)
                if count != int(members[1].replace(",", "")):
                    self.report.add(told.line, "unlike", f"`{told.text}`: {count} members are listed")
            self.report.count("the same again")
            return
        self.report.count("group that is not shown")


def step_of(head: str, named: dict[str, str]) -> str | None:
    """The step that a column shows; a label may be followed by what its value holds for."""
    found = named.get(head) or named.get(head.replace(" ", ""))
    return found or next((name for label, name in named.items() if label.startswith(f"{head}, ")), None)


def lefts(working: str) -> list[str]:
    """What may be the formula before an equals sign."""
    return [*(f for f, _ in pairs(working)), working]


def pairs(working: str) -> list[tuple[str, str]]:
    """`formula = figures` cut at each equals sign."""
    return [(working[: m.start()], working[m.end() :]) for m in re.finditer(r" = ", working)]


__all__ = ["check"]
