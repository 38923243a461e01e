"""The phantom: repeatable, consistent with its own truth, and anatomically in order."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from SpinalStrutDesignerLib.case import phantom as phantom_module
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Face
from SpinalStrutDesignerLib.case.phantom import PhantomTruth, make_phantom, phantom_truth, write_phantom
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError

STANDING: list[tuple[str, Face]] = [
    ("C3", "superior"), ("C3", "inferior"), ("C4", "superior"), ("C4", "inferior"),
    ("T2", "superior"), ("T2", "inferior"), ("T3", "superior"), ("T3", "inferior"), ("T4", "superior"),
]  # fmt: skip
CRITICAL = {
    "spinal_cord", "dural_sac", "trachea_airway", "oesophagus", "carotids", "jugulars", "vertebral_arteries",
    "great_vessels",
}  # fmt: skip


@pytest.fixture
def case(phantom: Case) -> Case:
    return phantom


@pytest.fixture(scope="module")
def truth() -> PhantomTruth:
    return phantom_truth(1)


@pytest.fixture(scope="module")
def table() -> dict[str, dict[str, float]]:
    text = (Path(phantom_module.__file__).parent / "morphometry.csv").read_text()
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["level"]: {k: float(v) for k, v in row.items() if k != "level"} for row in rows}


def _plate_points(case: Case, truth: PhantomTruth, level: str, face: Face) -> np.ndarray:
    """Bone voxels seen from the true plate: (n, 3) right, anterior, out."""
    plate = truth.endplates[level, face]
    right = np.cross([0.0, 1.0, 0.0], plate.normal) * (1 if face == "superior" else -1)
    right /= np.linalg.norm(right)
    anterior = np.cross(plate.normal, right) * (1 if face == "superior" else -1)
    return (case.structure(level).mask.points - plate.centre) @ np.stack([right, anterior, plate.normal]).T


def test_same_seed_same_voxels(case: Case) -> None:
    assert make_phantom(1).digest == case.digest
    assert make_phantom(2).digest != case.digest


def test_survives_its_own_files(case: Case, tmp_path: Path) -> None:
    folder = write_phantom(tmp_path / "phantom", seed=1)
    again = read_case(folder / "ct.nrrd", folder / "labels.nrrd", folder / "labels.csv")
    assert again.digest == case.digest
    assert again.name == case.name
    assert again.unknown == ()
    np.testing.assert_array_equal(again.ct.voxels, case.ct.voxels)
    np.testing.assert_array_equal(again.ct.ijk_to_ras, case.ct.ijk_to_ras)
    assert [(s.name, s.role, s.level, s.value) for s in again.structures] == [
        (s.name, s.role, s.level, s.value) for s in case.structures
    ]


def test_names_and_roles(case: Case) -> None:
    assert case.levels == ("C2", "C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3", "T4")
    assert {s.name for s in case.having("keepout_critical")} == CRITICAL
    assert {s.name for s in case.having("disc")} == {"discs"}
    assert not case.having("metal")


def test_no_voxel_belongs_to_two_structures(case: Case) -> None:
    count = np.zeros(case.ct.voxels.shape, np.uint8)
    for structure in case.structures:
        first = np.rint(case.ct.to_ijk(structure.mask.ijk_to_ras[None, :3, 3]))[0].astype(int)
        i, j, k = first
        nk, nj, ni = structure.mask.voxels.shape
        count[k : k + nk, j : j + nj, i : i + ni] += structure.mask.voxels
    assert count.max() == 1


def test_canal_is_clear(case: Case) -> None:
    bone = cKDTree(np.vstack([s.mask.points for s in case.having("bone")]))
    assert bone.query(case.structure("spinal_cord").mask.points)[0].min() > 2.5
    assert bone.query(case.structure("dural_sac").mask.points)[0].min() > 0.9


def test_cord_lies_within_the_dura_all_along(case: Case, truth: PhantomTruth) -> None:
    """Nothing painted before the dura bites into it: its slices keep the area of their ellipses."""
    cord, dura = case.structure("spinal_cord").mask, case.structure("dural_sac").mask
    pixel = 0.7 * 0.7
    areas = (
        np.bincount(np.rint(np.vstack([cord.points, dura.points])[:, 2] - case.ct.ijk_to_ras[2, 3]).astype(int)) * pixel
    )
    heights = case.ct.ijk_to_ras[2, 3] + np.arange(len(areas))
    levels = [truth.bodies[level][2] for level in ("T4", "T2", "C7", "C5", "C3")]
    expected = {"T4": (6.5, 6.8), "T2": (7.75, 6.6), "C7": (8.8, 6.4), "C5": (8.8, 6.8), "C3": (8.8, 6.8)}
    for height, (a, b) in zip(levels, expected.values()):
        area = np.interp(height, heights, areas)
        assert area == pytest.approx(np.pi * a * b, rel=0.06)


def test_vertebral_arteries_run_through_their_foramina(case: Case, truth: PhantomTruth) -> None:
    points = cKDTree(case.structure("vertebral_arteries").mask.points)
    top = case.ct.ijk_to_ras[2, 3] + case.ct.voxels.shape[0] - 2
    for line, side in zip(truth.vertebral_arteries, (1, -1)):
        line = line[line[:, 2] < top]
        assert points.query(line)[0].max() < 0.8
        for level in ("C3", "C4", "C5", "C6"):
            assert side * (np.interp(truth.bodies[level][2], line[:, 2], line[:, 0])) > 11.0


@pytest.mark.parametrize("level, face", STANDING)
def test_labels_lie_on_the_true_plates(case: Case, truth: PhantomTruth, level: str, face: Face) -> None:
    """The plane fitted here to the labels' surface over the footprint is the plane of the truth."""
    plate = truth.endplates[level, face]
    right = np.cross([0.0, 1.0, 0.0], plate.normal)
    right /= np.linalg.norm(right)
    anterior = np.cross(plate.normal, right)
    x, y = (v.ravel() for v in np.meshgrid(np.linspace(-0.96, 0.96, 25), np.linspace(-0.96, 0.96, 25)))
    # Inside the uncinates, which stand on the side rim.
    on = (np.abs(x) ** 2.5 + np.abs(y) ** 2.5 < 0.85) & (np.abs(x) < 0.8)
    x, y = x[on] * plate.width_mm / 2, y[on] * plate.depth_mm / 2
    heights = np.arange(2.5, -3.5, -0.1)
    foot = plate.centre + x[:, None] * right + y[:, None] * anterior
    rays = foot[:, None] + heights[None, :, None] * plate.normal
    inside = case.structure(level).distance(rays.reshape(-1, 3)).reshape(len(x), -1) < 0
    hit = heights[np.argmax(inside, axis=1)]
    seen = inside.any(axis=1) & (hit < 1.9)
    assert seen.mean() > 0.9
    system = np.column_stack([x, y, np.ones(len(x))])[seen]
    tilt_x, tilt_y, height = np.linalg.lstsq(system, hit[seen], rcond=None)[0]
    assert abs(height) < 0.4
    assert np.degrees(np.arctan(np.hypot(tilt_x, tilt_y))) < 2.0


