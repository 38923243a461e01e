"""Bone of processes that is a vertebra's own by where it stands, against the labels of a case made for testing."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.frame import Frame
from SpinalStrutDesignerLib.case.model import Case, Volume
from SpinalStrutDesignerLib.case.processes import process_points, rib_points
from SpinalStrutDesignerLib.case.spinous import _ends, spinous_points
from SpinalStrutDesignerLib.case.stations import Station

NECK = ("C5", "C3", "C4", "C6", "C7")
LEVELS = ("T3", "T1", "T2", "T4", "T5")
STEP = 0.8
LEAST_OWN = 0.95  # of the bone that is marked


Column = tuple[Case, Volume, Volume, list[Station]]


@pytest.fixture(scope="module")
def column(synthetic) -> Column:
    return _column(*synthetic("intact_c1_t5"), LEVELS, np.array([28.0, 18.0, 18.0]))


@pytest.fixture(scope="module")
def neck(synthetic) -> Column:
    return _column(*synthetic("intact_c1_t5"), NECK, np.array([24.0, 17.0, 13.0]))


def _column(case: Case, truth: dict, levels: tuple[str, ...], size: np.ndarray) -> Column:
    """A case, its HU and its bone by the labels about the first level on an even grid, and stations at true places."""
    low = np.array(truth["vertebrae"][levels[0]]["body_centre"]) * [-1, -1, 1] - [45.0, 95.0, 62.0]
    matrix = np.diag([STEP, STEP, STEP, 1.0])
    matrix[:3, 3] = low
    k, j, i = np.meshgrid(*(np.arange(n) for n in (155, 170, 113)), indexing="ij")
    points = np.stack([i, j, k], axis=-1).reshape(-1, 3) * STEP + low
    hu = np.nan_to_num(case.ct.sample(points), nan=-1000.0).reshape(k.shape)
    solid = np.zeros(k.shape, np.float32)
    for structure in case.structures:
        if structure.role == "bone":
            mask = structure.mask
            at = np.rint((np.linalg.inv(mask.ijk_to_ras) @ np.c_[points, np.ones(len(points))].T)[:3].T).astype(int)
            inside = ((at >= 0) & (at < mask.voxels.shape[::-1])).all(axis=1)
            solid.reshape(-1)[inside] += mask.voxels[tuple(at[inside][:, ::-1].T)]
    stations = []
    for level in levels:
        entry = truth["vertebrae"][level]
        centre, up, canal = (
            np.array(value) * [-1, -1, 1]
            for value in (entry["body_centre"], entry["axes"]["up"], entry["canal"]["centre"])
        )
        frame = Frame.along(centre, up, -np.array(entry["axes"]["posterior"]) * [-1, -1, 1])
        stations.append(Station(level, frame, size, None, canal))
    return case, Volume(hu, matrix), Volume(np.minimum(solid, 1.0), matrix), stations


def _held(case: Case, level: str, points: np.ndarray) -> np.ndarray:
    """(n,) bool: which of the points lie in the level's label."""
    mask = case.structure(level).mask
    at = np.rint((np.linalg.inv(mask.ijk_to_ras) @ np.c_[points, np.ones(len(points))].T)[:3].T).astype(int)
    inside = ((at >= 0) & (at < mask.voxels.shape[::-1])).all(axis=1)
    held = np.zeros(len(points), bool)
    held[inside] = mask.voxels[tuple(at[inside][:, ::-1].T)]
    return held


def _own(case: Case, level: str, points: np.ndarray) -> float:
    """Which part of the points lies in the level's label, of those that lie in a vertebra's."""
    held = {s.level: _held(case, s.level, points) for s in case.structures if s.role == "bone" and s.level}
    return held[level].sum() / np.any(list(held.values()), axis=0).sum()


def test_a_spinous_process_is_its_vertebras(column) -> None:
    case, _, solid, stations = column
    for station, points in zip(stations[:4], spinous_points(solid, stations), strict=False):
        assert len(points) > 100
        assert _own(case, station.level, points) >= LEAST_OWN


def test_bone_in_the_ligament_joins_no_two_spinous_processes(column) -> None:
    case, _, solid, stations = column
    frame = stations[0].frame
    upper, lower = (
        frame.to_local(next(s.mask.points for s in case.structures if s.level == level)) for level in ("T3", "T4")
    )
    tip = upper[upper[:, 1].argmin()]
    below = lower[(np.abs(lower[:, 0]) < 2.0) & (np.abs(lower[:, 2] - tip[2] + 10.0) < 2.0)]
    between = frame.to_ras(np.linspace(tip, below[below[:, 1].argmin()], 60))
    k, j, i = np.rint(solid.to_ijk(between)).astype(int).T[::-1]
    joined = solid.voxels.copy()
    for dj, di in np.ndindex(4, 5):
        joined[k, j + dj - 2, i + di - 2] = 1.0
    found = spinous_points(Volume(joined, solid.ijk_to_ras), stations)
    for station, points in zip(stations, found, strict=True):
        if station.level in ("T3", "T4"):
            assert len(points) > 100
            assert _own(case, station.level, points) >= LEAST_OWN


def test_of_bone_longer_than_one_process_only_the_ends_are_given_away() -> None:
    run = np.arange(100, 165)  # 52 mm, vertebrae 22 mm apart: a tip, the ligament and the next process
    upper, lower = _ends(run, 22.0)
    assert upper[0] == 100 and lower[-1] == 164 and lower[0] - upper[-1] > 10
    assert max(len(upper), len(lower)) * STEP <= 22.0
    (whole,) = _ends(run[:20], 22.0)
    assert (whole == run[:20]).all()


def test_transverse_processes_and_upper_facets_are_their_vertebras(column) -> None:
    case, hu, solid, stations = column
    for station in stations:
        points = process_points(hu, solid, station)
        assert len(points) > 100
        assert _own(case, station.level, points) >= LEAST_OWN


def test_ribs_necks_are_no_vertebras(column) -> None:
    case, hu, solid, stations = column
    own = [_held(case, station.level, rib_points(hu, solid, station)) for station in stations]
    assert sum(map(len, own)) > 300 and np.concatenate(own).mean() <= 1.0 - LEAST_OWN
    assert [station.level for station, held in zip(stations, own, strict=True) if len(held)] == ["T3", "T4", "T5"]


def test_articular_pillars_of_the_neck_are_their_vertebras(neck) -> None:
    case, hu, solid, stations = neck
    for station in stations:
        points = process_points(hu, solid, station)
        right = (points - station.frame.origin) @ station.frame.right
        assert np.count_nonzero(right > 9.0) > 100 and np.count_nonzero(right < -9.0) > 100
        assert _own(case, station.level, points) >= LEAST_OWN


def test_c2_has_none(neck) -> None:
    _, hu, solid, stations = neck
    first = stations[0]
    assert len(process_points(hu, solid, Station("C2", first.frame, first.size, None, first.canal))) == 0
