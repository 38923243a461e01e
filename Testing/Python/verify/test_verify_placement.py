"""The placement error as measured, and breaches it leads to, held against an independent Monte Carlo."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import gamma
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import ErrorBudget
from SpinalStrutDesignerLib.verify.placement import (
    COARSE,
    breach_probabilities,
    breach_probability,
    deviations,
    magnitude,
    spread_mm,
    thread_margin,
)

BUDGET = ErrorBudget()
NONE = ErrorBudget(screw_entry_mm=0.0, screw_angle_deg=0.0)
# What deviations of 0.81/1.40 and 3.77/6.70 of the mean ask of Weibull's shape, from a table of its moments.
SHAPES = 1.7873, 1.8431
RADIUS, DOWN, UP = 1.75, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
DEPTHS = np.linspace(3.0, 16.0, 27)


@cache
def thrown(count=1_000_000):
    """Shifts and unit directions of screws thrown at random, written down anew: (n, 2), (n, 3)."""
    rng = np.random.default_rng(20)
    off = 1.4 / gamma(1 + 1 / SHAPES[0]) * rng.weibull(SHAPES[0], count)
    tilt = np.deg2rad(6.7) / gamma(1 + 1 / SHAPES[1]) * rng.weibull(SHAPES[1], count)
    p, q = 2.0 * np.pi * rng.random((2, count))
    ways = np.stack([np.sin(tilt) * np.cos(q), np.sin(tilt) * np.sin(q), np.cos(tilt)], axis=1)
    return off[:, None] * np.stack([np.cos(p), np.sin(p)], axis=1), ways


def plane(angle, away):
    """Distance to a wall parallel to the screw, away mm from its axis in a direction across it."""
    normal = np.array([np.cos(angle), np.sin(angle), 0.0])
    return lambda points: away - points @ normal


def test_mean_and_deviation_are_the_measured_ones():
    errors = deviations(BUDGET)
    off, tilt = np.linalg.norm(errors.shifts, axis=1), np.rad2deg(np.linalg.norm(errors.tilts, axis=1))
    assert errors.weights.sum() == pytest.approx(1.0)
    assert (off.mean(), off.std()) == pytest.approx((1.40, 0.81), abs=0.002)
    assert (tilt.mean(), tilt.std()) == pytest.approx((6.70, 3.77), abs=0.01)
    # No direction is preferred, and where the entry lies says nothing of the tilt.
    assert np.abs(errors.shifts.mean(axis=0)).max() < 0.003 and np.abs(errors.tilts.mean(axis=0)).max() < 3e-4
    assert abs(np.corrcoef(off, tilt)[0, 1]) < 0.01


@settings(max_examples=15)
@given(st.floats(0.2, 5.0), st.floats(0.05, 1.0))
def test_errors_have_the_mean_and_deviation_asked_for(mean, spread):
    off = np.linalg.norm(deviations(ErrorBudget(screw_entry_mm=mean, screw_entry_sd_mm=spread * mean)).shifts, axis=1)
    assert off.mean() == pytest.approx(mean, rel=2e-3)
    assert off.std() == pytest.approx(spread * mean, rel=1e-2)
    assert (off <= magnitude(0.3, mean, spread * mean)).mean() == pytest.approx(0.3, abs=1e-3)


def test_without_deviation_every_error_is_the_mean_and_without_mean_there_is_none():
    fixed = deviations(ErrorBudget(screw_entry_sd_mm=0.0, screw_angle_sd_deg=0.0), 256)
    assert np.linalg.norm(fixed.shifts, axis=1) == pytest.approx(1.4)
    assert np.rad2deg(np.linalg.norm(fixed.tilts, axis=1)) == pytest.approx(6.7)
    none = deviations(NONE, 256)
    assert not none.shifts.any() and not none.tilts.any()


def test_a_deviation_that_no_magnitude_has_is_named():
    with pytest.raises(PlanError, match="screw_entry_sd_mm"):
        deviations(ErrorBudget(screw_entry_mm=0.1, screw_entry_sd_mm=9.0))


@pytest.mark.parametrize("away", [2.0, 2.75, 3.75, 5.0])
@pytest.mark.parametrize("angle", [0.1, 1.0, 2.6, 4.4])
def test_a_wall_beside_the_screw_against_random_throws(angle, away):
    shifts, ways = thrown()
    normal = np.array([np.cos(angle), np.sin(angle)])
    # A thread's surface reaches r × sine of the angle to the wall's normal beyond its axis; a line's end is nearest.
    lateral, axial = shifts @ normal, ways[:, :2] @ normal
    reach = lateral + np.maximum(16.0 * axial, 3.0 * axial) + RADIUS * np.sqrt(1.0 - axial**2)
    true = float(np.mean(reach > away))
    wall = plane(angle, away)
    assert breach_probability(np.zeros(3), DOWN, DEPTHS, RADIUS, wall, BUDGET, UP) == pytest.approx(true, abs=0.003)
    few = deviations(BUDGET, COARSE)
    found = breach_probabilities(np.zeros((1, 3)), DOWN[None], DEPTHS, RADIUS, wall, few, UP)[0]
    assert found == pytest.approx(true, abs=0.015)


def test_a_pure_shift_against_a_closed_form():
    """A shift of 2 mm in any direction passes a wall 1 mm beside the thread for |angle| < acos(1/2): one in three."""
    budget = ErrorBudget(screw_entry_mm=2.0, screw_entry_sd_mm=0.0, screw_angle_deg=0.0)
    found = breach_probability(np.zeros(3), DOWN, DEPTHS, RADIUS, plane(0.7, RADIUS + 1.0), budget, UP)
    assert found == pytest.approx(1.0 / 3.0, abs=0.003)


def test_a_tube_about_the_screw_against_random_throws():
    """A bore of 4 mm radius that the screw must stay in, as a pedicle is."""
    shifts, ways = thrown()
    out = np.zeros(len(shifts), dtype=bool)
    for depth in (3.0, 16.0):  # the farthest place of a line from an axis is one of its ends
        away = shifts + depth * ways[:, :2]
        off = np.linalg.norm(away, axis=1)
        rises = np.einsum("ij,ij->i", away, ways[:, :2]) / off
        out |= off + RADIUS * np.sqrt(1.0 - rises**2) > 4.0
    found = breach_probability(
        np.zeros(3), DOWN, DEPTHS, RADIUS, lambda p: 4.0 - np.linalg.norm(p[:, :2], axis=1), BUDGET, UP
    )
    assert found == pytest.approx(float(out.mean()), abs=0.003)


def test_a_wall_ahead_is_reached_by_the_tip_and_not_by_a_ball_about_it():
    ahead = lambda points: 16.5 - points[:, 2]  # noqa: E731
    assert breach_probability(np.zeros(3), DOWN, DEPTHS, RADIUS, ahead, NONE, UP) == 0.0
    margin = thread_margin(ahead(DEPTHS[:, None] * DOWN)[None], DEPTHS, RADIUS)
    assert margin[0, -1] == pytest.approx(0.5)


@settings(max_examples=25)
@given(st.floats(0.5, 8.0), st.floats(0.0, 6.3))
def test_a_nearer_wall_is_never_reached_less(away, angle):
    few = deviations(BUDGET, COARSE)
    near, far = (
        breach_probabilities(np.zeros((1, 3)), DOWN[None], DEPTHS, RADIUS, plane(angle, d), few, UP)[0]
        for d in (away, away + 0.3)
    )
    assert 0.0 <= far <= near <= 1.0


@settings(max_examples=25)
@given(st.floats(1.8, 6.0), st.floats(0.0, 6.3), st.floats(1.05, 2.0))
def test_more_error_never_spares_a_wall_that_the_plan_keeps_from(away, angle, more):
    """True of one straight wall: every deviation is the same one, only larger."""
    larger = ErrorBudget(
        screw_entry_mm=1.4 * more, screw_entry_sd_mm=0.81 * more, screw_angle_deg=0.0, screw_angle_sd_deg=0.0
    )
    smaller = ErrorBudget(screw_angle_deg=0.0, screw_angle_sd_deg=0.0)
    wall = plane(angle, away)
    one, other = (
        breach_probabilities(np.zeros((1, 3)), DOWN[None], DEPTHS, RADIUS, wall, deviations(b, COARSE), UP)
        for b in (smaller, larger)
    )
    assert other[0] >= one[0]


@settings(max_examples=10)
@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3), st.lists(st.floats(-90, 90), min_size=3, max_size=3))
def test_moved_rigidly_nothing_changes(turn, shift):
    rotation, shift = Rotation.from_rotvec(turn).as_matrix(), np.array(shift)
    wall = plane(0.9, 3.3)
    still = breach_probability(np.zeros(3), DOWN, DEPTHS, RADIUS, wall, BUDGET, UP)
    moved = breach_probability(
        shift, rotation @ DOWN, DEPTHS, RADIUS, lambda p: wall((p - shift) @ rotation), BUDGET, rotation @ UP
    )
    # A deviation that just touches the wall may fall to either side.
    assert moved == pytest.approx(still, abs=2e-4)


def test_screws_in_bulk_are_screws_one_by_one():
    entries = np.array([[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [-30.0, 0.0, 0.0]])
    ways = np.array([[0.0, 0.0, 1.0], [0.0, 0.6, 0.8], [0.6, 0.0, 0.8]])
    few = deviations(BUDGET, COARSE)
    bulk = breach_probabilities(entries, ways, DEPTHS, RADIUS, plane(0.3, 3.0), few, UP)
    for k in range(3):
        one = breach_probabilities(entries[k : k + 1], ways[k : k + 1], DEPTHS, RADIUS, plane(0.3, 3.0), few, UP)
        assert one[0] == bulk[k]
    assert bulk[2] == 0.0 < bulk[0]


def test_spread_at_a_depth_against_random_throws():
    shifts, ways = thrown()
    off = np.linalg.norm(shifts + 14.0 * ways[:, :2], axis=1)
    mean, most = spread_mm(deviations(BUDGET), 14.0, 0.95)
    assert mean == pytest.approx(off.mean(), abs=0.01)
    assert most == pytest.approx(np.quantile(off, 0.95), abs=0.03)
