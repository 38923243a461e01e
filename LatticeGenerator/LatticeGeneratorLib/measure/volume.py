"""A body measured in a micro-CT volume, so that what was printed can be checked against what was designed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.isosurface import isosurface
from ..mesh.mesh import Mesh
from ..mesh.solids import box
from ..progress import Progress, silent
from .measures import Measures, measured

_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Volume:
    """Grey values on a regular grid. values: [k, j, i]; ijk_to_ras: 4x4, from (i, j, k) to RAS mm."""

    values: np.ndarray
    ijk_to_ras: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.asarray(self.ijk_to_ras, float)
        if self.values.ndim != 3 or min(self.values.shape) < 2:
            raise GeometryError(f"a volume needs three axes of at least two voxels, not the shape {self.values.shape}")
        if matrix.shape != (4, 4) or not abs(np.linalg.det(matrix[:3, :3])) > 0.0:
            raise GeometryError("ijk_to_ras must be a 4x4 matrix with three different axes: read the volume again")
        object.__setattr__(self, "ijk_to_ras", matrix)

    @property
    def box(self) -> Mesh:
        """What the middles of its voxels span, as a closed mesh, RAS mm."""
        nz, ny, nx = self.values.shape
        return _placed(box(np.zeros(3), np.array([nx, ny, nz]) - 1.0), self.ijk_to_ras)

    def body(self, threshold: float) -> Mesh:
        """The closed surface of what is brighter than the threshold, RAS mm; it may be in many pieces.

        Between two voxels it lies where the grey value, taken as linear, meets the threshold. What the volume's border
        cuts is closed there. Raises GeometryError where the threshold tells nothing apart.
        """
        low, high = float(self.values.min()), float(self.values.max())
        if not low < threshold < high:
            raise GeometryError(
                f"the threshold {threshold:g} tells nothing apart: the volume's values go from {low:g} to {high:g}"
            )
        # Below 1 in size, whatever the grey values' unit; 1 voxel counts as 1 mm until the surface is placed.
        field = (np.float32(threshold) - self.values.astype(np.float32)) / np.float32(max(high - threshold, 1e-30))
        grid = Grid(np.zeros(3), 1.0, (field.shape[2], field.shape[1], field.shape[0]))
        return _placed(isosurface(np.clip(field, -1.0, 1.0), grid), self.ijk_to_ras)


def measured_volume(
    volume: Volume, threshold: float, domain: Mesh | None = None, progress: Progress = silent
) -> Measures:
    """As `measured`, of what is brighter than the threshold in a volume.

    domain: closed mesh in the volume's own frame, RAS mm; without one, all of the volume. Edges blur over a voxel or
    two; halfway between the values of metal and air they lie where the metal ends.
    """
    progress("measuring", 0.0)
    return measured(volume.body(threshold), domain or volume.box, progress)


def read_volume(path: str | Path) -> Volume:
    """A volume from a file that SimpleITK reads (.nrrd, .mha, .nii ...). Raises GeometryError where it cannot."""
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise GeometryError(f"'{Path(path).name}' cannot be read as a volume: {error}") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise GeometryError(f"'{Path(path).name}' is not a volume of grey values: export it as one")
    to_lps = np.eye(4)
    to_lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    to_lps[:3, 3] = image.GetOrigin()
    return Volume(sitk.GetArrayFromImage(image), _LPS_RAS @ to_lps)


def threshold_between(values: np.ndarray) -> float:
    """Halfway between the grey values of metal and air, which Otsu's threshold tells apart (Otsu 1979).

    Each is the quartile on its outer side: voxels that metal fills in part draw means and medians together, and noise
    shifts both quartiles alike.
    """
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, bins=512, range=(low, high))
    middles = 0.5 * (edges[1:] + edges[:-1])
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.nan_to_num(below * above * (sums / below - (sums[-1] - sums) / above) ** 2)
    split = edges[int(np.argmax(apart)) + 1]
    metal = values >= split
    if not 0 < metal.sum() < metal.size:
        return low
    return float(0.5 * (np.percentile(values[metal], 75) + np.percentile(values[~metal], 25)))


def _placed(mesh: Mesh, matrix: np.ndarray) -> Mesh:
    """The mesh moved by an affine 4x4 matrix; faces keep looking outwards where it mirrors."""
    vertices = mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    return Mesh(vertices, mesh.faces if np.linalg.det(matrix[:3, :3]) > 0.0 else mesh.faces[:, ::-1])
