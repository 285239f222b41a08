"""The kinds of lines that a printed explanation is made of. A line of no known kind is an error, not skipped."""

from __future__ import annotations

import re
from typing import Final

from .lines import Block, Line, Told, Unreadable, piece, split_right, unwrapped, width
from .model import Band, Fact, Item, Listing, Part, Row, Shares, Window

KEYS: Final = (
    "case", "because", "formula", "figures", "exact", "rounded", "uses", "source", "rule at", "note", "tested", "over",
    "group", "from", "given", "amount", "on", "adds up", "refused", "bands", "limit", "weights", "divides", "days",
)  # fmt: skip
KEY: Final = re.compile(rf"(?P<key>{'|'.join(KEYS)})(?= {{2,}}\S|$)")
KEY_WIDTH: Final = 10
SENTENCE: Final = re.compile(r"Not applied: ")
UNIT: Final = r"(?: days| months| years)?"
BAND: Final = re.compile(
    rf"(?P<low>\S+{UNIT}) +\.\. +(?P<high>\S+{UNIT}) +: +(?P<length>\S+{UNIT}) +\* +(?P<rate>\S+(?: per day)?) += +"
    r"(?P<amount>\S+)(?: -> (?P<rounded>\S+))?(?: +\(from (?P<given>[^)]+)\))?(?= |$)"
)
NOTE: Final = re.compile(
    r"[a-z_0-9]+(?:\[[^\]]*\])?(?:\.[a-z_0-9]+)*(?:\(.*)? = |[a-z_0-9]+(?:\[[^\]]*\])?\.?[a-z_0-9]*\("
)
WORKINGS: Final = ("= ", "over ", "group ", "uses ", "bands ", "limit ", "rounded ", "adds up ")


def is_group(block: Block) -> bool:
    """Whether a block begins a group: after its head stands what it comes from."""
    head, rest = split_head(block, 0)
    if not rest or ": " not in " ".join(line.text for line in head):
        return bool(rest) and rest[0].text.strip().startswith("its results are given")
    return rest[0].text.startswith("  from      ") or rest[0].text.strip().startswith("its results are given")


def split_head(block: Block, base: int, *, rows: bool = False) -> tuple[list[Line], list[Line]]:
    """The lines of a title, and those below it."""
    for n, line in enumerate(block.lines):
        body = line.text.strip()
        if (
            n
            and line.indent == base + 2
            and (KEY.match(body) or SENTENCE.match(body) or body.startswith("its results"))
        ):
            return block.lines[:n], block.lines[n:]
        if n and line.indent == base and line.text.strip().startswith("its results are given"):
            return block.lines[:n], block.lines[n:]
        if n and rows and line.indent == base + 4:
            return block.lines[:n], block.lines[n:]
    return block.lines, []


def facts(lines: list[Line], indent: int = 2) -> list[Fact]:
    """Labels with values, in two columns; each may go on below itself. A working `= a + b` stands further in."""
    found: list[Fact] = []
    column = 0
    for line in lines:
        body = line.text.rstrip()
        gap = re.match(rf" {{{indent}}}(\S.*?) {{3,}}(\S.*)$", body)
        if gap and line.indent == indent:
            found.append(Fact(gap[1], gap[2], line.number))
            column = width(body[: gap.start(2)])
        elif (
            line.indent >= indent + 4
            and found
            and (body.strip().startswith("= ") or found[-1].working)
            and column != line.indent
        ):
            last = found.pop()
            found.append(Fact(last.label, last.value, last.line, f"{last.working} {body.strip()}".strip()))
        elif line.indent > indent and found:
            last = found.pop()
            found.append(Fact(last.label, f"{last.value} {body.strip()}", last.line, last.working))
        elif line.indent == indent and found and not gap:
            last = found.pop()  # the rest of a label
            found.append(Fact(f"{last.label} {body.strip()}", last.value, last.line, last.working))
        else:
            raise Unreadable(line.number, f"`{body.strip()}` is no label with a value")
    return found


