"""What editors say about each key of a rulebook, and the words that they offer for its value."""

from __future__ import annotations

from typing import Final

from rxcalc.rulebook.keys import Schema

Words = dict[str, str]

TYPES: Final = (
    *("money", "percent", "number", "count", "date", "days", "months", "years", "flag", "code", "codes", "text"),
    "money per day",
)
_SCHEDULES: Final = "^ *(bands|cliff|curve) +of +[a-z ]+ +over +[a-z ]+$"

# On most things of a rulebook.
_META: Final[Words] = {
    "label": "What readers see instead of the name: one text, or one for each language, such as {en: Fund, zh: 基金支付}.",
    "note": "A remark for readers, shown by the full explanation.",
    "cite": "Where it stands: a name under `sources`, # and the place, such as regs#article 12; a list of several.",
    "status": "The evidence behind it: `sourced` stands in the cited source, `illustrative` is made up for a realistic example, `fictional` comes from a fiction.",
    "names": "Its names in other systems, such as {nhsa: psn_no}.",
}
_TYPE: Final[Words] = {
    "type": "What it holds, such as money, percent, count, date, flag, code or `money per day`; a parameter may also be a schedule such as `bands of percent over money`.",
    "one_of": "A closed set of values: a list, a map of values to {aliases: [..], label: ..}, or the name of a set under `sets`.",
    "ordered": "`yes`: the values of `one_of` stand lowest first and can be compared.",
}
_PART: Final[Words] = {
    "is": "The amount, as an expression; `rest` for what the other parts leave. Each part is rounded to the minor unit.",
    "reason": "The reason code, in the rulebook's own words.",
    "x12": "The code of other systems: a group (PR, CO, OA, PI, CR), a hyphen and a reason code, such as PR-1.",
    "may_be_negative": "`yes`: a negative amount is no error.",
}
_SECTIONS: Final[Words] = {
    "title": "What the rulebook is called: one text, or one for each language.",
    "currency": "The currency's ISO code such as CNY, or {code: TWD, decimals: 0} where amounts have other decimals.",
    "rounding": "How an amount is rounded to the minor unit, once at the end of each step: ties away from zero (half-up), to even, toward zero (half-down); or always up, or down.",
    "sources": "The documents that `cite` names.",
    "sets": "Sets of values that several fields share.",
    "inputs": "The fields of one episode (a settled bill). `episode_id` is required.",
    "requires": "Conditions on the inputs; an episode that breaks one is refused, with its figures.",
    "sequence": "Takes the episodes of one person (or family) one after the other, for `windows`.",
    "windows": "Which earlier episodes of the sequence count: of the year, of the last 12 months, of the same spell ..",
    "parameters": "Values of the regulation, by the date from which they hold.",
    "tables": "CSV files of the rulebook's folder, looked up by their keys.",
    "steps": "What is computed, each from inputs, values and other steps; their order in the file means nothing.",
    "shares": "Who bears each yuan: amounts divided among fund, patient, hospital, government and other. The first is the bill.",
    "guarantees": "What must hold for every episode, whatever its inputs.",
    "outputs": "The steps, totals (fund_pays) and parts (patient.own) that a batch writes.",
    "messages": "Texts for `because`, by name.",
    "lines": "The items of a bill: their inputs and steps.",
    "lists": "Further lists of a bill, each under its own name.",
    "groups": "Rows that agree in their keys: lines of a day, stays of a hospital in a year.",
    "spread": "Amounts divided among rows by weight, adding up to the fen.",
    "checks": "What is to be looked at on a bill; a finding changes no amount.",
    "sample": "How made-up data of `rxcalc sample` looks; never part of the meaning.",
    "status": "The evidence behind every value that says nothing of its own: sourced, illustrative or fictional.",
}
_LEVEL: Final[Words] = {
    "inputs": "The fields of a row.",
    "requires": "Conditions of each row; one that breaks them is refused.",
    "steps": "What is computed for each row.",
    "checks": "What is to be looked at on each row.",
    "guarantees": "What must hold for each row.",
}
_RULEBOOK: Final[Words] = {
    **_META,
    **_SECTIONS,
    "rxcalc": "The version of the language: 1.",
    "rulebook": "The rulebook's name: small letters, digits, - and _.",
    "version": 'The rulebook\'s own version, in quotes, such as "2025.1".',
    "effective": "The dates that it covers, and the date of an episode that decides.",
    "extends": "The rulebook that this one is laid over: a path such as ../base, or a shipped name.",
    "changes": "Sections with what replaces things of the base, each as a whole.",
    "adds": "Sections with what the base does not have.",
    "removes": "Paths of what is left out of the base, such as [steps.old_step, parameters.p].",
}

