"""Endplates: against exact truth, on solids of known planes, in any posture, and refused where destroyed."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Endplate, Face, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.case.phantom import phantom_truth
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.vertebra import vertebra
from SpinalStrutDesignerLib.errors import CaseError

FACES: tuple[Face, Face] = ("superior", "inferior")
LPS = np.array([-1.0, -1.0, 1.0])
INTACT = {
    "intact_c1_t5": ("C2", "C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3", "T4", "T5"),
    "case2_c4_t2": ("C2", "C3", "C4", "T2", "T3", "T4", "T5"),
    "case1_c6_t11": ("C4", "C5", "C6", "C7", "T1", "T2", "T10", "T11", "T12", "L1"),
}
PLATES = [(c, v, f) for c, levels in INTACT.items() for v in levels for f in FACES if (v, f) != ("C2", "superior")]
DESTROYED = [("case2_c4_t2", level) for level in ("C5", "C6", "C7", "T1")] + [
    ("case1_c6_t11", f"T{n}") for n in range(3, 10)
]
# Adult means in mm, (width, depth) of the upper and of the lower plate: Panjabi et al., Spine 1991, recalled.
ADULT = {
    "C7": ((21.8, 18.1), (23.4, 16.8)),
    "T1": ((24.5, 18.5), (27.8, 19.7)),
    "T2": ((24.9, 19.6), (27.4, 21.6)),
    "T3": ((24.6, 22.7), (25.9, 23.3)),
    "T4": ((24.5, 23.3), (26.0, 24.5)),
    "T5": ((24.9, 24.3), (27.0, 25.8)),
    "T6": ((26.2, 26.0), (28.2, 26.9)),
    "T7": ((27.8, 27.4), (29.1, 28.5)),
    "T8": ((29.5, 27.9), (30.5, 29.4)),
    "T9": ((30.6, 29.3), (33.0, 31.0)),
    "T10": ((31.9, 30.5), (35.4, 31.6)),
    "T11": ((34.9, 31.9), (39.1, 31.8)),
    "T12": ((39.0, 32.8), (42.1, 33.4)),
}
REAL = tuple(ADULT)


@functools.cache
def real(folder: Path) -> Case:
    """The chest CT with TotalSegmentator labels."""
    labels = folder / "lidc0001_spine_totalseg_labels.nii.gz"
    return read_case(folder / "lidc0001_spine_ct.nii.gz", labels=labels, roles=folder / "lidc0001_label_names.csv")


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    """Between two unit vectors."""
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))


@pytest.mark.parametrize(("name", "level", "face"), PLATES)
def test_endplates_agree_with_the_truth(synthetic, name: str, level: str, face: Face) -> None:
    case, truth = synthetic(name)
    plate = find_endplate(case, level, face)
    true = truth["vertebrae"][level]["endplates"][face]
    assert np.linalg.norm(plate.centre - true["centre"] * LPS) < 1.0 + true["uncertainty_mm"]
    assert degrees(plate.normal, true["normal"] * LPS) < 3.0 + true["uncertainty_deg"]
    unreliable = {(entry["level"], entry["endplate"]) for entry in truth["unreliable"]}
    if (level, face) not in unreliable:
        assert plate.width_mm == pytest.approx(true["width"], abs=2.0 + true["uncertainty_extent_mm"])
        assert plate.depth_mm == pytest.approx(true["depth"], abs=2.0 + true["uncertainty_extent_mm"])
    assert plate.rms_mm == pytest.approx(true["rms"], abs=0.25)


def test_the_mean_error_is_well_inside_the_bounds(synthetic) -> None:
    errors = []
    for name, level, face in PLATES:
        case, truth = synthetic(name)
        plate, true = find_endplate(case, level, face), truth["vertebrae"][level]["endplates"][face]
        centre = np.linalg.norm(plate.centre - true["centre"] * LPS)
        extents = abs(plate.width_mm - true["width"]), abs(plate.depth_mm - true["depth"])
        errors.append((centre, degrees(plate.normal, true["normal"] * LPS), *extents))
    mean = np.mean(errors, axis=0)
    assert (mean < [0.5, 1.0, 1.0, 1.0]).all(), mean


@pytest.mark.parametrize(("name", "level"), DESTROYED)
@pytest.mark.parametrize("face", FACES)
def test_destroyed_levels_are_refused(synthetic, name: str, level: str, face: Face) -> None:
    case, truth = synthetic(name)
    assert level in truth["destroyed_levels"]
    with pytest.raises(CaseError, match=rf"^{level}.*; choose another docking level"):
        find_endplate(case, level, face)


@pytest.mark.parametrize(
    ("name", "level", "face"),
    [("case2_c4_t2", "T6", "inferior"), ("intact_c1_t5", "T6", "inferior"), ("case1_c6_t11", "C3", "superior")],
)
def test_a_plate_cut_off_by_the_image_is_refused(synthetic, name: str, level: str, face: Face) -> None:
    case, _ = synthetic(name)
    with pytest.raises(CaseError, match=rf"{level} {face} endplate is cut off by the border of the image"):
        find_endplate(case, level, face)


def test_levels_without_such_a_plate_are_named(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    with pytest.raises(CaseError, match="no vertebra L4; labelled are: C1, C2"):
        find_endplate(case, "L4", "superior")
    with pytest.raises(CaseError, match="C1 has no vertebral body"):
        find_endplate(case, "C1", "inferior")
    with pytest.raises(CaseError, match="C2 superior endplate not found: the dens stands there"):
        find_endplate(case, "C2", "superior")


def test_the_gap_is_the_height_of_the_disc(synthetic) -> None:
    case, truth = synthetic("case1_c6_t11")
    lower, upper = find_endplate(case, "C6", "inferior"), find_endplate(case, "C7", "superior")
    assert (lower.neighbour, upper.neighbour) == ("C7", "C6")
    assert lower.gap_mm == pytest.approx(3.4, abs=0.3)
    assert upper.gap_mm == pytest.approx(lower.gap_mm, abs=0.3)
    for above, below in (("C4", "C5"), ("C5", "C6"), ("T10", "T11"), ("T11", "T12"), ("T12", "L1")):
        plate = find_endplate(case, above, "inferior")
        true = truth["vertebrae"][above]["endplates"]["inferior"], truth["vertebrae"][below]["endplates"]["superior"]
        between = np.subtract(true[1]["centre"], true[0]["centre"]) @ np.array(true[0]["normal"])
        assert plate.gap_mm == pytest.approx(between, abs=1.0)
        assert 0.0 <= plate.least_gap_mm <= plate.gap_mm


@pytest.mark.parametrize(
    ("name", "level", "face"),
    [
        ("case2_c4_t2", "C4", "inferior"),
        ("case2_c4_t2", "T2", "superior"),
        ("case1_c6_t11", "T2", "inferior"),
        ("case1_c6_t11", "T10", "superior"),
        ("case1_c6_t11", "L1", "inferior"),
    ],
)
def test_a_destroyed_or_absent_neighbour_leaves_the_gap_open(synthetic, name: str, level: str, face: Face) -> None:
    plate = find_endplate(synthetic(name)[0], level, face)
    assert plate.neighbour is None
    assert plate.gap_mm is None
    assert plate.least_gap_mm is None


@pytest.mark.parametrize(("level", "face"), [("C4", "inferior"), ("T2", "superior"), ("T5", "superior")])
def test_outline_and_surface_belong_to_the_plate(synthetic, level: str, face: Face) -> None:
    plate = find_endplate(synthetic("case2_c4_t2")[0], level, face)
    outline = plate.to_local(plate.outline)
    assert len(outline) == 96
    assert np.abs(outline[:, 2]).max() < 1e-6
    edges = np.roll(plate.outline, -1, axis=0) - plate.outline
    assert np.linalg.norm(edges, axis=1).min() > 0.05
    assert np.linalg.norm(edges, axis=1).max() < 2.5
    # Anticlockwise seen from outside: the area vector points out of the body.
    area = np.cross(plate.outline - plate.centre, edges).sum(axis=0) / 2
    assert area / np.linalg.norm(area) @ plate.normal > 0.999
    assert np.ptp(outline[:, 0]) == pytest.approx(plate.width_mm)
    assert np.ptp(outline[:, 1]) == pytest.approx(plate.depth_mm)
    surface = plate.to_local(plate.surface)
    assert len(surface) * 0.25 == pytest.approx(np.linalg.norm(area), rel=0.05)
    assert np.sqrt(np.mean(surface[:, 2] ** 2)) < 1.0
    case = synthetic("case2_c4_t2")[0]
    assert np.abs(case.structure(level).distance(plate.surface)).max() < 0.15
    for one, other in ((plate.right, plate.anterior), (plate.right, plate.normal), (plate.anterior, plate.normal)):
        assert abs(one @ other) < 1e-9
    assert plate.right[0] > 0.9
    assert plate.anterior[1] > 0.7


def test_metal_in_the_body_does_not_move_the_plate(synthetic) -> None:
    free, held = (synthetic(name)[0] for name in ("intact_c1_t5", "case2_c4_t2"))
    assert held.structure("T2").mask.volume < free.structure("T2").mask.volume - 300.0
    for face in FACES:
        one, other = find_endplate(free, "T2", face), find_endplate(held, "T2", face)
        assert np.linalg.norm(one.centre - other.centre) < 0.4
        assert degrees(one.normal, other.normal) < 1.0


def test_a_streak_behind_the_body_does_not_deepen_the_plate(synthetic) -> None:
    """A sheet as thick as a slice, as streaks beside screws leave it, from the wall into the canal."""
    case, _ = synthetic("case1_c6_t11")
    structure, before = case.structure("T11"), find_endplate(case, "T11", "superior")
    mask = structure.mask
    voxels = mask.voxels.copy()
    to_ijk = np.linalg.inv(mask.ijk_to_ras)
    flat = np.array([[x, y, 0.0] for x in np.arange(-9.0, 9.1, 0.3) for y in np.arange(-24.0, 0.0, 0.3)])
    i, j, k = np.rint((before.centre - 11.0 * before.normal + flat) @ to_ijk[:3, :3].T + to_ijk[:3, 3]).astype(int).T
    voxels[k, j, i] = True
    assert voxels.sum() > mask.voxels.sum() + 100
    spoilt = replace(structure, mask=Mask(voxels, mask.ijk_to_ras))
    after = find_endplate(replace(case, structures=(spoilt,)), "T11", "superior")
    assert abs(after.depth_mm - before.depth_mm) <= 0.75 and np.abs(after.centre - before.centre).max() <= 0.3


def test_a_pose_moves_the_plate_and_changes_the_gap(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    before = find_endplate(case, "C4", "inferior")
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [6, -4, 9], degrees=True).as_matrix()
    pose[:3, 3] = before.centre - pose[:3, :3] @ before.centre + 4.0 * -before.normal
    moved = [replace(s, pose=pose) if s.level == "C4" else s for s in case.structures]
    after = find_endplate(case.with_structures(moved), "C4", "inferior")
    np.testing.assert_allclose(after.centre, before.centre - 4.0 * before.normal)
    np.testing.assert_allclose(after.normal, pose[:3, :3] @ before.normal)
    np.testing.assert_allclose(after.surface, before.surface @ pose[:3, :3].T + pose[:3, 3])
    assert after.gap_mm == pytest.approx(before.gap_mm + 4.0, abs=0.5)
    facing = find_endplate(case.with_structures(moved), "C5", "superior")
    assert facing.gap_mm == pytest.approx(find_endplate(case, "C5", "superior").gap_mm + 4.0, abs=0.5)


def test_a_vertebra_is_measured_once(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    assert vertebra(case, "C5") is vertebra(case, "C5")
    moved = [replace(s, pose=np.diag([1.0, 1.0, 1.0, 1.0])) for s in case.structures if s.level != "C6"]
    assert vertebra(case.with_structures(moved), "C5") is vertebra(case, "C5")


@pytest.mark.parametrize("angles", [(60, 0, 0), (-55, 0, 15), (0, 50, 0), (10, -45, 40), (0, 0, -45), (35, 30, 30)])
@pytest.mark.parametrize("level", ["C5", "T3"])
def test_posture_does_not_matter(synthetic, level: str, angles: tuple[float, float, float]) -> None:
    case, _ = synthetic("intact_c1_t5")
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    bone = case.structure(level)
    turned = replace(bone, mask=Mask(bone.mask.voxels, turn @ bone.mask.ijk_to_ras))
    lone = Case("turned", Volume(case.ct.voxels, turn @ case.ct.ijk_to_ras), (turned,), case.quality)
    for face in FACES:
        upright, plate = find_endplate(case, level, face), find_endplate(lone, level, face)
        assert np.linalg.norm(turn[:3, :3] @ upright.centre - plate.centre) < 0.5
        assert degrees(turn[:3, :3] @ upright.normal, plate.normal) < 1.5
        assert degrees(turn[:3, :3] @ upright.anterior, plate.anterior) < 3.0
        assert plate.width_mm == pytest.approx(upright.width_mm, abs=1.0)


@pytest.mark.parametrize("level", ["C4", "T4"])
def test_a_removed_arch_needs_the_cord(synthetic, level: str) -> None:
    case, _ = synthetic("intact_c1_t5")
    bone, axes, canal = case.structure(level), vertebra(case, level).axes, vertebra(case, level).canal
    local = axes.to_local(bone.mask.points)
    gone = (local[:, 1] < axes.to_local(canal.centre)[1]) & (np.abs(local[:, 0]) < 11.0)
    voxels = bone.mask.voxels.copy()
    voxels[tuple(np.argwhere(voxels)[gone].T)] = False
    opened = replace(bone, mask=Mask(voxels, bone.mask.ijk_to_ras))
    after = case.with_structures([opened if s.level == level else s for s in case.structures])
    for face in FACES:
        whole, plate = find_endplate(case, level, face), find_endplate(after, level, face)
        assert np.linalg.norm(whole.centre - plate.centre) < 0.5
        assert degrees(whole.normal, plate.normal) < 1.0
    without = after.with_structures([s for s in after.structures if s.name not in ("spinal_cord", "dural_sac")])
    with pytest.raises(CaseError, match=rf"{level}: no spinal canal found.*cord"):
        find_endplate(without, level, "superior")


def test_plates_of_the_phantom_are_where_it_was_given_them(phantom: Case) -> None:
    truth = phantom_truth()
    for level, face in [(v, f) for v in ("C2", "C3", "C4", "T2", "T3") for f in FACES if (v, f) != ("C2", "superior")]:
        plate, true = find_endplate(phantom, level, face), truth.endplates[level, face]
        assert np.linalg.norm(plate.centre - true.centre) < 1.0
        assert degrees(plate.normal, true.normal) < 3.0
        assert plate.depth_mm == pytest.approx(true.depth_mm, abs=2.0)
        if (level, face) not in (("C3", "superior"), ("C4", "superior")):
            # There the uncinates belong to what stands less than 2 mm proud.
            assert plate.width_mm == pytest.approx(true.width_mm, abs=2.0)


@pytest.mark.parametrize(("above", "below"), list(itertools.pairwise(REAL)))
def test_facing_plates_of_a_real_spine_are_nearly_parallel(data: Path, above: str, below: str) -> None:
    case = real(data / "real")
    lower, upper = find_endplate(case, above, "inferior"), find_endplate(case, below, "superior")
    assert degrees(lower.normal, -upper.normal) < 12.0
    assert lower.neighbour == below
    # Adult thoracic discs are 2 to 6 mm high; TotalSegmentator's labels run up to 1 mm into them on either side.
    assert 1.0 < lower.gap_mm < 7.0
    assert lower.gap_mm == pytest.approx(upper.gap_mm, abs=0.5)


@pytest.mark.parametrize("level", REAL)
def test_plates_of_a_real_spine_have_adult_sizes(data: Path, level: str) -> None:
    case = real(data / "real")
    plates = [find_endplate(case, level, face) for face in FACES]
    for plate, (width, depth) in zip(plates, ADULT[level]):
        assert plate.width_mm == pytest.approx(width, rel=0.2)
        assert plate.depth_mm == pytest.approx(depth, rel=0.2)
    assert degrees(plates[0].normal, -plates[1].normal) < 15.0


def _prism_case(turn: np.ndarray, tilt: float, gap: float) -> tuple[Case, dict[str, np.ndarray]]:
    """Two voxelised vertebrae of simple solids, turned as a whole about the origin; and the lower one's true planes.

    Each is an elliptic prism (30 by 24 mm, 18 high) whose superior end is tilted forward by tilt degrees, with a ring
    of bone round a canal of 9 mm radius behind it, a spinous and two transverse processes.
    """
    spacing = np.array([0.7, 0.7, 1.0])
    shape = np.array([110, 120, 96])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (shape - 1) / 2
    k, j, i = np.meshgrid(*(np.arange(n) for n in shape[::-1]), indexing="ij")
    ras = np.stack([i, j, k], axis=-1) * spacing + affine[:3, 3]
    local = ras @ turn
    out = np.array([0.0, np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    structures = []
    for value, (level, middle) in enumerate((("T9", 18.0 + gap), ("T10", 0.0))):
        u, v, w = np.moveaxis(local - [0.0, 0.0, middle - 12.0], -1, 0)
        above = v * out[1] + (w - 9.0) * out[2]
        body = ((u / 15) ** 2 + (v / 12) ** 2 < 1) & (w > -9) & (above < 0)
        radius = np.hypot(u, v + 21.5)
        ring = (radius > 9) & (radius < 13) & (np.abs(w) < 6) & (v < -9)
        across = (np.abs(v + 22) < 3.5) & (np.abs(u) > 9) & (np.abs(u) < 24) & (np.abs(w) < 4)
        spine = (np.abs(u) < 3) & (v < -31) & (v > -46) & (np.abs(w + 2) < 4)
        mask = Mask((body | ring | across | spine), affine)
        structures.append(Structure(level, "bone", mask, value + 1, level))
    ct = Volume(np.zeros(shape[::-1], dtype=np.int16), affine)
    true = {
        "superior": turn @ np.array([0.0, 0.0, -12.0 + 9.0]),
        "inferior": turn @ np.array([0.0, 0.0, -12.0 - 9.0]),
        "superior_normal": turn @ out,
        "inferior_normal": turn @ np.array([0.0, 0.0, -1.0]),
        "anterior": turn @ np.array([0.0, 1.0, 0.0]),
    }
    return Case("prisms", ct, tuple(structures), ScanQuality((0.7, 0.7, 1.0), 1.0, 0.0)), true


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    forward=st.floats(-60, 60),
    sideways=st.floats(-45, 45),
    axial=st.floats(-40, 40),
    tilt=st.floats(-12, 12),
)
def test_plates_of_known_solids_in_any_orientation(forward: float, sideways: float, axial: float, tilt: float) -> None:
    turn = Rotation.from_euler("zyx", [axial, sideways, forward], degrees=True).as_matrix()
    if turn[2, 2] < np.cos(np.radians(65)):
        turn = Rotation.from_euler("zyx", [axial, sideways, 0.0], degrees=True).as_matrix()
    case, true = _prism_case(turn, tilt, gap=5.0)
    plates: dict[Face, Endplate] = {face: find_endplate(case, "T10", face) for face in FACES}
    for face, plate in plates.items():
        stretch = 1 / np.cos(np.radians(tilt)) if face == "superior" else 1.0
        assert np.linalg.norm(plate.centre - true[face]) < 0.5
        # Along the slices a tilt of one degree is less than one voxel over the whole plate: it cannot be seen.
        assert degrees(plate.normal, true[f"{face}_normal"]) < 1.5
        flat = true["anterior"] - plate.normal * (true["anterior"] @ plate.normal)
        assert degrees(plate.anterior, flat / np.linalg.norm(flat)) < 3.0
        assert plate.width_mm == pytest.approx(30.0, abs=1.2)
        assert plate.depth_mm == pytest.approx(24.0 * stretch, abs=1.2)
    assert plates["superior"].neighbour == "T9"
    assert plates["superior"].gap_mm == pytest.approx(5.0, abs=0.5)
    assert plates["inferior"].neighbour is None
