"""Plane sections of meshes against geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.verify.sections import cut, measured, round_section

Z = np.array([0.0, 0.0, 1.0])


def _bar(width: float = 10.0, depth: float = 5.0) -> Mesh:
    return box([-width / 2, -depth / 2, -40.0], [width / 2, depth / 2, 40.0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-30.0, 30.0), st.floats(2.0, 15.0), st.floats(2.0, 15.0))
def test_a_bar_anywhere_has_its_own_section(seed, height, width, depth):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = [3.0, -7.0, 100.0]
    normal = matrix[:3, 2]
    point = matrix[:3, 3] + height * normal
    section = measured(cut(_bar(width, depth).transformed(matrix), point, normal))
    moments = sorted([width * depth**3 / 12, depth * width**3 / 12])
    assert section.area == pytest.approx(width * depth, rel=1e-9)
    assert section.moments == pytest.approx(moments, rel=1e-9)
    assert section.centroid == pytest.approx(point, abs=1e-9)
    assert np.cross(*section.axes) == pytest.approx(normal, abs=1e-9)
    assert sorted(section.extent_mm) == pytest.approx(sorted([width, depth]), rel=1e-6) or width == pytest.approx(
        depth, rel=1e-4
    )


def test_an_oblique_cut_is_longer_by_the_cosine():
    normal = np.array([np.sin(0.4), 0.0, np.cos(0.4)])
    section = measured(cut(_bar(), np.zeros(3), normal))
    assert section.area == pytest.approx(50.0 / np.cos(0.4), rel=1e-9)


def test_a_bore_is_taken_off_the_section():
    bored = difference(_bar(), [cylinder([0, -5, 0], [0, 5, 0], 1.85, 128)])
    section = measured(cut(bored, np.zeros(3), Z))
    assert section.area == pytest.approx(50.0 - 5.0 * 3.7, rel=1e-3)
    # Two 3.15 x 5 mm strips, their middles 3.425 mm off the axis.
    strips = 2 * (5.0 * 3.15**3 / 12 + 5.0 * 3.15 * 3.425**2)
    assert section.moments[1] == pytest.approx(strips, rel=2e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-4.0, 4.0), st.floats(-3.0, 3.0))
def test_what_is_taken_off_an_outline_is_taken_off_the_body(seed, height, aside):
    """A drilled block less another block, as a boolean of bodies cuts it, at any turn."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = [40.0, -70.0, 100.0]
    bores = [cylinder([x, -9, 0], [x, 9, 0], 0.7, 64) for x in (-3.0, 0.0, 3.0)]
    block = difference(box([-5, -4, -6], [5, 4, 6]), bores).transformed(matrix)
    layer = box([-4.0 + aside, -5.0, 1.0], [4.0 + aside, 2.0, 7.0]).transformed(matrix)
    normal = Rotation.random(random_state=seed + 1).as_matrix()[2]
    point = matrix[:3, 3] + height * normal
    left = measured(cut(block, point, normal).without(cut(layer, point, normal)))
    wanted = measured(cut(difference(block, [layer]), point, normal))
    assert (left is None) == (wanted is None)
    if wanted is not None:
        assert left.area == pytest.approx(wanted.area, abs=1e-5)
        assert left.moments == pytest.approx(wanted.moments, abs=1e-3)
        assert left.centroid == pytest.approx(wanted.centroid, abs=1e-4)


def test_an_outline_less_itself_is_nothing():
    outline = cut(_bar(), np.zeros(3), Z)
    assert measured(outline.without(outline)) is None
    assert outline.without(cut(_bar(), np.array([0.0, 0.0, 50.0]), Z)) is outline


def test_loops_far_away_are_another_part():
    both = union([_bar(), box([60.0, 0.0, -5.0], [70.0, 10.0, 5.0])])
    outline = cut(both, np.zeros(3), Z)
    assert measured(outline).area == pytest.approx(150.0)
    assert measured(outline.near(np.zeros(3), 42.0)).area == pytest.approx(50.0)


@settings(max_examples=40, deadline=None)
@given(st.floats(-4.9, 4.9), st.floats(0.0, 2 * np.pi))
def test_clipping_a_ring_leaves_what_lies_on_one_side(offset, angle):
    ring = difference(cylinder([0, 0, -5], [0, 0, 5], 5.0, 96), [cylinder([0, 0, -6], [0, 0, 6], 2.0, 96)])
    way = np.array([np.cos(angle), np.sin(angle), 0.0])
    outline = cut(ring, np.array([0.0, 0.0, 0.3]), Z)
    kept, gone = outline.clipped(offset * way, way), outline.clipped(offset * way, -way)
    parts = [measured(part) for part in (kept, gone)]
    assert sum(p.area for p in parts if p) == pytest.approx(measured(outline).area, rel=1e-9)

    def segment(radius: float) -> float:
        """Area of a disc beyond a chord at offset."""
        if abs(offset) >= radius:
            return np.pi * radius**2 if offset < 0 else 0.0
        return radius**2 * np.arccos(offset / radius) - offset * np.sqrt(radius**2 - offset**2)

    assert (parts[0].area if parts[0] else 0.0) == pytest.approx(segment(5.0) - segment(2.0), abs=0.12)


def test_a_plane_that_misses_cuts_nothing():
    assert measured(cut(_bar(), np.array([0, 0, 100.0]), Z)) is None


def test_a_round_section_is_a_circle():
    section = round_section(np.zeros(3), Z, 5.5)
    assert section.area == pytest.approx(23.758, abs=1e-3)
    assert section.moments[0] == pytest.approx(44.918, abs=1e-3)
    assert section.torsion.constant_mm4 == pytest.approx(2 * 44.918, abs=1e-3)