# By what the schema calls the thing (`x-expected`) that has the keys.
DESCRIPTIONS: Final[dict[str, Words]] = {
    "a rulebook": _RULEBOOK,
    "an overlay": _RULEBOOK,
    "sections with what replaces the base's": _RULEBOOK,
    "sections with what is new": _RULEBOOK,
    "{from: .., to: .., by: ..}": {
        "from": "The first day on which it holds, such as 2025-01-01.",
        "to": "The last day; left out while it is open.",
        "by": "The date input that decides, such as discharge_date.",
        "announced": "When and how it was made known; a text.",
    },
    "a currency such as CNY, or {code: TWD, decimals: 0}": {
        "code": "The ISO code, such as TWD.",
        "decimals": "How many decimals amounts have, 0 to 6.",
    },
    "a source": {
        **_META,
        "title": "What the document is called.",
        "date": "Its date.",
        "url": "Its address.",
    },
    "an input": {
        **_META,
        **_TYPE,
        "optional": "`yes`: may be missing; a rule must then test it before it is used.",
        "default": "What an empty field counts as. It is never missing then.",
        "min": "The least value; anything below is refused.",
        "max": "The largest value; anything above is refused.",
        "decimals": "How many digits after the point are accepted.",
        "time": "`drop`: a time of day behind the date is ignored instead of refused.",
        "aliases": "Other headers of the column, such as [总费用].",
    },
    "a condition, or {that: .., say: ..}": {
        **_META,
        "that": "The condition that must hold, such as in_scope <= total.",
        "say": "What a refusal says.",
    },
    "{by: .., order: [..]}": {
        "by": "The key of a sequence: person_id, family_id.",
        "order": "Inputs by which the rows are taken, always given, ending in episode_id, such as [discharge_date, episode_id].",
        "reverses": "The optional code input that names the episode which this one cancels.",
    },
    "a window": {
        **_META,
        "calendar": "Earlier episodes of the same civil year, quarter or month; needs `date`.",
        "date": "The date input by which episodes lie inside.",
        "starting": "The day on which the year starts, such as 07-01, or a date input that says it.",
        "same": "Inputs with the same value, such as [person_id]; may stand beside any other kind.",
        "all": "`yes`: all earlier episodes.",
        "rolling": "The length before this episode: 12 months, 60 days, 1 years; or a number of the calendar units in `unit`.",
        "unit": "The calendar unit that `rolling` counts: month, quarter or year.",
        "gap": "A spell: a new one starts this long after the last, such as 60 days; needs `from` and `to`.",
        "from": "The date of the earlier episode from which the gap is counted, such as discharge_date.",
        "to": "The date of the later episode up to which the gap is counted, such as admission_date.",
        "period": "A period of this length that the first episode starts, such as 12 months; needs `date`.",
    },
    "a parameter": {
        **_META,
        **_TYPE,
        "by": "The keys: sets, or inputs or steps that hold values of a set, such as [level].",
        "values": "Start dates with the value that holds from then on, {2025-01-01: 80%}; with `by`, a map with an entry for every value of the set. `none`: no such value.",
        "ends": "The last day on which the latest value holds.",
        "outside": "`hold`: outside its points a curve keeps its end values instead of refusing.",
    },
    "a table": {
        **_META,
        "file": "The CSV file, in UTF-8, from the rulebook's folder: tables/drg.csv.",
        "key": "The key columns. The last one may be a range, {up_to: income} or {below: income}.",
        "from": "The column with the date from which a row holds.",
        "to": "The column with the last date on which a row holds.",
        "columns": "The columns with values, each with its type: {price: money}.",
    },
    "a column, {up_to: column} or {below: column}": {
        "up_to": "The column with limits: the row with the smallest one that is at least the value; an empty one is open.",
        "below": "The column with limits: the row with the smallest one above the value; an empty one is open.",
    },
    "a type, or {type: .., optional: yes}": {
        **_META,
        **_TYPE,
        "optional": "`yes`: cells may be blank, and are missing then.",
        "decimals": "How many digits after the point are accepted.",
    },
    "a step": {
        **_META,
        **_TYPE,
        "rule": "An expression such as min(total, deductible); or a `|` block of clauses, `when .. then ..  because ..`, of which the first that holds decides.",
        "table": "A decision table instead of a rule.",
        "optional": "`yes`: the value may be missing (`otherwise missing`).",
        "round": "How the value is rounded: `none`, an amount such as 0.05, or {to: 0.05, mode: up}. Money is rounded to the minor unit unless this says otherwise.",
    },
    "a decision table": {
        "hit": "`unique`: no two rows may hold together (the default); `first`: the first that holds decides.",
        "of": "The expressions that the columns of cells are about, such as [level, referred, stay].",
        "rows": "The rows: {when: [..one cell for each..], then: ..}, the last one {otherwise: ..}.",
    },
    "a row {when: [..], then: ..} or {otherwise: ..}": {
        "when": 'One cell for each expression of `of`: a value, a list of values, any, or a quoted condition such as "> 3 days".',
        "then": "The value where the row holds, or reject.",
        "otherwise": "The value where no row above holds, or reject.",
        "because": "What an explanation says of this row: a text, or a name under `messages`.",
    },
    "none, an amount, or {to: .., mode: .., parts: ..}": {
        "to": "The multiple to round to, such as 0.05.",
        "mode": "How, where it is not as the rulebook's `rounding`.",
        "parts": "`yes`: each band's part of bands(..) is rounded before they are added.",
    },
    "a partition of an amount": {
        **_META,
        "of": "The amount that is divided, such as total.",
        "fund": "What the fund bears.",
        "patient": "What the patient bears.",
        "hospital": "What the hospital bears.",
        "government": "What the government bears.",
        "other": "What anybody else bears.",
    },
    "an amount, rest, or parts with their amounts": {**_META, **_PART},
    "an amount, rest, or {is: .., reason: ..}": {**_META, **_PART},
    "a condition, or {increasing: ..} or {within: ..}": {
        **_META,
        "that": "The condition that must hold, such as fund_pays <= total.",
        "say": "What is said where it does not hold.",
        "increasing": "{what: x, in: input}: x never falls when the input grows.",
        "within": "{what: x, in: input}: x never moves by more than the input.",
    },
    "{what: .., in: ..}": {
        "what": "The result that is looked at.",
        "in": "The input that is changed.",
    },
    "a list of the bill: its inputs and steps": {
        **_META,
        **_LEVEL,
        "order": "Inputs by which the rows are taken, together unique in a bill, such as [line_no].",
        "required": "`yes`: a bill without rows is refused.",
    },
    "a check {when: .., say: ..}": {
        **_META,
        "name": "What examples and files call it.",
        "when": "The condition under which there is something to say.",
        "say": "What to say.",
        "severity": "`info`, `warn` (unless said) or `error`.",
        "amount": "The amount concerned.",
    },
    "a kind of groups {of: .., by: {..}}": {
        **_META,
        **_LEVEL,
        "of": "What the members are: episodes, a list, or another kind of groups.",
        "by": "The keys, each with an expression over the member: {hospital: hospital, year: year(discharge_date)}.",
        "inputs": "What a file gives for each group.",
        "sequence": "Takes the groups one after the other, for `windows`.",
        "windows": "Which earlier groups of the kind count.",
        "effective": "The date of the group, made of its keys and inputs, such as last_day(year).",
        "spread": "Amounts of the group divided among its members.",
        "shares": "Amounts of the group divided among bearers.",
    },
    "a spread {what: .., over: .., by: ..}": {
        **_META,
        "what": "The amount, in whole minor units.",
        "over": "The rows that receive it: a list, episodes, or a kind of groups.",
        "by": "The weight of each row.",
    },
    "{aliases: [..], label: ..}": {
        "aliases": "Other spellings of the value in files, such as [三级].",
        "label": _META["label"],
        "note": _META["note"],
    },
}
DESCRIPTIONS["a list of key columns"] = DESCRIPTIONS["a column, {up_to: column} or {below: column}"]


def described(schema: Schema) -> Schema:
    """The schema with a sentence for each key, and the types offered; it accepts the same files."""
    found = _described(schema)
    return found if isinstance(found, dict) else schema


def _described(schema: object) -> object:
    if isinstance(schema, list):
        return [_described(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy: Schema = {key: _described(value) for key, value in schema.items()}
    properties = copy.get("properties")
    if isinstance(properties, dict):
        words = DESCRIPTIONS.get(str(schema.get("x-expected")), {})
        for key, of in properties.items():
            if isinstance(of, dict) and key in words:
                properties[key] = {**of, "description": words[key]}
        if "one_of" in properties and isinstance(properties.get("type"), dict):
            properties["type"] |= {"anyOf": [{"enum": list(TYPES)}, {"type": "string", "pattern": _SCHEDULES}]}
    return copy
