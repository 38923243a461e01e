"""A CT from a DICOM folder. Headers by pydicom, pixels by SimpleITK (whose GDCM decodes the compressed ones)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import CaseError
from .images import RAS_FROM_LPS

_TAGS = [
    *("Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "FrameOfReferenceUID"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "SliceThickness", "RescaleSlope", "RescaleIntercept", "RescaleType"),
]
_NAMED_AT_MOST = 5
# Direction cosines are written with six decimals or so.
_SAME_DIRECTION = 1e-3
# Positions may be rounded to 0.1 mm by old exports; a missing slice doubles the step.
_SAME_STEP = 0.15
# Slices of a tilted gantry are shifted against each other; half a degree shifts 1 mm over 115 mm.
_SAME_AXIS_DEG = 0.5


@dataclass(frozen=True, eq=False)
class Scan:
    """A series as a volume. voxels: (k, j, i) HU; ijk_to_ras: 4x4; thickness_mm: of a slice, None if not told;
    frame: the UID of its frame of reference, None if not told."""

    voxels: np.ndarray
    ijk_to_ras: np.ndarray
    thickness_mm: float | None
    frame: str | None = None


@dataclass(frozen=True)
class _Slice:
    path: Path
    header: Any = field(repr=False)

    def get(self, tag: str) -> Any:
        return self.header.get(tag)

    @property
    def position(self) -> np.ndarray:
        return np.array(self.header.ImagePositionPatient, dtype=float)

    @property
    def orientation(self) -> np.ndarray:
        """(6,) direction cosines of the rows and of the columns."""
        return np.array(self.header.ImageOrientationPatient, dtype=float)

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.orientation[:3], self.orientation[3:])


def read_series(folder: Path, series: str | None = None) -> Scan:
    """The CT series in a folder and its subfolders, its slices sorted along their normal.

    series: UID or number, needed where there are several. Raises CaseError, with the files named, for missing slices,
    mixed orientations, a tilted gantry, several series without a choice, and anything that is not a CT in HU.
    """
    slices = _chosen(_by_series(folder), series, folder)
    _check_is_ct(slices)
    _check_units(slices)
    _check_alike(slices)
    slices = sorted(slices, key=lambda s: float(s.position @ slices[0].normal))
    step = _step(slices)
    first = slices[0]
    matrix = np.eye(4)
    down, across = (float(s) for s in first.header.PixelSpacing)  # between rows, between columns
    matrix[:3, 0] = first.orientation[:3] * across
    matrix[:3, 1] = first.orientation[3:] * down
    matrix[:3, 2] = first.normal * step
    matrix[:3, 3] = first.position
    thickness = first.get("SliceThickness")
    frame = str(first.get("FrameOfReferenceUID") or "") or None
    return Scan(_pixels(slices), RAS_FROM_LPS @ matrix + 0.0, float(thickness) if thickness else None, frame)


def _by_series(folder: Path) -> dict[str, list[_Slice]]:
    """The images of a folder by their series, both in the order of their names. Files that are not DICOM are left."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    found: dict[str, list[_Slice]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except (InvalidDicomError, EOFError):
            continue
        if header.get("Rows"):
            # Anonymised files may have no UID; together they are judged as one series.
            found.setdefault(str(header.get("SeriesInstanceUID") or ""), []).append(_Slice(path, header))
    if not found:
        raise CaseError(f"the folder '{folder}' holds no DICOM images; give the folder of the CT series (unpacked)")
    return found


def _chosen(found: dict[str, list[_Slice]], series: str | None, folder: Path) -> list[_Slice]:
    if series is None:
        if len(found) == 1:
            return next(iter(found.values()))
        raise CaseError(
            f"the folder '{folder}' holds {len(found)} series; choose one by its UID or number: {_list(found)}"
        )
    if series in found:
        return found[series]
    numbered = [uid for uid, slices in found.items() if str(slices[0].get("SeriesNumber")) == series]
    if len(numbered) != 1:
        several = "several series with the number" if numbered else "no series"
        raise CaseError(f"the folder '{folder}' holds {several} '{series}'; choose one by its UID: {_list(found)}")
    return found[numbered[0]]


def _list(found: dict[str, list[_Slice]]) -> str:
    def described(uid: str, slices: list[_Slice]) -> str:
        first = slices[0]
        text = f"{first.get('Modality')} '{first.get('SeriesDescription') or ''}', {len(slices)} images"
        return f"{uid or 'without UID'} (number {first.get('SeriesNumber')}, {text})"

    return "; ".join(described(uid, slices) for uid, slices in found.items())


def _check_is_ct(slices: Sequence[_Slice]) -> None:
    _refuse(slices, lambda s: s.get("Modality") != "CT", "not CT (Modality {Modality})", "choose the CT series")
    _refuse(
        slices,
        lambda s: int(s.get("NumberOfFrames") or 1) > 1,
        "of many frames ({NumberOfFrames}, enhanced DICOM)",
        "export the series as single-frame CT images, or as NRRD",
    )
    _refuse(slices, lambda s: s.get("SamplesPerPixel") != 1, "in colour", "choose the original CT series")
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        _refuse(
            slices,
            lambda s, tag=tag: not s.get(tag),  # type: ignore[misc]
            f"without {tag}",
            "export the original axial CT series, not a screenshot or a reformatted picture",
        )
    if len(slices) < 3:
        raise CaseError(f"the series has only {len(slices)} images ({_names(slices)}); export all its slices")


