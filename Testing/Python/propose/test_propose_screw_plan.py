"""Screws planned in a block whose best trajectory is known, and refused where nothing is safe."""

from __future__ import annotations

import numpy as np
import pytest
from open_world import solid, voxels
from scipy.spatial.transform import Rotation
from screw_world import FLANGE, GAP, HALF_DEPTH, HALF_WIDTH, HIGH, HU, LOW, canal, kind, moved, planned, world
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import Plan, Screw, ScrewRules
from SpinalStrutDesignerLib.propose.screw_choice import ScrewSet
from SpinalStrutDesignerLib.propose.screw_plan import EndScrews, planned_end, with_screws
from SpinalStrutDesignerLib.verify.purchase import shear_MPa

UNDER_MM = 3.0 + 1.5  # from the head's top to the end of the metal under it (type and rules)
NEWTON_PER_MM = float(np.pi * 3.5 * (0.5 + 0.577 * 0.8 / 1.75) * shear_MPa(np.array([HU]))[0])


def best(where: Situation) -> ScrewSet:
    return planned_end(where, "upper").best


def ends(screw: Screw) -> tuple[np.ndarray, np.ndarray]:
    """Where the thread begins to be bone's, at the front of the block, and the tip."""
    entry, way = np.array(screw.entry), np.array(screw.direction)
    return entry + (HALF_DEPTH - entry[1]) / way[1] * way, entry + screw.length_mm * way


def bone_mm(screw: Screw) -> float:
    into, tip = ends(screw)
    return float(np.linalg.norm(tip - into))


def apart_mm(one: Screw, other: Screw) -> float:
    """Between threads, by many points on both axes."""
    share = np.linspace(0.0, 1.0, 300)[:, None]
    lines = [np.array(s.entry) + (3.0 + share * (s.length_mm - 3.0)) * np.array(s.direction) for s in (one, other)]
    return float(np.linalg.norm(lines[0][:, None] - lines[1], axis=2).min()) - 3.5


@pytest.fixture(scope="module")
def straight_end() -> EndScrews:
    """One screw that is no longer than the block is deep, and others that would do."""
    return planned_end(world(planned(kind(10.0, 14.0, 18.0)), canal(-14.0)), "upper")


@pytest.fixture(scope="module")
def straight(straight_end) -> ScrewSet:
    """The best of them."""
    return straight_end.best


def test_the_longest_safe_screw_is_taken_and_its_head_lies_as_deep_as_it_can(straight):
    (screw,) = straight.screws
    assert screw.length_mm == 18.0
    most = 18.0 - UNDER_MM - GAP  # straight in, the metal under the head at the fit gap
    assert most * 0.99 <= bone_mm(screw) <= most + 0.02


def test_its_purchase_is_that_of_the_closed_form(straight):
    (screw,) = straight.screws
    assert straight.pullout_N == pytest.approx(NEWTON_PER_MM * bone_mm(screw), rel=0.02)


def test_every_rule_holds_by_plain_geometry(straight):
    (screw,) = straight.screws
    into, tip = ends(screw)
    assert min(into[2], tip[2]) >= LOW + 2.0 + 1.75 * 0.9, "the docked endplate"
    assert max(into[2], tip[2]) <= HIGH - 1.0
    assert abs(tip[0]) + 1.75 + 1.0 <= HALF_WIDTH
    assert tip[1] >= -HALF_DEPTH + 1.0, "1 mm of bone ahead of the tip"


def test_a_longer_one_goes_in_obliquely_where_straight_it_would_stand_out():
    found = best(world(planned(kind(10.0, 14.0, 22.0, 30.0)), canal(-14.0)))
    (screw,), (words,) = found.screws, found.bindings
    assert "30 mm would miss" in words
    _, tip = ends(screw)
    assert screw.length_mm == 22.0
    assert screw.direction[1] > -(2.0 * HALF_DEPTH) / (22.0 - UNDER_MM - FLANGE.thickness_mm), "it must be tilted"
    assert tip[1] >= -HALF_DEPTH + 0.9


def test_where_one_side_is_denser_the_screw_goes_there():
    where = world(planned(kind(14.0)), canal(-14.0), hu=lambda x: np.where(x > 0.0, 600.0, 100.0))
    (screw,) = best(where).screws
    into, tip = ends(screw)
    assert min(into[0], tip[0]) > 0.5 * 3.5 - 1.0


