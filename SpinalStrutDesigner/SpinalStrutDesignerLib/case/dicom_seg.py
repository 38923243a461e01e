"""Structures from a DICOM segmentation object (SEG), read by highdicom. Its only place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .images import RAS_FROM_LPS
from .labels import block_matrix
from .model import Mask, Structure, Volume
from .roles import names_table
from .segnrrd import check_within
from .terminology import Term, meaning_of_segment

_AGAIN = "export it again as a binary segmentation of the CT series, or as .seg.nrrd from Slicer"


def is_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM segmentation object."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    if not path.is_file():
        return False
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"])
    except (InvalidDicomError, EOFError):
        return False
    return bool(header.get("Modality") == "SEG")


def structures_of_dicom_seg(
    path: Path, ct: Volume, frame: str | None, roles: str | Path | None
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures of a segmentation object, in the order of its segments, and the segments whose role is not known.

    frame: the CT's frame of reference, None where the CT's file does not tell it (NRRD, NIfTI): then places alone can
    be compared. A fractional segment holds what is at least half inside. roles: a CSV with the columns name and role.

    Raises CaseError without highdicom, for another frame of reference, and for slices that make no volume.
    """
    segmentation = _read(path)
    own = str(segmentation.get("FrameOfReferenceUID") or "")
    if frame is not None and own != frame:
        raise CaseError(
            f"the segmentation '{path}' was drawn in the frame of reference '{own}', the CT is in '{frame}': they do "
            "not share a scanner's coordinates; give this CT's own segmentation, or its image as a second image"
        )
    table = names_table(roles) if roles is not None else {}
    structures, unknown = [], []
    for number in segmentation.segment_numbers:
        description = segmentation.get_segment_description(number)
        name = str(description.get("SegmentLabel") or f"segment {number}")
        inside, ijk_to_ras = _voxels(segmentation, number, name, path)
        blocks = ndimage.find_objects(inside.view(np.uint8))
        if not blocks:
            continue
        mask = Mask(inside[blocks[0]].copy(), block_matrix(ijk_to_ras, blocks[0]))
        check_within(mask.voxels.shape, mask.ijk_to_ras, ct, path)
        kind = _term(description, "SegmentedPropertyTypeCodeSequence")
        region = _term(description, "AnatomicRegionSequence")
        meaning = meaning_of_segment(name, kind, region, table, f"'{path}'")
        if meaning.role is None:
            unknown.append(f"'{name}', {int(mask.voxels.sum())} voxels")
            continue
        structures.append(Structure(name, meaning.role, mask, None, meaning.level, error_mm=meaning.error_mm))
    return tuple(structures), tuple(unknown)


def _read(path: Path) -> Any:
    try:
        from highdicom.seg import segread
    except ImportError as error:
        raise CaseError(
            f"'{path}' is a DICOM segmentation, which needs the package highdicom: install it "
            '(pip install "spinal-strut-designer[formats]"), or save the segmentation as .seg.nrrd in Slicer'
        ) from error
    try:
        return segread(path)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise CaseError(f"'{path}' cannot be read as a DICOM segmentation ({error}); {_AGAIN}") from error


def _voxels(segmentation: Any, number: int, name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(k, j, i) bool and its 4x4 of one segment. Frames that are left out because they are empty are filled in."""
    try:
        # One at a time: a hundred segments of a large CT at once would take more memory than there is.
        volume = segmentation.get_volume(segment_numbers=[number])
    except (ValueError, RuntimeError, IndexError) as error:
        raise CaseError(f"the segment '{name}' of '{path}' is no regular volume ({error}); {_AGAIN}") from error
    array = np.asarray(volume.array)
    if array.ndim == 4:
        array = array[..., 0]
    # highdicom counts slice, row, column; here i is the column.
    matrix = np.asarray(volume.affine, dtype=float)[:, [2, 1, 0, 3]]
    return np.ascontiguousarray(array >= 0.5) if array.dtype.kind == "f" else array.astype(bool), RAS_FROM_LPS @ matrix


def _term(description: Any, sequence: str) -> Term | None:
    items = description.get(sequence)
    if not items:
        return None
    item = items[0]
    code = item.get("CodeValue") or item.get("LongCodeValue") or ""
    return Term(str(item.get("CodingSchemeDesignator") or ""), str(code), str(item.get("CodeMeaning") or ""))
