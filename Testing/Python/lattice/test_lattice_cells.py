"""Unit cells against plain formulas of their geometry, exact windows, brute force, and the measured design table."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.cells.fit import fitted
from LatticeGeneratorLib.cells.periodic import Measured, measured
from LatticeGeneratorLib.infill.spec import LatticeSpec
from scipy.ndimage import generate_binary_structure, label, maximum_filter
from scipy.spatial import cKDTree

NAMES = list(CELLS)
STRUTS = [name for name, cell in CELLS.items() if cell.kind == "struts"]
ORTHOGONAL = [name for name in STRUTS if name != "voronoi"]
# Measured on periodic cells at 70 % porosity and 0.55 mm pores, ±0.01 mm: cell, wall or strut, throat. Balls were
# centred on the middles of 112 voxels a cell, so that the largest was missed by up to half their diagonal on either
# side; finer voxels, and the balls of the surface itself, make pores larger and so cells smaller.
TABLE_MM = {
    "gyroid_sheet": (1.59, 0.149, 0.53), "diamond_sheet": (1.65, 0.125, 0.41), "iwp_sheet": (1.62, 0.137, 0.40),
    "primitive_sheet": (0.81, 0.110, 0.24), "gyroid_skeletal": (0.97, 0.302, 0.519),
    "diamond_skeletal": (1.09, 0.337, 0.472), "iwp_skeletal": (1.00, 0.307, 0.408), "bcc": (1.12, 0.300, 0.470),
    "diamond_cubic": (1.06, 0.282, 0.444), "fcc": (1.04, 0.242, 0.322), "octet": (1.39, 0.232, 0.302),
    "rhombic_dodecahedron": (1.05, 0.202, 0.20), "primitive_skeletal": (0.60, 0.387, 0.37),
    "voronoi": (0.74, 0.219, 0.37), "kelvin": (0.76, 0.179, 0.258),
}  # fmt: skip
MEASURED_PER_CELL = 112
# Levels, fitted by others to measured periodic cells, 0.60 to 0.75.
LEVELS = {
    "gyroid_sheet": (1.5545, 1.5577), "gyroid_skeletal": (1.516, 3.046), "diamond_skeletal": (1.203, 2.413),
    "diamond_sheet": (1.218, 1.220), "bcc": (0.3232, 0.2692), "octet": (0.2066, 0.1704),
    "diamond_cubic": (0.3234, 0.2694),
}  # fmt: skip
# Struts per cell and their length; and the distance from the middle of the widest window to the axes round it: the
# radii of the circles in an octahedron's triangle, a dodecahedron's rhombus, a Kelvin hexagon, a cube's square, and
# to the nearest diagonals of the point (½, ¼, 0) of a body-centred cube.
BONDS = {
    "cubic": (3, 1.0), "bcc": (8, 0.75**0.5), "fcc": (12, 0.5**0.5), "octet": (24, 0.5**0.5),
    "diamond_cubic": (16, 0.1875**0.5), "rhombic_dodecahedron": (32, 0.1875**0.5), "kelvin": (24, 0.125**0.5),
}  # fmt: skip
WINDOWS = {
    "octet": 0.5**0.5 / 12**0.5, "rhombic_dodecahedron": 0.125**0.5 * 0.25 / 0.1875**0.5,
    "kelvin": 0.125**0.5 * 0.75**0.5, "cubic": 0.5, "bcc": 0.125**0.5,
}  # fmt: skip


def surface(family: str, points: np.ndarray) -> np.ndarray:
    """(n,) the function of a minimal surface at (n, 3) points in cells, from its definition."""
    x, y, z = 2.0 * np.pi * points.T
    sx, sy, sz, cx, cy, cz = np.sin(x), np.sin(y), np.sin(z), np.cos(x), np.cos(y), np.cos(z)
    return {
        "gyroid": sx * cy + sy * cz + sz * cx,
        "diamond": sx * sy * sz + sx * cy * cz + cx * sy * cz + cx * cy * sz,
        "primitive": cx + cy + cz,
        "iwp": 2.0 * (cx * cy + cy * cz + cz * cx) - np.cos(2 * x) - np.cos(2 * y) - np.cos(2 * z),
    }[family]


def to_segments(points: np.ndarray, beams: np.ndarray, period: int) -> np.ndarray:
    """(n,) distance of (n, 3) points to the nearest of the segments and their images."""
    least = np.full(len(points), np.inf)
    for shift in product((-1.0, 0.0, 1.0), repeat=3):
        images = beams + period * np.array(shift)
        near = (np.abs(images.mean(axis=1) - 0.5 * period) < 0.5 * period + 0.75).all(axis=1)
        for start, end in images[near]:
            axis, away = end - start, points % period - start
            along = np.clip(away @ axis / (axis @ axis), 0.0, 1.0)
            np.minimum(least, np.linalg.norm(away - along[:, None] * axis, axis=1), out=least)
    return least


def plain_field(name: str, points: np.ndarray) -> np.ndarray:
    """(n,) the cell's value at (n, 3) points in cells, from its definition."""
    cell = cell_named(name)
    if cell.beams is not None:
        return to_segments(points, cell.beams, cell.period)
    value = surface(cell.family, points)
    return np.abs(value) if cell.kind == "sheet" else value


