"""How wide a strut can be, in worlds where that is known: between two walls, through a round hole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_world import (
    AORTA_MM,
    HALF_DEPTH,
    HALF_WIDTH,
    HEIGHT_MM,
    PLATE_Z,
    SPACING,
    moved,
    solid,
    tunnel,
    view,
    voxels,
    wall,
)
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.json import plan_from_json, plan_to_json
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Section
from SpinalStrutDesignerLib.propose.axis import Candidate, propose_strut
from SpinalStrutDesignerLib.propose.free import MOST_MM, NOTHING, FreeStation, free_along
from SpinalStrutDesignerLib.propose.grow import grown, largest_section, mean_area_mm2, weak_moment_mm4
from SpinalStrutDesignerLib.propose.propose import propose_plan
from SpinalStrutDesignerLib.propose.prospect import Prospect
from SpinalStrutDesignerLib.propose.widest import MOST_MM as WIDEST_MM
from SpinalStrutDesignerLib.propose.widest import Widest, round_section, widest

# The distance fields of flat walls on voxel borders are right to a twentieth of a voxel.
EXACT_MM = 0.06
MOVED_MM = 0.1  # by which a result may change at most where a case is moved as a whole
END_Z = PLATE_Z - (HEIGHT_MM - 2.0)
ROUND = Plan("C4", "T2", section=round_section(WIDEST_MM))
FLAT = Plan("C4", "T2", section=Section(width_mm=8.0, depth_mm=4.0, sizing="fixed"))


def straight(ahead: float = 0.0) -> Axis:
    return Axis(tuple((0.0, ahead, float(z)) for z in np.linspace(END_Z, -END_Z, 5)))


def evenly(axis: Axis) -> np.ndarray:
    """(100, 3) places at equal shares of an axis' length."""
    curve = axis_curve(axis, round_section(2.0), 0.5)
    shares = np.linspace(0.0, curve.length_mm, 100)
    return np.column_stack([np.interp(shares, curve.arc, along) for along in curve.points.T])


def stations(world: Prospect, plan: Plan, axis: Axis) -> tuple[FreeStation, ...]:
    return free_along(world, axis_curve(axis, plan.section, 5.0))


@pytest.mark.parametrize("front, back", [(8.0, 8.0), (9.5, 9.5), (11.0, 6.5)])
def test_between_two_walls_the_widest_strut_is_as_thick_as_the_gap(front: float, back: float) -> None:
    world = view(wall("aorta", front + 4.0, front), wall("carotids", -back, -back - 4.0), plan=ROUND)
    free = front + back - 2.0 * AORTA_MM
    found = widest(world)
    assert found.diameter_mm == pytest.approx(free, abs=2.0 * EXACT_MM)
    assert found.limit in ("aorta", "carotids")
    assert found.bound_mm >= free - EXACT_MM
    assert axis_curve(found.axis, round_section(2.0)).points[:, 1] == pytest.approx(0.5 * (front - back), abs=0.2)


@pytest.mark.parametrize("radius, right, ahead", [(9.0, 0.0, 0.0), (9.0, 5.0, 3.0), (10.5, -4.0, 4.0)])
def test_through_a_round_hole_the_widest_strut_fills_what_the_rule_leaves(
    radius: float, right: float, ahead: float
) -> None:
    found = widest(view(tunnel("aorta", radius, right, ahead, 12.0), plan=ROUND))
    # On its middle line the distance is read between voxels around it: too small by up to a voxel across.
    true = 2.0 * (radius - AORTA_MM)
    assert true - 2.0 * SPACING < found.diameter_mm < true + 0.1
    assert found.limit == "aorta"
    inside = axis_curve(found.axis, round_section(2.0)).points
    inside = inside[np.abs(inside[:, 2]) < 10.0]
    assert np.hypot(inside[:, 0] - right, inside[:, 1] - ahead).max() < SPACING


def widest_wherever(here: Prospect, about: list[float]) -> Widest:
    """The widest strut, which must be the same where the world is turned and shifted as a whole."""
    turn, shift = Rotation.from_rotvec(about).as_matrix(), np.array([37.3, -21.9, 54.1])
    one, other = widest(here), widest(moved(here, turn, shift))
    assert other.diameter_mm == pytest.approx(one.diameter_mm, abs=0.1 * MOVED_MM)
    assert (evenly(other.axis) - shift) @ turn == pytest.approx(evenly(one.axis), abs=0.5 * MOVED_MM)
    return one


