"""Room along a strut, against geometry that can be written down and against the field of the swept section."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.samples import Samples
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.entries import KeepoutRule
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Section
from SpinalStrutDesignerLib.verify.along import TOLD_MM, Profile, room_along
from SpinalStrutDesignerLib.verify.displacement import displacement_needed
from SpinalStrutDesignerLib.verify.preview import SLACK_SHOWN_MM, Clearances
from verify_toy import ball, block, plate, toy_case, toy_plan, tube

BUDGET = 0.8
HALF_WIDTH, HALF_DEPTH = 5.0, 2.5
WITHIN_MM = 0.12  # voxels of half a millimetre, and points on the section's edge 1.2 mm apart
AWAY = KeepoutRule("vertebral_arteries", "clearance", 2.0, 3.0, "test")
ASIDE = KeepoutRule("oesophagus", "displacement", 8.0, 4.0, "test")
RULES = (AWAY, ASIDE, KeepoutRule("lungs", "clearance", 1.0, 1.0, "test"))


def ruled(**changes: object) -> Plan:
    """A straight strut of 10 × 5 mm from z = 24 to -24."""
    return toy_plan(rules=RULES, **changes)


def profile(plan: Plan, *structures) -> tuple[Profile, np.ndarray]:
    """What there is along the strut, and its stations' places (n, 3)."""
    curve = axis_curve(plan.axis, plan.section, 1.0)
    return room_along(plan, curve, structures), curve.points


def test_a_ball_beside_the_strut_is_as_far_as_it_is() -> None:
    found, places = profile(ruled(), ball("vertebral_arteries", "keepout_critical", (13.0, 0.0, 6.0), 4.0))
    (trace,) = found.traces
    expected = np.hypot(13.0 - HALF_WIDTH, places[:, 2] - 6.0) - 4.0
    near = expected < 6.0
    assert 10 < near.sum() < len(near)
    assert trace.distance_mm[near] == pytest.approx(expected[near], abs=WITHIN_MM)
    told = np.minimum(expected, TOLD_MM + BUDGET + 2.0)
    assert (expected > told).sum() > 5
    assert trace.distance_mm[~near] == pytest.approx(told[~near], rel=0.05)  # known more coarsely there
    assert trace.slack_mm[near] == pytest.approx(expected[near] - BUDGET - 2.0, abs=WITHIN_MM)
    assert found.arc_mm == pytest.approx(24.0 - places[:, 2], abs=1e-6)
    tightest = found.tightest
    assert tightest.structure == "vertebral_arteries" and tightest.at_mm == pytest.approx(18.0, abs=1.01)
    assert tightest.slack_mm == pytest.approx(13.0 - HALF_WIDTH - 4.0 - BUDGET - 2.0, abs=WITHIN_MM)


def test_a_flat_structure_is_as_far_as_the_taper_leaves() -> None:
    wall = block("lungs", "keepout_soft", np.array([9.0, -35.0, -65.0]), np.array([25.0, 35.0, 65.0]))
    plan = ruled(section=Section(width_mm=10.0, depth_mm=5.0, lower_width_mm=14.0))
    found, places = profile(plan, wall)
    half = HALF_WIDTH + (24.0 - places[:, 2]) / 48.0 * 2.0
    assert found.traces[0].distance_mm == pytest.approx(9.0 - half, abs=WITHIN_MM)
    assert found.tightest.at_mm == pytest.approx(48.0, abs=1.01)


def test_what_limits_changes_where_two_rules_leave_as_much() -> None:
    """A flat wall to the right leaves 2.2 mm everywhere; a ball to the left less, up to where its surface is as far."""
    wall = block("lungs", "keepout_soft", np.array([9.0, -35.0, -65.0]), np.array([25.0, 35.0, 65.0]))
    artery = ball("vertebral_arteries", "keepout_critical", (-13.0, 0.0, 0.0), 4.0)
    found, _ = profile(ruled(), wall, artery)
    wall_left = 9.0 - HALF_WIDTH - BUDGET - 1.0
    # hypot(8, z) - 4 - 2.8 = 2.2 at z = ±√(9² - 8²).
    reach = np.sqrt((wall_left + 4.0 + BUDGET + 2.0) ** 2 - 8.0**2)
    above, beside, below = found.limits
    assert (above.structure, beside.structure, below.structure) == ("lungs", "vertebral_arteries", "lungs")
    assert beside.from_mm == pytest.approx(24.0 - reach, abs=1.5) and beside.to_mm == pytest.approx(
        24.0 + reach, abs=1.5
    )
    assert above.from_mm == 0.0 and below.to_mm == pytest.approx(48.0)
    assert above.slack_mm == pytest.approx(wall_left, abs=WITHIN_MM)
    assert found.least_mm.min() == pytest.approx(beside.slack_mm) == pytest.approx(found.tightest.slack_mm)


@pytest.mark.parametrize(
    "centre, radius", [((16.0, 3.0, 10.0), 4.0), ((0.0, 17.0, -12.0), 3.5), ((2.0, 1.0, 2.0), 2.0)]
)
def test_the_least_distance_is_that_of_the_swept_section(centre, radius) -> None:
    """The section's field tells the depth of a ball's centre in a bent, tapered strut."""
    points = ((0.0, 4.0, 24.0), (3.0, 9.0, 8.0), (3.0, 9.0, -8.0), (-2.0, 3.0, -24.0))
    plan = ruled(axis=Axis(points), section=Section(width_mm=9.0, depth_mm=6.0, lower_width_mm=12.0))
    curve = axis_curve(plan.axis, plan.section, 1.0)
    found = room_along(plan, curve, [ball("vertebral_arteries", "keepout_critical", centre, radius)])
    field = float(curve.field(np.array([centre]))[0])
    if field > 0.0:
        assert found.traces[0].distance_mm.min() == pytest.approx(field - radius, abs=0.25)
    else:  # within the metal: no deeper than its own radius, at its middle
        assert found.traces[0].distance_mm.min() == pytest.approx(-radius, abs=0.6)


