"""Reads Chinese sentences back into formulas, in every way in which they can be read.

A grammar of the sentences in which a part of something is short or stands in brackets, tried without preference among
its rules: where a phrase has two readings, both come out. Trees are spelled as formulas by the English reader's `spell`.
Numbered points are read each by itself, in every way too, and then put where the sentence names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prose_reader import Lexicon, Token, Tree, plain

TOKEN = re.compile(
    r"(?P<date>\d{4}年\d{1,2}月\d{1,2}日)|(?P<money>(?:[A-Z]{3} |[¥$€£₩₹฿₫₺₽])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?:/天)?)"
    r"|(?P<percent>\d+(?:,\d{3})*(?:\.\d+)?%)|(?P<length>\d+(?:,\d{3})*(?:天|个月|年)(?!的第|的最))"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)|“(?P<quoted>[^”]*)”|(?P<mark>.)"
)
UNITS = {"天": "days", "个月": "months", "年": "years"}
CONVERSIONS = {
    "按百分比计的": "as_percent", "按纯数值计的": "as_number", "按整数计的": "as_count", "按天数计的": "days",
    "按月数计的": "months", "按年数计的": "years",
}  # fmt: skip
OF_ONE = {"的绝对值": "abs", "所在年份": "year", "所在月份": "month", "的日数": "day"}
DAYS = {
    f"所在{unit}的{end}": (f"{function}_day", name)
    for unit, name in (("月", "month"), ("季度", "quarter"), ("年", "year"))
    for end, function in (("第一天", "first"), ("最后一天", "last"))
}
LEAST = {
    "较小者": "min", "最小者": "min", "较早者": "min", "最早者": "min",
    "较大者": "max", "最大者": "max", "较晚者": "max", "最晚者": "max",
}  # fmt: skip
MODES = ("四舍五入", "四舍六入五成双", "五舍六入", "进位", "舍去")
RELATIONS = {
    "不低于": ">=", "不高于": "<=", "低于": "<", "高于": ">", "不早于": ">=", "不晚于": "<=", "早于": "<", "晚于": ">",
    "等于": "=", "不等于": "!=", "为": "=", "不是": "!=", "含": "has", "不含": "not has",
}  # fmt: skip

Found = Iterator[tuple[Any, int]]


def tokens(sentence: Iterable[Any]) -> list[Token]:
    """The tokens: a name is one, whatever its text; other text constant by constant and sign by sign."""
    found: list[Token] = []
    for run in sentence:
        if run.ref:
            found.append(Token("name", run.text, run.ref))
            continue
        for match in TOKEN.finditer(run.text):
            kind = str(match.lastgroup)
            found.append(Token(kind, match.group(kind)))
    return found


@dataclass
class Chinese:
    """One sentence. Every method gives each reading that begins at a place, with the place after it."""

    lexicon: Lexicon
    tokens: list[Token]
    points: list[Any] = field(default_factory=list)
    known: dict[tuple[str, int, tuple[str, ...]], list[tuple[Any, int]]] = field(default_factory=dict)
    bound: tuple[str, ...] = ()

    def readings(self, how: str) -> list[Tree]:
        """All readings of the whole sentence with its points as a `value` or a `condition`."""
        last = len(self.tokens)
        whole = [tree for tree, end in self.all(how, 0) if end == last]
        if self.points:
            whole += [tree for tree, end in self.all(how, 0) if end == self.says(last - 1, "：") - 1 == last - 1]
        return [tree for found in whole for tree in self.with_points(found)]

    # ---- points ----

    def with_points(self, found: Tree) -> Iterator[Tree]:
        """A reading with each reading of the points that it names; none if it does not name all of them, once each."""
        named = [*self.named(found)]
        if sorted(number for _, number, _, _ in named) != list(range(len(self.points))):
            return
        ways: list[dict[Any, Any]] = [{}]
        for point in named:
            _, number, how, bound = point
            of = self.points[number]
            inner = Chinese(self.lexicon, tokens(of.sentence), list(of.points), bound=bound)
            ways = [{**way, point: tree} for way in ways for tree in inner.readings(how)]
        for way in ways:
            yield self.made(found, way)

    def named(self, tree: Any) -> Iterator[Any]:
        """The points that a tree names."""
        if isinstance(tree, tuple) and tree[:1] == ("point",):
            yield tree
        elif isinstance(tree, tuple | list):
            for part in tree:
                yield from self.named(part)

    def made(self, tree: Any, way: dict[Any, Any]) -> Any:
        """A tree with the readings of its points."""
        if isinstance(tree, tuple) and tree[:1] == ("point",):
            return way[tree]
        if isinstance(tree, tuple | list):
            tree = type(tree)(self.made(part, way) for part in tree)
        match tree:
            case ("cases", cases):
                *first, (_, when, last) = cases
                if when is not None:
                    return ("constant", "<no last case>")
                for _, condition, then in reversed(first):
                    last = ("if", condition, then, last)
                return last
            case ("laid", name, schedule, between, told):
                said = dict(told)
                on = said["on"] if "on" in said else ("range", said["from"], said["to"])
                more = [*between, *([said["target"]] if "target" in said else [])]
                return ("call", name, [schedule, *more, on, *([said["rate"]] if "rate" in said else [])])
            case ("rows", name, ("told", told), whose, None, None):
                said = dict(told)
                return ("rows", name, said.get("value"), whose, said.get("where"), None)
            case _:
                return tree

    def point(self, number: int, how: str) -> Tree:
        """A point by its number."""
        return ("point", number, how, self.bound)

    def all_points(self, how: str = "value") -> list[Tree]:
        """All points."""
        return [self.point(number, how) for number in range(len(self.points))]

    def following(self, at: int) -> Found:
        """What a point gives, where a value stands."""
        for number, word in enumerate(("下列第一项", "第二项", "第三项")):
            if (end := self.says(at, word)) >= 0 and number < len(self.points):
                yield self.point(number, "value"), end
        if (end := self.says(at, "下列数额")) >= 0 and len(self.points) == 1:
            yield self.point(0, "value"), end
        if (end := self.says(at, "下列各项合计")) >= 0:
            yield ("sum", self.all_points("term")), end
        if (end := self.says(at, "按下列第一个成立的情形所得之值")) >= 0:
            yield ("cases", self.all_points("case")), end
        for count in ("下列两项", "下列各项"):
            for word, name in LEAST.items():
                if (end := self.says(at, f"{count}中的{word}")) >= 0:
                    yield ("call", name, self.all_points()), end

    def term(self, at: int) -> Found:
        """A part of a sum; after `减去` no more than a part of a longer sum may be."""
        for (x,), end in self.sequence(at, "减去", ("operand",)):
            yield ("-", x), end
        for (x,), end in self.sequence(at, "应减去：", ("value",)):
            yield ("-", x), end
        for (x,), end in self.all_in(at, "value"):
            yield ("+", x), end

    def all_in(self, at: int, how: str) -> Found:
        """A reading of one kind, as a sequence has it."""
        yield from self.sequence(at, (how,))

    def case(self, at: int) -> Found:
        """What must hold, and what it then is."""
        for (c, x), end in self.sequence(at, "若", ("condition",), "：", ("value",)):
            yield ("case", c, x), end
        for (x, c), end in self.sequence(at, ("value",), "，适用条件：", ("condition",)):
            yield ("case", c, x), end
        for (x,), end in self.sequence(at, "其他情形：", ("value",)):
            yield ("case", None, x), end
        text = "".join(t.text for t in self.tokens[at:])
        if re.fullmatch(r"若[\d.]+的条件成立，则取[\d.]+之值：?", text):
            end = len(self.tokens) - text.endswith("：")
            yield ("case", self.point(0, "the_condition"), self.point(1, "the_value")), end

    def the_condition(self, at: int) -> Found:
        """`条件：C`."""
        for (c,), end in self.sequence(at, "条件：", ("condition",)):
            yield c, end

    def the_value(self, at: int) -> Found:
        """`数值：V`."""
        for (x,), end in self.sequence(at, "数值：", ("value",)):
            yield x, end

    def of_each(self, at: int) -> Found:
        """`各个的数值：V` or `仅限符合此条件者：C`."""
        for how in ("value", "condition"):
            for (x,), end in self.sequence(at, "各个的数值：", (how,)):
                yield ("value", x), end
        for (c,), end in self.sequence(at, "仅限符合此条件者：", ("condition",)):
            yield ("where", c), end

    def labelled(self, at: int) -> Found:
        """How a schedule is applied."""
        for word, key in (("起：", "from"), ("止：", "to"), ("对全部：", "on"), ("目标：", "target")):
            for (x,), end in self.sequence(at, word, ("value",)):
                yield (key, x), end
        after = self.says(at, "各段比例")
        local = self.kind(after, "quoted") if after >= 0 else None
        if local is not None:
            outer, self.bound = self.bound, (*self.bound, local.text)
            bodies = list(self.sequence(after + 1, "改按：", ("value",)))
            self.bound = outer
            for (body,), end in bodies:
                yield ("rate", ("lambda", local.text, body)), end

    def laid(self, at: int) -> Found:
        """Schedules and calls over rows of which the points say the parts."""
        told = self.all_points("labelled")
        for (s,), end in self.sequence(at, "按", ("operand",), "分段计算之和，具体如下"):
            yield ("laid", "bands", s, [], told), end
        for (s, number), end in self.sequence(at, "按", ("operand",), "第", ("operand",), "段计算之额，具体如下"):
            yield ("laid", "band", s, [number], told), end
        for (s,), end in self.sequence(at, "使按", ("operand",), "分段计算之和达到目标的最小金额，具体如下"):
            yield ("laid", "bands_reach", s, [], told), end
        each = self.all_points("of_each")
        for tree, end in self.all("rows_told", at):
            if (last := self.says(end, "，具体如下")) >= 0:
                yield ("rows", tree[1], ("told", each), tree[3], None, None), last
        for tree, end in self.of_rows(at):
            if tree[4] is None:
                for (c,), last in self.sequence(end, "，仅计符合此条件者：", ("condition",)):
                    yield (*tree[:4], c, None), last

    def rows_told(self, at: int) -> Found:
        """A call over rows whose value a point gives."""
        for whose, end in self.whose(at):
            for words, name in (
                ("的其值之和", "sum"), ("的个数", "count"), ("中其值不同取值的个数", "distinct"), ("中其值的个数", "count"),
                ("中其值的最小值", "min"), ("中其值的最大值", "max"), ("中第一个的其值", "first"), ("中最后一个的其值", "last"),
            ):  # fmt: skip
                if (last := self.says(end, words)) >= 0:
                    yield ("rows", name, None, whose, None, None), last
        for (rows,), end in self.sequence(at, "其值在", ("rows",), "中由大到小的名次"):
            yield ("rows", "rank", None, rows[0], None, None), end

    def all(self, how: str, at: int) -> list[tuple[Any, int]]:
        """All readings of one kind from a place, found once."""
        key = (how, at, self.bound)
        if key not in self.known:
            self.known[key] = []
            self.known[key] = list(getattr(self, how)(at))
        return self.known[key]

    # ---- pieces ----

    def says(self, at: int, text: str) -> int:
        """The place after these signs, or -1."""
        for offset, sign in enumerate(text):
            token = self.tokens[at + offset] if at + offset < len(self.tokens) else None
            if token is None or token.kind != "mark" or token.text != sign:
                return -1
        return at + len(text)

    def kind(self, at: int, *kinds: str) -> Token | None:
        """The token there, if it is of one of these kinds."""
        token = self.tokens[at] if 0 <= at < len(self.tokens) else None
        return token if token is not None and token.kind in kinds else None

    def sequence(self, at: int, *parts: str | tuple[str, ...]) -> Found:
        """Signs and readings one after the other: a part in a tuple is a kind of reading, else signs."""
        if not parts:
            yield (), at
            return
        head, *rest = parts
        if isinstance(head, str):
            after = self.says(at, head)
            ways: list[tuple[Any, int]] = [((), after)] if after >= 0 else []
        else:
            ways = [((tree,), end) for tree, end in self.all(head[0], at)]
        for first, end in ways:
            for others, last in self.sequence(end, *rest):
                yield (*first, *others), last

    # ---- values ----

    def value(self, at: int) -> Found:
        """A value with whatever may follow it."""
        yield from self.open(at)
        for left, end in self.all("operand", at):
            yield from self.chain(left, end)

    def chained(self, at: int) -> Found:
        """A value that may be a sum or a product."""
        for left, end in self.all("operand", at):
            yield left, end
            yield from self.chain(left, end)

    def constant_here(self, at: int) -> Found:
        """A constant."""
        token = self.kind(at, "money", "percent", "length", "number")
        if token is not None:
            yield from self.constant(token, at + 1)

    def chain(self, left: Tree, at: int) -> Found:
        """Sums and products: all terms, or none."""
        for signs, make in (({"加": "+", "减": "-"}, self._sum), ({"乘以": "*", "除以": "/"}, self._product)):
            for terms, end in self.terms(at, signs):
                if terms:
                    yield make(left, terms), end
                if any(sign == "/" for sign, _ in terms[:-1]):  # `A除以B乘以C` may be A / (B * C)
                    yield ("product", "/", left, ("call", "abs", [left])), end

    def terms(self, at: int, signs: dict[str, str]) -> Found:
        """What follows the first term, as far as it goes."""
        went = False
        for word, sign in signs.items():
            after = self.says(at, word)
            for term, end in self.all("operand", after) if after >= 0 else ():
                went = True
                for more, last in self.terms(end, signs):
                    yield ((sign, term), *more), last
        if not went:
            yield (), at

    def _sum(self, left: Tree, terms: Any) -> Tree:
        return ("sum", [("+", left), *terms])

    def _product(self, left: Tree, terms: Any) -> Tree:
        for operator, right in terms:
            left = ("product", operator, left, right)
        return left

    def open(self, at: int) -> Found:
        """Values that others stand in brackets around."""
        yield from self.all("operand", at)
        for (low_of, low, high), end in self.sequence(
            at, ("operand",), "，但不低于", ("operand",), "、不高于", ("operand",)
        ):
            yield ("call", "clamp", [low_of, low, high]), end
        for word, name in (("，但不低于", "max"), ("，但不高于", "min")):
            for (x, limit), end in self.sequence(at, ("chained",), word, ("constant_here",)):
                yield ("call", name, [limit, x]), end
        for (x, d), end in self.sequence(at, ("operand",), "（缺失时取", ("operand",), "）"):
            yield ("call", "default", [x, d]), end
        for (c, x, y), end in self.sequence(at, "若", ("one",), "则取", ("operand",), "、否则取", ("operand",)):
            yield ("if", c, x, y), end
        for (c,), end in self.sequence(at, "是否（", ("condition",), "）"):
            yield c, end
        for (x, to), end in self.sequence(at, ("operand",), "按", ("value",), "的整倍数"):
            for mode in MODES:
                if (after := self.says(end, mode)) >= 0:
                    yield ("call", "round", [x, to]), after
        for word, name in (("向下取至", "floor"), ("向上取至", "ceil")):
            for (x, to), end in self.sequence(at, ("operand",), word, ("value",), "的整倍数"):
                yield ("call", name, [x, to]), end
        yield from self.least(at)
        yield from self.schedules(at)
        yield from self.laid(at)

    def least(self, at: int) -> Found:
        """`A与B中的较小者`, `A、B与C中的最小者`."""
        for first, end in self.all("operand", at):
            for args, last in ((), end), *self.listed(end):
                for word, name in LEAST.items():
                    if (after := self.says(last, "中的" + word)) >= 0:
                        yield ("call", name, [first, *args]), after

    def listed(self, at: int) -> Found:
        """`、B、C与D` after the first."""
        for (x,), end in self.sequence(at, "、", ("operand",)):
            for more, last in self.listed(end):
                yield (x, *more), last
        for (x,), end in self.sequence(at, "与", ("operand",)):
            yield (x,), end

    def operand(self, at: int) -> Found:
        """A value that stands without brackets beside others, with what belongs to it."""
        waiting = [*self.primary(at)]
        while waiting:
            tree, end = waiting.pop()
            yield tree, end
            waiting += [*self.after(tree, end)]

    def primary(self, at: int) -> Found:
        """A value that begins here and needs nothing before it."""
        token = self.kind(at, "date", "money", "percent", "length", "number", "quoted", "name")
        if token is not None:
            yield from self.constant(token, at + 1)
        for (inner,), end in self.sequence(at, "（", ("value",), "）"):
            yield inner, end
        for word, name in CONVERSIONS.items():
            for (x,), end in self.sequence(at, word, ("operand",)):
                yield ("call", name, [x]), end
        for noun in ("次就诊", "行", "组"):
            after = self.says(at, f"本{noun}的")
            if after >= 0 and (field_ := self.kind(after, "name")) is not None:
                yield ("own", field_.ref), after + 1
        after = self.says(at, "其所属就诊的")
        if after >= 0 and (field_ := self.kind(after, "name")) is not None:
            yield ("outer", field_.ref), after + 1
        after = self.says(at, "所属")
        if after >= 0 and (group := self.kind(after, "name")) is not None:
            last = self.says(after + 1, "的")
            if last >= 0 and (field_ := self.kind(last, "name")) is not None:
                yield ("member", group.ref, [], ("name", field_.ref, field_.text)), last + 1
        yield from self.of_dates(at)
        yield from self.of_rows(at)
        for keys, end in self.bracketed_keys(at):
            yield from self.looked_up(keys, end)
        yield from self.following(at)
        yield from self.added_up(at)

    def added_up(self, at: int) -> Found:
        """`A与B之和`, which may be A plus B, whosever B is."""
        if (first := self.kind(at, "name", "money", "number")) is None:
            return
        for word in ("与", "、", "加", "减", "乘以", "除以"):
            after = self.says(at + 1, word)
            for whose, end in self.whose(after) if after >= 0 else ():
                last = self.says(end, "的")
                if last >= 0 and self.kind(last, "name") is not None and (close := self.says(last + 1, "之和")) >= 0:
                    yield ("call", "added_up", [("name", first.ref or "-x", ""), ("name", f"-{whose}", "")]), close
                last = self.says(end, "中") if word == "与" else -1
                if last >= 0 and self.kind(last, "name") is not None:
                    for words in ("的最大值", "的最小值"):
                        if (close := self.says(last + 1, words)) >= 0:
                            yield (
                                ("call", "of_both", [("name", first.ref or "-x", ""), ("name", f"-{whose}", "")]),
                                close,
                            )

    def constant(self, token: Token, end: int) -> Found:
        """A constant or a name; of a table, the cell."""
        text = token.text.replace(",", "")
        match token.kind:
            case "name":
                if token.ref.startswith("table-"):
                    yield from self.cell(token, end)
                else:
                    yield ("name", token.ref, token.text), end
            case "date":
                year, month, day = re.findall(r"\d+", text)
                yield ("constant", f"{year}-{int(month):02}-{int(day):02}"), end
            case "length":
                number = re.match(r"\d+", text)
                assert number is not None
                yield ("constant", f"{number[0]} {UNITS[text[len(number[0]) :]]}"), end
            case "quoted":
                known = self.lexicon.values.get(token.text)
                flag = {"是": "yes", "否": "no"}.get(token.text)
                if token.text in self.bound:
                    yield ("constant", token.text), end
                elif flag and not known:
                    yield ("constant", flag), end
                else:
                    yield ("constant", f"⟦{'|'.join(known)}⟧" if known else f'"{token.text}"'), end
            case _:
                yield ("constant", text.replace("/天", " per day")), end

    def cell(self, table: Token, at: int) -> Found:
        """`表中K对应的列`."""
        after = self.says(at, "中")
        if after < 0:
            return
        for key, end in self.all("operand", after):
            yield from self.column(table, [key], end)
        for keys, end in self.bracketed_keys(after):
            yield from self.column(table, keys, end)

    def column(self, table: Token, keys: list[Tree], at: int) -> Found:
        """`对应的列`."""
        after = self.says(at, "对应的")
        token = self.kind(after, "name") if after >= 0 else None
        if token is not None and token.ref == table.ref:
            yield ("cell", table.ref, keys, token.text.strip("“”")), after + 1

    def bracketed_keys(self, at: int) -> Found:
        """`（K、K）`, two at least."""
        for (first,), end in self.sequence(at, "（", ("operand",)):
            for keys, last in self.more_keys(end):
                if (after := self.says(last, "）")) >= 0 and keys:
                    yield [first, *keys], after

    def more_keys(self, at: int) -> Found:
        """`、K` as often as it comes."""
        yield (), at
        for (key,), end in self.sequence(at, "、", ("operand",)):
            for more, last in self.more_keys(end):
                yield (key, *more), last

    def looked_up(self, keys: list[Tree], at: int) -> Found:
        """`对应的P` or `对应的G的F` after keys."""
        after = self.says(at, "对应的")
        token = self.kind(after, "name") if after >= 0 else None
        if token is None:
            return
        if token.ref.startswith("parameter-"):
            yield ("index", token.ref, keys), after + 1
        if token.ref.startswith("group-"):
            last = self.says(after + 1, "的")
            if last >= 0 and (field_ := self.kind(last, "name")) is not None:
                yield ("member", token.ref, keys, ("name", field_.ref, field_.text)), last + 1

    def after(self, left: Tree, at: int) -> Found:
        """What may follow a value and belongs to it."""
        yield from self.looked_up([left], at)
        if (end := self.says(at, "的相反数")) >= 0:
            yield ("negative", left), end
        for word, name in OF_ONE.items():
            if (end := self.says(at, word)) >= 0:
                yield ("call", name, [left]), end
        for word, (name, unit) in DAYS.items():
            if (end := self.says(at, word)) >= 0:
                yield ("call", name, [left, ("constant", unit)]), end
        for end_word, name in (("第一天", "first_day"), ("最后一天", "last_day")):
            for word in (f"的{end_word}", f"年的{end_word}"):
                if (end := self.says(at, word)) >= 0:
                    yield ("call", name, [left]), end
        end = self.says(at, "的")
        if end >= 0 and (share := self.kind(end, "percent")) is not None:
            yield ("product", "*", ("constant", share.text.replace(",", "")), left), end + 1
        for (moment,), end in self.sequence(at, "（按", ("value",), "）"):
            yield ("at", left, moment), end
        for word, name in (("次方", "power"), ("次方根", "root")):
            for (y,), end in self.sequence(at, "的", ("operand",), word):
                yield ("call", name, [left, y]), end
        for (start, stop), end in self.sequence(at, "自", ("operand",), "起至", ("operand",), "前一日止逐日相加之和"):
            yield ("call", "over_days", [left, ("range", start, stop)]), end
        for (on,), end in self.sequence(at, "出生者在", ("operand",), "的周岁年龄"):
            yield ("call", "age", [left, on]), end

    def of_dates(self, at: int) -> Found:
        """Dates and stretches of time."""
        for (y, m, d), end in self.sequence(
            at, "年为", ("operand",), "、月为", ("operand",), "、日为", ("operand",), "的日期"
        ):
            yield ("call", "date", [y, m, d]), end
        for word, name in (("的天数", "days_between"), ("的整月数", "months_between")):
            for (a, b), end in self.sequence(at, "自", ("operand",), "至", ("operand",), word):
                yield ("call", name, [a, b]), end

    # ---- schedules ----

    def schedules(self, at: int) -> Found:
        """Bands, slices, curves, each rate perhaps replaced."""
        for tree, end in self.plain_schedules(at):
            yield tree, end
            after = self.says(end, "（其中各段比例")
            local = self.kind(after, "quoted") if after >= 0 else None
            if local is not None:
                outer, self.bound = self.bound, (*self.bound, local.text)
                bodies = list(self.sequence(after + 1, "改按", ("operand",), "）"))
                self.bound = outer
                for (body,), last in bodies:
                    yield ("call", tree[1], [*tree[2], ("lambda", local.text, body)]), last

    def plain_schedules(self, at: int) -> Found:
        """Without mapped rates."""
        for (s, on), end in self.sequence(at, "按", ("operand",), "对", ("stretch",), "分段计算之和"):
            yield ("call", "bands", [s, on]), end
        for (s, number, on), end in self.sequence(
            at, "按", ("operand",), "第", ("operand",), "段对", ("stretch",), "计算之额"
        ):
            yield ("call", "band", [s, number, on]), end
        for (high, s, target), end in self.sequence(
            at, "不超过", ("operand",), "而按", ("operand",), "分段计算之和达到", ("operand",), "的最小金额"
        ):
            yield ("call", "bands_reach", [s, target, high]), end
        for (low, high, s, again, target), end in self.sequence(
            at, "自", ("operand",), "起至", ("operand",), "止、使按", ("operand",), "自", ("operand",), "起分段计算之和达到",
            ("operand",), "的最小金额",
        ):  # fmt: skip
            if low == again:
                yield ("call", "bands_reach", [s, target, ("range", low, high)]), end
        for (s, x), end in self.sequence(at, "曲线", ("operand",), "在", ("operand",), "处的取值"):
            yield ("call", "along", [s, x]), end
        for (s, x), end in self.sequence(at, ("operand",), "在", ("operand",), "处的取值"):
            yield ("call", "step", [s, x]), end

    def stretch(self, at: int) -> Found:
        """`X` or `自A至B的部分`."""
        yield from self.all("operand", at)
        for (low, high), end in self.sequence(at, "自", ("operand",), "至", ("operand",), "的部分"):
            yield ("range", low, high), end

    # ---- rows ----

    def of_rows(self, at: int) -> Found:
        """Calls over rows."""
        for (whose, where), end in self.all("rows", at):
            for (value,), last in self.sequence(end, "的", ("operand",), "之和"):
                yield ("rows", "sum", value, whose, where, None), last
            if (last := self.says(end, "的个数")) >= 0:
                yield ("rows", "count", None, whose, where, None), last
            for words, name in (
                ("不同取值的个数", "distinct"), ("的个数", "count"), ("的最小值", "min"), ("的最大值", "max"),
            ):  # fmt: skip
                for (value,), last in self.sequence(end, "中", ("operand",), words):
                    yield ("rows", name, value, whose, where, None), last
            for word, name in (("中第一个的", "first"), ("中最后一个的", "last")):
                for (value,), last in self.sequence(end, word, ("operand",)):
                    yield ("rows", name, value, whose, where, None), last
        for (value, (whose, where)), end in self.sequence(at, ("ranked",), "在", ("rows",), "中由大到小的名次"):
            yield ("rows", "rank", value, whose, where, None), end

    def ranked(self, at: int) -> Found:
        """What a rank is of: a name, or anything in brackets."""
        if (token := self.kind(at, "name")) is not None:
            yield ("name", token.ref, token.text), at + 1
        for (inner,), end in self.sequence(at, "（", ("value",), "）"):
            yield inner, end

    def rows(self, at: int) -> Found:
        """Which rows, and which of them."""
        for whose, end in self.whose(at):
            yield (whose, None), end
            for (c,), last in self.sequence(end, "（限", ("condition",), "者）"):
                yield (whose, c), last

    def whose(self, at: int) -> Found:
        """What stands before the fields of the rows."""
        if (end := self.says(at, "此前各行")) >= 0:
            yield "above", end
        if (end := self.says(at, "本组各次就诊")) >= 0:
            yield "episodes", end
        for word in ("各", "本组各", "本组所辖各"):
            end = self.says(at, word)
            if end >= 0 and (token := self.kind(end, "name")) is not None and token.ref.startswith(("list-", "group-")):
                yield plain(token.ref), end + 1
        token = self.kind(at, "name")
        if token is not None and token.ref.startswith("window-"):
            name = plain(token.ref).rpartition(".")[2]
            for word in ("此前各次就诊", "此前各组"):
                end = self.says(at + 1, word)
                if end < 0:
                    continue
                yield name, end
                last = self.says(end, "的各")
                if last >= 0 and (inner := self.kind(last, "name")) is not None and inner.ref.startswith("list-"):
                    yield f"{name}.{plain(inner.ref)}", last + 1

    # ---- conditions ----

    def condition(self, at: int) -> Found:
        """Conditions joined by `且` or by `或`, all of them or none."""
        for first, end in self.all("one", at):
            joined = False
            for word, name in (("，且", "and"), ("，或", "or")):
                for items, last in self.items(end, word):
                    if items:
                        joined = True
                        yield (name, [first, *items]), last
            if not joined:
                yield first, end

    def items(self, at: int, word: str) -> Found:
        """What follows the first condition, as far as it goes."""
        went = False
        for (item,), end in self.sequence(at, word, ("one",)):
            went = True
            for more, last in self.items(end, word):
                yield (item, *more), last
        if not went:
            yield (), at

    def one(self, at: int) -> Found:
        """One condition."""
        for word, name in (("下列各项均成立", "and"), ("下列至少一项成立", "or")):
            if (end := self.says(at, word)) >= 0:
                yield (name, self.all_points("condition")), end
        if (end := self.says(at, "并非如下")) >= 0:
            yield ("not", self.point(0, "condition")), end
        for whose, end in self.whose(at):
            for word, name in (("中至少有一个满足（此项）", "any"), ("中每一个都满足（此项）", "all")):
                if (last := self.says(end, f"{word}，具体如下")) >= 0:
                    yield ("rows", name, ("told", self.all_points("of_each")), whose, None, None), last
        for (c,), end in self.sequence(at, "并非（", ("condition",), "）"):
            yield ("not", c), end
        for (c,), end in self.sequence(at, "（", ("condition",), "）"):
            yield c, end
        for (rows, c), end in self.sequence(at, ("rows",), "中至少有一个满足（", ("condition",), "）"):
            yield ("rows", "any", c, rows[0], rows[1], None), end
        for (rows, c), end in self.sequence(at, ("rows",), "中每一个都满足（", ("condition",), "）"):
            yield ("rows", "all", c, rows[0], rows[1], None), end
        yield from self.listed_in(at)
        for left, end in self.all("value", at):
            yield from self.said_of(left, end)

    def listed_in(self, at: int) -> Found:
        """`表列有K`, `表（按D）未列有（K、K）`."""
        token = self.kind(at, "name")
        if token is None or not token.ref.startswith("table-"):
            return
        places: list[tuple[Tree | None, int]] = [(None, at + 1)]
        places += [(moment, end) for (moment,), end in self.sequence(at + 1, "（按", ("value",), "）")]
        for moment, place in places:
            for word, denied in (("列有", False), ("未列有", True)):
                after = self.says(place, word)
                if after < 0:
                    continue
                keyed: list[tuple[Any, int]] = [([key], end) for key, end in self.all("value", after)]
                keyed += self.bracketed_keys(after)
                for keys, end in keyed:
                    found = ("listed", keys, token.ref, moment)
                    yield (("not", found) if denied else found), end

    def said_of(self, left: Tree, at: int) -> Found:
        """What is said of a value."""
        for word, tree in (("已知", ("known", left)), ("缺失", ("missing", left))):
            if (end := self.says(at, word)) >= 0:
                yield tree, end
        flag = self.kind(self.says(at, "为"), "quoted") if self.says(at, "为") >= 0 else None
        if flag is not None and flag.text in ("是", "否") and flag.text not in self.lexicon.values:
            yield (left if flag.text == "是" else ("not", left)), self.says(at, "为") + 1
        for (low, high), end in self.sequence(at, "在", ("value",), "至", ("value",), "之间（含两端）"):
            yield ("between", left, low, high), end
        for word, denied in (("为（", False), ("不是（", True)):
            after = self.says(at, word)
            for first, end in self.all("operand", after) if after >= 0 else ():
                for more, last in self.more_keys(end):
                    if (close := self.says(last, "）之一")) >= 0:
                        found: Tree = ("in", left, [first, *more])
                        yield (("not", found) if denied else found), close
        for words, denied in (("有相同编码", False), ("没有相同编码", True)):
            for (other,), end in self.sequence(at, "与", ("value",), words):
                met: Tree = ("compare", "meets", left, other)
                yield (("not", met) if denied else met), end
        for word, operator in RELATIONS.items():
            for (right,), end in self.sequence(at, word, ("value",)):
                if word == "为" and right in (("constant", "yes"), ("constant", "no")):
                    continue
                compared: Tree = ("compare", operator.removeprefix("not "), left, right)
                yield (("not", compared) if operator.startswith("not ") else compared), end
