"""Beam theory along a strut: stress from a wrench, compliance, and the Euler load, all from measured sections.

Statics: a force applied at the upper end is carried through every section to the lower end, so the force and moment in
each section follow from equilibrium alone, whatever the strut's shape. No notch factor, no plasticity: a first answer
that finite elements are checked against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal

from .sections import CrossSection

# Shear coefficient of a compact solid section, Cowper, J. Appl. Mech. 33 (1966) 335.
_SHEAR_COEFFICIENT = 5.0 / 6.0
# Peak over mean transverse shear in a rectangle (Timoshenko & Goodier).
_SHEAR_PEAK = 1.5


@dataclass(frozen=True, eq=False)
class Wrench:
    """A force (3,) N acting at point (3,) RAS and a free moment (3,) Nmm, on the part above a section."""

    force: np.ndarray
    point: np.ndarray
    moment: np.ndarray

    def moment_about(self, point: np.ndarray) -> np.ndarray:
        """Moment (3,) Nmm about a point."""
        return self.moment + np.cross(self.point - point, self.force)


@dataclass(frozen=True)
class SectionStress:
    """MPa: the greatest direct stress (sign of the greater side), torsional shear, and von Mises equivalent."""

    direct: float
    shear: float
    equivalent: float


@dataclass(frozen=True, eq=False)
class Beam:
    """Sections along a line. arc: (n,) mm, stations with sections; lengths: (n,) mm of beam that each stands for."""

    arc: np.ndarray
    lengths: np.ndarray
    sections: tuple[CrossSection, ...]

    @property
    def length_mm(self) -> float:
        """Total length represented."""
        return float(self.lengths.sum())


def section_stress(section: CrossSection, wrench: Wrench) -> SectionStress:
    """Stress where the part on the far side of section.normal is held and the near side carries the wrench.

    Direct: N/A + M1 y/I1 + M2 x/I2 about both principal axes at the outline's points; torsion: T over the modulus.
    """
    normal, (first, second) = section.normal, section.axes
    moment = wrench.moment_about(section.centroid)
    along = float(wrench.force @ normal)
    x, y = section.edge.T
    fibre = -along / section.area
    fibre = fibre + x * float(moment @ second) / section.moments[0] - y * float(moment @ first) / section.moments[1]
    direct = float(fibre[np.argmax(np.abs(fibre))])
    twist = abs(float(moment @ normal))
    torsional = twist / section.torsion.modulus_mm3 if twist > 0.0 else 0.0
    across = float(np.linalg.norm(wrench.force - along * normal)) / section.area
    # Bending peaks at the fibre farthest out, transverse shear at the centroid: the worse of the two places.
    outer = np.hypot(direct, np.sqrt(3.0) * torsional)
    inner = np.hypot(along / section.area, np.sqrt(3.0) * (torsional + _SHEAR_PEAK * across))
    return SectionStress(direct, torsional, float(max(outer, inner)))


def compliance(beam: Beam, point: np.ndarray, modulus_MPa: float, poisson: float) -> np.ndarray:
    """(6, 6): displacement (mm) and rotation (rad) of a rigid block at point under a unit force or moment there.

    The lower end is clamped. Unit-load method (Castigliano): C = sum of B^T D^-1 B ds, with axial, transverse shear,
    bending about both principal axes and torsion.
    """
    shear = modulus_MPa / (2.0 * (1.0 + poisson))
    total = np.zeros((6, 6))
    for length, section in zip(beam.lengths, beam.sections):
        frame = np.stack([section.normal, *section.axes])
        lever = point - section.centroid
        cross = np.array([[0, -lever[2], lever[1]], [lever[2], 0, -lever[0]], [-lever[1], lever[0], 0]])
        within = np.zeros((6, 6))
        within[:3, :3] = frame
        within[3:, :3] = frame @ cross
        within[3:, 3:] = frame
        slip = shear * section.area * _SHEAR_COEFFICIENT
        # Bending about axes[0] stretches along axes[1] and the other way round.
        stiff = np.array(
            [
                modulus_MPa * section.area,
                slip,
                slip,
                shear * section.torsion.constant_mm4,
                modulus_MPa * section.moments[1],
                modulus_MPa * section.moments[0],
            ]
        )
        total += within.T @ (within / stiff[:, None]) * length
    return total


def euler_load(beam: Beam, modulus_MPa: float, ends: str) -> float:
    """Least buckling load in N about each section's weakest axis; ends: "pinned" or "fixed_free".

    u'' = -P u / EI(s) with u = 0 at both ends, or u' = 0 at the fixed and u = 0 at the free end: finite differences on
    the stations made even, lowest eigenvalue (Timoshenko & Gere, Theory of Elastic Stability, 2nd ed., ch. 2). Weakest
    axes of all sections are taken as if they lay in one plane: on the safe side.
    """
    cells = 200
    weak = modulus_MPa * np.array([section.moments[0] for section in beam.sections])
    step = beam.length_mm / cells
    if ends == "pinned":
        at = np.arange(1, cells) * step
    elif ends == "fixed_free":
        at = np.arange(1, cells + 1) * step
    else:
        raise ValueError(f"ends: '{ends}'; give 'pinned' or 'fixed_free'")
    middle = np.cumsum(beam.lengths) - 0.5 * beam.lengths
    # Compliance, not stiffness, adds up along a strut.
    root = np.sqrt(1.0 / np.interp(at, middle, 1.0 / weak))
    diagonal = np.full(len(at), 2.0)
    if ends == "fixed_free":
        # The free end's u = 0 lies above the first node; the last node lies on the fixed end, where u' = 0 mirrors it.
        # Half a cell belongs to it, so its row is halved and made symmetric by its half weight.
        diagonal[-1] = 1.0
        root[-1] *= np.sqrt(2.0)
    off = -root[:-1] * root[1:]
    values = eigh_tridiagonal(diagonal * root**2, off, select="i", select_range=(0, 0), eigvals_only=True)
    return float(values[0]) / step**2
