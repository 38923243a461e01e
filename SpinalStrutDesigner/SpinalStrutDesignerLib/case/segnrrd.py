"""Structures from a Slicer segmentation file (.seg.nrrd): named segments, which may overlap in several layers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .images import Image
from .labels import block_matrix, geometry_text
from .model import Mask, Structure, Volume
from .roles import Meaning, names_table
from .terminology import Term, meaning_of_segment


def structures_of_segments(
    image: Image, ct: Volume, roles: str | Path | None, path: Path
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures of a segmentation, in the order of its segments, and the segments whose role is not known.

    A segment's role is that of the table if it is there by name, else that of its name, else that of the terminology it
    was given in Slicer. Raises CaseError when the segmentation lies outside the CT or does not say its segments.
    """
    voxels = image.voxels if image.voxels.ndim == 4 else image.voxels[..., None]
    check_within(voxels.shape[:3], image.ijk_to_ras, ct, path)
    table = names_table(roles) if roles is not None else {}
    structures, unknown = [], []
    numbers = sorted(int(found[1]) for key in image.header if (found := re.fullmatch(r"Segment(\d+)_ID", key)))
    if not numbers:
        raise CaseError(f"'{path}' does not say its segments (Segment0_ID …): save the segmentation from Slicer again")
    for number in numbers:
        field = {
            name: image.header.get(f"Segment{number}_{name}", "") for name in ("Name", "LabelValue", "Layer", "Tags")
        }
        name = field["Name"] or image.header[f"Segment{number}_ID"]
        # Files written before Slicer 4.11 have one layer for each segment and the value 1 in it.
        value = _number(field["LabelValue"] or "1", "LabelValue", name, path)
        layer = _number(field["Layer"] or str(min(number, voxels.shape[3] - 1)), "Layer", name, path)
        if layer >= voxels.shape[3]:
            raise CaseError(f"'{path}': segment '{name}' is in layer {layer}, but the file has {voxels.shape[3]}")
        inside = voxels[..., layer] == value
        blocks = ndimage.find_objects(inside.view(np.uint8))
        if not blocks:
            continue  # an empty segment is Slicer's way of keeping a name for later
        meaning = segment_meaning(name, field["Tags"], table, path)
        if meaning.role is None:
            unknown.append(f"'{name}', {int(inside.sum())} voxels")
            continue
        mask = Mask(inside[blocks[0]].copy(), block_matrix(image.ijk_to_ras, blocks[0]))
        structures.append(Structure(name, meaning.role, mask, None, meaning.level, error_mm=meaning.error_mm))
    return tuple(structures), tuple(unknown)


def segment_meaning(name: str, tags: str, table: dict[str, Meaning], path: str | Path) -> Meaning:
    """What a segment is: by the table, else by its name, else by the terminology in its tags."""
    return meaning_of_segment(name, *_terms(tags), table, f"'{path}'")


def _terms(tags: str) -> tuple[Term | None, Term | None]:
    """The type of thing in a segment's terminology entry, and the region it lies in.

    TerminologyEntry:context~category~type~modifier~context~region~modifier where each is scheme^code^meaning, tags
    being separated by |.
    """
    entry = next((tag for tag in tags.split("|") if tag.startswith("TerminologyEntry:")), "")
    parts = [part.split("^") for part in entry.removeprefix("TerminologyEntry:").split("~")]
    kind, region = (Term(*part[0]) if part and len(part[0]) == 3 else None for part in (parts[2:3], parts[5:6]))
    return kind, region


def _number(text: str, field: str, name: str, path: Path) -> int:
    if not text.strip().isdigit():
        raise CaseError(
            f"'{path}': segment '{name}' has {field} '{text}', which is no number; save it from Slicer again"
        )
    return int(text)


def check_within(shape: tuple[int, ...], ijk_to_ras: np.ndarray, ct: Volume, path: str | Path) -> None:
    """Raises CaseError where a segmentation reaches out of the CT; it may be cropped or finer."""
    high = np.array(shape[::-1]) - 1.0
    corners = np.array(np.meshgrid(*zip(np.zeros(3), high), indexing="ij")).reshape(3, -1).T
    ijk = ct.to_ijk(corners @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3])
    if (ijk < -1.0).any() or (ijk > np.array(ct.voxels.shape[::-1])).any():
        raise CaseError(
            f"the segmentation '{path}' reaches out of the CT: it has {geometry_text(shape, ijk_to_ras)}, the CT has "
            f"{geometry_text(ct.voxels.shape, ct.ijk_to_ras)}; give the CT it was drawn on"
        )
