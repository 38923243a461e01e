"""The throat of shapes whose narrowest place is known, and of periodic cells against the formula of their geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, rigid
from LatticeGeneratorLib.cells import cell_named
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.measure.network import Network
from LatticeGeneratorLib.measure.throat import throat
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere

RIGHT_MM = 0.015
sizes = st.floats(0.2, 0.7)
seeds = st.integers(0, 10_000)


def few(examples: int):
    return settings(max_examples=examples, deadline=None, derandomize=True)


def found(body: Mesh, domain: Mesh, seed: int) -> float:
    return throat(body.transformed(rigid(seed)), domain.transformed(rigid(seed)))


@few(2)
@given(sizes, seeds)
def test_a_slit_lets_pass_what_it_is_wide(size, seed):
    plates = joined(box([-1.5, -1.5, -0.5], [1.5, 1.5, 0.0]), box([-1.5, -1.5, size], [1.5, 1.5, size + 0.5]))
    domain = box([-0.8, -0.8, -0.2], [0.8, 0.8, size + 0.2])
    assert found(plates, domain, seed) == pytest.approx(size, abs=RIGHT_MM)


@few(3)
@given(sizes, seeds)
def test_a_neck_between_a_chamber_and_the_outside(size, seed):
    offset = np.random.default_rng(seed).uniform(-0.05, 0.05, 3)
    bore = cylinder(offset, offset + np.array([0.0, 0.0, 3.0]), 0.5 * size, 96)
    body = difference(box([-1.2] * 3, [1.2] * 3), [bore, sphere(offset, 0.55, 48)])
    assert found(body, box([-0.9] * 3, [0.9] * 3), seed) == pytest.approx(size, abs=RIGHT_MM)


@few(3)
@given(st.floats(0.3, 0.45), st.floats(0.55, 0.9), seeds)
def test_a_chain_of_round_pores(radius, share, seed):
    step = 2.0 * radius * share
    pores = [sphere(np.array([0.0, 0.0, step * n]), radius, 64) for n in range(-4, 5)]
    body = difference(box([-0.8, -0.8, -1.2], [0.8, 0.8, 1.2]), pores)
    neck = 2.0 * np.sqrt(radius**2 - (0.5 * step) ** 2)
    assert found(body, box([-0.7, -0.7, -1.1], [0.7, 0.7, 1.1]), seed) == pytest.approx(neck, abs=RIGHT_MM)


@pytest.mark.parametrize("hole", [0.2, 0.45])
def test_a_room_under_a_lid_with_round_holes(hole):
    holes = [
        cylinder(np.array([x, y, 0.0]), np.array([x, y, 2.0]), hole / 2, 96) for x in (-0.35, 0.36) for y in (0, 0.5)
    ]
    body = difference(box([-1] * 3, [1] * 3), [box([-0.7] * 3, [0.7] * 3), *holes])
    assert found(body, box([-0.8] * 3, [0.8] * 3), 5) == pytest.approx(hole, abs=RIGHT_MM)


def test_void_closed_all_round_does_not_count():
    room = inverted(sphere(np.zeros(3), 0.5, 48))
    assert throat(joined(box([-1] * 3, [1] * 3), room), box([-0.8] * 3, [0.8] * 3)) == 0.0
    slit = box([0.6, -2, -0.8], [0.9, 2, 0.8])
    both = joined(difference(box([-1] * 3, [1] * 3), [slit]), room)
    assert throat(both, box([-0.95, -0.9, -0.75], [0.95, 0.9, 0.75])) == pytest.approx(0.3, abs=RIGHT_MM)


def test_a_solid_lets_nothing_pass():
    assert throat(box([-2] * 3, [2] * 3), box([-0.5] * 3, [0.5] * 3)) == 0.0


def lattice(name: str, cell_mm: float, level: float, size: tuple[float, float, float], seed: int) -> Mesh:
    """A cell's level set in a block from the origin, on a finer grid than lattices are made on."""
    domain = box(np.zeros(3), np.array(size))
    grid = Grid.around(*domain.bounds, 0.05)
    places = (axis / cell_mm + s for axis, s in zip(grid.axes(), np.random.default_rng(seed).uniform(size=3)))
    x, y, z = (place.astype(np.float32) for place in places)
    value, slope = cell_named(name).field(x[None, None, :], y[None, :, None], z[:, None, None])
    return isosurface(np.maximum((value - level) * cell_mm / slope, signed_distance(domain, grid, 0.15)), grid)


@pytest.mark.parametrize(
    ("size", "plate"), [((2.6, 2.6, 2.6), False), ((3.5, 3.5, 1.5), False), ((3.5, 3.5, 1.2), True)]
)
def test_a_trimmed_lattice_has_its_periodic_cell_s_throat(size, plate):
    # 70 % porosity: radius over cell by formula.
    radius = 0.3232 - 0.2692 * 0.7
    body = lattice("bcc", 1.12, radius, size, 3)
    if plate:
        body = union([body, box([-0.4, -0.4, size[2] - 0.1], [size[0] + 0.4, size[1] + 0.4, size[2] + 0.8])])
    # From the middle of a cube's face to that of its edge: half way the four nearest diagonals are √2/4 cells off.
    truth = 1.12 * 2.0 * (np.sqrt(1.0 / 8.0) - radius)
    assert throat(body, box(np.zeros(3), np.array(size))) == pytest.approx(truth, abs=RIGHT_MM)


def test_the_network_knows_the_narrowest_place_of_every_way():
    """Against brute force: the widest way from outside to each ball among random points, by flooding."""
    rng = np.random.default_rng(4)
    points = rng.uniform(-1, 1, (150, 3))
    # Normals along one line leave the balls on one side of their points: some half of them.
    network = Network.of(points, np.tile([0.0, 0.0, 1.0], (len(points), 1)), 0.0)
    doors = np.linalg.norm(network.centres, axis=1) > 1.2
    reach = np.where(doors, network.radii, 0.0)
    for _ in range(len(reach)):
        before = reach.copy()
        for one, two in (network.ends.T, network.ends.T[::-1]):
            np.maximum.at(reach, two, np.minimum(network.necks, reach[one]))
        reach = np.where(doors, network.radii, np.minimum(reach, network.radii))
        if (reach == before).all():
            break
    assert np.allclose(network.access(doors, network.necks), reach)
