"""Image files (NRRD, NIfTI) as arrays in RAS millimetres; the only frame known beyond this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import CaseError
from .model import Volume

SUFFIXES = (".nrrd", ".nhdr", ".nii", ".nii.gz")
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Scanners fill the corners outside the scanned circle with values such as -2048, -3024 or -32768; noise in air and
# streaks stay above.
_PADDING_BELOW = -2000


@dataclass(frozen=True, eq=False)
class Image:
    """An image file. voxels: (k, j, i), or (k, j, i, layer); ijk_to_ras: 4x4; header: the file's own fields."""

    voxels: np.ndarray
    ijk_to_ras: np.ndarray
    header: Mapping[str, str]


def read_image(path: Path) -> Image:
    """The image of a NRRD or NIfTI file. Raises CaseError if it cannot be read or does not say how it is oriented."""
    if not path.exists():
        raise CaseError(f"there is no file '{path}'")
    if not path.name.lower().endswith(SUFFIXES):
        raise CaseError(f"'{path}' is no image this program reads: give {', '.join(SUFFIXES)} or a DICOM folder")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CaseError(f"'{path}' cannot be read as an image ({reason}); export it again") from error
    if image.GetDimension() != 3:
        raise CaseError(f"'{path}' has {image.GetDimension()} dimensions; give one volume with three")
    header = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    _check_orientation(path, header)
    return Image(sitk.GetArrayFromImage(image), ijk_to_ras(image, str(path)), header)


def read_header(path: Path) -> Mapping[str, str]:
    """The fields of an image file that was read before, without its voxels."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}


def ijk_to_ras(image: sitk.Image, where: str) -> np.ndarray:
    """4x4 from voxel indices (i, j, k) to RAS mm. Raises CaseError where the axes are not at right angles."""
    direction = np.array(image.GetDirection()).reshape(3, 3)
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise CaseError(
            f"'{where}': the image's axes are not at right angles (a tilted gantry?); resample it to a straight grid"
        )
    matrix = np.eye(4)
    matrix[:3, :3] = direction * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    # + 0.0 turns -0.0 into 0.0, which would otherwise make equal geometries differ in their bytes.
    return RAS_FROM_LPS @ matrix + 0.0


def hounsfield(image: Image, where: str) -> tuple[Volume, tuple[str, ...]]:
    """The image as CT in HU (int16 where its values are whole), and notes on what had to be filled in.

    Raises CaseError when the values cannot be Hounsfield units.
    """
    voxels, notes = image.voxels, []
    if voxels.ndim != 3:
        raise CaseError(f"'{where}' holds {voxels.shape[-1]} values for each voxel; a CT has one")
    if voxels.dtype.kind == "f":
        missing = ~np.isfinite(voxels)
        if missing.any():
            if missing.all():
                raise CaseError(f"'{where}' holds no number at all; export the CT again")
            voxels = np.where(missing, np.float32(-1024.0), voxels)
            notes.append(f"{missing.mean():.1%} of the scan's voxels hold no number; taken as air (-1024 HU)")
    low, high = float(voxels.min()), float(voxels.max())
    if low >= 0:
        raise CaseError(
            f"'{where}' has values from {low:g} to {high:g}: nothing is below water (0 HU), so these are not "
            "Hounsfield units; apply the scanner's rescale slope and intercept (often -1024) and export it again"
        )
    if high < 200:
        raise CaseError(
            f"'{where}' has values from {low:g} to {high:g}: no bone (above 200 HU), so these are not Hounsfield "
            "units; export the CT without windowing or normalisation"
        )
    if low < _PADDING_BELOW:
        padding = voxels < _PADDING_BELOW
        notes.append(f"{padding.mean():.1%} of the voxels lie outside the scanned circle; taken as air (-1024 HU)")
        voxels = np.where(padding, np.array(-1024, dtype=voxels.dtype), voxels)
    return Volume(_as_hu(voxels), image.ijk_to_ras), tuple(notes)


def _as_hu(voxels: np.ndarray) -> np.ndarray:
    """int16 where no value is lost by it, else float32."""
    if voxels.dtype == np.int16:
        return voxels
    whole = voxels.dtype.kind in "iu" or np.array_equal(voxels, np.rint(voxels))
    return voxels.astype(np.int16 if whole and voxels.max() <= np.iinfo(np.int16).max else np.float32)


def _check_orientation(path: Path, header: Mapping[str, str]) -> None:
    """NRRD may leave the frame open, and NIfTI mark it as unknown; both would put left for right unnoticed."""
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        space = header.get("NRRD_space", "none")
        if space != "left-posterior-superior":
            raise CaseError(
                f"'{path}' does not say how it lies in the patient (space: {space}); save it with the space "
                "left-posterior-superior or right-anterior-superior"
            )
    elif header.get("qform_code", "1").startswith("0") and header.get("sform_code", "1").startswith("0"):
        raise CaseError(
            f"'{path}' does not say how it lies in the patient (qform and sform code 0); convert it from DICOM again"
        )