def told_lines(lines: list[Line], base: int) -> list[Told]:
    """Lines with a key, each with what is wrapped below it."""
    column = base + 2 + KEY_WIDTH
    found: list[tuple[str, list[Line]]] = []
    for line in lines:
        match = KEY.match(piece(line.text, base + 2, column).rstrip()) if line.indent == base + 2 else None
        if match:
            found.append((match["key"], [line]))
        elif found and line.indent >= column:
            found[-1][1].append(line)
        else:
            raise Unreadable(line.number, f"`{line.text.strip()}` is no line of a known kind")
    return [Told(key, unwrapped(of, column), of[0].number) for key, of in found]


def title_of(lines: list[Line]) -> tuple[str, str]:
    """A title and the value at its right end."""
    if not lines:
        return "", ""
    last = lines[-1].text
    before = [line.text.strip() for line in lines[:-1]]
    if len(lines) > 1 and lines[-1].indent > lines[0].indent + 8:
        # The value alone, below the title.
        return " ".join(before), last.strip()
    left, right = split_right(last)
    return " ".join([*before, left]), right


def item(block: Block, base: int, columns: int, *, rows: bool = False, reversal: bool = False) -> Item:
    """A step: its title, the lines of known keys, bands, rows."""
    head, rest = split_head(block, base, rows=rows)
    title, value = title_of(head) if not rows else (" ".join(line.text.strip() for line in head), "")
    label, name = title, title
    named = re.fullmatch(r"(.*) \[([a-z_0-9@]+)\]", title)
    if named:
        label, name = named[1], named[2]
    elif re.fullmatch(r"[a-z_0-9@]+(?:, .*)?", title):
        name = title.partition(", ")[0]
    else:
        raise Unreadable(block.first.number, f"`{title}` is neither a step nor a known section")
    if not value and not rows:
        raise Unreadable(block.first.number, f"`{title}` has no value")
    if not rest and not reversal and not rows and not value:
        raise Unreadable(block.first.number, f"nothing is told of `{title}`")
    found = Item(title, label, name, value, block.first.number)
    read_told(found, rest, base, columns)
    return found


def read_told(found: Item, lines: list[Line], base: int, columns: int) -> None:
    """What is told of a step."""
    column = base + 2 + KEY_WIDTH
    clause = formula = ""
    at = 0
    row_column = 0
    while at < len(lines):
        line = lines[at]
        match = KEY.match(piece(line.text, base + 2, column).rstrip()) if line.indent == base + 2 else None
        if line.indent == base + 2 and SENTENCE.match(line.text.strip()):
            end = at + 1
            while end < len(lines) and lines[end].indent == base + 4:
                end += 1
            text = " ".join(one.text.strip() for one in lines[at:end])
            found.told.append(Told("not applied", text.removeprefix("Not applied: "), line.number))
            at = end
        elif match:
            end = at + 1
            while end < len(lines) and lines[end].indent >= column:
                end += 1
            of = lines[at:end]
            if match["key"] == "bands":
                found.bands.append(bands(of, column))
            else:
                told = Told(match["key"], unwrapped(of, column), line.number)
                found.told.append(told)
                if told.key == "case":
                    clause, formula = told.text, ""
                elif told.key == "formula":
                    formula = told.text
            at = end
            row_column = 0
        elif line.indent == base + 4:
            if not at or lines[at - 1].indent < base + 4 or (lines[at - 1].indent >= column and not row_column):
                row_column = after_keys(lines[at:], base)
            end = at + 1
            while end < len(lines) and lines[end].indent > base + 4:
                end += 1
            found.rows.append(row(lines[at:end], row_column, columns, clause, formula))
            at = end
        else:
            raise Unreadable(line.number, f"`{line.text.strip()}` is no line of a known kind")


def after_keys(lines: list[Line], base: int) -> int:
    """The column at which the figures of some rows begin, behind the widest key."""
    widest = 0
    for line in lines:
        if line.indent < base + 4:
            break
        if line.indent == base + 4:
            widest = max(widest, width(re.split(r" {2,}", line.text.strip())[0]))
    return base + 4 + widest + 2


