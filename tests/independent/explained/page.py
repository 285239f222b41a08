"""A printed explanation from its first line to its last: sections in order, each read by the kind of its lines."""

from __future__ import annotations

import re
from typing import Final

from .lines import Block, Told, Unreadable, blocks
from .model import Fact, Group, Listing, Page
from .pieces import facts, findings, is_group, item, read_table, shares, split_head, told_lines, windows

PROSE: Final = ("Assumptions", "Sources")
NOTICES: Final = re.compile(
    r"Some values are ILLUSTRATIVE|Some values carry no evidence mark|Values in this rulebook are partly or wholly FICTIONAL"
    r"|INCOMPLETE \(group_incomplete\)|This episode REVERSES|\S.*: filled with its default$|\S.*: set by hand, not from the file$"
)


def read(text: str, columns: int) -> Page:
    """The page that a text holds; Unreadable names the line that is of no known kind."""
    return _Reader(text, columns).page()


class _Reader:
    def __init__(self, text: str, columns: int) -> None:
        self.columns = columns
        self.blocks = blocks(text)
        self.at = 0
        self.found = Page(width=columns)

    def peek(self) -> Block | None:
        return self.blocks[self.at] if self.at < len(self.blocks) else None

    def take(self) -> Block:
        self.at += 1
        return self.blocks[self.at - 1]

    def inside(self) -> list[Block]:
        """The indented blocks that follow."""
        taken: list[Block] = []
        while (block := self.peek()) is not None and block.first.indent >= 2:
            taken.append(self.take())
        return taken

    def page(self) -> Page:
        self.head(self.take())
        while self.peek() is not None:
            self.section()
        return self.found

    def head(self, block: Block) -> None:
        rule = next((n for n, line in enumerate(block.lines) if re.fullmatch(r"=+", line.text)), None)
        if rule is None:
            raise Unreadable(block.first.number, "no title")
        self.found.title = " ".join(line.text.strip() for line in block.lines[:rule])
        below = block.lines[rule + 1 :]
        while below and not re.match(r" {2}\S.*? {3,}\S", below[0].text):
            below = below[1:]  # which version of which file was used
        self.found.facts = facts(below)

    def section(self) -> None:
        first = (self.peek() or self.blocks[-1]).first
        text = first.text
        if first.indent:
            raise Unreadable(first.number, "an indented block without a head")
        if re.fullmatch(r"(?P<name>\S.*): (?:no rows|one row|\d[\d,]* rows)", text):
            self.listing(text)
        elif text.startswith("Who bears each yuan of "):
            self.found.shares.append(shares(self.take(), 0))
        elif text == "Totals":
            self.found.totals = facts(self.take().lines[1:])
        elif text == "Results":
            self.found.results = facts(self.take().lines[1:])
        elif text == "Findings":
            self.found.findings = findings(self.take())
        elif text == "From earlier episodes":
            self.found.windows = windows(self.take(), self.columns)
        elif text in PROSE:
            block = self.take()
            if text == "Assumptions":
                told = " ".join(line.text.strip() for line in block.lines[1:])
                self.found.assumed.append(Told("assumed", told, block.first.number))
        elif text == "Groups behind this bill":
            self.take()
            while (following := self.peek()) is not None and is_group(following):
                self.group()
        elif text.startswith("REFUSED "):
            block = self.take()
            self.found.refusal = Told("refused", " ".join(line.text for line in block.lines), block.first.number)
        elif NOTICES.match(" ".join(line.text for line in (self.peek() or self.blocks[-1]).lines)):
            block = self.take()
            whole = " ".join(line.text for line in block.lines)
            self.found.notices.append(Told("notice", whole, block.first.number))
            self.found.reverses |= whole.startswith("This episode REVERSES")
        elif is_group(self.peek() or self.blocks[-1]):
            self.group()
        else:
            self.found.items.append(item(self.take(), 0, self.columns, reversal=self.found.reverses))

    def listing(self, text: str) -> None:
        block = self.take()
        label, _, count = text.rpartition(": ")
        name = label
        named = re.fullmatch(r"(.*) \[([a-z_0-9]+)\]", label)
        if named:
            label, name = named[1], named[2]
        number = {"no rows": 0, "one row": 1}.get(count)
        found = Listing(
            name, label, number if number is not None else int(count.split()[0].replace(",", "")), block.first.number
        )
        self.found.lists.append(found)
        tables = [Block(block.lines[1:])] if len(block.lines) > 1 else []
        own = f"{label} [{name}] " if named else f"{name} "
        for inner in self.inside():
            if any(re.fullmatch(r"\s*-+(?:  -+)*", line.text) for line in inner.lines):
                tables.append(inner)
            else:
                found.items.append(item(inner, 2, self.columns, rows=True))
        keys = {row.key for item_ in found.items for row in item_.rows}
        at = self.at
        while at < len(self.blocks) and not keys:
            if self.blocks[at].first.text.startswith(own):
                keys |= {self.blocks[at].first.text[len(own) :].strip()}
            at += 1
        for table in tables:
            read_table(table, found, keys)
        while (block_ := self.peek()) is not None and block_.first.text.startswith(own) and not found.items:
            head = self.take()
            key = head.first.text[len(own) :].strip()
            if key not in found.rows:
                raise Unreadable(head.first.number, f"row `{key}` is not in the table")
            for fact in facts(head.lines[1:]):
                found.rows[key][fact.label] = fact
            found.row_items[key] = [item(inner, 2, self.columns) for inner in self.inside()]

    def group(self) -> None:
        block = self.take()
        head, rest = split_head(block, 0)
        text = " ".join(line.text.strip() for line in head)
        name, _, keys = text.partition(": ")
        label = name
        named = re.fullmatch(r"(.*) \[([a-z_0-9]+)\]", name)
        if named:
            label, name = named[1], named[2]
        found = Group(name, label, [], block.first.number)
        for key in keys.split(", ") if keys else []:
            word, _, value = key.partition(" ")
            found.keys.append(Fact(word, value, block.first.number))
        if rest and rest[0].text.strip().startswith("its results are given"):
            found.given_only = True
            while rest and not re.search(r":$", rest[0].text.strip()):
                rest = rest[1:]
            found.results = facts(rest[1:])
        else:
            for told in told_lines(rest, 0):
                if told.key == "from":
                    found.members = told
                elif told.key == "given":
                    for part in re.split(r", (?=[^=]*? = )", told.text):
                        label_, _, value = part.rpartition(" = ")
                        found.facts.append(Fact(label_, value, told.line))
                elif told.key == "refused":
                    self.found.notices.append(told)
                else:
                    raise Unreadable(told.line, f"`{told.key}` under a group")
        self.found.groups.append(found)
        for inner in self.inside():
            if inner.first.text.strip().startswith("Who bears each yuan of "):
                found.shares.append(shares(inner, 2))
            else:
                found.items.append(item(inner, 2, self.columns, reversal=self.found.reverses))
