"""Screws that pass the far wall, that cross the docked endplate, and that stand three and four in an end, each rule by
plain geometry of the block they go into."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from open_world import solid, voxels
from screw_world import GAP, HALF_DEPTH, HALF_WIDTH, HIGH, LOW, block, canal, kind, planned, world
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import Flange, Plan, Screw
from SpinalStrutDesignerLib.propose.screw_choice import ScrewSet
from SpinalStrutDesignerLib.propose.screw_plan import planned_end

RADIUS, SEAT, BORE = 1.75, 3.05, 1.85  # of the 3.5 mm type: thread, seat, clearance bore
KIND = kind(*np.arange(10.0, 40.0, 2.0).tolist())
NEAR_MM = 0.15  # a surface of half-millimetre voxels is told to this


def best(where: Situation) -> ScrewSet:
    return planned_end(where, "upper").best


def axis(screw: Screw, start: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """(n,) mm under the head's top and (n, 3) on the axis, finely, to the tip."""
    at = np.linspace(start, screw.length_mm, 600)
    return at, np.array(screw.entry) + at[:, None] * np.array(screw.direction)


def thread(screw: Screw, start: float = 3.0) -> np.ndarray:
    """(n, 48, 3) on the thread's surface."""
    way = np.array(screw.direction)
    side = np.cross(way, np.eye(3)[int(np.argmin(np.abs(way)))])
    side /= np.linalg.norm(side)
    turn = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)[:, None]
    return axis(screw, start)[1][:, None] + RADIUS * (np.cos(turn) * side + np.sin(turn) * np.cross(way, side))