def bands(lines: list[Line], column: int) -> list[Band]:
    """Lines of bands, each in one line or in two."""
    text = " ".join(piece(line.text, column).strip() for line in lines)
    found: list[Band] = []
    at = 0
    while at < len(text):
        match = BAND.match(text, at)
        if not match:
            raise Unreadable(lines[0].number, f"`{text[at:]}` is no line of bands")
        found.append(
            Band(
                match["low"],
                match["high"],
                match["length"],
                match["rate"],
                match["amount"],
                match["rounded"] or "",
                match["given"] or "",
                lines[0].number + (len(found) if len(lines) == text.count(" : ") else 0),
            )
        )
        at = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip())
    return found


def row(lines: list[Line], column: int, columns: int, clause: str, formula: str) -> Row:
    """The figures of one row: the key, the figures with the value at the right end, notes below.

    The value ends where the page ends; it is missing where the figures end with it (`= 1/3 = 0.333333..`).
    """
    first = lines[0]
    key = piece(first.text, first.indent, column).strip()
    texts = [piece(line.text, column).rstrip() for line in lines]
    end = next(
        (n for n, text in enumerate(texts) if n and (NOTE.match(text) or text.startswith(WORKINGS[3:]))), len(texts)
    )
    ends = [
        n
        for n, (line, text) in enumerate(zip(lines[:end], texts, strict=False))
        if width(line.text.rstrip()) == columns and re.match(r" {2,}|.*\S {2,}\S", text)
    ]
    last = ends[-1] if ends else None
    if last is None:
        last = end - 1
        figures, value = texts[: last + 1], ""
    else:
        left, value = split_right(
            f"«  {texts[last]}" if texts[last].startswith(" ") or "  " not in texts[last] else texts[last]
        )
        figures = [*texts[:last], left.removeprefix("«").strip()]
    notes = [(text.strip(), line.number) for line, text in zip(lines[last + 1 :], texts[last + 1 :], strict=True)]
    whole = " ".join(f.strip() for f in figures if f.strip())
    return Row(key, clause, formula, whole, value, first.number, joined_notes(notes))


def joined_notes(lines: list[tuple[str, int]]) -> list[Told]:
    """Notes under a row, each with what is wrapped below it: calls over rows, values of groups, bands."""
    found: list[Told] = []
    for text, number in lines:
        key = next((k for k in WORKINGS[3:] if text.startswith(k)), None)
        is_open = bool(found) and found[-1].text.count("(") > found[-1].text.count(")")
        if is_open or (key is None and found and not NOTE.match(text)):
            last = found.pop()
            found.append(Told(last.key, f"{last.text} {text}", last.line))
        elif key is not None:
            found.append(Told(key.strip(), text[len(key) :], number))
        else:
            found.append(Told("over", text, number))
    return found


def read_table(block: Block, found: Listing, keys: set[str]) -> None:
    """A table: heads in one or several lines, a rule of dashes, the rows."""
    rule = next((n for n, line in enumerate(block.lines) if re.fullmatch(r"\s*-+(?:  -+)*", line.text)), None)
    if rule is None:
        raise Unreadable(block.first.number, "a table without a rule below its head")
    spans = [(m.start(), m.end()) for m in re.finditer(r"-+", block.lines[rule].text)]
    heads: list[str] = []
    for start, end in spans:
        words = [piece(line.text, start, end).strip() for line in block.lines[:rule]]
        heads.append(re.sub(r"_ ", "_", " ".join(w for w in words if w)))
    key = ""
    seen: set[str] = set()
    for line in block.lines[rule + 1 :]:
        cells = [piece(line.text, start, end).strip() for start, end in spans]
        if cells[0]:
            key = row_key(cells, keys)
            found.twice += [key] if key in seen else []
            seen.add(key)
        of = found.rows.setdefault(key, {})
        for head, cell in zip(heads, cells, strict=True):
            if cell:
                before = f"{of[head].value} " if not cells[0] and head in of else ""
                of[head] = Fact(head, before + cell, line.number)


def row_key(cells: list[str], keys: set[str]) -> str:
    """What a row is called: the values of its order, the first cells."""
    plain = [c.replace(",", "") for c in cells]
    return next(("/".join(plain[:n]) for n in (1, 2, 3) if "/".join(plain[:n]) in keys), plain[0])


