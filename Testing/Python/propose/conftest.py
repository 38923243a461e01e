"""One proposal a case, shared by the room's tests; and the label maps read again by other means."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt, find_objects
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.propose.propose import propose_plan

# Lets this folder's tests import the worlds made for them.
sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True, eq=False)
class Labels:
    """A label map as the file holds it, LPS turned to RAS by hand, with plain voxel distances."""

    voxels: np.ndarray
    origin: np.ndarray
    spacing: np.ndarray
    values: dict[str, int]
    fields: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def inside(self, name: str, points: np.ndarray) -> np.ndarray:
        """Whether points (n, 3) RAS lie in voxels of that name."""
        return self._at(self.voxels == self.values[name], points)

    def any_inside(self, names: list[str], points: np.ndarray) -> np.ndarray:
        """Whether points lie in voxels of any of these names."""
        return self._at(np.isin(self.voxels, [self.values[n] for n in names]), points)

    def distance(self, name: str, points: np.ndarray) -> np.ndarray:
        """Signed mm from points to the nearest voxel centre of the other kind, less half a voxel; 20 mm at most."""
        if name not in self.fields:
            self.fields[name] = self._field(self.values[name])
        low, signed = self.fields[name]
        index = self._index(points)[:, ::-1] - low
        within = ((index >= 0) & (index < signed.shape)).all(axis=1)
        values = np.full(len(points), 20.0)
        values[within] = signed[tuple(index[within].T)]
        return values

    def _field(self, value: int) -> tuple[np.ndarray, np.ndarray]:
        found = find_objects((self.voxels == value).astype(np.uint8))[0]
        pad = np.ceil(20.0 / self.spacing[::-1]).astype(int)
        low = np.maximum([s.start for s in found] - pad, 0)
        high = np.minimum([s.stop for s in found] + pad, self.voxels.shape)
        block = self.voxels[tuple(slice(a, b) for a, b in zip(low, high))] == value
        sampling = self.spacing[::-1]
        signed = distance_transform_edt(~block, sampling=sampling) - distance_transform_edt(block, sampling=sampling)
        half = 0.5 * float(self.spacing.min())
        return low, np.clip(np.where(block, signed + half, signed - half), -20.0, 20.0)

    def _at(self, mask: np.ndarray, points: np.ndarray) -> np.ndarray:
        index = self._index(points)[:, ::-1]
        within = ((index >= 0) & (index < mask.shape)).all(axis=1)
        result = np.zeros(len(points), dtype=bool)
        result[within] = mask[tuple(index[within].T)]
        return result

    def _index(self, points: np.ndarray) -> np.ndarray:
        return np.rint((points * [-1.0, -1.0, 1.0] - self.origin) / self.spacing).astype(int)


@dataclass(frozen=True, eq=False)
class Proposed:
    """A case, the plan proposed for it, and its labels."""

    case: Case
    plan: Plan
    labels: Labels
    truth: dict


def _labels(path: Path, values: dict[str, int]) -> Labels:
    image = sitk.ReadImage(str(path))
    assert np.allclose(np.reshape(image.GetDirection(), (3, 3)), np.eye(3)), "the test reads upright LPS images only"
    return Labels(sitk.GetArrayFromImage(image), np.array(image.GetOrigin()), np.array(image.GetSpacing()), values)


def _synthetic(folder: Path, case: Case, plan: Plan) -> Proposed:
    with open(folder / "labels.csv", newline="") as file:
        values = {row["name"]: int(row["value"]) for row in csv.DictReader(file)}
    truth = json.loads((folder / "truth.json").read_text())
    return Proposed(case, plan, _labels(folder / "labels.nrrd", values), truth)


@pytest.fixture(scope="session")
def case2(data: Path, planned_case2: tuple[Case, Plan]) -> Proposed:
    """C4 to T2 with the bodies between destroyed."""
    return _synthetic(data / "synthetic" / "case2_c4_t2", *planned_case2)


@pytest.fixture(scope="session")
def case1(data: Path) -> Proposed:
    """C6 to T11 with standing neighbours at both ends and a scoliosis between."""
    folder = data / "synthetic" / "case1_c6_t11"
    case = read_case(folder / "ct.nrrd", labels=folder / "labels.nrrd", roles=folder / "labels.csv")
    return _synthetic(folder, case, propose_plan(case, "C6", "T11", "case1"))


@pytest.fixture(scope="session")
def chest(data: Path) -> Proposed:
    """A real chest CT, T5 to T9, every body standing."""
    folder = data / "real"
    names = folder / "lidc0001_label_names.csv"
    with open(names, newline="") as file:
        values = {row["structure"]: int(row["id"]) for row in csv.DictReader(file)}
    path = folder / "lidc0001_spine_totalseg_labels.nii.gz"
    case = read_case(folder / "lidc0001_spine_ct.nii.gz", labels=path, roles=names)
    image = sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS")
    labels = Labels(sitk.GetArrayFromImage(image), np.array(image.GetOrigin()), np.array(image.GetSpacing()), values)
    return Proposed(case, propose_plan(case, "T5", "T9", "case2"), labels, {})