def raster(n: int) -> np.ndarray:
    """(n³, 3) middles of the voxels of one cell, in cells."""
    axis = (np.arange(n) + 0.5) / n
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def test_the_cells_are_those_offered_and_the_default_is_the_first():
    assert NAMES[0] == LatticeSpec().cell == "gyroid_skeletal"
    assert LatticeSpec() == LatticeSpec("gyroid_skeletal", 0.70, 0.55)
    assert set(NAMES) == {*TABLE_MM, "cubic"}
    assert len({cell.title for cell in CELLS.values()}) == len(NAMES)
    assert all(cell.name == name for name, cell in CELLS.items())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "voronoi"])
def test_the_field_is_the_definition_s(name):
    points = np.random.default_rng(3).uniform(-2.0, 2.0, (1000, 3))
    assert np.allclose(cell_named(name).field(*points.T)[0], plain_field(name, points), atol=1e-9)


def test_the_voronoi_field_is_the_distance_to_the_edges():
    cell = cell_named("voronoi")
    points = np.random.default_rng(3).uniform(0.0, cell.period, (400, 3))
    far = plain_field("voronoi", points)
    off = np.abs(cell.field(*points.T)[0] - far)[(far > 0.1) & (far < 0.25)]
    assert off.max() < 0.02 and np.sqrt((off**2).mean()) < 0.003


def test_three_voronoi_cells_meet_in_every_strut_and_four_struts_in_every_node():
    cell = cell_named("voronoi")
    ends = (cell.beams.reshape(-1, 3) + 1e-7) % cell.period
    at_node = [len(near) for near in cKDTree(ends, boxsize=cell.period).query_ball_point(ends, 1e-6)]
    assert set(at_node) == {4}


@pytest.mark.parametrize("name", ORTHOGONAL)
def test_the_axes_are_the_bonds_of_the_crystal(name):
    beams, (count, length) = cell_named(name).beams, BONDS[name]
    assert beams.shape == (count, 2, 3)
    assert np.linalg.norm(beams[:, 1] - beams[:, 0], axis=1) == pytest.approx(length)
    middles = np.round(beams.mean(axis=1) % 1.0, 6) % 1.0
    assert len(np.unique(middles, axis=0)) == count


@pytest.mark.parametrize("name", NAMES)
def test_the_field_is_periodic_has_the_precision_it_is_given_and_broadcasts(name):
    cell = cell_named(name)
    points = np.random.default_rng(4).uniform(0.0, 1.0, (300, 3))
    for step in cell.period * np.eye(3):
        assert np.allclose(cell.field(*points.T)[0], cell.field(*(points + step).T)[0], atol=1e-9)
    value, slope = cell.field(*points.astype(np.float32).T)
    assert value.dtype == slope.dtype == np.float32
    assert np.allclose(value, cell.field(*points.T)[0], atol=2e-5)
    x, y, z = (np.linspace(-1.3, 1.1, n, dtype=np.float32) for n in (7, 6, 5))
    kept = x.copy(), y.copy(), z.copy()
    block = cell.field(x[None, None, :], y[None, :, None], z[:, None, None])
    full = cell.field(*(np.ascontiguousarray(c.T) for c in np.meshgrid(x, y, z, indexing="ij")))
    assert block[0].shape == (5, 6, 7)
    assert np.allclose(block[0], full[0], atol=1e-5)
    assert np.allclose(np.broadcast_to(block[1], (5, 6, 7)), full[1], rtol=1e-3)
    assert all(np.isfinite(part).all() and part.dtype == np.float32 for part in block)
    assert (block[1] > 0.0).all()
    assert all((now == before).all() for now, before in zip((x, y, z), kept))