def in_block(points: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(points, -1, 0)
    return (np.abs(x) < HALF_WIDTH) & (np.abs(y) < HALF_DEPTH) & (z > LOW) & (z < HIGH)


def apart_mm(one: Screw, other: Screw) -> float:
    lines = [axis(s)[1][::3] for s in (one, other)]
    return float(np.linalg.norm(lines[0][:, None] - lines[1], axis=2).min()) - 2.0 * RADIUS


def half_angle(one: Screw, other: Screw) -> float:
    return 0.5 * float(np.degrees(np.arccos(np.dot(one.direction, other.direction))))


def heads_wall_mm(one: Screw, other: Screw) -> float:
    """Metal between a head's seat and the way cut for the other's driver, and between it and the other's bore."""
    least = np.inf
    for head, beside in ((one, other), (other, one)):
        way = np.array(beside.entry) - np.linspace(0.0, 30.0, 300)[:, None] * np.array(beside.direction)
        for line, radius in ((way, SEAT), (axis(beside, 0.0)[1], BORE)):
            least = min(least, np.linalg.norm(line - np.array(head.entry), axis=1).min() - SEAT - radius)
    return float(least)


def bicortical(plan: Plan) -> Plan:
    return plan.with_(screws=tuple(s.with_(bicortical=True) for s in plan.screws))


def _far_side(found: ScrewSet, sac_front: float) -> None:
    """A bicortical screw by the planes of its block and the round sac behind it."""
    for screw in found.screws:
        at, points = axis(screw)
        within = in_block(points)
        leaves = at[within][-1]
        assert 1.0 - NEAR_MM <= screw.length_mm - leaves <= 2.0 + NEAR_MM, "1 to 2 mm out of the far wall"
        exit_ = points[within][-1]
        assert exit_[1] == pytest.approx(-HALF_DEPTH, abs=0.1), "through the back and no other side"
        surface = thread(screw)
        beside = HALF_WIDTH - np.abs(surface[..., 0])
        behind = (surface[..., 1] < HALF_DEPTH - 4.0) & (surface[..., 1] > -HALF_DEPTH)
        assert beside[behind].min() > 0.0, "no side wall is broken"
        assert beside[behind & (at <= leaves)[:, None]].min() >= 1.0 - NEAR_MM, "kept from until the axis is out"
        bone = surface[..., 1] < HALF_DEPTH
        assert (surface[..., 2] - LOW)[bone].min() >= 2.0 - NEAR_MM
        assert (HIGH - surface[..., 2])[bone].min() >= 1.0, "the upper face"
        sac = np.hypot(surface[..., 0], surface[..., 1] - (sac_front - 5.0)) - 5.0
        assert sac.min() >= 2.0 - NEAR_MM, "the canal, beyond the far wall too"


def test_a_bicortical_tip_stands_out_of_the_back_clear_of_the_canal():
    found = best(world(bicortical(planned(KIND)), canal(-14.0)))
    _far_side(found, -14.0)
    assert found.screws[0].bicortical


def test_it_leaves_the_back_beside_a_sac_that_lies_close():
    found = best(world(bicortical(planned(KIND)), canal(-10.0)))
    _far_side(found, -10.0)


def test_two_bicortical_screws_keep_apart_as_others():
    found = best(world(bicortical(planned(KIND, KIND)), canal(-14.0)))
    _far_side(found, -14.0)
    assert apart_mm(*found.screws) >= 2.0 - 0.02
    assert 5.0 - 1e-3 <= half_angle(*found.screws) <= 15.0 + 1e-3


def test_an_organ_behind_the_far_wall_keeps_its_clearance():
    """A great vessel behind the right half: its rule asks 5 mm of the thread, beyond the far wall too."""
    x, y, z = voxels()
    vessel = solid("aorta", "keepout_critical", (x > 0.0) & (y < -10.0) & (y > -20.0) & (z < np.inf))
    plan = bicortical(planned(KIND))
    limit = next(rule.limit_mm for rule in plan.rules if rule.structure == "great_vessels")
    where = world(plan, vessel, canal(-30.0))
    (screw,) = best(where).screws
    out = thread(screw)
    beside = np.maximum(-out[..., 0], 0.0)
    behind = np.maximum(out[..., 1] + 10.0, 0.0)
    deep = in_block(axis(screw)[1])
    since = int(np.argmax(deep))
    assert np.hypot(beside, behind)[since:].min() >= limit - NEAR_MM
    assert screw.length_mm - axis(screw)[0][deep][-1] >= 1.0 - NEAR_MM


def test_where_no_length_ends_beyond_the_far_wall_by_the_rule_it_is_refused():
    with pytest.raises(PlanError, match=r"C4, 3.5 mm .*: no length made ends 1 to 2 mm beyond .*; nearest miss \d"):
        best(world(bicortical(planned(kind(10.0, 40.0))), canal(-14.0)))


def test_a_bicortical_screw_that_could_leave_only_through_a_side_is_refused_by_the_side_wall():
    """Where the canal lies behind the whole back, what is left goes out sideways, which is no far wall."""
    with pytest.raises(PlanError, match="no trajectory keeps 1 mm from the vertebra's side walls; nearest miss"):
        best(world(bicortical(planned(KIND)), canal(-8.5, 30.0)))


def test_screws_of_zero_profile_cross_the_docked_endplate_and_keep_from_the_other():
    plan = planned(KIND, KIND, upper_flange=None)
    found = best(world(plan, canal(-14.0)))
    assert len(found.screws) == 2
    for screw in found.screws:
        at, points = axis(screw)
        crossing = points[np.argmax(points[:, 2] > LOW)]
        assert np.abs(crossing[0]) < HALF_WIDTH - RADIUS and np.abs(crossing[1]) < HALF_DEPTH, "through the plate"
        under = np.array(screw.entry) + (3.0 + 1.5) * np.array(screw.direction)
        assert LOW - plan.upper_foot.height_mm + 3.0 - 0.1 <= under[2] <= LOW - GAP, "its seat is in the foot's metal"
        bone = thread(screw)
        bone = bone[bone[..., 2] > LOW]
        assert (HIGH - bone[:, 2]).min() >= 1.0
        assert points[-1][1] >= -HALF_DEPTH + 1.0 - NEAR_MM and points[-1][2] <= HIGH - 1.0
        later = thread(screw)[at > at[np.argmax(points[:, 2] > LOW)] + 4.0]
        assert (HALF_WIDTH - np.abs(later[..., 0])).min() >= 1.0 - NEAR_MM
        assert (HALF_DEPTH + later[..., 1]).min() >= 1.0 - NEAR_MM
    assert apart_mm(*found.screws) >= 2.0 - 0.02
    assert heads_wall_mm(*found.screws) >= 1.0 - 0.02


def test_with_a_flange_the_docked_endplate_is_kept_from():
    for screw in best(world(planned(KIND), canal(-14.0))).screws:
        surface = thread(screw)
        assert (surface[..., 2] - LOW)[surface[..., 1] < HALF_DEPTH].min() >= 2.0 - NEAR_MM


WIDE, TALL_MM = Flange(0.0, 20.0, 16.0, 2.5), 44.0


def tall_world(plan: Plan) -> Situation:
    """The block 4 mm taller, so that there is room for two rows of screws."""
    where = world(plan, canal(-14.0))
    tall = [block("C4", LOW, TALL_MM), *(s for s in where.case.structures if s.name != "C4")]
    return replace(where, case=where.case.with_structures(tall))



@pytest.mark.parametrize("count", [3, 4])
def test_three_and_four_screws_hold_every_rule_between_them(count: int):
    short = kind(10.0, 12.0, 14.0)
    found = best(tall_world(planned(*([short] * count), upper_flange=WIDE)))
    assert len(found.screws) == count and len(found.bindings) == count
    for one, other in combinations(found.screws, 2):
        assert apart_mm(one, other) >= 2.0 - 0.02
        assert heads_wall_mm(one, other) >= 1.0 - 0.02
        assert 5.0 - 1e-3 <= half_angle(one, other) <= 15.0 + 1e-3
    for screw in found.screws:
        surface = thread(screw)
        behind = surface[surface[..., 1] < HALF_DEPTH - 4.0]
        assert (HALF_WIDTH - np.abs(behind[:, 0])).min() >= 1.0 - NEAR_MM
        heights = surface[..., 2][surface[..., 1] < HALF_DEPTH]
        assert heights.min() - LOW >= 2.0 - NEAR_MM and TALL_MM - heights.max() >= 1.0
        assert axis(screw)[1][-1][1] >= -HALF_DEPTH + 1.0


def test_five_are_more_than_are_planned():
    with pytest.raises(PlanError, match="C4 has 5; at most 4"):
        best(world(planned(*([KIND] * 5)), canal(-14.0)))


def test_metal_already_there_is_kept_from_by_the_rule():
    """A rod across the back of the block, as of posterior screws: 2 mm between it and every thread."""
    x, y, z = voxels()
    rod = solid("metal", "metal", (np.hypot(y + 4.0, z - 34.0) < 2.0) & (np.abs(x) < 14.0))
    found = best(world(planned(KIND, KIND), rod, canal(-14.0)))
    for screw in found.screws:
        surface = thread(screw)
        assert (np.hypot(surface[..., 1] + 4.0, surface[..., 2] - 34.0) - 2.0).min() >= 2.0 - NEAR_MM
    free = best(world(planned(KIND, KIND), canal(-14.0)))
    assert found.pullout_N < free.pullout_N


def test_a_vertebra_full_of_metal_is_refused_by_the_rule_s_name():
    x, y, z = voxels()
    plate = solid("metal", "metal", (np.abs(y - 4.0) < 2.0) & (np.abs(x) < 12.0) & (z > LOW) & (z < HIGH))
    with pytest.raises(PlanError) as told:
        best(world(planned(KIND), plate, canal(-14.0)))
    words = str(told.value)
    assert "2 mm from metal already there" in words and "screw_rules.metal_mm" in words and "nearest miss" in words
