"""A small made-up scan on disk, in the forms a hospital may send it."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.case.read import read_case

sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True)
class Scan:
    """A scan with two bones and a tube in it. hu, labels: (k, j, i); written in LPS as scanners do."""

    folder: Path
    hu: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, float, float] = (0.6, 0.7, 1.0)
    origin: tuple[float, float, float] = (-12.0, 34.0, 560.0)
    direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)

    def image(self, voxels: np.ndarray) -> sitk.Image:
        """voxels as an image at this scan's place."""
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image

    def write(self, name: str, voxels: np.ndarray) -> Path:
        """Writes voxels to a file of this name."""
        path = self.folder / name
        sitk.WriteImage(self.image(voxels), str(path))
        return path

    def table(self, text: str = "value,name,role\n1,C4,bone\n2,C5,bone\n7,trachea,keepout_critical\n") -> Path:
        """Writes a role table."""
        path = self.folder / "labels.csv"
        path.write_text(text)
        return path

    def ras(self, i: int, j: int, k: int) -> np.ndarray:
        """Where SimpleITK says a voxel lies, turned from LPS to RAS."""
        return np.array(self.image(self.hu).TransformIndexToPhysicalPoint((i, j, k))) * [-1, -1, 1]


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    rng = np.random.default_rng(3)
    hu = rng.normal(40, 10, (14, 20, 24)).round().astype(np.int16)
    hu[:, :3] = -1000
    labels = np.zeros(hu.shape, dtype=np.uint8)
    labels[1:5, 8:15, 6:16] = 1
    labels[8:12, 8:15, 6:16] = 2
    labels[2:12, 4:7, 9:13] = 7
    hu[(labels == 1) | (labels == 2)] = 700
    hu[labels == 7] = -990
    return Scan(tmp_path, hu, labels)


@pytest.fixture
def turned() -> Callable[[Scan], Scan]:
    """A scan's twin with oblique, left-handed axes."""

    def turn(scan: Scan) -> Scan:
        from scipy.spatial.transform import Rotation

        rotation = Rotation.from_euler("xyz", [20, -35, 70], degrees=True).as_matrix() @ np.diag([1.0, -1.0, 1.0])
        return Scan(scan.folder, scan.hu, scan.labels, direction=tuple(rotation.ravel()))

    return turn


@pytest.fixture(scope="session")
def synthetic(data: Path) -> Callable[[str], tuple[Case, dict]]:
    """A synthetic case and its truth (LPS) by its folder's name, read once for all tests of this room."""

    @functools.cache
    def read(name: str) -> tuple[Case, dict]:
        folder = data / "synthetic" / name
        case = read_case(folder / "ct.nrrd", labels=folder / "labels.nrrd", roles=folder / "labels.csv")
        return case, json.loads((folder / "truth.json").read_text(encoding="utf-8"))

    return read


@dataclass(frozen=True)
class Solid:
    """A vertebra of simple solids: an elliptic prism, parallel at both ends, with an arch and three processes behind.

    turn: (3, 3) of the whole; centre: (3,) RAS of the prism, which is 2·half wide, deep and high; spacing: mm.
    """

    level: str
    turn: np.ndarray
    centre: np.ndarray
    spacing: np.ndarray
    half: np.ndarray

    def structure(self) -> Structure:
        """The solids as voxels: those whose centre lies inside."""
        reach = np.array([36.0, 54.0, 34.0])
        shape = np.ceil(2 * reach / self.spacing).astype(int)
        affine = np.diag([*self.spacing, 1.0])
        affine[:3, 3] = np.round((self.centre - reach) / self.spacing) * self.spacing
        k, j, i = np.meshgrid(*(np.arange(n) for n in shape[::-1]), indexing="ij")
        ras = np.stack([i, j, k], axis=-1) * self.spacing + affine[:3, 3]
        u, v, w = np.moveaxis((ras - self.centre) @ self.turn, -1, 0)
        wide, deep, high = self.half
        behind, height = v + deep + 9.5, np.abs(w) / high
        body = ((u / wide) ** 2 + (v / deep) ** 2 < 1) & (height < 1)
        radius = np.hypot(u, behind)
        ring = (radius > 9) & (radius < 13) & (height < 0.65) & (v < 3 - deep)
        across = (np.abs(behind) < 3.5) & (np.abs(u) > 9) & (np.abs(u) < 24) & (height < 0.45)
        spine = (np.abs(u) < 3) & (behind < -9.5) & (behind > -24) & (height < 0.45)
        return Structure(self.level, "bone", Mask(body | ring | across | spine, affine), 1, self.level)


@pytest.fixture
def solids() -> Callable[..., Case]:
    """A case of vertebrae made of simple solids: solids((level, turn, centre), …, spacing=…, half=…)."""

    def make(*vertebrae: tuple[str, np.ndarray, np.ndarray], spacing=(0.7, 0.7, 1.0), half=(15.0, 12.0, 9.0)) -> Case:
        made = [Solid(*vertebra, np.array(spacing), np.array(half)).structure() for vertebra in vertebrae]
        ct = Volume(np.zeros((300, 300, 300), dtype=np.int8), np.diag([1.0, 1.0, 1.0, 1.0]))
        ct.ijk_to_ras[:3, 3] = -150.0
        return Case("solids", ct, tuple(made), ScanQuality(tuple(spacing), float(spacing[2]), 0.0))

    return make