@pytest.mark.parametrize("middle", [4.0, 2.5, 1.0, -1.0])
def test_a_tube_in_the_way_is_pushed_past_the_section_where_it_is(middle: float) -> None:
    """Its back has to clear the strut's front: by more than it is entered as soon as its middle is passed."""
    plan = ruled()
    gullet = tube("oesophagus", "keepout_critical", 0.0, HALF_DEPTH + middle, 5.0, high=0.0)
    found, places = profile(plan, gullet)
    (trace,) = found.traces
    below = places[:, 2] < -2.0
    needed = min(5.0 - middle, 10.0) + BUDGET
    assert trace.slack_mm[below] == pytest.approx(8.0 - needed, abs=0.6)
    above = places[:, 2] > 6.0
    assert trace.slack_mm[above] == pytest.approx(trace.distance_mm[above] + 8.0 - BUDGET)
    assert (trace.distance_mm[above] > 0.0).all()


def test_a_push_is_what_a_slice_of_the_body_asks_for() -> None:
    """As `clearance` counts it for a body, for the slice that stands at one station."""
    plan = ruled()
    gullet = tube("oesophagus", "keepout_critical", 3.0, 3.0, 5.0)
    found, places = profile(plan, gullet)
    x, y, z = np.meshgrid(np.arange(-5.0, 5.01, 0.25), np.arange(-2.5, 2.51, 0.25), np.arange(-3.0, 3.01, 0.5))
    body = Samples(np.column_stack([x.ravel(), y.ravel(), z.ravel()]))
    whole = displacement_needed(gullet, body, body.least(gullet.distance), np.array([0.0, 0.0, -1.0]))
    middle = np.abs(places[:, 2]) < 3.0
    assert found.traces[0].slack_mm[middle] == pytest.approx(8.0 - BUDGET - whole, abs=0.6)


def test_thick_slices_leave_no_station_out() -> None:
    """Slices of 3 mm under stations of 1 mm: what has to give way is the same at all of them."""
    gullet = tube("oesophagus", "keepout_critical", 0.0, HALF_DEPTH + 1.0, 5.0)
    coarse = gullet.mask.voxels[3::6]
    matrix = gullet.mask.ijk_to_ras @ np.diag([1.0, 1.0, 6.0, 1.0])
    matrix[:3, 3] = gullet.mask.ijk_to_ras[:3, 3] + 3 * gullet.mask.ijk_to_ras[:3, 2]
    thick = type(gullet)("oesophagus", "keepout_critical", type(gullet.mask)(coarse, matrix))
    found, places = profile(ruled(), thick)
    inner = np.abs(places[:, 2]) < 20.0
    assert found.traces[0].slack_mm[inner] == pytest.approx(8.0 - BUDGET - 4.0, abs=0.6)


def test_without_a_rule_nothing_limits() -> None:
    found, places = profile(ruled(), ball("nobody", "keepout_soft", (9.0, 0.0, 0.0), 3.0))
    assert found.traces == () and found.tightest is None and found.limits == ()
    assert np.isinf(found.least_mm).all() and len(found.least_mm) == len(places)


def test_metal_goes_by_the_rule_for_metal() -> None:
    plan = toy_plan(rules=(KeepoutRule("metal", "clearance", 1.5, 2.0, "test"),))
    found, _ = profile(plan, ball("hook", "metal", (11.0, 0.0, 0.0), 3.0))
    assert found.tightest.slack_mm == pytest.approx(11.0 - 3.0 - HALF_WIDTH - BUDGET - 1.5, abs=WITHIN_MM)


def test_slack_at_points_is_the_least_over_all_structures() -> None:
    """Against each structure's own distance and what its rule asks for at the point's height."""
    plan = ruled()
    structures = (
        tube("vertebral_arteries", "keepout_critical", 10.0, 0.0, 2.0),
        tube("oesophagus", "keepout_critical", -1.0, 5.0, 5.0),
        block("lungs", "keepout_soft", np.array([-25.0, -35.0, -65.0]), np.array([-8.0, 35.0, 65.0])),
    )
    curve = axis_curve(plan.axis, plan.section, 1.0)
    meter = Clearances(Situation("nominal", 0.0, toy_case(*structures), plan, plate("C4"), plate("T2")))
    along = meter.along(plan, curve)
    points = np.random.default_rng(3).uniform([-7.0, -5.0, -26.0], [7.0, 5.0, 26.0], (4000, 3))
    slack = meter.slack_at(along, curve, points)
    arc = np.clip(24.0 - points[:, 2], 0.0, 48.0)
    truth = np.min(
        [s.distance(points) - np.interp(arc, along.arc_mm, t.asked_mm) for s, t in zip(structures, along.traces)],
        axis=0,
    )
    assert 0.2 < (truth < SLACK_SHOWN_MM).mean() < 0.98
    assert slack == pytest.approx(np.minimum(truth, SLACK_SHOWN_MM), abs=1e-4)
