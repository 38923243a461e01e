"""What a strut leaves of room and what limits it where, in words and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby

from ..plan.plan import Plan
from .free import NOTHING, FreeStation
from .widest import Widest

ROOM_COLUMNS = (
    "along mm", "right mm", "anterior mm", "superior mm", "width mm", "depth mm", "free width mm", "width limited by",
    "free depth mm", "depth limited by", "room mm", "nearest",
)  # fmt: skip
"""Of the table of room; along from the upper end, the place in RAS."""


def room_lines(plan: Plan, stations: Sequence[FreeStation]) -> Iterator[str]:
    """Where the strut has least room; where it has none, what blocks it from where to where, and what to change."""
    tightest = min(stations, key=lambda station: station.slack_mm)
    if tightest.slack_mm >= 0.0:
        nearest = f"{_spoken(tightest.nearest)}, " if tightest.nearest else ""
        where = f"{nearest}{tightest.arc_mm:.0f} mm below {plan.upper}"
        yield f"least room {tightest.slack_mm:.1f} mm: {where} (of the strut; feet and screws are checked in a design)"
        return
    yield f"no strut of this section is free on this axis from {plan.upper} to {plan.lower}:"
    for (blocked, nearest), group in groupby(stations, key=lambda one: (one.slack_mm < 0.0, one.nearest)):
        if blocked:
            found = list(group)
            worst = min(station.slack_mm for station in found)
            yield (
                f"  {found[0].arc_mm:.0f} to {found[-1].arc_mm:.0f} mm below {plan.upper}: "
                f"{-worst:.1f} mm short beside {_spoken(nearest)}"
            )
    yield (
        "  a smaller section (section.width_mm, section.depth_mm), a resection planned there, another pose, or "
        "another span gives room; a rule is changed only for a reason"
    )


def widest_line(plan: Plan, found: Widest) -> str:
    """The stoutest round strut that the anatomy lets pass, and what limits it."""
    if found.diameter_mm <= 0.0:
        return f"no round strut passes from {plan.upper} to {plan.lower}, blocked by {_spoken(found.limit)}"
    return (
        f"the stoutest round strut that passes on any way: {found.diameter_mm:.1f} mm, limited by "
        f"{_spoken(found.limit)} (none above {found.bound_mm:.1f} mm can)"
    )


def room_table(stations: Sequence[FreeStation]) -> str:
    """The stations as CSV, under `ROOM_COLUMNS`."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(ROOM_COLUMNS)
    for one in stations:
        sizes = one.width_mm, one.depth_mm, one.free_width_mm, one.width_limit, one.free_depth_mm, one.depth_limit
        row = one.arc_mm, *one.place, *sizes, one.slack_mm, one.nearest
        table.writerow(value if isinstance(value, str) else f"{value:.2f}" for value in row)
    return text.getvalue()


def _spoken(structure: str) -> str:
    return structure.replace("_", " ") if structure != NOTHING else "nothing"
