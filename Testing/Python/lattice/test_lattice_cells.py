"""Unit cells against measurements of periodic cells and against plain formulas of their geometry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.feasible import LEAST_STRUT_MM, cell_size_mm
from LatticeGeneratorLib.infill.spec import LatticeSpec
from scipy.ndimage import label, maximum_filter
from scipy.spatial import cKDTree

NAMES = list(CELLS)
# Measured on periodic cells at 70 % porosity and 0.55 mm pores, ±0.01 mm: cell, strut. Balls were centred on the
# middles of 112 voxels a cell, so that the largest was missed by up to half their diagonal on either side.
MEASURED_MM = {"gyroid_skeletal": (0.97, 0.302), "bcc": (1.12, 0.300)}
MEASURED_PER_CELL = 112


def level_at(name: str, porosity: float) -> float:
    """The level of a cell by formula: fits to the measured periodic cells, 0.60 to 0.75."""
    return {"gyroid_skeletal": 1.516 - 3.046 * porosity, "bcc": 0.3232 - 0.2692 * porosity}[name]


def plain_field(name: str, points: np.ndarray) -> np.ndarray:
    """(n,) the cell's value at (n, 3) points in cells, from its definition."""
    if name == "gyroid_skeletal":
        x, y, z = 2.0 * np.pi * points.T
        return np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    least = np.full(len(points), np.inf)
    for signs in product((1.0, -1.0), repeat=2):
        along = np.array([1.0, *signs]) / np.sqrt(3.0)
        for shift in product((-1.0, 0.0, 1.0), repeat=3):
            away = points % 1.0 - 0.5 - np.array(shift)
            away -= (away @ along)[:, None] * along
            least = np.minimum(least, np.linalg.norm(away, axis=1))
    return least


def raster(n: int) -> np.ndarray:
    """(n³, 3) middles of the voxels of one cell, in cells."""
    axis = (np.arange(n) + 0.5) / n
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_size_for_70_per_cent_and_550_micrometres_is_the_measured_one(name):
    spec = LatticeSpec(cell=name, porosity=0.70, pore_mm=0.55)
    cell, strut = MEASURED_MM[name]
    pores_missed = np.sqrt(3.0) * cell / MEASURED_PER_CELL
    assert cell * (1.0 - pores_missed / 0.55) - 0.01 < cell_size_mm(spec) < cell + 0.01
    assert cell_size_mm(spec) * cell_named(name).strut_per_cell(0.70) == pytest.approx(strut, abs=0.01)


def test_the_default_is_the_skeletal_gyroid_at_70_per_cent_and_550_micrometres():
    assert LatticeSpec() == LatticeSpec("gyroid_skeletal", 0.70, 0.55)
    assert cell_named(LatticeSpec().cell).title == "Gyroid, skeletal"


