"""Writes a case to files that read_case reads back to the same structures: for the process that does the long work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import CaseError, ReleaseError
from .distance import tightened
from .model import Case, Mask, Structure, Volume
from .seeds import HEADER, Seed, seeds_text

# Where a copy's distances are compared with the original's: how many points of it, and how far beside them.
_PROBES, _PROBED_MM = 2000, 12.0


def write_case(case: Case, directory: str | Path) -> tuple[Path, Path, Path]:
    """Write ct.nrrd, labels.seg.nrrd and labels.csv; returns their paths.

    Structures that overlap go to layers of their own, so none loses a voxel. One that a second image gave lies on a
    grid of its own: it goes to that of the others, and what its surface loses by that is added to its error. Raises
    CaseError for any other structure that was drawn on another grid than its fellows: they cannot share a file.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    ct, labels, roles = folder / "ct.nrrd", folder / "labels.seg.nrrd", folder / "labels.csv"
    write_ct(case.ct, ct)
    if not case.structures:
        raise CaseError("the case has no structures to write; give it a segmentation")
    on_ct = next((s for s in case.structures if not s.error_mm), None)
    # The first one's voxels say which grid all are on: that of the CT where every structure is from a second image.
    place = case.ct.ijk_to_ras if on_ct is None else on_ct.mask.ijk_to_ras
    written = tuple(_no_farther(s, on_grid(s, place)) if s.error_mm else s for s in case.structures)
    write_segmentation(written, labels, case.seeds)
    rows = ["name,role,error_mm", *(f'"{s.name}",{s.role},{s.error_mm!r}' for s in written)]
    roles.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ct, labels, roles


def write_ct(ct: Volume, path: str | Path) -> Path:
    """Write a CT alone, as NRRD; returns its path."""
    _write(Path(path), ct.voxels, ct.ijk_to_ras, {})
    return Path(path)


def write_segmentation(structures: tuple[Structure, ...], file: Path, seeds: tuple[Seed, ...]) -> None:
    """Write structures as a Slicer segmentation; seeds: what they were found from, where no person has looked yet.

    Raises CaseError as `write_case`.
    """
    if not structures:
        raise CaseError("the case has no structures to write; give it a segmentation")
    voxels, matrix, fields = _layered(structures)
    _write(file, voxels, matrix, {**fields, HEADER: seeds_text(seeds)} if seeds else fields)


def checked_segmentation(file: str | Path) -> Path:
    """Where a segmentation is to be written. Raises ReleaseError where none can be."""
    path = Path(file)
    if not path.name.lower().endswith(".seg.nrrd"):
        raise ReleaseError(f"a segmentation is written as .seg.nrrd, which Slicer reads; '{path}' is not called so")
    if not path.parent.is_dir():
        raise ReleaseError(f"there is no folder '{path.parent}' to write '{path.name}' to; make it first")
    return path


def on_grid(structure: Structure, ijk_to_ras: np.ndarray) -> Structure:
    """The structure in voxels of another grid (4x4 of any voxel): those whose centres its smooth surface holds."""
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    corners = structure.mask.voxels.shape[::-1]
    ends = np.array(np.meshgrid(*[(-1.0, n) for n in corners], indexing="ij")).reshape(3, -1).T
    matrix = structure.mask.ijk_to_ras
    inverse = np.linalg.inv(ijk_to_ras)
    ijk = (ends @ matrix[:3, :3].T + matrix[:3, 3]) @ inverse[:3, :3].T + inverse[:3, 3]
    low, high = np.floor(ijk.min(axis=0)), np.ceil(ijk.max(axis=0))
    count = (high - low).astype(int) + 1
    place = ijk_to_ras.copy()
    place[:3, 3] += place[:3, :3] @ low
    inside = np.zeros(count[::-1], dtype=bool)
    j, i = (axis.ravel() for axis in np.meshgrid(np.arange(count[1]), np.arange(count[0]), indexing="ij"))
    for k in range(count[2]):
        points = np.stack([i, j, np.full(len(i), k)], axis=1) @ place[:3, :3].T + place[:3, 3]
        inside[k] = (structure.mask.field.at(points) < 0.0).reshape(count[1], count[0])
    if not inside.any():
        raise CaseError(
            f"'{structure.name}' is thinner than the CT's voxels of {'×'.join(f'{s:.2g}' for s in spacing)} mm: it "
            "cannot be written on their grid"
        )
    return replace(structure, mask=tightened(Mask(inside, place)))


def _no_farther(structure: Structure, copy: Structure) -> Structure:
    """The copy with its error raised by as much as it lies farther off than the structure does, but for single points
    (99th percentile to each side): a distance to what was written must not be the larger one. Measured all round, about
    as far off as an implant is."""
    points = structure.points
    points = points[:: max(len(points) // _PROBES, 1)]
    most = 0.0
    for side in _PROBED_MM * np.concatenate([np.eye(3), -np.eye(3)]):
        around = points + side
        apart = structure.distance(around)
        outside = apart > 0.0
        if outside.any():
            lost = copy.distance(around[outside]) - apart[outside]
            most = max(most, float(np.percentile(lost, 99.0)))
    return replace(copy, error_mm=structure.error_mm + most)


def _layered(structures: tuple[Structure, ...]) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Voxels (k, j, i), of several layers (k, j, i, layer), their 4x4, and the header fields that name each segment."""
    starts = [_start(s, structures[0]) for s in structures]
    low = np.min(starts, axis=0)
    high = np.max([start + s.mask.voxels.shape for start, s in zip(starts, structures)], axis=0)
    layers: list[np.ndarray] = []
    fields: dict[str, str] = {}
    for number, (start, structure) in enumerate(zip(starts, structures)):
        place = tuple(slice(a, a + n) for a, n in zip(start - low, structure.mask.voxels.shape))
        inside = structure.mask.voxels
        layer = next((n for n, taken in enumerate(layers) if not taken[place][inside].any()), len(layers))
        if layer == len(layers):
            layers.append(np.zeros(high - low, np.uint8 if len(structures) < 256 else np.uint16))
        layers[layer][place][inside] = number + 1
        fields |= {
            f"Segment{number}_ID": f"Segment_{number + 1}", f"Segment{number}_Name": structure.name,
            f"Segment{number}_LabelValue": str(number + 1), f"Segment{number}_Layer": str(layer),
        }  # fmt: skip
    matrix = structures[0].mask.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ (low - starts[0])[::-1].astype(float)
    return layers[0] if len(layers) == 1 else np.stack(layers, axis=-1), matrix, fields


def _start(structure: Structure, first: Structure) -> np.ndarray:
    """Where a structure's block begins, in voxels (k, j, i) from the first one's."""
    mine, its = structure.mask.ijk_to_ras, first.mask.ijk_to_ras
    start = np.linalg.solve(its[:3, :3], mine[:3, 3] - its[:3, 3])
    if not np.allclose(mine[:3, :3], its[:3, :3], atol=1e-4) or np.abs(start - np.rint(start)).max() > 0.05:
        raise CaseError(
            f"'{structure.name}' and '{first.name}' were drawn on different grids: resample the segmentation to the CT"
        )
    return np.rint(start).astype(int)[::-1]


def _write(path: Path, voxels: np.ndarray, ijk_to_ras: np.ndarray, fields: dict[str, str]) -> None:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4)
    lps = np.diag([-1.0, -1.0, 1.0])
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    image.SetSpacing(tuple(spacing))
    image.SetDirection(tuple((lps @ ijk_to_ras[:3, :3] / spacing).ravel()))
    image.SetOrigin(tuple(lps @ ijk_to_ras[:3, 3]))
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path), useCompression=False)
