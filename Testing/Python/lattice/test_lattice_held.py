"""What hangs together: against scipy's labels of the whole grid and against the surfaces themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import clamp, isosurface, least_value
from LatticeGeneratorLib.field.near_border import NearBorder
from LatticeGeneratorLib.field.slabs import Cut, Stitcher, slabs_of
from LatticeGeneratorLib.infill.collect import Collected
from LatticeGeneratorLib.infill.held import METAL, VOID, Groups
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.pieces import pieces_of
from scipy.ndimage import label
from scipy.spatial import cKDTree

SHAPE = (9, 8, 11)
GRID = Grid(np.array([1.0, -2.0, 30.0]), 0.1, (11, 8, 9))


def scattered(seed: int) -> np.ndarray:
    """Random points of metal, [k, j, i], in a void border."""
    random = np.random.default_rng(seed)
    metal = np.zeros(SHAPE, bool)
    metal[1:-1, 1:-1, 1:-1] = random.random((7, 6, 9)) < random.uniform(0.1, 0.9)
    metal[4, 4, 4] = True
    return metal


def grouped(points: np.ndarray, structure: np.ndarray, points_at_once: int) -> tuple[np.ndarray, np.ndarray]:
    """The group of every point, found slab by slab, and the points in each group."""
    groups, slabs = Groups(structure), slabs_of(GRID, points_at_once)
    labels = [groups.labels(points[slab.place]) for slab in slabs]
    for slab, part in zip(slabs, labels):
        groups.add(part, slab)
    numbers, sizes, _ = groups.joined()
    whole = np.zeros(SHAPE, np.int64)
    for slab, part, number in zip(slabs, labels, numbers):
        whole[slab.place] = number[part]
    return whole, sizes


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 300, 10_000]), st.sampled_from(["metal", "void"]))
def test_groups_over_slabs_are_those_of_the_whole(seed, points_at_once, kind):
    metal = scattered(seed)
    points, structure = (metal, METAL) if kind == "metal" else (~metal, VOID)
    found, _ = grouped(points, structure, points_at_once)
    expected, count = label(points, structure)
    assert len(np.unique(found)) == count + 1
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == count + 1, "each group is one of the whole, and none is two"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_groups_are_the_pieces_of_the_surface(seed):
    """Bodies as faces that share vertices show them, and closed voids as surfaces turned inwards."""
    metal = scattered(seed)
    pieces = pieces_of(isosurface(np.where(metal, -0.1, 0.1), GRID))
    assert label(metal, METAL)[1] == (pieces.volumes > 0.0).sum()
    assert label(~metal, VOID)[1] - 1 == (pieces.volumes < 0.0).sum()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 300]))
def test_the_surface_of_slabs_is_that_of_the_whole(seed, points_at_once):
    values = np.random.default_rng(seed).normal(0.0, 0.1, SHAPE).astype(np.float32)
    values[~scattered(seed)] = 0.1
    values = np.ascontiguousarray(values)
    clamp(values, least_value(GRID))
    whole = isosurface(values, GRID)
    stitcher, collected = Stitcher(GRID), Collected(len(whole.vertices))
    for slab in slabs_of(GRID, points_at_once):
        collected.add(stitcher.block(Cut.of(np.ascontiguousarray(values[slab.place])), slab))
    mesh = collected.mesh()
    assert closed_manifold_fault(mesh) is None
    middles, expected = (made.triangles.mean(axis=1) for made in (mesh, whole))
    assert len(middles) == len(expected)
    for some, others in ((middles, expected), (expected, middles)):
        assert cKDTree(others).query(some)[0].max() < 1e-5
    assert collected.volume == pytest.approx(whole.volume, rel=1e-5, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_distances_held_in_little_memory_come_back_to_the_last_bit(seed, share):
    random = np.random.default_rng(seed)
    values = np.where(random.random(SHAPE) < 0.5, np.float32(-0.8), np.float32(0.101))
    near = random.random(SHAPE) < share
    values[near] = random.uniform(-0.1, 0.1, int(near.sum())).astype(np.float32)
    held = NearBorder.of(values)
    assert held.values().tobytes() == values.tobytes() and held.values().flags.writeable


def test_of_distances_cut_off_near_the_border_little_is_held():
    away = np.linalg.norm(np.indices((60, 60, 60)) - 29.6, axis=0) - 24.0
    values = np.clip(0.1 * away, -0.101, 0.101).astype(np.float32)
    # As where distances are drawn back.
    values[30, 30, 54] += np.float32(0.1)
    assert values.max() > 0.101 + 1e-3
    held = NearBorder.of(values)
    assert held.values().tobytes() == values.tobytes()
    assert held.nbytes < 3.0 * 4.0 * (np.abs(values) < 0.1).sum() < 0.3 * values.nbytes
