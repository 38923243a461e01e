"""How well bone holds a screw's thread: shear strength from the CT, pull-out from that, and HU along the thread."""

from __future__ import annotations

import numpy as np

from ..case.metal import BLOOMING_MM
from ..case.model import Case
from ..plan.entries import ScrewType
from ..plan.plan import Screw
from .screwline import ScrewLine, in_ct

# g/cm³, and g/cm³ per HU: apparent density of vertebral bone, 47 + 1.122 HU in kg/m³ (Rho, Hobatho, Ashman 1995;
# recalled; verify locally: a scanner's calibration moves it).
_DENSITY_AT_0_HU, _DENSITY_PER_HU = 0.047, 0.001122
# MPa at 1 g/cm³: recalled, verify locally. Exponent of apparent density: 1.65 (Stone, Beaupré, Hayes 1983, bovine
# trabecular bone; abstract read: exponent, 6.6 ± 1.66 MPa on average). Human trabecular bone by computation: 1.7 of
# the volume fraction, and 0.44 of the strength in compression (54 specimens; abstract read).
_SHEAR_MPA, _EXPONENT = 21.6, 1.65
# HU: marrow and fat hold nothing (fat -50 to -120, water 0; clinical facts). Engineering judgement; verify locally.
_MARROW_HU = 0.0
# HU at which the density reaches 1 g/cm³: what is denser counts as that, for the power law is of trabecular bone.
# Engineering judgement; verify locally.
_DENSEST_HU = (1.0 - _DENSITY_AT_0_HU) / _DENSITY_PER_HU
# HU: metal's blurred edge and the bright streaks beside it (half of titanium's 2500 HU), which hold nothing that is
# known.
_METAL_HU = 1250.0
# Directions about the thread in which the CT is read.
_ROUND = 8


def shear_MPa(hu: np.ndarray) -> np.ndarray:
    """Shear strength of bone in MPa at CT values hu in HU, of the same shape; 0 where none is known (NaN)."""
    hu = np.asarray(hu, dtype=float)
    density = _DENSITY_AT_0_HU + _DENSITY_PER_HU * np.clip(np.nan_to_num(hu), _MARROW_HU, _DENSEST_HU)
    # Comparisons with NaN are False.
    return np.where((hu > _MARROW_HU) & (hu < _METAL_HU), _SHEAR_MPA * density**_EXPONENT, 0.0)


def thread_shape_factor(kind: ScrewType) -> float:
    """By how much a thread's depth and pitch change its hold (Chapman 1996): 0.5 + 0.577 × depth / pitch."""
    depth_mm = 0.5 * (kind.diameter_mm - kind.core_mm)
    return 0.5 + 0.577 * depth_mm / kind.pitch_mm


def pullout_N(kind: ScrewType, hu: np.ndarray, in_bone: np.ndarray, step_mm: float) -> np.ndarray:
    """(n,) force in N that pulls screws of a type out: hu, in_bone (n, m) at stations step_mm apart along each thread.

    F = S · π · D · L · TSF (Chapman, Harrington, Lee et al., J Biomech Eng 1996;118:391; abstract read: measured over
    computed 1.05, R² 0.947, in foams), with S · L summed up along the thread. Bone that is split, and a pilot hole of
    the wrong size, are not in it.
    """
    held = np.where(in_bone, shear_MPa(hu), 0.0)
    along = step_mm * 0.5 * (held[:, 1:] + held[:, :-1]).sum(axis=1)
    hold: np.ndarray = np.pi * kind.diameter_mm * thread_shape_factor(kind) * along
    return hold


def thread_points(line: ScrewLine) -> np.ndarray:
    """(k, 8, 3) RAS mm: round the thread's middle depth, at each of the line's depths."""
    kind = line.screw.type
    across = np.cross(line.direction, np.eye(3)[int(np.argmin(np.abs(line.direction)))])
    across = across / np.linalg.norm(across)
    angles = np.arange(_ROUND) * 2.0 * np.pi / _ROUND
    ring = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(line.direction, across)
    points: np.ndarray = line.points[:, None] + 0.25 * (kind.diameter_mm + kind.core_mm) * ring
    return points


def thread_hu(case: Case, line: ScrewLine) -> np.ndarray:
    """(k, 8) HU round the thread at each of the line's depths; NaN beyond the image."""
    points = thread_points(line)
    return in_ct(case, line, points.reshape(-1, 3)).reshape(points.shape[:2])


def hu_profile(case: Case, line: ScrewLine) -> tuple[np.ndarray, np.ndarray]:
    """(k,) mm under the head's top and (k,) the mean HU round the thread there; NaN where the image ends."""
    return line.depths, thread_hu(case, line).mean(axis=1)


def pullout_of(case: Case, screw: Screw) -> float:
    """N that pull a planned screw out; bone beside metal, where a CT tells nothing, does not count. case: as posed."""
    line = ScrewLine(screw, 1, case.structure(screw.level))
    inside = line.vertebra.distance(line.points) < 0.0
    beside = case.distance(case.having("metal"), line.points) < BLOOMING_MM
    hu = thread_hu(case, line).mean(axis=1)
    held = inside & ~beside & np.isfinite(hu)
    return float(pullout_N(screw.type, hu[None], held[None], float(line.depths[1] - line.depths[0]))[0])
