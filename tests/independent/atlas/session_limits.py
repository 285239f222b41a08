"""Rolling limits of therapy sessions worked out a second time: one covered session after another, each with its day.

Every session is looked at by itself: it is covered if fewer than the limit were covered in the twelve months that end
with its visit. It shares no code with rxcalc; money is counted in cents. `EXAMPLES` holds the bills of the examples,
`expected()` what each of them comes to.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

LIMITS = {"physio": 10, "speech": 4, "psycho": None}
MOST_A_SESSION = {"physio": 60_00, "speech": 75_50, "psycho": 120_00}

Entry = dict[str, Any]


def line(number: int, treatment: str, sessions: int, fee: str) -> dict[str, str]:
    """Sessions of one therapy."""
    return {"line_no": str(number), "treatment": treatment, "sessions": str(sessions), "fee": fee}


def visit(number: str, day: str, *lines: dict[str, str], person: str = "P1") -> Entry:
    """One bill."""
    return {"episode": {"episode_id": number, "person_id": person, "visit_date": day}, "lines": list(lines)}


def physio(number: str, day: str, sessions: int, person: str = "P1") -> Entry:
    """A bill for physiotherapy at 50.00 a session."""
    return visit(number, day, line(1, "physio", sessions, "50.00"), person=person)


EXAMPLES: dict[str, Entry] = {
    "three sessions": visit("A1", "2024-03-04", line(1, "physio", 3, "55.00")),
    "a cent below the most for a session": visit("A2", "2024-03-04", line(1, "speech", 1, "75.49")),
    "the most for a session": visit("A3", "2024-03-04", line(1, "speech", 1, "75.50")),
    "a cent above the most for a session": visit("A4", "2024-03-04", line(1, "speech", 3, "75.51")),
    "the whole limit": physio("A5", "2024-03-04", 10),
    "one session too many": physio("A6", "2024-03-04", 11),
    "a therapy without limit": visit("A7", "2024-03-04", line(1, "psycho", 40, "130.00")),
    "one therapy on two lines": visit(
        "A8", "2024-03-04", line(2, "physio", 6, "40.00"), line(1, "physio", 6, "50.00"), line(3, "physio", 1, "50.00")
    ),
    "each therapy has its own limit": visit(
        "A9", "2024-03-04", line(1, "physio", 10, "50.00"), line(2, "speech", 5, "50.00"), line(3, "psycho", 2, "50.00")
    ),
    "a bill without lines": visit("A10", "2024-03-04"),
    "no sessions": visit("A11", "2024-03-04", line(1, "physio", 0, "50.00")),
    "twelve months later to the day": {
        "episodes": [physio("B1", "2023-06-30", 8), physio("B2", "2024-06-29", 5), physio("B3", "2024-06-30", 9)]
    },
    "sessions that were refused do not count": {
        "episodes": [
            physio("C1", "2024-01-10", 9),
            physio("C2", "2024-02-10", 5),
            physio("C3", "2024-12-31", 3),
            physio("C4", "2025-01-10", 12),
        ]
    },
    "around the 29th of February": {
        "episodes": [
            physio("D1", "2023-02-28", 3),
            physio("D2", "2023-03-01", 2),
            physio("D3", "2024-02-28", 4),
            physio("D4", "2024-02-29", 6),
            physio("D5", "2025-02-28", 10),
            physio("D6", "2025-03-01", 10),
        ]
    },
    "two bills on one day": {"episodes": [physio("E2", "2024-05-05", 6), physio("E1", "2024-05-05", 7)]},
    "two persons": {
        "episodes": [
            physio("F1", "2024-05-05", 10),
            physio("F2", "2024-05-06", 10, "P2"),
            physio("F3", "2024-05-07", 1),
        ]
    },
    "another therapy before, in and after it": {
        "episodes": [
            visit("G1", "2024-01-05", line(1, "speech", 3, "70.00"), line(2, "physio", 4, "50.00")),
            visit("G2", "2024-06-05", line(1, "physio", 7, "50.00"), line(2, "speech", 2, "80.00")),
        ]
    },
    "earlier bills in the file": {
        "earlier": [physio("H0", "2023-03-04", 10), physio("H1", "2023-09-04", 7)],
        **physio("H2", "2024-03-04", 5),
    },
}


def in_reach(day: date, now: date) -> bool:
    """Whether the day is later than the one twelve months before `now`."""
    year = now.year - 1
    return date(year, now.month, min(now.day, monthrange(year, now.month)[1])) < day <= now


def written(amount: int) -> str:
    """1230 as `12.30`."""
    return f"{amount // 100}.{amount % 100:02d}"


def settle(entry: Entry, covered_days: list[tuple[str, date]]) -> dict[str, str]:
    """What one bill comes to; each covered session is noted with its therapy and day."""
    if any(item["sessions"] == "0" for item in entry["lines"]):
        return {"rejects": "RX703"}
    now = date.fromisoformat(entry["episode"]["visit_date"])
    bill = plan = refused = 0
    by_line: dict[str, str] = {}
    for item in sorted(entry["lines"], key=lambda i: int(i["line_no"])):
        therapy, sessions, fee = item["treatment"], int(item["sessions"]), int(item["fee"].replace(".", ""))
        limit = LIMITS[therapy]
        before = sum(1 for kind, day in covered_days if kind == therapy and in_reach(day, now))
        covered = 0
        for _ in range(sessions):
            if limit is None or before + covered < limit:
                covered += 1
        covered_days += [(therapy, now)] * covered
        pays = (min(fee, MOST_A_SESSION[therapy]) * covered * 8 + 5) // 10
        bill, plan, refused = bill + fee * sessions, plan + pays, refused + sessions - covered
        by_line[f"lines.{item['line_no']}.used"] = str(before)
        by_line[f"lines.{item['line_no']}.covered"] = str(covered)
        by_line[f"lines.{item['line_no']}.pays"] = written(pays)
    return {
        "bill": written(bill),
        "sessions_refused": str(refused),
        "plan_pays": written(plan),
        "all_covered": "yes" if refused == 0 else "no",
        "patient_pays": written(bill - plan),
        **by_line,
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every bill of one example by its number, taken in the order of day and number."""
    listed = [*entry.get("earlier", []), *entry.get("episodes", [])]
    if "episode" in entry:
        listed.append(entry)
    people: dict[str, list[tuple[str, date]]] = {}
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["visit_date"], i["episode"]["episode_id"])):
        covered_days = people.setdefault(item["episode"]["person_id"], [])
        results[item["episode"]["episode_id"]] = settle(item, covered_days)
    return results


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several bills."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results = run(entry)
        if "episode" in entry:
            found[name] = results[entry["episode"]["episode_id"]]
        else:
            for at, item in enumerate(entry["episodes"], 1):
                found[f"{name}#{at}"] = results[item["episode"]["episode_id"]]
    return found