@pytest.mark.parametrize("name", NAMES)
def test_porosity_by_counting_points(name):
    cell = cell_named(name)
    low, high = cell.porosities
    value = cell.field(*np.random.default_rng(2).uniform(0.0, cell.period, (3, 100_000)))[0]
    for porosity in (low, 0.6, 0.7, high):
        assert 1.0 - (value < cell.level(porosity)).mean() == pytest.approx(porosity, abs=0.006)


@pytest.mark.parametrize("name", LEVELS)
def test_levels_are_those_that_others_measured(name):
    at_zero, per_share = LEVELS[name]
    for porosity in (0.60, 0.65, 0.70, 0.75):
        assert cell_named(name).level(porosity) == pytest.approx(at_zero - per_share * porosity, abs=0.006)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_makes_a_distance_near_the_surface(name):
    cell = cell_named(name)
    level = cell.level(0.70)
    points = cell.period * np.random.default_rng(8).random((4000, 3))
    value, slope = cell.field(*points.T)
    near = np.abs(value - level) < 0.02 * slope
    points, value, slope = points[near], value[near], np.broadcast_to(slope, value.shape)[near]
    step = 1e-4
    ends = [(cell.field(*(points + step * e).T)[0], cell.field(*(points - step * e).T)[0]) for e in np.eye(3)]
    length = np.linalg.norm([(after - before) / (2.0 * step) for after, before in ends], axis=0)
    smooth = np.abs(length / slope - 1.0) < 0.05
    # All but creases between struts; the table of the Voronoi cell rounds more of them off.
    assert smooth.sum() > (0.75 if name == "voronoi" else 0.9) * len(points)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", [0, 1])
def test_metal_and_void_are_one_network_each_where_the_cell_is_offered(name, end):
    cell = cell_named(name)
    n, cells = (24, 3) if cell.period == 1 else (16, 4)
    axis = (np.arange(n * cells) + 0.5) / n
    value = cell.field(axis[None, None, :], axis[None, :, None], axis[:, None, None])[0]
    metal = value < cell.level(cell.porosities[end])
    # Walls of a voxel or two hang together by edges and corners.
    parts = {"metal": (metal, 3), "void": (~metal, 1)}
    allowed = {"metal": 1, "void": 2 if cell.kind == "sheet" else 1}
    for part, (voxels, rank) in parts.items():
        regions, _ = label(voxels, generate_binary_structure(3, rank))
        sizes = np.sort(np.bincount(regions.ravel())[1:])[::-1]
        assert sizes[: allowed[part]].sum() > 0.98 * voxels.sum(), part


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("porosity", [0.60, 0.70, 0.80])
def test_the_throat_is_the_window_s_less_the_struts(name, porosity):
    cell = cell_named(name)
    exact = 2.0 * (WINDOWS[name] - cell.level(porosity))
    assert cell.throat_per_cell(porosity) == pytest.approx(exact, abs=0.006)


@pytest.mark.parametrize("name", STRUTS)
@pytest.mark.parametrize("porosity", [0.60, 0.70, 0.80])
def test_no_strut_is_thinner_than_its_round(name, porosity):
    cell = cell_named(name)
    assert -0.008 < cell.least_per_cell(porosity) - 2.0 * cell.level(porosity) < 0.02
    assert cell.least_per_cell(porosity) < cell.strut_per_cell(porosity) + 0.003


@pytest.mark.parametrize("name", NAMES)
def test_laws_go_one_way_over_the_range(name):
    cell = cell_named(name)
    porosities = np.linspace(*cell.porosities, 40)
    strut = [cell.strut_per_cell(p) for p in porosities]
    ratio = [cell.pore_per_cell(p) / cell.strut_per_cell(p) for p in porosities]
    level = [cell.level(p) for p in porosities]
    assert (np.diff(strut) < 0.0).all() and (np.diff(level) < 0.0).all() and (np.diff(ratio) > 0.0).all()


@pytest.mark.parametrize("name", TABLE_MM)
def test_the_design_table_is_reproduced(name):
    spec = LatticeSpec(name, 0.70, 0.55)
    cell, strut, throat = TABLE_MM[name]
    missed = np.sqrt(3.0) * cell / MEASURED_PER_CELL
    assert cell * (1.0 - missed / 0.55) - 0.02 < spec.cell_mm < cell + 0.015
    assert -0.015 < spec.thickness_mm - strut < 0.015 + missed
    assert -0.015 < spec.throat_mm - throat < 0.015 + missed