@pytest.mark.parametrize("level, face", STANDING)
def test_plates_measure_what_the_table_says(
    case: Case, truth: PhantomTruth, table: dict[str, dict[str, float]], level: str, face: Face
) -> None:
    row, side = table[level], "upper" if face == "superior" else "lower"
    plate = truth.endplates[level, face]
    assert plate.width_mm == pytest.approx(row[f"{side}_width"])
    assert plate.depth_mm == pytest.approx(row[f"{side}_depth"], rel=0.01)
    points = _plate_points(case, truth, level, face)
    near = np.abs(points[:, 1]) < 0.5 * plate.depth_mm + 4.0
    rim = points[near & (points[:, 2] > -1.6) & (points[:, 2] < 0.5)]
    middle = rim[np.abs(rim[:, 0]) < 0.2 * plate.width_mm]
    assert np.ptp(middle[:, 1]) + 0.7 == pytest.approx(row[f"{side}_depth"], abs=1.3)
    if (level, face) not in (("C3", "superior"), ("C4", "superior")):
        middle = rim[(np.abs(rim[:, 1]) < 0.2 * plate.depth_mm) & (np.abs(rim[:, 0]) < 0.6 * plate.width_mm)]
        assert np.ptp(middle[:, 0]) + 0.7 == pytest.approx(row[f"{side}_width"], abs=1.3)


