"""A volume node and a segmentation node as a Case. Rigid parent transforms are applied, others refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.scene.place import matrix_of, to_world
from scipy import ndimage

from ..case.images import Image, hounsfield
from ..case.labels import block_matrix
from ..case.model import Case, Mask, Role, Structure, Volume
from ..case.quality import edge_notes, scan_quality
from ..case.read import case_digest
from ..case.roles import Meaning, names_table
from ..case.segnrrd import check_within, segment_meaning
from ..errors import CaseError
from ..plan.plan import Corrections


def case_from_nodes(
    volume_node: Any,
    segmentation_node: Any,
    roles: str | Path | None = None,
    corrections: Corrections | None = None,
    before: Case | None = None,
) -> Case:
    """The case in a scene. roles: a CSV with the columns name and role, for segments whose names are not known.

    corrections: a plan's; they say what segments are that nothing else tells. before: a case read earlier; voxels that
    are still the same, which is seen by comparing all of them, are its own, with what was measured on them.
    The case is called "scene": node names may hold a patient's name. Raises CaseError with the remedy.
    """
    volume, notes = hounsfield(_image(volume_node), f"volume '{volume_node.GetName()}'")
    table = names_table(roles) if roles is not None else {}
    place = placed(segmentation_node)
    structures, unknown = structures_of(segmentation_node, volume, volume_node, place, corrections, table)
    if before is not None:
        structures = _with_known_masks(structures, before)
        volume = before.ct if before.ct.alike(volume) else volume
    quality = scan_quality(volume, notes=notes)
    quality = replace(quality, notes=(*quality.notes, *edge_notes(structures, volume)))
    read = Case("scene", volume, structures, quality, unknown)
    if before is not None and _told(read) == _told(before):
        return before
    return replace(read, digest=case_digest(volume, structures))


def _with_known_masks(structures: tuple[Structure, ...], before: Case) -> tuple[Structure, ...]:
    """The structures, with the masks of an earlier case where they hold the same voxels at the same place."""
    known = {structure.name: structure.mask for structure in before.structures}

    def kept(structure: Structure) -> Structure:
        mask = known.get(structure.name)
        return replace(structure, mask=mask) if mask is not None and mask.alike(structure.mask) else structure

    return tuple(kept(structure) for structure in structures)


def _told(case: Case) -> tuple[Any, ...]:
    """All that a scene tells of a case; images and masks are equal where they are the same object."""
    structures = tuple((s.name, s.role, s.mask, s.value, s.level) for s in case.structures)
    return case.name, case.ct, structures, case.quality, case.unknown, case.seeds


def volume_of(volume_node: Any) -> Volume:
    """A volume node's CT in Hounsfield units and world coordinates. Raises CaseError with the remedy."""
    volume, _ = hounsfield(_image(volume_node), f"volume '{volume_node.GetName()}'")
    return volume


def unplaced_volume(volume_node: Any) -> Volume:
    """A volume node's image as it is, of any kind, in its own coordinates: without parent transforms.

    Raises CaseError where it holds no voxels, or several values for each.
    """
    image = voxels_of(volume_node, np.eye(4))
    if image.voxels.ndim != 3:
        raise CaseError(f"the volume '{volume_node.GetName()}' is in colours: choose one of single values")
    return Volume(image.voxels, image.ijk_to_ras)


def segment_meanings(segmentation_node: Any) -> tuple[Meaning, ...]:
    """What every segment is by its name and terminology, in the segmentation's order; empty segments too."""
    segmentation = segmentation_node.GetSegmentation()
    found = []
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        name = segment.GetName() or segmentation.GetNthSegmentID(number)
        found.append(segment_meaning(name, _tags(segment), {}, f"segmentation {segmentation_node.GetName()}"))
    return tuple(found)


def _corrected(meaning: Meaning, corrections: Corrections) -> Meaning:
    level = dict(corrections.levels).get(meaning.name)
    role = dict(corrections.roles).get(meaning.name)
    return Meaning(meaning.name, "bone" if level else cast(Role, role) if role else None, level)


def _image(node: Any) -> Image:
    return voxels_of(node, placed(node))


