"""Mistakes about whole files: what makes an input or an output unusable (exit code 2)."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from rxcalc.inputs.shown import quoted


@dataclass(frozen=True, slots=True)
class UsageProblem:
    """Why a batch cannot run. One message, and what to do about it."""

    message: str
    help: tuple[str, ...] = ()


def cannot_read(path: str, why: str) -> UsageProblem:
    """The input cannot be opened or read."""
    return UsageProblem(f"cannot read {quoted(path, 200)}: {why}", ("give one local file that you may read",))


def empty_file(path: str) -> UsageProblem:
    """The input has no header."""
    return UsageProblem(f"{quoted(path, 200)} is empty: it has no header", ("the first line must name the columns",))


def not_text(path: str, what: str) -> UsageProblem:
    """The input is no table as text."""
    return UsageProblem(f"{quoted(path, 200)} is {what}, not a table as text", ("export the table as CSV in UTF-8",))


def record_too_long(path: str, offset: int, limit: int) -> UsageProblem:
    """A line or quoted cell passes the limit of the reader."""
    return UsageProblem(
        f"at offset {offset:,} of {quoted(path, 200)} a record starts that is longer than {limit >> 20} MiB",
        ("check that the file is a table with line ends",),
    )


def changed_file(path: str) -> UsageProblem:
    """The input was written to between two passes."""
    return UsageProblem(f"{quoted(path, 200)} changed while it was read", ("run again when nothing writes to it",))


def bad_header(path: str, why: str, help_: str) -> UsageProblem:
    """The header cannot be split or decoded."""
    return UsageProblem(f"the header of {quoted(path, 200)} {why}", (help_,))


def no_encoding(path: str, why: str, help_: str) -> UsageProblem:
    """A text file's bytes cannot be read as text."""
    return UsageProblem(f"{quoted(path, 200)} {why}", (help_,))


def damaged(path: str, packing: str, at: int, why: str) -> UsageProblem:
    """A compressed file cannot be unpacked."""
    return UsageProblem(
        f"{quoted(path, 200)} is damaged: after byte {at:,} it is no valid {packing} file ({why})",
        ("get the file again from where it came; nothing was computed",),
    )


def cut_short(path: str, packing: str, size: int) -> UsageProblem:
    """A compressed file ends too early."""
    return UsageProblem(
        f"{quoted(path, 200)} is cut short: it ends after {size:,} bytes, before its {packing} data does",
        ("get the file again from where it came; nothing was computed",),
    )


def unpacks_too_far(path: str, size: int, made: int, limit: int, ratio: int) -> UsageProblem:
    """A compressed file grows beyond what any table would."""
    what = f"more than {limit >> 30} GiB" if made > limit else f"more than {ratio:,} times its size"
    return UsageProblem(
        f"{quoted(path, 200)} unpacks to {what}: {made:,} bytes so far, from {size:,}",
        ("if it is meant to, unpack it yourself and give the plain file",),
    )


def cannot_write(path: str, why: str) -> UsageProblem:
    """The output cannot be made."""
    return UsageProblem(f"cannot write {quoted(path, 200)}: {why}")


def same_file(path: str, what: str) -> UsageProblem:
    """Two of the files of one run are the same."""
    return UsageProblem(
        f"{quoted(path, 200)} is also {what}; every file of a run must be another", ("name another output",)
    )


def missing_columns(
    path: str, missing: tuple[str, ...], near: tuple[tuple[str, str], ...], names: tuple[str, ...] = ()
) -> UsageProblem:
    """Required inputs have no column; `names` are those of the header."""
    hints = tuple(
        f"is the column {quoted(column)} meant for {name}? name it so, or map it with --columns"
        for column, name in near
    )
    header = ", ".join(quoted(name, 30) for name in names[:6]) + (", .." if len(names) > 6 else "")
    return UsageProblem(
        f"{quoted(path, 200)} has no column for the required {', '.join(missing)}; its header is {header or 'empty'}",
        hints or ("name the columns as in the rulebook's inputs, or map them with --columns",),
    )


def ambiguous_columns(name: str, columns: tuple[str, ...]) -> UsageProblem:
    """Several columns could be one input."""
    shown = ", ".join(quoted(column) for column in columns)
    return UsageProblem(
        f"several columns could be the input {name}: {shown}", ("say with --columns which one is meant",)
    )


def repeated_columns(columns: tuple[str, ...]) -> UsageProblem:
    """A header names a column twice."""
    shown = ", ".join(quoted(column) for column in columns)
    return UsageProblem(f"the header holds a name more than once: {shown}", ("rename or remove the repeated columns",))


def unmapped_column(column: str, names: tuple[str, ...]) -> UsageProblem:
    """`--columns` names a column or an input that does not exist; `names` are those there are."""
    known = ", ".join(quoted(name, 30) for name in names[:12]) + (", .." if len(names) > 12 else "")
    return UsageProblem(
        f"--columns names {quoted(column)}, which does not exist; there are {known or 'none'}",
        ("write `input: column`, both as they are called",),
    )


