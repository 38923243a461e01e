"""Size and mass of the implant as made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .finding import Finding
from .measured import Measured, graded
from .registry import check
from .strut import strut_beam


@check(order=70)
def dimensions(measured: Measured) -> Iterator[Finding]:
    """Length between the feet, overall size against the printer, section at mid-span, volume, mass."""
    situation, mesh = measured.implant.situation, measured.mesh
    between = float(np.linalg.norm(situation.lower.centre - situation.upper.centre))
    size, turned = _least_box(mesh.vertices)
    yield measured.finding(
        "size.length",
        "Overall length",
        size[0],
        "mm",
        "reported",
        "pass",
        "greatest extent of the finished mesh",
        detail=f"{situation.upper.level} to {situation.lower.level} endplate centres {between:.1f} mm apart; "
        f"axis {measured.implant.axis.length_mm:.1f} mm",
    )
    envelope = sorted(measured.plan.printer.envelope_mm, reverse=True)
    fits = all(s <= e for s, e in zip(size, envelope))
    yield measured.finding(
        "size.printer",
        "Fits the printer",
        " × ".join(f"{s:.1f}" for s in size),
        "mm",
        " × ".join(f"{e:g}" for e in envelope),
        "pass" if fits else "fail",
        measured.plan.printer.source or measured.plan.printer.name,
        detail=turned,
    )
    beam = strut_beam(measured)
    middle = int(np.argmin(np.abs(beam.arc - 0.5 * measured.implant.axis.length_mm)))
    section = beam.sections[middle]
    thin, wide = section.extent_mm
    yield measured.finding(
        "size.section",
        "Section at mid-span",
        f"{wide:.2f} × {thin:.2f}",
        "mm",
        "reported",
        "pass",
        "cut through the finished mesh across the axis",
        section.centroid,
        detail=f"area {section.area:.1f} mm², second moments {section.moments[1]:.0f} and {section.moments[0]:.0f} mm⁴",
    )
    mass = mesh.volume * measured.plan.material.density_g_cm3 / 1000.0
    yield measured.finding(
        "size.volume", "Volume of metal", mesh.volume, "mm³", "reported", "pass", "enclosed by the finished mesh"
    )
    yield measured.finding(
        "size.mass",
        "Mass",
        mass,
        "g",
        "reported",
        "pass",
        f"volume × {measured.plan.material.density_g_cm3:g} g/cm³ ({measured.plan.material.name})",
    )
    wall, printer = min(min(s.extent_mm) for s in beam.sections), measured.plan.printer
    yield measured.finding(
        "size.least_section",
        "Thinnest section of the strut (short side)",
        wall,
        "mm",
        f"≥ {printer.recommended_wall_mm:g} mm passes, ≥ {printer.structural_wall_mm:g} mm warns",
        graded(wall, printer.recommended_wall_mm, printer.structural_wall_mm),
        printer.source or printer.name,
    )


def _least_box(vertices: np.ndarray) -> tuple[tuple[float, float, float], str]:
    """Box about the body's own principal axes, longest side first."""
    middle = vertices.mean(axis=0)
    _, turn = np.linalg.eigh(np.cov((vertices - middle).T))
    local = (vertices - middle) @ turn
    a, b, c = sorted((local.max(axis=0) - local.min(axis=0)).tolist(), reverse=True)
    plain = vertices.max(axis=0) - vertices.min(axis=0)
    return (a, b, c), "along RAS " + " × ".join(f"{s:.1f}" for s in plain) + " mm"
