"""A second image as the source of what the CT does not show: cord and dura, drawn on MRI, brought to the CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import CaseError
from .images import Image, read_image
from .labels import structures_of_labels
from .model import Case, Mask, Structure, Volume
from .quality import THICK_SLICES_MM
from .read import case_digest
from .register import Registration, register, registration_given
from .roles import role_table
from .transform import read_transform

# What soft parts a second image may give. Bone and metal are the CT's: MRI shows cortex and metal as voids.
_GIVEN = ("keepout_critical", "keepout_soft", "disc")


def add_second_image(
    case: Case,
    image: str | Path,
    labels: str | Path,
    roles: str | Path | None = None,
    transform: str | Path | None = None,
    levels: Sequence[str] = (),
) -> tuple[Case, Registration]:
    """The case with the structures that were drawn on a second image, and how that image was registered.

    image: NRRD or NIfTI, MRI or CT; labels: a label map on its grid or a .seg.nrrd drawn on it; roles: as in
    `read_case`; transform: a file made in Slicer, else the image is registered here; levels: the vertebrae to go by.
    Raises CaseError with the remedy for what cannot be read, registered, or told apart from what the CT already gives.
    """
    second = _second(Path(image))
    structures, unknown = _structures(Path(labels), roles, second, Path(image))
    registration = _registered(case, second, transform, levels)
    carried = replace(case, unknown=(*case.unknown, *unknown))
    return with_structures_of(carried, structures, registration), registration


def register_file(
    case: Case, image: str | Path, transform: str | Path | None = None, levels: Sequence[str] = ()
) -> Registration:
    """How a second image lies to the case's CT. Arguments and errors as of `add_second_image`."""
    return _registered(case, _second(Path(image)), transform, levels)


def _registered(case: Case, second: Volume, transform: str | Path | None, levels: Sequence[str]) -> Registration:
    if transform is None:
        return register(case, second, levels)
    return registration_given(case, second, read_transform(transform), levels)


def with_structures_of(case: Case, structures: Sequence[Structure], registration: Registration) -> Case:
    """The case with the soft structures of a second image, in the CT's frame, each with the registration's error.

    Masks are not resampled: their voxels keep their grid and get a place of their own. Bone and metal are left out.
    Raises CaseError for a structure that the case has already, and where nothing is left to carry.
    """
    soft = [s for s in structures if s.role in _GIVEN]
    if not soft:
        names = ", ".join(s.name for s in structures) or "nothing"
        raise CaseError(
            f"the second image gives no soft structure (it has: {names}); give labels with roles such as "
            "keepout_critical for cord and dura"
        )
    there = {s.name.lower() for s in case.structures}
    for structure in soft:
        if structure.name.lower() in there:
            raise CaseError(
                f"'{structure.name}' is drawn on the CT and on the second image: leave out one of them, or rename it, "
                "so that it is clear which of the two counts"
            )
    carried = [carried_structure(s, registration.matrix, registration.error_mm) for s in soft]
    quality = replace(case.quality, notes=(*case.quality.notes, *_quality_notes(carried, registration)))
    all_structures = (*case.structures, *carried)
    return replace(case, structures=all_structures, quality=quality, digest=case_digest(case.ct, all_structures))


def carried_structure(structure: Structure, matrix: np.ndarray, error_mm: float) -> Structure:
    """A structure under a rigid 4x4, its place uncertain by error_mm."""
    mask = Mask(structure.mask.voxels, matrix @ structure.mask.ijk_to_ras)
    return replace(structure, mask=mask, value=None, error_mm=error_mm)


def _quality_notes(carried: Sequence[Structure], registration: Registration) -> list[str]:
    names = ", ".join(s.name for s in carried)
    return [
        f"from a second image: {names}; known in the CT's frame to {registration.error_mm:.2f} mm "
        f"({registration.how}), which every distance to them is lessened by, beside the error budget",
        *registration.notes,
        *_drawn_notes(carried),
    ]


def _drawn_notes(carried: Sequence[Structure]) -> list[str]:
    coarse = max(float(np.linalg.norm(s.mask.ijk_to_ras[:3, :3], axis=0).max()) for s in carried)
    if coarse <= THICK_SLICES_MM:
        return []
    return [
        f"the second image has slices of {coarse:.3g} mm: a surface drawn on it is known to about {coarse / 2:.2g} mm "
        "across them, which no error budget holds yet; ask for slices of 1 mm, or raise budget.segmentation_to_print_mm"
    ]


def _second(path: Path) -> Volume:
    if path.is_dir():
        raise CaseError(
            f"'{path}' is a folder: load the series in Slicer and save it as NRRD, with its labels beside it"
        )
    image = read_image(path)
    if image.voxels.ndim != 3:
        raise CaseError(f"'{path}' holds {image.voxels.shape[-1]} values for each voxel; give one image with one value")
    return Volume(image.voxels, image.ijk_to_ras)


def _structures(
    path: Path, roles: str | Path | None, second: Volume, image_path: Path
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    labels = read_image(path)
    try:
        return _drawn(labels, path, roles, second)
    except CaseError as error:
        raise CaseError(f"on the second image '{image_path}', which stands for the CT here: {error}") from error


def _drawn(
    labels: Image, path: Path, roles: str | Path | None, second: Volume
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    if "Segment0_ID" in labels.header or path.name.lower().endswith(".seg.nrrd"):
        from .segnrrd import structures_of_segments

        return structures_of_segments(labels, second, roles, path)
    return structures_of_labels(labels, second, role_table(roles), path)