@pytest.mark.parametrize("name", NAMES)
def test_the_field_is_the_definition_s(name):
    points = np.random.default_rng(3).uniform(-2.0, 2.0, (2000, 3))
    assert np.allclose(cell_named(name).field(*points.T)[0], plain_field(name, points), atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_field_has_period_one_and_the_precision_it_is_given(name):
    field = cell_named(name).field
    points = np.random.default_rng(4).uniform(0.0, 1.0, (500, 3))
    for step in np.eye(3):
        assert np.allclose(field(*points.T)[0], field(*(points + step).T)[0], atol=1e-9)
    value, slope = field(*points.astype(np.float32).T)
    assert value.dtype == slope.dtype == np.float32
    assert np.allclose(value, field(*points.T)[0], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("porosity", [0.60, 0.65, 0.70, 0.75])
def test_porosity_by_counting_points(name, porosity):
    points = np.random.default_rng(2).uniform(0.0, 1.0, (200_000, 3))
    metal = cell_named(name).field(*points.T)[0] < level_at(name, porosity)
    assert 1.0 - metal.mean() == pytest.approx(porosity, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_makes_a_distance_near_the_surface(name):
    field, level = cell_named(name).field, level_at(name, 0.70)
    points = raster(24)
    value, slope = field(*points.T)
    near = np.abs(value - level) < 0.1 * slope
    step = 1e-5
    ends = [(plain_field(name, points + step * e), plain_field(name, points - step * e)) for e in np.eye(3)]
    length = np.linalg.norm([(after - before) / (2.0 * step) for after, before in ends], axis=0)
    smooth = near & (length > 0.5 * np.median(length[near]))
    assert smooth.sum() > 0.9 * near.sum()
    assert np.broadcast_to(slope, value.shape)[smooth] == pytest.approx(length[smooth], rel=0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("porosity", [0.5, 0.85])
def test_metal_and_void_are_one_network_each_where_the_cell_is_offered(name, porosity):
    cell = cell_named(name)
    assert cell.porosities[0] <= porosity <= cell.porosities[1]
    n, cells = 24, 3
    value = cell.field(*(raster(n * cells) * cells).T)[0].reshape((n * cells,) * 3)
    level = np.quantile(value[:n, :n, :n], 1.0 - porosity)
    for part in (value < level, value >= level):
        regions, count = label(part)
        largest = np.bincount(regions.ravel())[1:].max()
        assert largest > 0.99 * part.sum(), f"{count} regions"


def local_thickness(part: np.ndarray, value: np.ndarray, level: float, sample: int) -> float:
    """Mean diameter, in cells, of the largest balls over points of a part of a periodic [i, j, k] cell, by brute force.

    Balls that touch the surface (zero crossings along the grid's lines) are centred on the part's voxels and, where the
    distance nearly has a ridge, on 27 places in each; every sampled point takes the largest ball that holds it.
    """
    n = len(value)
    index = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1)
    surface = []
    for axis in range(3):
        beyond = np.roll(value, -1, axis=axis)
        cut = (value < level) != (beyond < level)
        place = index[cut].astype(float)
        place[:, axis] += (level - value[cut]) / (beyond[cut] - value[cut])
        surface.append(place)
    tree = cKDTree(np.concatenate(surface) % n, boxsize=n)
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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("porosity", [0.60, 0.70, 0.80])
def test_pore_and_strut_of_a_periodic_cell_by_brute_force(name, porosity):
    n = 36
    value = plain_field(name, raster(n)).reshape(n, n, n)
    # The raster has the cell's own symmetry, and so too few different values for a quantile.
    anywhere = np.random.default_rng(6).uniform(0.0, 1.0, (50_000, 3))
    level = float(np.quantile(plain_field(name, anywhere), 1.0 - porosity))
    cell = cell_named(name)
    # The best centre is missed by up to half the diagonal of a third of a voxel, on either side of the ball.
    missed = np.sqrt(3.0) / (3.0 * n)
    pore = local_thickness(value >= level, value, level, 300)
    strut = local_thickness(value < level, value, level, 300)
    assert -0.01 < cell.pore_per_cell(porosity) - pore < 0.01 + missed
    assert -0.01 < cell.strut_per_cell(porosity) - strut < 0.01 + missed


@pytest.mark.parametrize("name", NAMES)
def test_size_grows_with_the_pore_and_the_strut_limit_is_kept(name):
    cell = cell_named(name)
    for porosity in np.arange(cell.porosities[0], cell.porosities[1], 0.02):
        for pore in (0.4, 0.55, 0.8, 1.2):
            try:
                size = cell_size_mm(LatticeSpec(name, float(porosity), pore))
            except GeometryError:
                assert pore / cell.pore_per_cell(porosity) * cell.strut_per_cell(porosity) < LEAST_STRUT_MM
                continue
            assert size * cell.pore_per_cell(porosity) == pytest.approx(pore)
            assert size * cell.strut_per_cell(porosity) >= LEAST_STRUT_MM


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (LatticeSpec(cell="foam"), r"'foam'.*gyroid_skeletal, bcc"),
        (LatticeSpec(porosity=0.95), r"Gyroid, skeletal at 95\.0 % .*45 to 88 %"),
        (LatticeSpec(cell="bcc", porosity=0.30), r"Body-centred cubic struts at 30\.0 % .*45 to 88 %"),
        (LatticeSpec(porosity=float("nan")), "not possible"),
        (LatticeSpec(pore_mm=0.0), "pore size must be positive"),
        (LatticeSpec(pore_mm=-0.5), "pore size must be positive"),
        (LatticeSpec(pore_mm=float("nan")), "pore size must be positive"),
        (LatticeSpec(pore_mm=0.3), r"struts of 0\.16\d mm, below 0\.20 mm: take pores of at least 0\.3\d+ mm"),
        (LatticeSpec(porosity=0.85, pore_mm=0.55), r"or at most [78]\d\.\d % porosity with these pores"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(spec, words):
    with pytest.raises(GeometryError, match=words):
        cell_size_mm(spec)


@pytest.mark.parametrize("wish", [LatticeSpec(pore_mm=0.3), LatticeSpec("bcc", 0.85, 0.6)])
def test_the_remedies_offered_can_be_made(wish):
    with pytest.raises(GeometryError) as refused:
        cell_size_mm(wish)
    pores, _, rest = str(refused.value).partition("at least ")[2].partition(" mm")
    cell_size_mm(LatticeSpec(wish.cell, wish.porosity, float(pores)))
    if "at most" in rest:
        share = float(rest.partition("at most ")[2].partition(" %")[0]) / 100.0
        cell_size_mm(LatticeSpec(wish.cell, share, wish.pore_mm))
