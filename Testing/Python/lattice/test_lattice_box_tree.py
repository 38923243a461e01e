"""The tree of boxes reaches every triangle whose box meets a place, by trying all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.box_tree import LEAF, box_tree, leaves_reached


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 70))
def test_every_triangle_near_a_place_is_in_a_leaf_reached(seed, number):
    rng = np.random.default_rng(seed)
    triangles = rng.uniform(-5.0, 5.0, (number, 1, 3)) + rng.normal(0.0, 0.5, (number, 3, 3))
    boxes, order = box_tree(triangles)
    assert sorted(order.tolist()) == list(range(number))
    low = rng.uniform(-5.0, 5.0, (20, 3))
    high = low + rng.uniform(0.0, 2.0, (20, 3))
    leaves, starts = leaves_reached(boxes, low, high)
    for n in range(20):
        mine = leaves[starts[n] : starts[n + 1]]
        reached = {int(t) for leaf in mine for t in order[LEAF * leaf : LEAF * leaf + LEAF]}
        meets = (triangles.min(axis=1) <= high[n]).all(axis=1) & (triangles.max(axis=1) >= low[n]).all(axis=1)
        assert set(np.flatnonzero(meets).tolist()) <= reached


def test_triangles_in_one_place_share_a_tree():
    boxes, order = box_tree(np.zeros((9, 3, 3)))
    assert sorted(order.tolist()) == list(range(9))
    leaves, _ = leaves_reached(boxes, np.zeros((1, 3)), np.zeros((1, 3)))
    assert sorted(leaves.tolist()) == [0, 1, 2]
