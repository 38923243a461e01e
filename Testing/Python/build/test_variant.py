"""A variant of the nominal implant: its ends exactly what they were, its strut as wide and deep, only longer."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import Solid, difference, union
from LatticeGeneratorLib.mesh.check import self_intersections
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import box, cylinder, extruded
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.implant import LONGEST_MM
from SpinalStrutDesignerLib.build.variant import lengthened_part
from SpinalStrutDesignerLib.case.model import Case, Endplate, ScanQuality, Volume
from SpinalStrutDesignerLib.case.motion import Stretch
from SpinalStrutDesignerLib.plan.plan import Plan

SPAN_MM = 90.0
LEAN = np.deg2rad(20.0)


def situation(amount: float) -> Situation:
    """A span of 90 mm downwards from the origin, its lower end moved by `amount`."""
    case = Case("toy", Volume(np.zeros((2, 2, 2)), np.eye(4)), (), ScanQuality((1, 1, 1), 1.0, 0.0))
    axes, edge = np.eye(3), np.array([[9.0, 0, 0], [0, 7, 0], [-9, 0, 0], [0, -7, 0]])
    plates = [
        Endplate(level, face, centre, out, axes[1], axes[0], 18.0, 14.0, edge + centre, edge + centre)
        for level, face, centre, out in (
            ("C4", "inferior", np.zeros(3), -axes[2]),
            ("T2", "superior", -(SPAN_MM + amount) * axes[2], axes[2]),
        )
    ]
    chord = np.array([0.0, 0.0, -SPAN_MM])
    stretch = Stretch(np.zeros(3), chord, amount * chord / SPAN_MM)
    return Situation(f"plus{amount:g}mm", amount, case, Plan("C4", "T2"), *plates, stretch)


def strut() -> Part:
    """10 × 5 mm along the span, with a foot that is drilled at each end."""
    feet = [box(np.array([-8.0, -6.0, z - 2.0]), np.array([8.0, 6.0, z])) for z in (0.0, 2.0 - SPAN_MM)]
    body = union([box(np.array([-5.0, -2.5, -SPAN_MM]), np.array([5.0, 2.5, 0.0])), *feet])
    bores = [cylinder(np.array([6.5, 0.0, z + 9.0]), np.array([6.5, 0.0, z - 9.0]), 0.8) for z in (0.0, -SPAN_MM)]
    return Part(difference(body, bores), "implant", "implant", "Ti-6Al-4V ELI")


@pytest.mark.parametrize("amount", [2.0, 3.0, 4.0])
def test_both_ends_keep_their_shape_and_the_span_grows(amount):
    nominal, longer = strut(), lengthened_part(strut(), situation(amount))
    assert (longer.name, longer.role, longer.material) == (f"implant_plus{amount:g}mm", "implant", "Ti-6Al-4V ELI")
    low, high = longer.mesh.bounds
    assert high[2] - low[2] == pytest.approx(SPAN_MM + amount, abs=1e-4)
    for chosen, shift in ((nominal.mesh.vertices[:, 2] > -10.0, 0.0), (nominal.mesh.vertices[:, 2] < -80.0, amount)):
        wanted = nominal.mesh.vertices[chosen] - [0.0, 0.0, shift]
        away = np.abs(wanted[:, None] - longer.mesh.vertices[None]).max(axis=2).min(axis=1)
        assert away.max() < 1e-5  # float32 at 90 mm
    # A prism's volume grows by its section times the length.
    assert longer.mesh.volume - nominal.mesh.volume == pytest.approx(50.0 * amount, rel=1e-4)
    assert self_intersections(longer.mesh) == 0


def test_a_leaning_strut_keeps_its_thickness():
    """A square bar leaning by 20° from the chord: where the span is drawn out most, by 1.5 times the mean of the middle
    half, it is thicker by the strain times sin² of the lean, and nowhere thinner."""
    amount, half = 4.0, 3.0
    along = np.array([np.sin(LEAN), 0.0, -np.cos(LEAN)])
    frame = np.eye(4)
    frame[:3, :3] = np.stack([[np.cos(LEAN), 0.0, np.sin(LEAN)], [0.0, -1.0, 0.0], along], axis=1)
    frame[:3, 3] = -0.5 * SPAN_MM * np.tan(LEAN) * np.array([1.0, 0.0, 0.0])
    square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    bar = Solid.of(extruded(square, frame, 0.0, SPAN_MM / np.cos(LEAN)))
    nominal = Part(bar.thinned(1e-6, LONGEST_MM), "implant")
    longer = lengthened_part(nominal, situation(amount)).mesh
    # Its middle has the largest strain.
    strain = 1.5 * amount / (0.5 * SPAN_MM)
    middle = np.array([0.0, 0.0, -0.5 * (SPAN_MM + amount)])
    lean = np.arctan(np.tan(LEAN) / (1.0 + strain))
    across = np.array([np.cos(lean), 0.0, np.sin(lean)])
    near = longer.vertices[np.abs(longer.vertices[:, 2] - middle[2]) < 3.0]
    width = np.ptp((near - middle) @ across)
    assert 2.0 * half <= width == pytest.approx(2.0 * half * (1.0 + strain * np.sin(LEAN) ** 2), rel=5e-3)
    assert np.ptp(longer.vertices[:, 1]) == pytest.approx(2.0 * half, abs=1e-4)
    # Moving everything along the chord keeps horizontal sections: the volume grows by one of them times the amount.
    assert longer.volume - nominal.mesh.volume == pytest.approx((2.0 * half) ** 2 / np.cos(LEAN) * amount, rel=0.02)
