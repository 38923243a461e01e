"""Contact zones chosen to hold a guide: what is free is told free, and no other choice of as many holds better."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.guide_closure import Candidates, best_held, squares_of

APART, RADIUS = 5.0, 2.0


def candidates(points: np.ndarray, normals: np.ndarray, places: np.ndarray, kinds: np.ndarray) -> Candidates:
    away = np.linalg.norm(points[places, None] - points[None, places], axis=2)
    return Candidates(squares_of(points, normals, places, RADIUS), away >= APART, kinds)


def half_ellipsoid(axes: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Places and normals about a millimetre apart."""
    count = 1500
    turn, height = np.arange(count) * 2.399963, (np.arange(count) + 0.5) / count  # the golden angle
    flat = np.sqrt(1.0 - height**2)
    unit = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
    slope = unit / axes
    return unit * axes, slope / np.linalg.norm(slope, axis=1, keepdims=True)


def test_no_zones_on_a_ball_hold_its_turns():
    points, normals = half_ellipsoid((12.0, 12.0, 12.0))
    places = np.arange(0, len(points), 40)
    given = candidates(points, normals, places, np.zeros(len(places), int))
    # About the ball's middle it is free: what little is told is of normals and middle as sampled.
    assert given.closure(range(len(places))) < 1e-6 * np.trace(given.squares.sum(axis=0))


@pytest.mark.parametrize("axes", [(14.0, 9.0, 7.0), (8.0, 12.0, 5.0)])
def test_no_other_zones_hold_much_better(axes):
    points, normals = half_ellipsoid(axes)
    places = np.arange(7, len(points), 60)
    given = candidates(points, normals, places, np.zeros(len(places), int))
    start = next(pair for pair in combinations(range(len(places)), 3) if given.apart[np.ix_(pair, pair)].sum() == 6)
    chosen = best_held(given, start, 4)
    assert len(chosen) == 4 and given.apart[np.ix_(chosen, chosen)].sum() == 12
    every = (c for c in combinations(range(len(places)), 4) if given.apart[np.ix_(c, c)].sum() == 12)
    best = max(given.closure(c) for c in every)
    assert given.closure(chosen) >= 0.8 * best
    assert given.closure(chosen) > 2.0 * given.closure(start)


def test_zones_are_exchanged_for_their_own_kind_and_only_those_that_may_be_are_added():
    points, normals = half_ellipsoid((14.0, 9.0, 7.0))
    places = np.arange(7, len(points), 60)
    kinds = (points[places, 1] > 0.0).astype(int)
    given = candidates(points, normals, places, kinds)
    ones, others = np.flatnonzero(kinds == 0), np.flatnonzero(kinds == 1)
    start = (int(ones[0]), int(others[np.argmax(given.apart[ones[0], others])]))
    chosen = np.array(best_held(given, start, 5))
    assert (kinds[chosen] == 1).sum() == 1
    assert 2 < len(chosen) <= 5