@pytest.mark.parametrize("about", [[0.12, -0.25, 0.4], [0.6, 0.3, -0.2]])
@pytest.mark.parametrize("radius, right, ahead", [(9.0, 5.0, 3.0), (10.5, -4.0, 4.0)])
def test_where_nothing_limits_it_the_widest_axis_still_goes_with_the_anatomy(
    radius: float, right: float, ahead: float, about: list[float]
) -> None:
    found = widest_wherever(view(tunnel("aorta", radius, right, ahead, 12.0), plan=ROUND), about)
    assert found.limit == "aorta"


def test_a_way_that_bends_as_sharply_as_it_may_goes_with_the_anatomy() -> None:
    """Through two holes that lie aside of each other, one above the other."""
    x, y, z = voxels()
    holes = ((np.hypot(x - side * 6.0, y) > 9.0) & (np.abs(z - side * 9.0) < 4.0) for side in (1.0, -1.0))
    world = view(*(solid(name, "keepout_critical", one) for name, one in zip(("aorta", "carotids"), holes)), plan=ROUND)
    found = widest_wherever(world, [0.12, -0.25, 0.4])
    sharpest = float(axis_curve(found.axis, round_section(2.0), 0.5).curvature.max())
    least_mm = max(found.bound_mm, 2.0)  # its radius may be a diameter, and no diameter is less than 2 mm
    assert 0.9 * least_mm < 1.0 / sharpest < 1.1 * least_mm


def test_without_anything_between_them_the_feet_limit_the_strut() -> None:
    """A ball about the axis' end lies free of the bone by the foot's height, less the fit gap."""
    found = widest(view(plan=ROUND))
    assert found.diameter_mm == pytest.approx(2.0 * (HEIGHT_MM - 2.0 - 0.3), abs=0.1)
    assert found.limit in ("C4", "T2")


def test_through_a_hole_narrower_than_its_rule_nothing_passes() -> None:
    found = widest(view(tunnel("aorta", AORTA_MM - 2.0, 0.0, 0.0, 12.0), plan=ROUND))
    assert found.diameter_mm == 0.0
    assert found.limit == "aorta"
    assert abs(found.place[2]) < 12.5


@pytest.mark.parametrize(
    "front, back, shape",
    [(3.0, 3.0, "rounded_rectangle"), (3.0, 7.5, "ellipse"), (8.0, 4.0, "rounded_rectangle"), (9.0, 9.0, "ellipse")],
)
def test_between_two_walls_a_section_may_be_as_deep_as_twice_the_nearer(front: float, back: float, shape: str) -> None:
    plan = FLAT.with_(section=FLAT.section.with_(shape=shape))
    world = view(wall("aorta", front + 10.0, front + 6.0), wall("carotids", -back - 6.0, -back - 10.0), plan=plan)
    least = min(front, back) + 6.0 - AORTA_MM
    for station in stations(world, plan, straight()):
        assert station.free_depth_mm == pytest.approx(2.0 * least, abs=2.0 * EXACT_MM)
        assert station.depth_limit in (
            ("aorta", "carotids") if front == back else ("aorta" if front < back else "carotids",)
        )
        assert station.free_width_mm == MOST_MM and station.width_limit == NOTHING
        if abs(station.place[2]) < 12.0:  # farther up or down the bone is nearer
            assert station.slack_mm == pytest.approx(least - 2.0, abs=EXACT_MM)


def test_in_a_wedge_the_free_depth_grows_downwards_and_a_misplaced_section_is_told() -> None:
    slope = 0.1
    world = view(wall("aorta", 14.0, 9.0, slope), plan=FLAT)
    found = stations(world, FLAT, straight())
    for station in found:
        away = (9.0 - slope * station.place[2] - 0.0) / np.hypot(1.0, slope)
        free = away - AORTA_MM
        # The section's front edge lies square to the axis, the wall does not: its nearest point is what counts.
        assert station.free_depth_mm / 2.0 == pytest.approx(free * np.hypot(1.0, slope), abs=0.2)
        assert station.slack_mm == pytest.approx(free - 2.0 / np.hypot(1.0, slope), abs=0.2)
    assert found[0].slack_mm < 0.0 < found[-1].slack_mm


