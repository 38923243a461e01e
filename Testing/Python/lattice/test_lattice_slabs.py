"""Slabs: as small however large the grid, and what is made of them is the same whatever their size."""

from __future__ import annotations

import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field import ahead
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.slabs import POINTS_AT_ONCE, Cut, Stitcher, by_slab, slabs_of
from LatticeGeneratorLib.infill import aim, infill, level
from LatticeGeneratorLib.infill.domain_field import MeshDomain
from LatticeGeneratorLib.infill.infill import Infill
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from scipy.spatial import cKDTree

SPACING, LEVEL = 0.1, 0.3
HOLLOW = union([box([0, 0, 0], [5.02, 2.03, 2.5]), box([0, 0, 0], [2.07, 5, 2.5])])


def working(monkeypatch: pytest.MonkeyPatch, points_at_once: int) -> None:
    """From now on slabs have so many points."""
    for module in (infill, level, aim):
        monkeypatch.setattr(module, "slabs_of", partial(slabs_of, points_at_once=points_at_once))


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 3000), st.integers(3, 700), st.integers(3, 700))
def test_slabs_are_small_and_cover_a_grid_once(nx, ny, nz):
    grid = Grid(np.zeros(3), 0.1, (nx, ny, nz))
    squares = np.zeros((nz - 1, ny - 1), np.int8)
    slabs = slabs_of(grid)
    for slab in slabs:
        planes, rows = slab.place
        squares[planes.start : planes.stop - 1, rows.start : rows.stop - 1] += 1
        # Beside its own points a slab has those of a row and of a plane that it shares.
        own = nx * (planes.stop - planes.start - 1) * (rows.stop - rows.start - 1)
        assert own <= POINTS_AT_ONCE and np.prod(slab.grid.shape) <= 2.0 * POINTS_AT_ONCE
        assert slab.grid.start == (0, rows.start, planes.start)
    assert (squares == 1).all()
    # What several slabs make again costs time.
    assert sum(float(np.prod(slab.grid.shape)) for slab in slabs) < 1.4 * nx * ny * nz or min(ny, nz) < 20


@pytest.mark.parametrize("points_at_once", [200, 900, POINTS_AT_ONCE])
def test_places_are_told_to_the_one_slab_that_they_lie_in(points_at_once):
    grid = Grid(np.array([5.0, -3.0, 1.0]), 0.1, (11, 23, 31))
    slabs = slabs_of(grid, points_at_once)
    random = np.random.default_rng(2)
    steps = random.random((500, 3)) * (np.array(grid.shape) - 1.0)
    steps[::2] = np.floor(steps[::2])
    shares = by_slab(steps, slabs)
    assert len(shares) == len(slabs)
    assert sorted(np.concatenate(shares).tolist()) == list(range(len(steps)))
    for slab, share in zip(slabs, shares):
        _, rows, planes = slab.grid.shape
        _, j, k = steps[share].T
        assert ((j >= slab.row) & (j < slab.row + rows - 1) & (k >= slab.plane) & (k < slab.plane + planes - 1)).all()
        assert (np.diff(share) > 0).all()


def made(monkeypatch: pytest.MonkeyPatch, body: Mesh, points_at_once: int) -> Lattice:
    with monkeypatch.context() as patch:
        working(patch, points_at_once)
        return Infill(MeshDomain(body, SPACING), LatticeSpec()).lattice_of(LEVEL)


@pytest.mark.parametrize("body", [box([0, 0, 0], [3.1, 4.2, 2.6]), HOLLOW])
def test_a_lattice_is_the_same_whatever_the_size_of_slabs(monkeypatch, body):
    whole = made(monkeypatch, body, 10_000_000)
    assert closed_manifold_fault(whole.mesh) is None
    for points_at_once in (2_000, 20_000):
        other = made(monkeypatch, body, points_at_once)
        assert closed_manifold_fault(other.mesh) is None
        assert len(other.mesh.faces) == len(whole.mesh.faces)
        assert (other.chips_removed, other.pores_closed) == (whole.chips_removed, whole.pores_closed)
        assert other.porosity == pytest.approx(whole.porosity, abs=1e-6)
        assert len(other.mesh.vertices) == len(whole.mesh.vertices)
        assert cKDTree(whole.mesh.vertices).query(other.mesh.vertices)[0].max() < 1e-5


def test_threads_change_no_bit(monkeypatch):
    results = []
    for threads in (1, 4):
        monkeypatch.setattr(ahead, "_MOST_THREADS", threads)
        monkeypatch.setattr(ahead.os, "cpu_count", lambda: 4)
        results.append(made(monkeypatch, HOLLOW, 20_000).mesh)
    one, other = results
    assert one.vertices.tobytes() == other.vertices.tobytes() and one.faces.tobytes() == other.faces.tobytes()


def held_mib(monkeypatch: pytest.MonkeyPatch, size: tuple[float, float, float]) -> float:
    """The most that arrays hold at a time while a box is filled block by block, MiB, without what is there before."""
    points_at_once = 20_000
    with monkeypatch.context() as patch:
        working(patch, points_at_once)
        fill = Infill(MeshDomain(box(np.zeros(3), np.array(size)), SPACING), LatticeSpec())
        for _ in fill.blocks(fill.held(LEVEL, kept_bytes=0)):
            pass  # the distances that are kept are now
        tracemalloc.start()
        try:
            count = sum(len(block.faces) for block in fill.blocks(fill.held(LEVEL, kept_bytes=0)))
            assert count > 100_000
            return tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()


def test_a_wide_domain_needs_as_little_memory_as_a_tall_one(monkeypatch):
    tall, wide = (held_mib(monkeypatch, size) for size in ((2.0, 2.0, 50.0), (10.0, 10.0, 2.0)))
    assert wide < 1.5 * tall and tall < 1.5 * wide


def test_memory_does_not_grow_with_the_domain(monkeypatch):
    small, large = (held_mib(monkeypatch, (size, size, 2.0)) for size in (10.0, 30.0))
    # Of one plane what hangs together in metal and in void is held, 4 bytes a point each, and its vertices' numbers.
    seams = 12.0 * (30.0 / SPACING) ** 2 / 2**20
    assert large < 1.2 * small + seams < 3.0


def test_slabs_that_do_not_meet_are_told():
    values = np.full((5, 5, 5), 0.05, np.float32)
    values[2, 1:4, 1:4] = -0.05
    grid = Grid(np.zeros(3), 0.1, (5, 5, 5))
    first, *_, last = slabs_of(grid, 1)
    stitcher = Stitcher(grid)
    stitcher.block(Cut.of(np.ascontiguousarray(values[first.place])), first)
    with pytest.raises(GeometryError, match="do not meet"):
        stitcher.block(Cut.of(np.ascontiguousarray(values[last.place])), last)
