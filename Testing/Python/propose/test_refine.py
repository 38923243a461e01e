"""The refined axis: in worlds where it is known, from other starts, and in a case turned and moved as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_world import AORTA_MM, solid, view, voxels
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.column import mechanical_axis
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, Volume
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Section
from SpinalStrutDesignerLib.propose.axis import HELD_MM, propose_strut
from SpinalStrutDesignerLib.propose.corridor import column_frame, corridor
from SpinalStrutDesignerLib.propose.prospect import Prospect, prospect
from SpinalStrutDesignerLib.propose.quadratic import least_quadratic
from SpinalStrutDesignerLib.propose.refine import MARGIN_MM, refined_axis

FLAT = Plan("C4", "T2", section=Section(width_mm=8.0, depth_mm=4.0))
MOVED_MM = 0.1  # by which a start elsewhere, or the case elsewhere, may change an axis
LONG_MM = 6.0  # of a wall up and down from the middle: what it keeps away stays clear of the feet
EXACT_MM = 0.06  # the distance fields of flat walls on voxel borders are right to a twentieth of a voxel
TURN, SHIFT = Rotation.from_rotvec([0.12, -0.25, 0.4]), np.array([37.3, -21.9, 54.1])


def pushed_back(by: float) -> Prospect:
    """A wall whose rule leaves a straight strut on the column line `by` mm too little."""
    ahead = AORTA_MM + 2.0 - by
    x, y, z = voxels()
    between_feet = (y > ahead) & (y < ahead + 4.0) & (np.abs(z) < LONG_MM) & (np.abs(x) < np.inf)
    return view(solid("aorta", "keepout_critical", between_feet), plan=FLAT)


def moved_case(case: Case) -> Case:
    """The case turned and moved as a whole."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = TURN.as_matrix(), SHIFT
    structures = (replace(s, mask=Mask(s.mask.voxels, matrix @ s.mask.ijk_to_ras)) for s in case.structures)
    return replace(case.with_structures(structures), ct=Volume(case.ct.voxels, matrix @ case.ct.ijk_to_ras))


def brought_back(points: np.ndarray) -> np.ndarray:
    return TURN.inv().apply(points - SHIFT)


def moved_plate(plate: Endplate) -> Endplate:
    turned = {side: TURN.apply(getattr(plate, side)) for side in ("normal", "anterior", "right")}
    placed = {side: TURN.apply(getattr(plate, side)) + SHIFT for side in ("centre", "outline", "surface")}
    return replace(plate, **turned, **placed)


def moved_view(world: Prospect) -> Prospect:
    where, plan = world.where, world.where.plan
    case, upper, lower = moved_case(where.case), moved_plate(where.upper), moved_plate(where.lower)
    frame = column_frame(upper, lower, np.linspace(upper.centre, lower.centre, 30))
    sites = (replace(world.sites[0], plate=upper), replace(world.sites[1], plate=lower))
    return Prospect(Situation("nominal", 0.0, case, plan, upper, lower), sites, corridor(case, plan, frame, 0.3))


