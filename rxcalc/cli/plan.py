"""`rxcalc plan`."""

from __future__ import annotations

import click

from rxcalc.cli import options
from rxcalc.cli.load import plan_of
from rxcalc.cli.show import result


@click.command("plan")
@click.argument("rulebook", shell_complete=options.complete_rulebook)
@options.form("text", "json", "dot")
@options.output()
def command(rulebook: str, form: str, output: str | None) -> int:
    """Show the compiled plan: steps in order with range, scale, rounding and width, and where each one runs.

    \b
    Example:
      rxcalc plan qin
      rxcalc plan qin --format dot | dot -Tsvg > qin.svg
    """
    from rxcalc.plan.dump import dump_dot, dump_json, dump_text
    from rxcalc.plan.layout import lay_out

    plan = plan_of(rulebook)
    render = {"text": dump_text, "json": dump_json, "dot": dump_dot}[form]
    result(render(plan, lay_out(plan)), output)
    return 0
