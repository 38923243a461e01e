"""Whether what is proposed can be brought to its place, by which way, and what must give way for that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from designs import cases
from row import Row
from SpinalStrutDesignerLib.build.build import build
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.propose.insertion import insertion_findings, plan_with_ways
from SpinalStrutDesignerLib.propose.propose import propose_plan


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """For each case's nominal implant and variants: whether there is a way, and what verification says of it."""
    for given in cases(data):
        case = read_case(given.ct, given.labels, given.roles)
        plan = propose_plan(case, given.upper, given.lower, given.preset)
        design = build(case, plan)
        start = time.monotonic()
        ways = plan_with_ways(plan, design)
        yield Row(given.name, "all implants' ways are sought in", time.monotonic() - start, "s")
        for search in ways.searches:
            held = "" if search.way is not None else f": held by {', '.join(search.held_by)}"
            yield Row(given.name, f"{search.name} has a way in{held}", float(search.way is not None), "", least=1.0)
        for finding in insertion_findings(ways, design):
            if isinstance(finding.value, float):
                # A verdict that forbids manufacture does not hold.
                least = None if finding.verdict in ("pass", "warn") else float("inf")
                what = f"{finding.title}: {finding.verdict}, {finding.limit}"
                yield Row(given.name, what, finding.value, finding.unit, least)
