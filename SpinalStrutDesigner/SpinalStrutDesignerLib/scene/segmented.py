"""Segmentations that the program made from a CT: taken in from a file, told from others, kept where a person edited."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import vtk
from LatticeGeneratorLib.scene.hierarchy import put_in_folder
from LatticeGeneratorLib.scene.place import matrix_of
from scipy import ndimage
from vtk.util.numpy_support import vtk_to_numpy

from ..case.seeds import Seed, seeds_of, seeds_text
from ..errors import CaseError
from .belongings import Belongings
from .case_nodes import segment_meanings
from .tissue_colors import color_of, opacity_of

ROLE = "segmented"
# The node attribute that holds what the segmentation was when it was made.
_AS_MADE = "SpinalStrutDesigner.AsMade"
_SEEDS = "SpinalStrutDesigner.Seeds"
_FILL_2D = 0.25  # opacity in slices: the CT is seen through it


def read_segmented(path: str | Path) -> Generator[tuple[str, float], None, Any]:
    """Reads a .seg.nrrd and makes its surfaces, one a step: (segment, fraction done); returns the vtkSegmentation.

    Nothing is put into any scene. Raises CaseError where the file holds no segment.
    """
    import slicer

    _check_whole(path)
    aside = slicer.vtkMRMLScene()
    node = aside.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = aside.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    yield Path(path).name, 0.0
    if not storage.ReadData(node) or node.GetSegmentation().GetNumberOfSegments() == 0:
        raise CaseError(f"'{path}' holds no segmentation: look at the CT, move the seeds and segment it again")
    segmentation = node.GetSegmentation()
    count = segmentation.GetNumberOfSegments()
    rule = slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule()
    for number in range(count):
        segment = segmentation.GetNthSegment(number)
        yield segment.GetName(), (number + 1.0) / (count + 1.0)
        rule.Convert(segment)
    return segmentation


def show_segmented(owner: Any, segmentation: Any, folder: int, seeds: Iterable[Seed]) -> Any:
    """The node of a vtkSegmentation just made from seeds, new in a case's folder, coloured by what the segments are."""
    scene, belongings = owner.GetScene(), Belongings(owner)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName("Segmented from CT"))
    node.SetAndObserveSegmentation(segmentation)
    node.SetAttribute(_AS_MADE, contents(node))
    node.SetAttribute(_SEEDS, seeds_text(seeds))
    node.CreateDefaultDisplayNodes()
    _dress(node)
    put_in_folder(node, folder)
    belongings.put(ROLE, *belongings.all(ROLE), node)
    return node


def remove_superseded(owner: Any, node: Any) -> None:
    """Takes out what was made before a node, unless a person edited it since: hours of work may be in it."""
    for made in Belongings(owner).all(ROLE):
        if made is not node and contents(made) == made.GetAttribute(_AS_MADE):
            owner.GetScene().RemoveNode(made)


def made_from(node: Any) -> tuple[Seed, ...]:
    """The seeds from which the program made a segmentation node; none for one that was made elsewhere."""
    return seeds_of((node.GetAttribute(_SEEDS) or "").split())


def contents(node: Any) -> str:
    """A digest of a segmentation's names and voxels: every edit changes it, saving and loading does not."""
    digest = hashlib.sha256()
    segmentation = node.GetSegmentation()
    blocks: dict[Any, list[Any]] = {}
    for number in range(segmentation.GetNumberOfSegments()):
        identity, segment = segmentation.GetNthSegmentID(number), segmentation.GetNthSegment(number)
        digest.update(f"{segment.GetName()}|".encode())
        labelmap = node.GetBinaryLabelmapInternalRepresentation(identity)
        if labelmap is None or labelmap.GetPointData().GetScalars() is None:
            continue
        voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
        if labelmap not in blocks:  # several segments may share one
            blocks[labelmap] = ndimage.find_objects(voxels)
        value = segment.GetLabelValue()
        block = blocks[labelmap][value - 1] if 0 < value <= len(blocks[labelmap]) else None
        if block is not None:
            digest.update(f"{_corner(labelmap, block)}|{voxels[block].shape}".encode())
            digest.update(np.packbits(voxels[block] == value).tobytes())
    return digest.hexdigest()


def _check_whole(path: str | Path) -> None:
    """Slicer's own reader ends the application where a file is broken; ITK's says so."""
    import SimpleITK as sitk

    try:
        whole = sitk.ReadImage(str(path)).HasMetaDataKey("Segment0_ID")
    except RuntimeError:
        whole = False
    if not whole:
        raise CaseError(f"'{path}' holds no segmentation: look at the CT, move the seeds and segment it again")


def _corner(labelmap: Any, block: tuple[slice, ...]) -> tuple[float, ...]:
    """RAS mm of a block's first voxel, to a hundredth: files hold fewer digits than memory."""
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    first = np.array(labelmap.GetExtent()[::2]) + [part.start for part in reversed(block)]
    place = matrix_of(matrix) @ [*first, 1.0]
    return tuple(float(x) for x in np.round(place[:3], 2) + 0.0)


def _dress(node: Any) -> None:
    display, segmentation = node.GetDisplayNode(), node.GetSegmentation()
    for number, meaning in enumerate(segment_meanings(node)):
        segmentation.GetNthSegment(number).SetColor(*color_of(meaning.name, meaning.role, meaning.level))
        display.SetSegmentOpacity3D(segmentation.GetNthSegmentID(number), opacity_of(meaning.role))
    display.SetOpacity2DFill(_FILL_2D)
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