@pytest.mark.parametrize("name", ["gyroid_skeletal", "bcc"])
def test_a_periodic_cell_measured_again_is_what_the_laws_say(name):
    cell = cell_named(name)
    again = measured(cell, 0.66, lines=8, points=1200)
    assert cell.level(0.66) == pytest.approx(again.level, abs=0.003)
    assert cell.pore_per_cell(0.66) == pytest.approx(again.pore, abs=0.012)
    assert cell.strut_per_cell(0.66) == pytest.approx(again.strut, abs=0.012)
    assert cell.throat_per_cell(0.66) == pytest.approx(again.throat, abs=0.012)


def test_laws_are_fitted_to_what_was_measured():
    def row(porosity: float) -> Measured:
        root = (1.0 - porosity) ** 0.5
        return Measured(porosity, root, 1.0 - root**2, 0.5 * root, 0.25 * root**3, 0.125)

    laws, errors = fitted([row(p) for p in np.linspace(0.4, 0.9, 7)])
    assert laws.pore == pytest.approx((1.0, 0.0, -1.0, 0.0, 0.0), abs=1e-9)
    assert laws.least == pytest.approx((0.0, 0.0, 0.0, 0.25, 0.0), abs=1e-9)
    assert max(errors.values()) < 1e-9
    _, errors = fitted([row(p) for p in np.linspace(0.4, 0.9, 7)] + [Measured(0.6, 0.9, 0.6, 0.3, 0.1, 0.1)])
    assert errors["level"] > 0.05


def local_thickness(part: np.ndarray, value: np.ndarray, level: float, sample: int) -> float:
    """Mean diameter, in cells, of the largest balls over points of a part of a periodic [i, j, k] cell, by brute force.

    Balls that touch the surface (zero crossings along the grid's lines) are centred on the part's voxels and, where the
    distance nearly has a ridge, on 27 places in each; every sampled point takes the largest ball that holds it.
    """
    n = len(value)
    index = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1)
    surface_points = []
    for axis in range(3):
        beyond = np.roll(value, -1, axis=axis)
        cut = (value < level) != (beyond < level)
        place = index[cut].astype(float)
        place[:, axis] += (level - value[cut]) / (beyond[cut] - value[cut])
        surface_points.append(place)
    tree = cKDTree(np.concatenate(surface_points) % n, boxsize=n)
    distance = np.zeros(value.shape)
    distance[part] = tree.query(index[part])[0]
    ridge = part & (distance >= maximum_filter(distance, 3, mode="wrap") - 0.6)
    thirds = np.stack(np.meshgrid(*[np.arange(-1, 2) / 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    centres = np.concatenate([index[part], (index[ridge][:, None] + thirds).reshape(-1, 3)]) % n
    radii = tree.query(centres)[0]
    largest_first = np.argsort(-radii, kind="stable")
    centres, radii = centres[largest_first], radii[largest_first]
    points = index[part][np.random.default_rng(5).choice(int(part.sum()), sample, replace=False)].astype(float)
    sizes = np.zeros(sample)
    for begin in range(0, len(centres), 2000):
        waiting = np.flatnonzero(sizes == 0.0)
        away = np.abs(points[waiting, None] - centres[None, begin : begin + 2000])
        away = np.minimum(away, n - away)
        held = (away**2).sum(axis=2) <= radii[begin : begin + 2000] ** 2 + 1e-9
        found = held.any(axis=1)
        sizes[waiting[found]] = radii[begin : begin + 2000][held.argmax(axis=1)[found]]
    return 2.0 * float(sizes.mean()) / n


@pytest.mark.parametrize("name", ["gyroid_skeletal", "bcc", "primitive_skeletal"])
def test_pore_and_strut_of_a_periodic_cell_by_brute_force(name):
    n, porosity, cell = 26, 0.68, cell_named(name)
    value = plain_field(name, raster(n)).reshape(n, n, n)
    level = cell.level(porosity)
    # The best centre is missed by up to the diagonal of a third of a voxel, on either side of the ball.
    missed = np.sqrt(3.0) / (3.0 * n)
    pore = local_thickness(value >= level, value, level, 300)
    strut = local_thickness(value < level, value, level, 300)
    assert -0.015 < cell.pore_per_cell(porosity) - pore < 0.015 + missed
    assert -0.015 < cell.strut_per_cell(porosity) - strut < 0.015 + missed
