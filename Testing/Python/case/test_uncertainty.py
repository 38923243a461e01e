"""How well an endplate is said to be known, against how far it is off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Mask, Structure
from SpinalStrutDesignerLib.case.uncertainty import plate_uncertainty
from SpinalStrutDesignerLib.errors import CaseError

LPS = np.array([-1.0, -1.0, 1.0])
STANDING = ("C4", "T2", "T3", "T4")


def turned(*angles: float) -> np.ndarray:
    """(3, 3): about z, y and x, in degrees."""
    return Rotation.from_euler("zyx", angles, degrees=True).as_matrix()


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    """Between two unit vectors."""
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.6), (0.7, 0.7, 1.0), (0.7, 0.7, 2.0)])
def test_it_covers_what_plates_of_known_solids_are_off_by(solids: Callable[..., Case], spacing) -> None:
    rng = np.random.default_rng(5)
    off = []
    for _ in range(4):
        turn, centre = turned(*rng.uniform(-18, 18, 3)), rng.uniform(-1, 1, 3)
        half = np.array([15.0, 12.0, 9.0]) * rng.uniform(0.8, 1.2)
        case = solids(("T10", turn, centre), spacing=spacing, half=half)
        for face, up in (("superior", 1.0), ("inferior", -1.0)):
            plate, known = find_endplate(case, "T10", face), plate_uncertainty(case, "T10", face)
            away = np.linalg.norm(plate.centre - centre - up * half[2] * turn[:, 2])
            extent = max(abs(plate.width_mm - 2 * half[0]), abs(plate.depth_mm - 2 * half[1]))
            off.append(
                (
                    away / known.centre_mm,
                    degrees(plate.normal, up * turn[:, 2]) / known.normal_deg,
                    extent / known.extent_mm,
                )
            )
    off = np.array(off)
    assert (off < 2.5).all()
    assert ((off < 2.0).mean(axis=0) >= 0.85).all()
    # Nor is it so large that it says nothing; flat plates with sharp rims are found better than an anatomy's.
    assert (np.sqrt(np.mean(off**2, axis=0)) > [0.05, 0.02, 0.4]).all()


@pytest.mark.parametrize("level", STANDING)
def test_it_covers_what_plates_of_the_cases_are_off_by(synthetic, level: str) -> None:
    case, truth = synthetic("case2_c4_t2")
    for face in ("superior", "inferior"):
        plate, known = find_endplate(case, level, face), plate_uncertainty(case, level, face)
        true = truth["vertebrae"][level]["endplates"][face]
        assert np.linalg.norm(plate.centre - true["centre"] * LPS) < 2 * known.centre_mm
        assert degrees(plate.normal, true["normal"] * LPS) < 2 * known.normal_deg
        assert abs(plate.depth_mm - true["depth"]) < 2 * known.extent_mm
        assert known.centre_mm < 1.0 and known.normal_deg < 2.0 and known.extent_mm < 2.0


def test_thick_slices_and_metal_make_it_worse(solids: Callable[..., Case]) -> None:
    where = "T10", turned(0, 5, 10), np.zeros(3)
    fine, thick = solids(where, spacing=(0.7, 0.7, 1.0)), solids(where, spacing=(0.7, 0.7, 2.0))
    known, worse = (plate_uncertainty(case, "T10", "superior") for case in (fine, thick))
    assert worse.normal_deg > 1.5 * known.normal_deg and worse.centre_mm > 1.5 * known.centre_mm
    plate = find_endplate(fine, "T10", "superior")
    bone = fine.structures[0].mask
    for beneath, changes in ((2.0, True), (6.0, False)):
        # A rod of 4 mm that ends beneath the right half of the plate.
        local = (bone.points - plate.centre) @ np.stack([plate.right, plate.anterior, plate.normal]).T
        rod = (np.hypot(local[:, 1], local[:, 2] + beneath + 2.0) < 2.0) & (local[:, 0] > 0)
        voxels = np.zeros_like(bone.voxels)
        voxels[tuple(np.argwhere(bone.voxels)[rod].T)] = True
        metal = Structure("rod", "metal", Mask(voxels, bone.ijk_to_ras))
        beside = plate_uncertainty(fine.with_structures([*fine.structures, metal]), "T10", "superior")
        assert (beside.normal_deg > 1.2 * known.normal_deg) == changes
        assert (beside == known) != changes


def test_it_stays_with_the_vertebra(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    before = plate_uncertainty(case, "C5", "inferior")
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turned(10, 20, 5), [5.0, 3.0, 1.0]
    posed = case.with_structures([replace(s, pose=pose) if s.level == "C5" else s for s in case.structures])
    assert plate_uncertainty(posed, "C5", "inferior") == before


def test_a_plate_that_is_not_there_is_refused(synthetic) -> None:
    with pytest.raises(CaseError, match=r"^C6 inferior endplate not found: .*; choose another docking level"):
        plate_uncertainty(synthetic("case2_c4_t2")[0], "C6", "inferior")
