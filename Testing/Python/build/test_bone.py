"""Bone swept along the way in: what stays outside it can be pulled out without touching bone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.build.bone import LocalField, end_block, insertion_direction, swept
from SpinalStrutDesignerLib.case.model import Endplate

OUTWARD = {
    "anterior": np.array([0.0, 1.0, 0.0]),
    "right": np.array([1.0, 0.0, 0.0]),
    "left": np.array([-1.0, 0.0, 0.0]),
}


def _plate() -> Endplate:
    axes = np.eye(3)
    edge = np.array([[10.0, 0, 0], [0, 8, 0], [-10, 0, 0], [0, -8, 0]])
    return Endplate("C4", "inferior", np.zeros(3), axes[2], axes[1], axes[0], 20.0, 16.0, edge, edge)


def _two_balls() -> LocalField:
    low, step = np.array([-15.0, -15.0, -10.0]), 0.5
    axes = [np.arange(low[i], -low[i] + step / 2, step) for i in range(3)]
    out, anterior, right = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    points = np.stack([right, anterior, out], axis=-1)
    balls = [np.linalg.norm(points - c, axis=-1) - r for c, r in (([0, 6, -4], 4.0), ([6, -2, 3], 3.0))]
    return LocalField(_plate(), low, step, np.minimum(*balls))


@pytest.mark.parametrize("approach", ["anterior", "right", "left"])
@settings(max_examples=40, deadline=None)
@given(x=st.floats(-12, 12), y=st.floats(-12, 12), z=st.floats(-8, 8))
def test_the_swept_distance_is_the_least_met_on_the_way_out(approach, x, y, z):
    field = _two_balls()
    start = np.array([x, y, z])
    steps = np.arange(0.0, 30.0, 0.25)[:, None]
    way = start + steps * OUTWARD[approach]
    way = way[np.all(np.abs(way) <= [15, 15, 10], axis=1)]
    met = field.at_local(way).min()
    assert swept(field, approach).at_local(start[None])[0] == pytest.approx(met, abs=0.5)


@pytest.mark.parametrize("approach", ["anterior", "right", "left"])
def test_a_foot_slides_in_from_the_side_it_is_approached_from(approach):
    assert insertion_direction(_plate(), approach) == pytest.approx(-OUTWARD[approach])


@pytest.mark.parametrize("flange_mm", [0.0, 12.0, 19.7, 30.0])
def test_the_block_of_an_end_holds_the_highest_flange_and_a_foot_beside_the_plate(flange_mm):
    reach = np.array([[-8.0, -6.0], [40.0, 3.0], [-5.0, 25.0]])
    low, high = end_block(_plate(), reach, 7.5, flange_mm)
    assert low[2] <= -flange_mm - 2.0
    assert high[2] >= 7.5 + 2.0
    assert (low[:2] < reach.min(axis=0) - 2.0).all()
    assert (high[:2] > reach.max(axis=0) + 2.0).all()