def test_two_screws_converge_within_bounds_and_stay_apart():
    where = world(planned(kind(10.0, 14.0, 18.0), kind(10.0, 14.0, 18.0)), canal(-14.0))
    one, other = best(where).screws
    half = 0.5 * np.degrees(np.arccos(np.dot(one.direction, other.direction)))
    assert 5.0 - 1e-3 <= half <= 15.0 + 1e-3
    assert apart_mm(one, other) >= 2.0
    assert np.linalg.norm(np.subtract(one.entry, other.entry)) >= 2.0 * 3.05 + 1.0
    assert one.length_mm == other.length_mm == 18.0


def test_runners_up_are_different_and_hold_no_more(straight_end):
    found = straight_end.best
    for other in straight_end.runners_up:
        away = np.linalg.norm(np.subtract(other.screws[0].entry, found.screws[0].entry))
        turned = np.degrees(np.arccos(np.clip(np.dot(other.screws[0].direction, found.screws[0].direction), -1, 1)))
        assert away >= 2.5 or turned >= 8.0
        assert other.pullout_N <= found.pullout_N * 1.001
    assert straight_end.runners_up


def test_a_locked_screw_stays_and_the_other_is_planned_around_it():
    locked = Screw(kind(14.0), "C4", (4.0, 12.8, 34.0), (0.0, -1.0, 0.0), 14.0, locked=True)
    free = Screw(kind(14.0), "C4", (-4.0, 12.8, 34.0), (0.0, -1.0, 0.0), 14.0)
    one, other = best(world(planned(screws=(locked, free)), canal(-14.0))).screws
    assert one == locked
    assert apart_mm(one, other) >= 2.0
    assert np.dot(one.direction, other.direction) <= np.cos(np.deg2rad(10.0 - 1e-3))


def test_what_binds_is_said(straight):
    (words,) = straight.bindings
    assert "left" in words
    assert "length: 18 mm is the longest made" in words


def test_the_same_again_and_with_the_plans_other_screws_kept(straight_end):
    plan = planned(kind(10.0, 14.0, 18.0))
    first = planned_end(world(plan, canal(-14.0)), "upper")
    assert first == straight_end
    below = Screw(kind(14.0), "T2", (0.0, 13.0, -34.0), (0.0, -1.0, 0.0), 14.0)
    both = with_screws(plan.with_(screws=(*plan.screws, below)), [first])
    assert both.screws == (*first.best.screws, below)


def test_a_moved_world_has_moved_screws(straight):
    here = world(planned(kind(10.0, 14.0, 18.0)), canal(-14.0))
    turn, shift = Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix(), np.array([11.0, -7.0, 23.0])
    (screw,), (there,) = straight.screws, best(moved(here, turn, shift)).screws
    assert there.length_mm == screw.length_mm
    back = turn.T @ (np.array(there.entry) - shift)
    assert bone_mm(there.with_(entry=tuple(back), direction=tuple(turn.T @ there.direction))) == pytest.approx(
        bone_mm(screw), abs=0.1
    )


def refused(where: Situation) -> str:
    with pytest.raises(PlanError) as told:
        best(where)
    return str(told.value)


def test_a_vertebra_too_small_for_every_length_is_refused_by_name():
    words = refused(world(planned(kind(40.0, 44.0)), canal(-14.0)))
    assert "no catalogue length fits C4" in words
    assert "40 mm" in words
    assert "lengths_mm" in words


def test_no_way_past_the_canal_is_refused_with_the_nearest_miss():
    words = refused(world(planned(kind(14.0)), canal(4.0, 9.0)))
    assert "2 mm from the spinal canal" in words or "canal" in words
    assert "mm" in words


def test_a_blocked_approach_names_what_blocks_it_and_the_driver():
    x, y, z = voxels()
    mandible = solid("mandible", "bone", (y > 26.0) & (y < 30.0) & (np.abs(x) < 39.0) & (np.abs(z) < 44.0))
    words = refused(world(planned(kind(14.0)), canal(-14.0), mandible))
    assert "approach blocked" in words
    assert "mandible" in words
    assert "100 × 5 mm" in words
    assert "screw_rules.driver_length_mm" in words


def test_screws_that_do_not_go_together_are_refused_by_the_rule():
    plan: Plan = planned(
        kind(14.0), kind(14.0), screw_rules=ScrewRules(least_convergence_deg=44.0, most_convergence_deg=44.5)
    )
    words = refused(world(plan, canal(-14.0)))
    assert "no set of them goes together" in words
    assert "convergence_deg" in words


def test_a_flange_too_small_for_a_head_is_refused():
    words = refused(world(planned(kind(14.0), upper_flange=FLANGE.with_(width_mm=6.0)), canal(-14.0)))
    assert "upper_flange.width_mm" in words
