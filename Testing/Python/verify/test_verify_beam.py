"""Beam theory against closed solutions and the published comparison with a 5.5 mm rod."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.verify.beam import Beam, Wrench, compliance, euler_load, section_stress
from SpinalStrutDesignerLib.verify.sections import CrossSection, cut, measured, round_section

Z = np.array([0.0, 0.0, 1.0])
E, NU = 118500.0, 0.342
NONE = np.zeros(3)


def _ellipse(width: float, depth: float) -> CrossSection:
    mesh = cylinder([0, 0, -1], [0, 0, 1], 1.0, 256)
    scaled = type(mesh)(mesh.vertices * [width / 2, depth / 2, 1.0], mesh.faces)
    return measured(cut(scaled, np.zeros(3), Z))


def _rectangle(width: float, depth: float) -> CrossSection:
    return measured(cut(box([-width / 2, -depth / 2, -1], [width / 2, depth / 2, 1]), np.zeros(3), Z))


def _at(section: CrossSection, z: float) -> CrossSection:
    return CrossSection(
        section.normal,
        section.area,
        section.centroid + np.array([0, 0, z]),
        section.axes,
        section.moments,
        section.edge,
        section.segments,
    )  # fmt: skip


def _straight(section: CrossSection, length: float, count: int = 45) -> Beam:
    arc = (np.arange(count) + 0.5) * length / count
    return Beam(arc, np.full(count, length / count), tuple(_at(section, float(s)) for s in arc))


def test_a_flat_ellipse_12_mm_off_the_load_line():
    """Published: about 245 MPa of bending at 500 N, 850 MPa in all at 1650 N."""
    section = _ellipse(10.0, 5.0)
    bending = 500.0 * 12.0 / (np.pi / 32 * 10.0 * 5.0**2)
    axial = 500.0 / (np.pi / 4 * 50.0)
    assert bending == pytest.approx(245.0, abs=1.0)
    found = section_stress(section, Wrench(500.0 * Z, np.array([0.0, 12.0, 0.0]), NONE))
    assert abs(found.direct) == pytest.approx(bending + axial, rel=2e-3)
    envelope = section_stress(section, Wrench(1650.0 * Z, np.array([0.0, 12.0, 0.0]), NONE))
    assert abs(envelope.direct) == pytest.approx(850.0, rel=0.01)


def test_the_fibre_next_to_the_load_is_compressed():
    section = _rectangle(10.0, 5.0)
    near = section_stress(section, Wrench(500.0 * Z, np.array([0.0, 12.0, 0.0]), NONE))
    assert near.direct == pytest.approx(-(500.0 / 50.0 + 6000.0 * 6.0 / (10.0 * 25.0)), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.floats(-15, 15), st.floats(-15, 15), st.floats(2.0, 12.0), st.floats(2.0, 12.0))
def test_oblique_bending_of_a_rectangle(x, y, width, depth):
    found = section_stress(_rectangle(width, depth), Wrench(500.0 * Z, np.array([x, y, 0.0]), NONE))
    expected = 500.0 * (1.0 / (width * depth) + 6.0 * abs(x) / (depth * width**2) + 6.0 * abs(y) / (width * depth**2))
    assert abs(found.direct) == pytest.approx(expected, rel=1e-6)


def test_torsion_and_shear_of_a_round_bar():
    section = round_section(np.zeros(3), Z, 6.0)
    twisted = section_stress(section, Wrench(NONE, NONE, 7500.0 * Z))
    assert twisted.shear == pytest.approx(16 * 7500.0 / (np.pi * 6.0**3), rel=1e-9)
    assert twisted.equivalent == pytest.approx(np.sqrt(3) * twisted.shear, rel=1e-9)
    sheared = section_stress(section, Wrench(np.array([900.0, 0, 0]), NONE, NONE))
    assert sheared.equivalent == pytest.approx(np.sqrt(3) * 1.5 * 900.0 / (np.pi * 9.0), rel=1e-9)


@pytest.mark.parametrize(
    ("section", "weak", "strong", "area"),
    [
        (_rectangle(10.0, 5.0), 2.3, 9.3, 2.1),
        (_ellipse(10.0, 5.0), 1.37, 5.5, 1.65),
        (round_section(np.zeros(3), Z, 12.0), 22.7, 22.7, 4.8),
    ],
)
def test_published_ratios_to_a_rod(section, weak, strong, area):
    rod = round_section(np.zeros(3), Z, 5.5)
    assert section.moments[0] / rod.moments[0] == pytest.approx(weak, rel=0.015)
    assert section.moments[1] / rod.moments[0] == pytest.approx(strong, rel=0.015)
    assert section.area / rod.area == pytest.approx(area, rel=0.015)


def test_published_torsion_ratio_of_the_ellipse():
    rod = round_section(np.zeros(3), Z, 5.5)
    assert _ellipse(10.0, 5.0).torsion.constant_mm4 / rod.torsion.constant_mm4 == pytest.approx(2.2, abs=0.03)


def test_compliance_of_a_cantilever():
    section, length = _rectangle(10.0, 5.0), 90.0
    flexible = compliance(_straight(section, length), np.zeros(3), E, NU)
    weak, strong = section.moments
    shear = E / 2 / (1 + NU)
    assert flexible[2, 2] == pytest.approx(length / (E * 50.0), rel=1e-9)
    bent = length**3 / (3 * E * weak) + length / (shear * 50.0 * 5 / 6)
    assert flexible[1, 1] == pytest.approx(bent, rel=1e-3)
    assert flexible[3, 3] == pytest.approx(length / (E * weak), rel=1e-9)
    assert flexible[4, 4] == pytest.approx(length / (E * strong), rel=1e-9)
    assert flexible[5, 5] == pytest.approx(length / (shear * section.torsion.constant_mm4), rel=1e-9)


def test_compliance_of_a_quarter_ring():
    """End load in the plane of a clamped quarter ring: u = pi F R^3 / (4 EI) along the load, bending alone."""
    radius, count = 200.0, 360
    angle = (np.arange(count) + 0.5) * 0.5 * np.pi / count
    sections = tuple(
        round_section(radius * np.array([np.cos(a), 0.0, np.sin(a)]), np.array([-np.sin(a), 0.0, np.cos(a)]), 4.0)
        for a in angle
    )
    beam = Beam(radius * angle, np.full(count, radius * 0.5 * np.pi / count), sections)
    flexible = compliance(beam, np.array([radius, 0.0, 0.0]), E, NU)
    bending = E * np.pi * 4.0**4 / 64
    # Load along x at (R, 0): M = F R sin; load along z: M = F R (1 - cos).
    assert flexible[0, 0] == pytest.approx(np.pi * radius**3 / (4 * bending), rel=2e-3)
    assert flexible[2, 2] == pytest.approx((3 * np.pi / 4 - 2) * radius**3 / bending, rel=2e-3)


def test_compliance_is_symmetric_and_positive():
    flexible = compliance(_straight(_rectangle(8.0, 4.0), 60.0), np.array([5.0, -3.0, -2.0]), E, NU)
    assert flexible == pytest.approx(flexible.T, rel=1e-9)
    assert np.linalg.eigvalsh(flexible).min() > 0.0


@settings(max_examples=20, deadline=None)
@given(st.floats(30.0, 250.0), st.floats(3.0, 14.0))
def test_euler_load_of_a_uniform_rod(length, diameter):
    beam = _straight(round_section(np.zeros(3), Z, diameter), length)
    euler = np.pi**2 * E * np.pi * diameter**4 / 64 / length**2
    assert euler_load(beam, E, "pinned") == pytest.approx(euler, rel=1e-3)
    assert euler_load(beam, E, "fixed_free") == pytest.approx(euler / 4, rel=1e-3)


def test_euler_load_of_a_stepped_cantilever():
    """Lower half (fixed) four times as stiff as the upper: tan(k1 L/2) tan(k2 L/2) = k1/k2 with k1 = 2 k2
    (Timoshenko & Gere, art. 2.14)."""
    count, length = 200, 100.0
    thin, thick = 5.0, 5.0 * 4**0.25
    arc = (np.arange(count) + 0.5) * length / count
    sections = tuple(round_section(np.array([0, 0, s]), Z, thin if s < length / 2 else thick) for s in arc)
    beam = Beam(arc, np.full(count, length / count), sections)
    upper, lower = E * np.pi * thin**4 / 64, E * np.pi * thick**4 / 64
    load = np.linspace(1.0, np.pi**2 * lower / (4 * length**2), 200_000)
    ku, kl = np.sqrt(load / upper), np.sqrt(load / lower)
    residual = np.tan(ku * length / 2) * np.tan(kl * length / 2) - ku / kl
    truth = load[np.argmax(residual > 0)]
    assert euler_load(beam, E, "fixed_free") == pytest.approx(truth, rel=0.01)


def test_unknown_ends_are_refused():
    with pytest.raises(ValueError, match="pinned"):
        euler_load(_straight(round_section(np.zeros(3), Z, 5.0), 50.0), E, "clamped")
