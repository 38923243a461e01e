"""What of a cut lattice stays: loose chips go, closed pores are filled, and a domain's own cavity is neither."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined
from LatticeGeneratorLib.cells import cell_named
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.infill.domain_field import MeshDomain
from LatticeGeneratorLib.infill.fill import prepared
from LatticeGeneratorLib.infill.infill import Infill
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.level import next_level
from LatticeGeneratorLib.infill.places import Regular
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.pieces import pieces_of
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.printing.printer import NO_LIMITS

BLOCK = box(np.zeros(3), np.full(3, 4.0))
PORE, PORE_MM = np.array([2.0, 2.0, 1.0]), 0.4
CHIP, CHIP_MM = np.array([2.0, 1.7, 3.1]), 0.3


class _Drawn:
    """In place of cells: metal below z = 2 with one closed pore in it, and a loose ball above."""

    cell, places, porosities, solids = cell_named("bcc"), Regular(1.0, np.zeros(3)), None, None

    def cut(self, domain: np.ndarray, grid: Grid, level: float) -> np.ndarray:
        points = grid.points()
        metal = np.maximum(points[:, 2] - 2.0, PORE_MM - np.linalg.norm(points - PORE, axis=1))
        metal = np.minimum(metal, np.linalg.norm(points - CHIP, axis=1) - CHIP_MM)
        return np.maximum(metal.reshape(domain.shape).astype(np.float32), domain)


def _made(domain: Mesh, anchor: object = None) -> Lattice:
    return Infill(MeshDomain(domain, 0.05), LatticeSpec("bcc"), anchor, _Drawn()).lattice_of(0.0)


def test_a_chip_goes_and_a_closed_pore_becomes_metal() -> None:
    made = _made(BLOCK)
    assert (made.chips_removed, made.pores_closed) == (1, 1)
    assert len(pieces_of(made.mesh).volumes) == 1
    assert made.mesh.volume == pytest.approx(4.0 * 4.0 * 2.0, rel=2e-3)
    assert made.mesh.bounds[1][2] == pytest.approx(2.0, abs=1e-3)


def test_what_reaches_an_anchor_stays_however_small() -> None:
    made = _made(BLOCK, lambda slab: slab.grid.points()[:, 2].reshape(slab.grid.array_shape) > 3.0)
    assert (made.chips_removed, made.pores_closed) == (1, 1)
    assert made.mesh.volume == pytest.approx(4.0 / 3.0 * np.pi * CHIP_MM**3, rel=0.02)


def test_a_cavity_of_the_domain_is_no_pore() -> None:
    cavity = sphere(np.array([1.0, 1.0, 1.0]), 0.45, 48)
    made = _made(joined(BLOCK, inverted(cavity)))
    assert (made.chips_removed, made.pores_closed) == (1, 1)
    assert made.mesh.volume == pytest.approx(4.0 * 4.0 * 2.0 - cavity.volume, rel=2e-3)
    inner = pieces_of(made.mesh).volumes
    # A face as long as a cube's diagonal bridges the hollow of a ball by its sagitta: it is drawn back 2.5 times that.
    sagitta = 3.0 * 0.05**2 / (8.0 * 0.45)
    grown = 1.0 + 3.0 * 2.5 * sagitta / 0.45
    assert len(inner) == 2 and cavity.volume < -inner.min() < grown * cavity.volume


@pytest.mark.parametrize("edge", [4.0, 5.3])
def test_blocks_are_as_porous_as_wanted_before_the_first_is_given(edge: float) -> None:
    domain, spec = box(np.zeros(3), np.full(3, edge)), LatticeSpec("gyroid_sheet")
    blocks = list(prepared(domain, spec, printer=NO_LIMITS).stream())
    vertices, faces = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("vertices", "faces"))
    mesh = Mesh(vertices, faces)
    assert 1.0 - mesh.volume / domain.volume == pytest.approx(spec.porosity, abs=0.001)
    assert mesh.volume == pytest.approx(sum(block.volume for block in blocks), rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.8))
def test_the_level_is_found_where_porosity_jumps(seed: int, wanted: float) -> None:
    """A falling curve with steps, none of which skips what is wanted."""
    random = np.random.default_rng(seed)
    places, heights = np.sort(random.uniform(-1.0, 1.0, 8)), random.uniform(0.0, 0.03, 8)

    def porosity(level: np.ndarray) -> np.ndarray:
        return 0.5 - 0.5 * level - np.where(places < level[..., None], heights, 0.0).sum(axis=-1)

    levels = np.linspace(-2.5, 2.5, 20_001)
    assume(np.abs(porosity(levels) - wanted).min() < 3e-4)
    tried: list[tuple[float, float]] = []
    level = random.uniform(-0.2, 0.2)
    for _ in range(14):
        tried.append((level, float(porosity(np.array(level))) - wanted))
        if abs(tried[-1][1]) <= 8e-4:
            return
        level = next_level(tried, -0.5)
    pytest.fail(f"not found: {tried}")