def shares(block: Block, base: int) -> Shares:
    """`Who bears each yuan of 500.00 (name)`, then a line for each part and its working below."""
    head = block.first.text.strip()
    match = re.fullmatch(r"Who bears each yuan of (\S+)(?: \((.*)\))?", head)
    if not match:
        raise Unreadable(block.first.number, f"`{head}` names no amount")
    found = Shares(match[2] or "", match[1], block.first.number)
    bearer = ""
    pending: list[str] = []
    parts: list[tuple[str, str, str, str, int, list[Line]]] = []
    column = -1  # where the labels begin; workings stand further in
    above: list[Line] = []
    for line in block.lines[1:]:
        text = line.text[base:]
        body = text.strip()
        amount = re.search(r" {2,}-?[\d,]+(?:\.\d+)?(?: {2}\S+.*)?$", text)
        begun = line.indent == base + 2 and (body.startswith("= ") or bool(above))
        if column < 0 and begun and (body.startswith(WORKINGS) or not amount):
            above.append(line)
            continue
        if column >= 0 and line.indent > column and not pending:
            parts[-1][5].append(line)
            continue
        name = re.match(r"  (\S(?:.*?\S)?) {2,}(?=\S)", text) if line.indent == base + 2 else None
        if name:
            bearer, body = name[1], text[name.end() :].strip()
            column = width(name[0]) + base if column < 0 else column
        amount = re.search(r"(?:^| {2,})(-?[\d,]+(?:\.\d+)?)(?: {2}(\S+(?: \S+)*))?$", body)
        if not amount:
            pending.append(body)
            continue
        label = " ".join([*pending, body[: amount.start()].strip()]).strip()
        pending = []
        parts.append((bearer, label, amount[1], amount[2] or "", line.number, []))
    if pending:
        raise Unreadable(block.lines[-1].number, f"`{pending[0]}` has no amount")
    found.parts = [Part(b, label, a, r, workings(w), n) for b, label, a, r, n, w in parts]
    found.told = workings(above)
    return found


def workings(lines: list[Line]) -> list[Told]:
    """The lines under a part, each beginning with a sign or a key."""
    found: list[Told] = []
    for line in lines:
        body = line.text.strip()
        key = next((k for k in WORKINGS if body.startswith(k)), None)
        # Brackets that are open go on; so does a formula that is cut at a sign.
        goes_on = key is None or (key == "= " and any(t.key == "=" for t in found))
        if found and (goes_on or found[-1].text.count("(") > found[-1].text.count(")")):
            last = found.pop()
            found.append(Told(last.key, f"{last.text} {body}", last.line))
        elif key is None:
            raise Unreadable(line.number, f"`{body}` is no working of a part")
        else:
            found.append(Told(key.strip(), body[len(key) :], line.number))
    return found


def findings(block: Block) -> list[Item]:
    """What is to be looked at: severity and text with an amount, then lines with keys."""
    found: list[Item] = []
    groups: list[list[Line]] = []
    for line in block.lines[1:]:
        if line.indent == 2 and re.match(r"  (?:ERROR|warning|note): ", line.text):
            groups.append([line])
        elif groups:
            groups[-1].append(line)
        else:
            raise Unreadable(line.number, f"`{line.text.strip()}` is no finding")
    for lines in groups:
        head, rest = split_head(Block(lines), 2)
        title, value = title_of(head)
        one = Item(title, title, "", value, lines[0].number)
        read_told(one, rest, 2, 0)
        found.append(one)
    return found


def windows(block: Block, columns: int) -> list[Window]:
    """Calls over earlier episodes: the call with its value at the right end, then what each episode gave."""
    found: list[Window] = []
    groups: list[list[Line]] = []
    for line in block.lines[1:]:
        fresh = line.indent == 2 and (not groups or any(one.indent > 2 for one in groups[-1]))
        if fresh:
            groups.append([line])
        elif groups:
            groups[-1].append(line)
        else:
            raise Unreadable(line.number, f"`{line.text.strip()}` is no call over earlier episodes")
    for lines in groups:
        head, rest = split_head(Block(lines), 2)
        call, value = title_of(head)
        if not value:
            raise Unreadable(lines[0].number, f"`{call}` has no value")
        told = {t.key: t.text for t in told_lines(rest, 2)}
        found.append(Window(call, value, told.get("over", ""), told.get("days", ""), lines[0].number))
    return found