def _check_units(slices: Sequence[_Slice]) -> None:
    _refuse(
        slices,
        lambda s: s.get("RescaleSlope") is None or s.get("RescaleIntercept") is None,
        "without rescale slope and intercept",
        "their values are not known to be Hounsfield units; export the original CT series",
    )
    _refuse(
        slices,
        lambda s: s.get("RescaleType") not in (None, "", "HU"),
        "not in Hounsfield units (RescaleType {RescaleType})",
        "export the original CT series in HU",
    )


def _check_alike(slices: Sequence[_Slice]) -> None:
    """Every slice must agree with most of the others in all that makes them one volume."""
    remedy = "choose a series of one orientation, without the localizer, or take these files out"
    usual = np.median([s.orientation for s in slices], axis=0)
    _refuse(slices, lambda s: np.abs(s.orientation - usual).max() > _SAME_DIRECTION, "of another orientation", remedy)
    for tag in ("Rows", "Columns", "PixelSpacing", "RescaleSlope", "RescaleIntercept", "FrameOfReferenceUID"):
        values = [str(s.get(tag)) for s in slices]
        most = max(sorted(set(values)), key=values.count)
        _refuse(
            slices,
            lambda s, tag=tag, most=most: str(s.get(tag)) != most,  # type: ignore[misc]
            f"with another {tag} than the rest ({{{tag}}} against {most})",
            "take these files out, or export the series again",
        )


def _step(slices: Sequence[_Slice]) -> float:
    """The distance between slices, sorted, along their normal; refuses gaps, doubles and a tilt."""
    normal = slices[0].normal
    positions = np.array([s.position for s in slices])
    steps = np.diff(positions @ normal)
    usual = float(np.median(steps))
    for number, step in enumerate(steps):
        pair = f"'{slices[number].path.name}' and '{slices[number + 1].path.name}'"
        if step < 0.01:
            raise CaseError(f"{pair} lie in the same place: two series in one, or copies; export one reconstruction")
        if abs(step - usual) > _SAME_STEP * usual:
            lost = round(step / usual) - 1
            which = f"{lost} slice{'s' * (lost > 1)} missing" if lost > 0 else "uneven slices"
            raise CaseError(
                f"{which}: between {pair} lie {step:.3g} mm, between the others {usual:.3g}; export the whole series"
            )
    along = positions[-1] - positions[0]
    tilt = float(np.degrees(np.arccos(np.clip(along @ normal / np.linalg.norm(along), -1.0, 1.0))))
    if tilt > _SAME_AXIS_DEG:
        raise CaseError(
            f"tilted gantry: from '{slices[0].path.name}' to '{slices[-1].path.name}' the slices run {tilt:.1f}° off "
            "their normal; resample the series to upright slices (a scanner or viewer calls it gantry tilt correction)"
        )
    return float(along @ normal) / (len(slices) - 1)


def _pixels(slices: Sequence[_Slice]) -> np.ndarray:
    spoilt = [s for s in slices if not _is_whole(s.path)]
    if spoilt:
        raise CaseError(_unreadable(spoilt, slices))
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage([str(s.path) for s in slices]))
    except RuntimeError as error:
        raise CaseError(_unreadable([s for s in slices if not _decodes(s.path)] or slices, slices)) from error


def _is_whole(path: Path) -> bool:
    """Whether a file has all its pixels: GDCM fills what is missing of uncompressed ones without a word."""
    import pydicom

    image = pydicom.dcmread(path, specific_tags=["Rows", "Columns", "BitsAllocated", "PixelData"])
    if "PixelData" not in image:
        return False
    if image.file_meta.TransferSyntaxUID.is_compressed:
        return True
    return len(image.PixelData) >= image.Rows * image.Columns * image.BitsAllocated // 8


def _decodes(path: Path) -> bool:
    try:
        sitk.ReadImage(str(path))
    except RuntimeError:
        return False
    return True


def _unreadable(spoilt: Sequence[_Slice], slices: Sequence[_Slice]) -> str:
    return (
        f"the pixels of {len(spoilt)} of {len(slices)} files cannot be read ({_transfer_syntax(spoilt[0].path)}): "
        f"{_names(spoilt)}; export them again, uncompressed if the format is the reason"
    )


def _transfer_syntax(path: Path) -> str:
    import pydicom

    return str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID.name)


def _refuse(slices: Sequence[_Slice], is_bad: Callable[[_Slice], Any], what: str, remedy: str) -> None:
    """Raises CaseError that counts and names the bad slices; {Tag} in what is the first one's value."""
    bad = [s for s in slices if is_bad(s)]
    if bad:
        values = {tag: bad[0].get(tag) for tag in _TAGS}
        raise CaseError(f"{len(bad)} of {len(slices)} images are {what.format(**values)}: {_names(bad)}; {remedy}")


def _names(slices: Sequence[_Slice]) -> str:
    names = [f"'{s.path}'" if n == 0 else f"'{s.path.name}'" for n, s in enumerate(slices[:_NAMED_AT_MOST])]
    return ", ".join(names) + (f" and {len(slices) - _NAMED_AT_MOST} more" if len(slices) > _NAMED_AT_MOST else "")
