"""What is told of the room along a strut is what stands beside it."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from open_world import AORTA_MM, view, wall
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Section
from SpinalStrutDesignerLib.propose.free import FreeStation, free_along
from SpinalStrutDesignerLib.propose.room_report import ROOM_COLUMNS, room_lines, room_table, widest_line
from SpinalStrutDesignerLib.propose.widest import Widest

FLAT = Plan("C4", "T2", section=Section(width_mm=8.0, depth_mm=4.0))
ALONE = "of the strut; feet and screws are checked in a design"
STRAIGHT = Axis(tuple((0.0, 0.0, float(z)) for z in np.linspace(10.0, -10.0, 5)))


def stations(*walls) -> tuple[FreeStation, ...]:
    return free_along(view(*walls, plan=FLAT), axis_curve(STRAIGHT, FLAT.section, 2.0))


def test_a_free_strut_tells_its_narrowest_place() -> None:
    """A wall in front, 10 mm away at the middle and 1 mm nearer for every 10 mm up."""
    found = stations(wall("aorta", 16.0, 10.0, 0.1))
    (line,) = room_lines(FLAT, found)
    least = min(found, key=lambda one: one.slack_mm)
    assert line == f"least room {least.slack_mm:.1f} mm: aorta, {least.arc_mm:.0f} mm below C4 ({ALONE})"
    assert least.arc_mm == 0.0
    assert least.slack_mm == pytest.approx((9.0 - 2.0) / np.hypot(1.0, 0.1) - AORTA_MM, abs=0.2)


def test_a_strut_without_room_tells_what_blocks_it_where_and_what_to_change() -> None:
    """A wall 7 mm in front of the axis: the strut's front is at 2 mm, and the aorta's rule asks for 5.8 mm more."""
    found = stations(wall("aorta", 14.0, 7.0))
    first, blocked, remedy = room_lines(FLAT, found)
    assert "no strut of this section is free on this axis from C4 to T2" in first
    assert blocked.strip() == "0 to 20 mm below C4: 0.8 mm short beside aorta"
    for word in ("section.width_mm", "resection", "pose", "span"):
        assert word in remedy


def test_the_table_holds_every_station_as_it_was_found() -> None:
    found = stations(wall("aorta", 14.0, 9.0))
    rows = list(csv.DictReader(io.StringIO(room_table(found))))
    assert tuple(rows[0]) == ROOM_COLUMNS and len(rows) == len(found)
    for row, one in zip(rows, found):
        assert float(row["along mm"]) == pytest.approx(one.arc_mm, abs=0.005)
        assert [float(row[f"{way} mm"]) for way in ("right", "anterior", "superior")] == pytest.approx(
            one.place, abs=0.005
        )
        assert float(row["free depth mm"]) == pytest.approx(2.0 * (9.0 - AORTA_MM), abs=0.15)
        assert row["depth limited by"] == "aorta"


def test_the_widest_strut_is_told_with_its_bound_or_what_leaves_none() -> None:
    place = np.zeros(3)
    assert widest_line(FLAT, Widest(STRAIGHT, 7.8, 9.2, place, "great_vessels")) == (
        "the stoutest round strut that passes on any way: 7.8 mm, limited by great vessels (none above 9.2 mm can)"
    )
    assert widest_line(FLAT, Widest(STRAIGHT, 0.0, 1.0, place, "aorta")) == (
        "no round strut passes from C4 to T2, blocked by aorta"
    )