def clashing_columns(columns: tuple[str, ...]) -> UsageProblem:
    """A result would bear the name of an input column."""
    shown = ", ".join(quoted(column) for column in columns)
    return UsageProblem(
        f"the input already has a column that a result would be called: {shown}",
        ("rename that column, or leave it out with --select",),
    )


def unknown_list(name: str, known: tuple[str, ...]) -> UsageProblem:
    """A file is given for a list that the rulebook does not have."""
    told = f"its lists are {', '.join(known)}" if known else "it has no lists at all"
    return UsageProblem(
        f"the rulebook has no list {quoted(name)}; {told}", ("leave that file out, or correct the name",)
    )


def required_list(name: str) -> UsageProblem:
    """A list without which no episode is complete has no file."""
    option = "--lines FILE" if name == "lines" else f"--list {name}=FILE"
    return UsageProblem(
        f"every episode needs rows of {quoted(name)}, but no file is given", (f"give it with {option}",)
    )


def earlier_lacks(path: str, names: tuple[str, ...]) -> UsageProblem:
    """A file of earlier results does not hold what windows or groups read of earlier episodes."""
    shown = ", ".join(names)
    return UsageProblem(
        f"{quoted(path, 200)} lacks {shown}, which the rulebook reads of earlier episodes",
        ("give results that hold the inputs too, as `rxcalc batch` writes them without --select",),
    )


def unreadable_row(path: str, line: int, message: str) -> UsageProblem:
    """A row of a file that must be read whole cannot be read."""
    return UsageProblem(f"line {line} of {quoted(path, 200)}: {message}", ("mend the file; nothing was computed",))


def twice_given(name: str, first: str, second: str) -> UsageProblem:
    """An episode stands in two of the files of one run."""
    return UsageProblem(
        f"the episode {quoted(name)} stands on {first} and on {second}", ("give each episode in one file only",)
    )


def no_sequence(option: str) -> UsageProblem:
    """Earlier results or openings for a rulebook that looks at no earlier episode."""
    return UsageProblem(f"{option} is given, but the rulebook looks at no earlier episode", (f"leave {option} out",))


def earlier_without_lines(what: str) -> UsageProblem:
    """Earlier results hold no lines, but the rulebook reads those of earlier episodes."""
    return UsageProblem(
        f"{what} of earlier episodes, which results do not hold",
        ("give the earlier episodes and their lines in the input files, without --earlier",),
    )


def unknown_column(path: str, name: str, known: tuple[str, ...]) -> UsageProblem:
    """A column of a file whose columns all mean something."""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {quoted(near[0])}?" if near else f"its columns are {', '.join(known)}"
    return UsageProblem(f"{quoted(path, 200)} has a column {quoted(name)} that means nothing here", (hint,))


def given_twice(path: str, line: int, what: str) -> UsageProblem:
    """Two rows of a file say the same thing."""
    return UsageProblem(f"line {line} of {quoted(path, 200)} gives {what} a second time", ("keep one of the rows",))


def no_groups(option: str) -> UsageProblem:
    """A folder of groups for a rulebook that has none."""
    return UsageProblem(f"{option} is given, but the rulebook has no groups across bills", (f"leave {option} out",))


def no_folder(path: str) -> UsageProblem:
    """A folder that is to be read is none."""
    return UsageProblem(f"{quoted(path, 200)} is no folder", ("name the folder that holds one file a group kind",))


def no_such_group(path: str, near: str) -> UsageProblem:
    """A file of group inputs whose name is almost that of a group."""
    return UsageProblem(f"{quoted(path, 200)} is no group of the rulebook", (f"did you mean {quoted(near)}?",))


def group_twice(path: str, line: int, first: int, key: str) -> UsageProblem:
    """Two rows of group inputs are about one group."""
    code = "RX817"
    return UsageProblem(
        f"{code}: lines {first} and {line} of {quoted(path, 200)} are both about {key}", ("keep one of them",)
    )


def other_run(path: str) -> UsageProblem:
    """Another process writes the same results."""
    return UsageProblem(
        f"another run is writing these results: it holds {quoted(path, 200)}",
        ("wait for its end, or name another output",),
    )


def resumes_other(differing: tuple[str, ...]) -> UsageProblem:
    """`--resume` of a run that is not the one that was interrupted."""
    return UsageProblem(
        f"--resume: the interrupted run was another one: {', '.join(differing)} differ",
        ("give the command that was interrupted, with --resume; or leave --resume out to start anew",),
    )


def too_much_memory(needed: int, given: int) -> UsageProblem:
    """Rows that must be computed together do not fit into memory."""
    return UsageProblem(
        f"these rows must be computed all at once, since groups go across bills: that needs some {needed / 10**9:.1f} GB "
        f"of memory, more than --memory {given / 10**9:.1f}GB",
        (f"allow it, if the machine has it: --memory {needed * 11 // 10**10 + 1}GB; or run fewer bills at a time",),
    )


def same_kind(path: str, other: str) -> UsageProblem:
    """Two files of one folder are about the same kind of groups."""
    return UsageProblem(f"{quoted(path, 200)} and {quoted(other)} are about the same groups", ("keep one of them",))
