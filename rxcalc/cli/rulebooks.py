"""`rxcalc rulebooks`."""

from __future__ import annotations

import json

import click

from rxcalc.cli import options
from rxcalc.cli.show import diagnostics
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find


@click.command("rulebooks")
@options.form("text", "json")
@options.lang()
def command(form: str, lang: str | None) -> int:
    """List the rulebooks that come with rxcalc: title, dates, and how much of their values is sourced.

    \b
    Example:
      rxcalc rulebooks
    """
    from tabulate import tabulate

    from rxcalc.driver.cached import plan_for
    from rxcalc.plan.nodes import weakest_evidence
    from rxcalc.report.phrases import word
    from rxcalc.report.wording import in_language

    language = options.language(lang)
    rows: list[dict[str, object]] = []
    for found in find.shipped():
        sink = Sink()
        plan = plan_for(found, sink)
        if plan is None:
            diagnostics(sink, only_errors=True)
            continue
        evidence = dict(plan.evidence)
        total = sum(evidence.values())
        rows.append(
            {
                "name": plan.rulebook,
                "version": plan.version,
                "title": in_language(plan.title, language),
                "from": str(plan.effective_from),
                "to": str(plan.effective_to) if plan.effective_to else None,
                "status": weakest_evidence(plan),
                "sourced": evidence.get("sourced", 0),
                "values": total,
                "evidence": evidence,
            }
        )
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    shown = [
        [
            r["name"],
            r["version"],
            r["title"],
            f"{r['from']} {r['to'] or '..'}",
            word(str(r["status"]), language),
            f"{r['sourced']}/{r['values']}",
        ]
        for r in rows
    ]
    head = ["name", "version", "title", "effective", "status", "sourced"]
    if language == "zh":
        head = ["名称", "版本", "标题", "有效期", "依据", "有来源"]
    widths = [None, None, 16, 12, None, None]
    click.echo(tabulate(shown, head, tablefmt="simple", disable_numparse=True, maxcolwidths=widths))
    return 0
