"""Writes a case to files that read_case reads back to the same structures: for the process that does the long work."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import CaseError
from .model import Case, Structure, Volume


def write_case(case: Case, directory: str | Path) -> tuple[Path, Path, Path]:
    """Write ct.nrrd, labels.seg.nrrd and labels.csv; returns their paths.

    Structures that overlap go to layers of their own, so none loses a voxel. Raises CaseError for a structure that was
    drawn on another grid than its fellows: they cannot share a file.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    ct, labels, roles = folder / "ct.nrrd", folder / "labels.seg.nrrd", folder / "labels.csv"
    write_ct(case.ct, ct)
    if not case.structures:
        raise CaseError("the case has no structures to write; give it a segmentation")
    voxels, matrix, fields = _layered(case.structures)
    _write(labels, voxels, matrix, fields)
    rows = ["name,role", *(f'"{s.name}",{s.role}' for s in case.structures)]
    roles.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ct, labels, roles


def write_ct(ct: Volume, path: str | Path) -> Path:
    """Write a CT alone, as NRRD; returns its path."""
    _write(Path(path), ct.voxels, ct.ijk_to_ras, {})
    return Path(path)


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
