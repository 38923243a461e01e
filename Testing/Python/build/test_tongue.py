"""Room for a foot in a disc space, between blocks whose distance is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from build_toy import BACK, FRONT, UPPER_Z, block, situation, tongued
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.neighbour import disc_space_mm
from SpinalStrutDesignerLib.build.situation import resected
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.build.tongue import SIDES, Space, disc_room, needed_mm
from SpinalStrutDesignerLib.case.model import Structure
from SpinalStrutDesignerLib.errors import GeometryError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import FootPlan, Resection

GAP_MM = 0.3
NEEDED_MM = 1.0 + 2.0 * GAP_MM  # the recommended printed wall (clinical facts), and the gap to both bones
# Faces lie on voxels' borders; between samples half a millimetre apart a rim's edge is a little rounded.
NEAR_MM = 0.1
EDGE = np.array([[-8.0, -6.0], [8.0, -6.0], [8.0, 6.0], [-8.0, 6.0]])


def beside(height_mm: float, *others: Structure, **changes: object) -> Situation:
    """C5 stands so far under C4, and the strut passes in front of it; the upper foot is a tongue between them."""
    neighbour = block("C5", UPPER_Z - height_mm - 12.0, UPPER_Z - height_mm)
    foot = FootPlan(height_mm=1.5, fit_gap_mm=GAP_MM)
    return situation(neighbour, *others, strut_y=13.0, strut_z=UPPER_Z - 1.0, **{"upper_foot": foot, **changes})


def space(where: Situation) -> Space:
    between = disc_space_mm(where.case, where.upper, 10.0)
    assert between is not None
    return disc_room(where.case, where.upper, between, EDGE, 3.0)


def made(where: Situation) -> None:
    axis = axis_curve(where.plan.axis, where.plan.section)
    ends = end_shape(where, axis, "upper"), end_shape(where, axis, "lower")
    solid_mesh(SolidShape(where, axis, ends))


@pytest.mark.parametrize("height_mm", [1.0, 1.5, 2.0, 3.0])
def test_between_flat_faces_all_of_the_height_is_reached_from_every_side(height_mm: float) -> None:
    room = space(beside(height_mm))
    assert room.between_mm == pytest.approx(height_mm, abs=NEAR_MM)
    for side in SIDES:
        assert np.abs(room.heights[side] - height_mm).max() < NEAR_MM
        assert len(room.heights[side]) * 0.25 == pytest.approx(16.0 * 12.0, rel=0.1)


def test_a_spur_across_the_front_leaves_the_sides() -> None:
    """A spur under C4's front edge, 1.5 mm high and as wide as the body: half a millimetre is left under it."""
    spur = block("spur", UPPER_Z - 1.5, UPPER_Z, back=FRONT - 1.0, front=FRONT)
    spur = Structure("C4", "bone", spur.mask, level="C4")
    room = space(beside(2.0, spur))
    assert room.most_mm("anterior") <= 0.5 + NEAR_MM
    assert room.places("anterior", GAP_MM) == 0
    for side in ("right", "left"):
        behind = 16.0 * (FRONT - 1.0 - 0.5 - (BACK + 2.0))
        assert room.places(side, GAP_MM) * 0.25 == pytest.approx(min(behind, 16.0 * 12.0), rel=0.15)


def test_a_slope_holds_a_tongue_only_where_it_is_high_enough() -> None:
    """C5's top falls from 1 mm under C4 at the back to 2.6 mm at the front, in voxels of half a millimetre."""
    steps = [
        Structure("C5", "bone", block("C5", UPPER_Z - 14.0, UPPER_Z - high, y, y + 4.0).mask, level="C5")
        for y, high in ((BACK, 1.0), (BACK + 4.0, 1.5), (BACK + 8.0, 2.0), (BACK + 12.0, 2.5))
    ]
    where = situation(*steps, strut_y=13.0, strut_z=UPPER_Z - 1.0)
    room = space(where)
    high_enough = 16.0 * (EDGE[:, 1].max() - (BACK + 8.0))
    assert room.places("anterior", GAP_MM) * 0.25 == pytest.approx(high_enough, rel=0.15)


@pytest.mark.parametrize("gap_mm", [0.26, 0.3])
def test_what_is_needed_is_a_wall_and_two_gaps(gap_mm: float) -> None:
    assert needed_mm(gap_mm) == pytest.approx(1.0 + 2.0 * gap_mm)


def test_a_foot_without_room_is_refused_with_its_heights_and_a_remedy() -> None:
    with pytest.raises(GeometryError) as refused:
        made(beside(1.0))
    text = str(refused.value)
    assert "C4 inferior" in text and "to C5" in text
    assert f"{NEEDED_MM:.2f} mm is needed (a wall of 1.00 mm and the fit gap of 0.30 mm to both bones)" in text
    assert "1.00 mm (median)" in text
    short = re.search(r"more than ([0-9.]+) mm at the superior face of C5", text)
    assert short is not None
    assert float(short[1]) == pytest.approx(NEEDED_MM - 1.0, abs=NEAR_MM + 0.05)
    assert "approach" not in text, "no side is wider than another there"


def test_another_side_is_named_where_a_foot_can_come_from_there() -> None:
    spur = Structure("C4", "bone", block("C4", UPPER_Z - 1.5, UPPER_Z, FRONT - 1.0, FRONT).mask, level="C4")
    with pytest.raises(GeometryError, match="approach 'right'"):
        made(beside(2.0, spur))


@pytest.mark.parametrize("more_mm", [0.8, 1.5])
def test_the_resection_that_is_named_leads_to_a_foot(more_mm: float) -> None:
    """0.6 mm are short: with 0.8 mm of C5 taken off there is room for the least tongue."""
    where = beside(1.0)
    plan = where.plan.with_(resections=(Resection("C5", (0.0, 0.0, UPPER_Z - 1.0 - more_mm), (0.0, 0.0, 1.0)),))
    made(replace(where, plan=plan, case=resected(where.case, plan)))


def test_a_space_that_is_high_enough_is_not_refused() -> None:
    made(beside(2.0))
    made(tongued())
