"""Reads a patient: a CT and what was labelled in it, from the files a hospital has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from LatticeGeneratorLib.progress import Progress, silent

from ..errors import CaseError
from .images import Image, hounsfield, read_header, read_image
from .labels import structures_of_labels
from .model import Case, ScanQuality, Structure, Volume, place_key
from .quality import edge_notes, scan_quality
from .roles import role_table
from .seeds import HEADER, Seed, seeds_of


def read_case(
    ct: str | Path,
    labels: str | Path | None = None,
    roles: str | Path | None = None,
    surfaces: Sequence[str | Path | tuple[str | Path, str] | tuple[str | Path, str, str]] = (),
    series: str | None = None,
    seeds: Mapping[str, np.ndarray] | None = None,
    progress: Progress = silent,
) -> Case:
    """The case in a CT and its labels, or in a bare CT with seeds.

    ct: a NRRD or NIfTI file or a DICOM folder; series: the UID or number of the DICOM series where there are several.
    labels: a label map on the CT's grid, a Slicer segmentation (.seg.nrrd), or a DICOM segmentation object.
    roles: a CSV with the columns value, name, role; TotalSegmentator's own table; or "totalsegmentator" or "verse" for
    a label map that follows their numbering. A segmentation needs it only for names that are not known.
    surfaces: closed STL files, each a path, (path, name) or (path, name, role), in the CT's frame.
    seeds: level to (3,) RAS mm in that vertebra's body: these vertebrae, other bone, metal and what else shows by HU
    and shape are found in the CT; what labels and surfaces give is not sought.

    Names with no known role go to Case.unknown and are used for nothing. Raises CaseError with the remedy for whatever
    cannot be trusted.
    """
    path = Path(ct)
    volume, quality, frame = _read_ct(path, series)
    structures: list[Structure] = []
    unknown: list[str] = []
    for found, not_known in (_read_labels(labels, roles, volume, frame), _read_surfaces(surfaces, volume)):
        structures += found
        unknown += not_known
    if seeds:
        from .segment import segment

        given = {structure.level or structure.name for structure in structures}
        found_here = segment(volume, seeds, progress)
        structures += [s for s in found_here.structures if (s.level or s.name) not in given]
        quality = replace(quality, notes=(*quality.notes, *found_here.notes))
    _check_distinct(structures)
    return Case(
        name=_case_name(path),
        ct=volume,
        structures=tuple(structures),
        quality=replace(quality, notes=(*quality.notes, *edge_notes(structures, volume))),
        unknown=tuple(unknown),
        digest=case_digest(volume, structures),
        seeds=_seeds(labels, seeds or {}),
    )


def case_digest(ct: Volume, structures: Iterable[Structure]) -> str:
    """SHA-256 over the CT's voxels and place, and over name, role, level, voxels and place of every structure.

    Places count to the nanometre, so that a scene saved and loaded again is the same case.
    """
    digest = hashlib.sha256()
    digest.update(f"ct {ct.voxels.shape} {ct.voxels.dtype.str}".encode())
    digest.update(np.ascontiguousarray(ct.voxels).data)
    digest.update(place_key(ct.ijk_to_ras))
    for structure in structures:
        mask = structure.mask
        digest.update(f"{structure.name}|{structure.role}|{structure.level}|{mask.voxels.shape}".encode())
        if structure.error_mm:
            digest.update(f"error {structure.error_mm:.6f}".encode())
        digest.update(np.packbits(mask.voxels).data)
        digest.update(place_key(mask.ijk_to_ras))
    return digest.hexdigest()


def _read_ct(path: Path, series: str | None) -> tuple[Volume, ScanQuality, str | None]:
    """The CT, its quality, and its frame of reference where the file tells it."""
    if path.is_dir():
        from .dicom import read_series

        scan = read_series(path, series)
        volume, notes = hounsfield(Image(scan.voxels, scan.ijk_to_ras, {}), str(path))
        return volume, scan_quality(volume, scan.thickness_mm, notes), scan.frame
    if series is not None:
        raise CaseError(f"a series ('{series}') can be chosen in a DICOM folder only; '{path}' is a file")
    volume, notes = hounsfield(read_image(path), str(path))
    return volume, scan_quality(volume, notes=notes), None


def _read_labels(
    labels: str | Path | None, roles: str | Path | None, ct: Volume, frame: str | None
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    if labels is None:
        return (), ()
    path = Path(labels)
    if path.suffix.lower() in ("", ".dcm"):
        from .dicom_seg import is_segmentation, structures_of_dicom_seg

        if is_segmentation(path):
            return structures_of_dicom_seg(path, ct, frame, roles)
    image = read_image(path)
    if "Segment0_ID" in image.header or path.name.lower().endswith(".seg.nrrd"):
        from .segnrrd import structures_of_segments

        return structures_of_segments(image, ct, roles, path)
    return structures_of_labels(image, ct, role_table(roles), path)


def _seeds(labels: str | Path | None, given: Mapping[str, np.ndarray]) -> tuple[Seed, ...]:
    """What the program found structures from: here, or in a file that it wrote and no person has saved since."""
    found = tuple((level, (float(x), float(y), float(z))) for level, (x, y, z) in given.items())
    if labels is None or not str(labels).lower().endswith(".nrrd"):
        return found
    before = seeds_of(read_header(Path(labels)).get(HEADER, "").split())
    return (*found, *(seed for seed in before if seed[0] not in given))


def _read_surfaces(surfaces: Sequence, ct: Volume) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    if not surfaces:
        return (), ()
    from .surfaces import structures_of_surfaces

    return structures_of_surfaces(surfaces, ct)


def _check_distinct(structures: Sequence[Structure]) -> None:
    seen: dict[str, str] = {}
    for structure in structures:
        key = structure.level or structure.name
        if key in seen:
            raise CaseError(
                f"'{structure.name}' and '{seen[key]}' are both '{key}': keep one of them, or give them other names"
            )
        seen[key] = structure.name


def _case_name(path: Path) -> str:
    """The file's or folder's name; of a file just called "ct" that of its folder. Never a name from inside the file."""
    stem = path.name
    for suffix in (".gz", ".nii", ".nrrd", ".nhdr"):
        stem = stem.removesuffix(suffix)
    return path.resolve().parent.name if stem.lower() == "ct" else stem