def voxels_of(node: Any, place: np.ndarray) -> Image:
    """A volume node's voxels. place: 4x4 from the node's own coordinates to those wanted."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    data = node.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None:
        raise CaseError(f"the volume '{node.GetName()}' holds no voxels; load the CT again")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    shape = data.GetDimensions()[::-1]
    voxels = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(*shape, -1)
    return Image(voxels[..., 0].copy() if voxels.shape[-1] == 1 else voxels, place @ matrix_of(matrix), {})


def placed(node: Any) -> np.ndarray:
    """4x4 from a node's own coordinates to the world's. Raises CaseError where its transform is not rigid."""
    try:
        return to_world(node)
    except GeometryError as error:
        raise CaseError(str(error)) from error


def structures_of(
    node: Any,
    image: Volume,
    volume_node: Any,
    place: np.ndarray,
    corrections: Corrections | None = None,
    table: Mapping[str, Meaning] | None = None,
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures in a segmentation node that was drawn on an image, and the names that nothing explains.

    image, volume_node: what it was drawn on; place: 4x4 from the segmentation's own coordinates to those of image;
    corrections, table: as of `case_from_nodes`. Raises CaseError with the remedy.
    """
    corrections, table = corrections or Corrections(), dict(table or {})
    segmentation = node.GetSegmentation()
    if not segmentation.ContainsRepresentation("Binary labelmap"):
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
        if not node.CreateBinaryLabelmapRepresentation():
            raise CaseError(f"the segmentation '{node.GetName()}' holds nothing that can become voxels; segment the CT")
    structures: list[Structure] = []
    unknown: list[str] = []
    layers: dict[Any, _Layer] = {}  # segments that do not overlap share a labelmap
    for number in range(segmentation.GetNumberOfSegments()):
        segment_id = segmentation.GetNthSegmentID(number)
        segment = segmentation.GetSegment(segment_id)
        name = segment.GetName() or segment_id
        labelmap = node.GetBinaryLabelmapInternalRepresentation(segment_id)
        if labelmap not in layers:
            layers[labelmap] = _Layer.of(labelmap, place)
        mask = layers[labelmap].mask(segment.GetLabelValue())
        if mask is None:
            continue  # an empty segment is Slicer's way of keeping a name for later
        check_within(mask.voxels.shape, mask.ijk_to_ras, image, name)
        meaning = segment_meaning(name, _tags(segment), table, f"segmentation {node.GetName()}")
        if meaning.role is None:
            meaning = _corrected(meaning, corrections)
        if meaning.role is None:
            unknown.append(f"'{name}', {int(mask.voxels.sum())} voxels")
            continue
        _check_new(meaning, structures)
        structures.append(Structure(name, meaning.role, mask, None, meaning.level))
    return tuple(structures), tuple(unknown)


@dataclass(frozen=True)
class _Layer:
    """A labelmap. labels: (k, j, i); blocks: for labels 1, 2, … the block that holds all of one, None where it is not
    there; ijk_to_ras: 4x4 of the array's first voxel."""

    labels: np.ndarray
    blocks: list[tuple[slice, slice, slice] | None]
    ijk_to_ras: np.ndarray

    @classmethod
    def of(cls, labelmap: Any, place: np.ndarray) -> _Layer:
        """labelmap: a vtkOrientedImageData, or None; place: 4x4 from its coordinates to those wanted."""
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        if labelmap is None or labelmap.GetPointData().GetScalars() is None or not all(labelmap.GetDimensions()):
            return cls(np.zeros((0, 0, 0), np.uint8), [], place)
        labels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
        matrix = vtk.vtkMatrix4x4()
        labelmap.GetImageToWorldMatrix(matrix)
        ijk_to_ras = place @ matrix_of(matrix)
        # The matrix counts voxels from the extent's zero, the array from its first one.
        ijk_to_ras[:3, 3] += ijk_to_ras[:3, :3] @ np.array(labelmap.GetExtent()[::2], dtype=float)
        return cls(labels, ndimage.find_objects(labels), ijk_to_ras)

    def mask(self, value: int) -> Mask | None:
        """Where the label has this value; None where it nowhere does."""
        block = self.blocks[value - 1] if 1 <= value <= len(self.blocks) else None
        if block is None:
            return None
        return Mask(self.labels[block] == value, block_matrix(self.ijk_to_ras, block))


def _tags(segment: Any) -> str:
    import vtk

    name = "TerminologyEntry"
    value = vtk.reference("")
    return f"{name}:{value.get()}" if segment.GetTag(name, value) else ""


def _check_new(meaning: Meaning, structures: list[Structure]) -> None:
    key = meaning.level or meaning.name
    for other in structures:
        if (other.level or other.name) == key:
            raise CaseError(
                f"the segments '{meaning.name}' and '{other.name}' are both '{key}': keep one of them, or give them "
                "other names"
            )
