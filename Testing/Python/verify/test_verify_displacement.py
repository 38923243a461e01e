"""How far a structure has to be moved along each direction, against a tube and a ball of which it is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.samples import Samples
from SpinalStrutDesignerLib.case.model import Structure
from SpinalStrutDesignerLib.verify.displacement import NearSide, displacement_needed, displacement_ways, points_within
from verify_toy import tube

RUN = np.array([0.0, 0.0, -1.0])
RADIUS = 6.0
COLUMN_MM, VOXEL_MM = 1.0, 0.5


@cache
def gullet() -> Structure:
    """An upright round tube."""
    return tube("oesophagus", "keepout_critical", 0.0, 0.0, RADIUS, -45.0, 45.0)


def ball(at: tuple[float, float], radius: float) -> np.ndarray:
    """(n, 3) points on and in a ball beside the tube's axis."""
    side = np.arange(-radius, radius + 0.01, 0.4)
    points = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    away = np.linalg.norm(points, axis=1)
    outside = points[away > 0.8 * radius]
    outside = radius * outside / np.linalg.norm(outside, axis=1)[:, None]
    return np.vstack([points[away <= radius], outside]) + np.array((*at, 0.0))


def free_after(at: tuple[float, float], radius: float, way: np.ndarray) -> float:
    """The least shift along a direction after which tube and ball no longer meet, in closed form: their axes are then
    as far apart as both radii."""
    relative = -np.array(at)
    along = float(relative @ way[:2])
    across = float(np.hypot(*(relative - along * way[:2])))
    if across >= RADIUS + radius:
        return 0.0
    return float(np.sqrt((RADIUS + radius) ** 2 - across**2)) - along


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 2.0 * np.pi), st.floats(6.0, 9.0), st.floats(2.5, 4.0))
def test_each_direction_asks_for_what_frees_the_tube(turn: float, away: float, radius: float) -> None:
    at = (away * np.cos(turn), away * np.sin(turn))
    body = Samples(ball(at, radius))
    nearest = body.least(gullet().distance)
    ways, needed = displacement_ways(gullet(), body, nearest, RUN)
    true = np.array([free_after(at, radius, way) for way in ways])
    sure = true < 16.0  # what lies farther from where they meet is not looked at
    if nearest.distance_mm < -0.3:
        # Columns at the brink of missing each other ask for all or nothing; elsewhere what lies highest in a column
        # counts for all of it, a millimetre at the slope at which both touch: never too little.
        across = np.abs(ways[:, 0] * at[1] - ways[:, 1] * at[0])
        sure &= across < RADIUS + radius - 2.0
        slope = across[sure] / np.sqrt((RADIUS + radius) ** 2 - across[sure] ** 2)
        over = needed[sure] - true[sure]
        assert (over > -VOXEL_MM).all() and (over < VOXEL_MM + COLUMN_MM * slope).all()
        assert needed.min() == displacement_needed(gullet(), body, nearest, RUN)


def test_what_does_not_meet_asks_for_nothing() -> None:
    body = Samples(ball((12.0, 0.0), 3.0))
    ways, needed = displacement_ways(gullet(), body, body.least(gullet().distance), RUN)
    assert len(ways) == len(needed) == 24 and (needed == 0.0).all()
    assert np.allclose(np.linalg.norm(ways, axis=1), 1.0) and np.allclose(ways @ RUN, 0.0)


@pytest.mark.parametrize("number", range(0, 24, 5))
def test_a_points_push_is_its_way_from_the_near_side(number: int) -> None:
    ways, _ = displacement_ways(gullet(), Samples(ball((12.0, 0.0), 3.0)), _far(), RUN)
    way = ways[number]
    side = np.cross(way, RUN)
    near = NearSide.of(gullet(), points_within(gullet(), np.full(3, -20.0), np.full(3, 20.0)), RUN, way)
    # At 0 to 4 mm beside the middle, as deep as half the tube.
    beside = np.linspace(0.0, 4.0, 9)
    points = beside[:, None] * side + 2.0 * way
    true = 2.0 + np.sqrt(RADIUS**2 - beside**2)
    assert near.pushed(points) == pytest.approx(true, abs=COLUMN_MM)
    outside = np.vstack([9.0 * side, (RADIUS + 2.0) * way, -(RADIUS + 2.0) * way, 60.0 * RUN])
    assert (near.pushed(outside) == 0.0).all()


def test_of_a_structure_that_is_not_there_nothing_is_pushed() -> None:
    near = NearSide.of(
        gullet(), points_within(gullet(), np.full(3, 30.0), np.full(3, 35.0)), RUN, np.array([1.0, 0.0, 0.0])
    )
    assert (near.pushed(np.array([[31.0, 31.0, 31.0], [0.0, 0.0, 0.0]])) == 0.0).all()


def _far():  # type: ignore[no-untyped-def]
    return Samples(ball((12.0, 0.0), 3.0)).least(gullet().distance)