def sampled(axis: Axis, section: Section) -> np.ndarray:
    return axis_curve(axis, section, 0.25).points


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The farthest that points (n, 3) lie from those of another finely sampled curve, along and across."""
    return float(np.linalg.norm(one[:, None] - other, axis=2).min(axis=1).max())


@pytest.mark.parametrize("by", [0.3, 1.3, 2.8])
def test_a_wall_pushes_a_strut_just_as_far_as_its_rule_asks(by: float) -> None:
    world = pushed_back(by)
    strut = propose_strut(world.room, FLAT, *world.ends)
    assert strut.missing_mm <= HELD_MM and strut.section == FLAT.section
    curve = axis_curve(strut.axis, strut.section)
    inside = np.abs(curve.points[:, 2]) < LONG_MM
    front = curve.points[:, 1] + 2.0 * np.abs(curve.backs[:, 1]) + 4.0 * np.abs(curve.rights[:, 1])
    left = 2.0 - by - front[inside]
    assert left.min() == pytest.approx(MARGIN_MM, abs=EXACT_MM)


@pytest.mark.parametrize("aside", [(1.5, 0.0, 0.0), (-1.5, 0.0, 0.0), (0.0, 1.5, 0.0), (0.0, -1.5, 0.0)])
def test_another_start_ends_on_the_same_axis(aside: tuple[float, float, float]) -> None:
    world = pushed_back(1.3)
    strut = propose_strut(world.room, FLAT, *world.ends)
    path = axis_curve(strut.axis, strut.section, 3.0).points + aside
    again, _ = refined_axis(world.room, strut.section, path, np.array(strut.axis.back), *world.ends)
    assert apart(sampled(again, strut.section), sampled(strut.axis, strut.section)) < MOVED_MM


def test_a_world_turned_and_moved_holds_the_same_axis() -> None:
    world = pushed_back(1.3)
    there = moved_view(world)
    one, other = (propose_strut(v.room, FLAT, *v.ends) for v in (world, there))
    assert one.section == other.section
    here = sampled(one.axis, one.section)
    assert apart(brought_back(sampled(other.axis, other.section)), here) < MOVED_MM


def test_another_start_ends_on_the_same_axis_among_the_remnants_of_a_neck(read_case2: Case) -> None:
    plan = Plan("C4", "T2", section=Section(width_mm=10.0, depth_mm=5.0, corner_radius_mm=1.5))
    world = prospect(read_case2, plan)
    strut = propose_strut(world.room, plan, *world.ends)
    path = axis_curve(strut.axis, strut.section, 3.0).points
    right, anterior, _ = world.room.frame.axes
    here = sampled(strut.axis, strut.section)
    for aside in (right, -right, anterior, -anterior):
        again, _ = refined_axis(world.room, strut.section, path + 1.5 * aside, np.array(strut.axis.back), *world.ends)
        assert apart(sampled(again, strut.section), here) < MOVED_MM


def test_plates_and_column_line_move_with_the_image(read_case2: Case) -> None:
    """What is measured on an image hangs on nothing but the image: not on where it lies, nor on how it is turned."""
    plan = Plan("C4", "T2")
    here, there = situation(read_case2, plan), situation(moved_case(read_case2), plan)
    for one, other in ((here.upper, there.upper), (here.lower, there.lower)):
        assert brought_back(other.centre) == pytest.approx(one.centre, abs=1e-6)
        assert brought_back(other.outline) == pytest.approx(one.outline, abs=1e-6)
        for side in ("normal", "anterior", "right"):
            assert TURN.inv().apply(getattr(other, side)) == pytest.approx(getattr(one, side), abs=1e-6)
    lines = [mechanical_axis(where.case, where.upper, where.lower) for where in (here, there)]
    assert brought_back(lines[1]) == pytest.approx(lines[0], abs=1e-6)


NUMBERS = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(NUMBERS)
def test_a_quadratic_programme_is_solved_exactly(seed: int) -> None:
    """The conditions for a least value: no condition broken, and the slope held by those that are just met, each of
    which pushes (Karush, Kuhn and Tucker)."""
    draw = np.random.default_rng(seed)
    size, count = int(draw.integers(1, 8)), int(draw.integers(1, 40))
    root = draw.normal(size=(size, size))
    curvature, slope = root @ root.T + 0.1 * np.eye(size), draw.normal(size=size)
    lines = draw.normal(size=(count, size))
    least = lines @ draw.normal(size=size) - draw.exponential(size=count)  # some place holds them all
    found = least_quadratic(curvature, slope, lines, least)
    left = lines @ found - least
    assert left.min() > -1e-6
    met = lines[left < 1e-5]
    uphill = curvature @ found + slope
    if not len(met):
        assert uphill == pytest.approx(0.0, abs=1e-6)
        return
    _, rest = nnls(met.T, uphill)
    assert rest < 1e-4 * max(float(np.linalg.norm(uphill)), 1.0)
