"""Rigid transforms between two images of a patient: from files, and between RAS and the LPS that files are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import CaseError
from .images import RAS_FROM_LPS

ITK_SUFFIXES = (".tfm", ".h5", ".hdf5", ".mat", ".txt")
# A file's matrix is rounded to six decimals or so; a scale of 1.001 already moves an end of the spine by half a mm.
_RIGID = 1e-4
_REMEDY = "give a rigid (linear, six parameters) transform"


def read_transform(path: str | Path) -> np.ndarray:
    """4x4, RAS mm of the second image to RAS mm of the CT.

    A file that Slicer or ITK wrote (.tfm, .txt, .h5) holds the opposite way, CT to second image, in LPS: that is how
    Slicer stores the transform under which the second image lies on the CT (vtkMRMLTransformStorageNode.cxx: "all the
    transforms are saved as TransformFromParent"). A text file of sixteen numbers is the matrix as Slicer's Transforms
    module shows it: RAS, second image to CT. Raises CaseError for what cannot be read or is not rigid.
    """
    path = Path(path)
    if not path.is_file():
        raise CaseError(f"there is no transform file '{path}'")
    plain = None if path.suffix.lower() in (".h5", ".hdf5", ".mat") else _plain_matrix(path)
    if plain is not None:
        return rigid(plain, f"'{path}'")
    if path.suffix.lower() not in ITK_SUFFIXES:
        raise CaseError(f"'{path}' is no transform this program reads: give {', '.join(ITK_SUFFIXES)} or a 4x4 text")
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CaseError(f"'{path}' cannot be read as a transform ({reason}); save it from Slicer again") from error
    if not transform.IsLinear():
        raise CaseError(f"the transform '{path}' bends space: structures would change their shape; {_REMEDY}")
    return np.linalg.inv(rigid(RAS_FROM_LPS @ lps_matrix(transform) @ RAS_FROM_LPS, f"'{path}'")) + 0.0


def rigid(matrix: np.ndarray, where: str) -> np.ndarray:
    """The 4x4 if it only turns and shifts. Raises CaseError with what else it does."""
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-9):
        raise CaseError(f"{where} is no 4x4 matrix with the last row 0 0 0 1; {_REMEDY}")
    turn = matrix[:3, :3]
    if np.linalg.det(turn) < 0:
        raise CaseError(f"the transform {where} mirrors the patient; {_REMEDY}")
    if not np.allclose(turn.T @ turn, np.eye(3), atol=_RIGID):
        scales = np.linalg.svd(turn, compute_uv=False).round(4).tolist()
        raise CaseError(f"the transform {where} scales or shears (by {scales} along its axes); {_REMEDY}")
    return matrix


def lps_matrix(transform: sitk.Transform) -> np.ndarray:
    """4x4 of a linear SimpleITK transform, in its own frame."""
    start = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    for axis in range(3):
        matrix[:3, axis] = np.array(transform.TransformPoint(tuple(np.eye(3)[axis]))) - start
    matrix[:3, 3] = start
    return matrix


def moved_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """points (n, 3) under a 4x4."""
    return np.asarray(points, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3]


def turn_degrees(matrix: np.ndarray) -> float:
    """The angle by which a rigid 4x4 turns."""
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1.0) / 2.0, -1.0, 1.0))))


def _plain_matrix(path: Path) -> np.ndarray | None:
    """The 4x4 of a text of sixteen numbers and nothing else; None where it is something else."""
    try:
        words = path.read_text(encoding="utf-8-sig").replace(",", " ").replace(";", " ").split()
        numbers = [float(word) for word in words]
    except (UnicodeDecodeError, ValueError):
        return None
    return np.array(numbers).reshape(4, 4) if len(numbers) == 16 else None