def test_what_stands_in_the_axis_leaves_no_size() -> None:
    world = view(wall("aorta", 4.0, -4.0), plan=FLAT)
    assert all(one.free_depth_mm == one.free_width_mm == 0.0 for one in stations(world, FLAT, straight()))


@pytest.mark.parametrize("sizing", ["stiffness", "volume"])
def test_a_section_grows_to_the_walls_and_to_the_feet(sizing: str) -> None:
    free = 7.0
    section = FLAT.section.with_(sizing=sizing)
    most = largest_section(section, *view(plan=FLAT).ends)
    world = view(
        wall("aorta", 0.5 * free + AORTA_MM + 4.0, 0.5 * free + AORTA_MM),
        wall("carotids", -0.5 * free - AORTA_MM, -0.5 * free - AORTA_MM - 4.0),
        plan=FLAT.with_(section=most),
    )
    start = Candidate(straight(), section, 0.0, 0.0)
    found = grown(world.room, start, *world.ends)
    end = found.section
    # As wide as the feet, which keep 1 mm from the plate's sides; as deep as the walls let it be.
    for width, depth in ((end.width_mm, end.depth_mm), (end.lower_width_mm, end.lower_depth_mm)):
        assert 2.0 * HALF_WIDTH - 2.0 - 0.5 < width <= 2.0 * HALF_WIDTH - 2.0
        assert free - 0.5 - 0.1 <= depth <= free + 2.0 * 0.1
        assert depth <= 2.0 * HALF_DEPTH
    assert np.abs(np.array(found.axis.control_points)[:, 1]).max() < 0.5


def test_a_fixed_section_keeps_its_size() -> None:
    world = view(plan=FLAT)
    strut = propose_strut(world.room, FLAT, *world.ends)
    assert grown(world.room, strut, *world.ends) is strut


def test_what_does_not_fit_does_not_grow() -> None:
    world = view(plan=FLAT)
    missed = Candidate(straight(), FLAT.section.with_(sizing="volume"), 0.0, 0.7)
    assert grown(world.room, missed, *world.ends) is missed


SIZES = st.floats(3.0, 20.0)


@settings(deadline=None)
@given(SIZES, SIZES, SIZES, SIZES)
def test_stiffness_and_volume_of_a_tapered_strut(a: float, b: float, c: float, d: float) -> None:
    """Against the formulas for ellipses, summed finely along the strut."""
    section = Section(shape="ellipse", width_mm=a, depth_mm=b, lower_width_mm=c, lower_depth_mm=d)
    share = (np.arange(2000) + 0.5) / 2000
    width, depth = a + share * (c - a), b + share * (d - b)
    weak = np.pi / 64.0 * np.minimum(width * depth**3, depth * width**3)
    assert weak_moment_mm4(section) == pytest.approx(1.0 / np.mean(1.0 / weak), rel=0.05)
    assert mean_area_mm2(section) == pytest.approx(np.pi / 4.0 * np.mean(width * depth), rel=0.02)


def test_a_plan_written_before_sizing_is_read_with_a_fixed_section() -> None:
    text = plan_to_json(FLAT)
    assert '"sizing": "fixed"' in text and '"schema": 2' in text
    old = text.replace(',\n    "sizing": "fixed"', "").replace('"schema": 2', '"schema": 1')
    assert "sizing" not in old
    assert plan_from_json(old) == FLAT
    with pytest.raises(PlanError, match=r"section\.sizing: 'largest' is not one of fixed, stiffness, volume"):
        Section(sizing="largest")  # type: ignore[arg-type]


def test_levels_too_near_to_each_other_are_refused_with_what_to_change(phantom) -> None:
    with pytest.raises(PlanError, match=r"from C3 to C4 there is nothing to bridge.* choose levels farther apart"):
        propose_plan(phantom, "C3", "C4")


def test_swapped_levels_are_refused_with_what_to_change(phantom) -> None:
    with pytest.raises(PlanError, match="C4 does not lie below upper, T2; give the upper docking level first"):
        propose_plan(phantom, "T2", "C4")
