"""Domains to fill: random bodies of every kind, the same every time, and the feet of real designs among them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.boolean import difference, largest_component, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from scipy.spatial.transform import Rotation

# Of a random body, in cells of the lattice it is filled with.
_LEAST_CELLS, _MOST_CELLS = 3.0, 5.5
_BLOB_STEP = 0.08
FEET = {"case2_c4_t2": ("C4", "T2", "case2"), "case1_c6_t11": ("C6", "T11", "case1")}


def random_body(seed: int, cell_mm: float) -> Mesh:
    """A closed body of one piece, in any position: plain, hollow, creased, smooth or faceted."""
    random = np.random.default_rng(seed)
    kinds: tuple[Callable[[np.random.Generator], Mesh], ...] = (_box, _rod, _ball, _corner, _bitten, _blob, _plate)
    body = kinds[seed % len(kinds)](random)
    turned = np.eye(4)
    turned[:3, :3] = cell_mm * Rotation.random(random_state=seed).as_matrix()
    turned[:3, 3] = random.uniform(-150.0, 150.0, 3)
    return body.transformed(turned)


def feet() -> Iterator[tuple[str, Mesh]]:
    """The porous regions of the phantom's feet and, where the test data is, of both published cases' feet."""
    from SpinalStrutDesignerLib.case.phantom import make_phantom
    from SpinalStrutDesignerLib.case.read import read_case

    yield from _feet_of("phantom", make_phantom(), "C4", "T2", "case2")
    given = os.environ.get("SPINAL_STRUT_DATA")
    for folder, (upper, lower, preset) in FEET.items():
        here = Path(given or "") / "synthetic" / folder
        if given and here.is_dir():
            case = read_case(here / "ct.nrrd", labels=here / "labels.nrrd", roles=here / "labels.csv")
            yield from _feet_of(folder, case, upper, lower, preset)


def _feet_of(name: str, case, upper: str, lower: str, preset: str) -> Iterator[tuple[str, Mesh]]:
    from SpinalStrutDesignerLib.build.end import end_shape
    from SpinalStrutDesignerLib.build.interface import porous_layer
    from SpinalStrutDesignerLib.build.situation import situation
    from SpinalStrutDesignerLib.plan.curve import axis_curve
    from SpinalStrutDesignerLib.propose.propose import propose_plan

    plan = propose_plan(case, upper=upper, lower=lower, preset=preset)
    made, axis = situation(case, plan), axis_curve(plan.axis, plan.section)
    for end in ("upper", "lower"):
        layer = porous_layer(end_shape(made, axis, end), axis, plan.interface)
        if layer is not None:
            yield f"{name} {end}", layer.domain


def _size(random: np.random.Generator) -> np.ndarray:
    return random.uniform(_LEAST_CELLS, _MOST_CELLS, 3)


def _box(random: np.random.Generator) -> Mesh:
    return box(np.zeros(3), _size(random))


def _plate(random: np.random.Generator) -> Mesh:
    a, b, _ = _size(random)
    return box(np.zeros(3), [1.5 * a, 1.5 * b, random.uniform(1.3, 2.5)])


def _rod(random: np.random.Generator) -> Mesh:
    a, b, c = _size(random)
    return cylinder(np.zeros(3), np.array([0.0, 0.3 * a, b]), 0.5 * c, int(random.integers(5, 90)))


def _ball(random: np.random.Generator) -> Mesh:
    ball = sphere(np.zeros(3), 0.5, int(random.integers(12, 60)))
    return Mesh(ball.vertices * _size(random), ball.faces)


def _corner(random: np.random.Generator) -> Mesh:
    a, b, c = _size(random)
    return union([box(np.zeros(3), [a, b, 0.5 * c]), box(np.zeros(3), [0.4 * a, 0.5 * b, c])])


def _bitten(random: np.random.Generator) -> Mesh:
    size = _size(random)
    place = np.array([random.uniform(0.0, 1.0), random.uniform(0.0, 1.0), 1.0]) * size
    return difference(box(np.zeros(3), size), [sphere(place, 0.4 * size.min(), 40)])


def _blob(random: np.random.Generator) -> Mesh:
    """Where a sum of random bumps is high: smooth, hollow and bulging."""
    grid = Grid.around(np.full(3, -3.2), np.full(3, 3.2), _BLOB_STEP)
    points, total = grid.points(), np.zeros(int(np.prod(grid.shape)))
    for middle in random.uniform(-1.2, 1.2, (4, 3)):
        total += np.exp(-((points - middle) ** 2).sum(axis=1) / random.uniform(0.6, 1.6))
    surface = isosurface((0.45 - total).reshape(grid.array_shape), grid)
    try:
        return largest_component(surface)[0]
    except GeometryError:
        return _ball(random)