@pytest.mark.parametrize("level", ["C3", "C4", "T2", "T3", "T4"])
def test_heights_and_canals_measure_what_the_table_says(
    case: Case, truth: PhantomTruth, table: dict[str, dict[str, float]], level: str
) -> None:
    assert truth.posterior_heights_mm[level] == pytest.approx(table[level]["posterior_height"], abs=0.1)
    upper, lower = (truth.endplates[level, face] for face in ("superior", "inferior"))
    assert np.linalg.norm(upper.rim - lower.rim) == pytest.approx(table[level]["posterior_height"], abs=1.0)
    up = upper.rim - lower.rim
    up /= np.linalg.norm(up)
    slab = case.structure(level).mask.points
    slab = slab[np.abs((slab - truth.bodies[level]) @ up) < 1.0]
    right = np.cross([0.0, 1.0, 0.0], up)
    right /= np.linalg.norm(right)
    x = (slab - truth.bodies[level]) @ right
    y = (slab - truth.bodies[level]) @ np.cross(up, right)
    wall = y[(np.abs(x) < 1.5) & (y > -14.0)].min()
    behind = (y < wall - 0.35 * table[level]["canal_depth"]) & (y > wall - 0.65 * table[level]["canal_depth"])
    width = x[behind & (x > 0)].min() - x[behind & (x < 0)].max()
    assert width == pytest.approx(table[level]["canal_width"], abs=1.8)


def test_destroyed_bodies_are_gone_and_the_others_stand(case: Case, truth: PhantomTruth) -> None:
    for level in ("C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3"):
        points = case.structure(level).mask.points
        share = np.sum(np.linalg.norm(points - truth.bodies[level], axis=1) < 5.0) * 0.49 / (4 / 3 * np.pi * 5.0**3)
        assert share < 0.02 if level in ("C5", "C6", "C7", "T1") else share > 0.95, level
        assert len(points) * 0.49 > 3000.0, level


def test_corridor_leaves_room_for_the_published_strut(case: Case, truth: PhantomTruth) -> None:
    upper, lower = truth.endplates["C4", "inferior"].centre, truth.endplates["T2", "superior"].centre
    chord = upper + np.linspace(0.05, 0.95, 40)[:, None] * (lower - upper)
    assert 65.0 < np.linalg.norm(lower - upper) < 80.0
    free = {n: cKDTree(case.structure(n).mask.points).query(chord)[0].min() for n in CRITICAL}
    assert min(free.values()) > 5.0
    assert 11.0 < free["dural_sac"] + free["oesophagus"] < 15.0
    for level in ("C4", "T2"):
        body = case.structure(level).mask.points
        gap = cKDTree(case.structure("oesophagus").mask.points).query(body)[0].min()
        assert 0.9 < gap < 2.9


def test_hounsfield_units_are_those_of_tissues(case: Case) -> None:
    from scipy.ndimage import binary_erosion

    voxels = case.ct.voxels
    assert voxels.dtype == np.int16
    assert voxels.min() >= -1024 and 800 < voxels.max() < 2500

    def core(name: str, iterations: int) -> np.ndarray:
        mask = case.structure(name).mask
        kji = np.argwhere(binary_erosion(mask.voxels, iterations=iterations))
        ras = kji[:, ::-1] @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3]
        i, j, k = np.rint(case.ct.to_ijk(ras)).astype(int).T
        return voxels[k, j, i]

    blood = core("great_vessels", 3)
    assert 40 < blood.mean() < 55 and 13 < blood.std() < 21
    assert core("trachea_airway", 3).mean() < -950
    assert -880 < core("lungs", 4).mean() < -780
    assert 250 < core("C4", 3).mean() < 450
    assert 180 < core("T3", 4).mean() < 300
    assert core("C4", 3).mean() > core("T3", 4).mean()
    assert np.percentile(voxels[voxels > -200], 50) == pytest.approx(54, abs=12)


@pytest.mark.parametrize("level, face", STANDING)
def test_the_endplate_search_finds_the_true_plates(case: Case, truth: PhantomTruth, level: str, face: Face) -> None:
    plate, found = truth.endplates[level, face], find_endplate(case, level, face)
    assert np.linalg.norm(found.centre - plate.centre) < 1.0
    assert np.degrees(np.arccos(np.clip(found.normal @ plate.normal, -1.0, 1.0))) < 3.0
    assert found.depth_mm == pytest.approx(plate.depth_mm, abs=2.0)
    if (level, face) not in (("C3", "superior"), ("C4", "superior")):
        assert found.width_mm == pytest.approx(plate.width_mm, abs=2.0)


@pytest.mark.parametrize("level", ["C5", "C6", "C7", "T1"])
def test_the_endplate_search_finds_none_where_the_body_is_gone(case: Case, level: str) -> None:
    with pytest.raises(CaseError, match=level):
        find_endplate(case, level, "superior")
