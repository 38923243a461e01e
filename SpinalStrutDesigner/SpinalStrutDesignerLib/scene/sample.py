"""The phantom as nodes: a cervicothoracic spine that the program draws itself; no patient is in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case.model import Case
from ..case.phantom import make_phantom
from .tissue_colors import color_of, opacity_of


def load_phantom(scene: Any) -> tuple[Any, Any]:
    """The phantom's volume and segmentation node, new in the scene, under a patient and a study of their own."""
    return show_case(scene, make_phantom(), "Phantom")


def show_case(scene: Any, case: Case, patient: str) -> tuple[Any, Any]:
    """A case's volume and segmentation node, new in the scene, in a study of a patient of that name."""
    nodes = _volume(scene, case, f"{patient} CT"), _segmentation(scene, case, f"{patient} segmentation")
    _file_under_patient(scene, nodes, patient)
    return nodes


def _volume(scene: Any, case: Case, name: str) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    image = _image(case.ct.voxels)
    node.SetIJKToRASMatrix(_matrix(case.ct.ijk_to_ras))
    node.SetAndObserveImageData(image)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(1400, 350)  # a usual bone window, HU
    return node


def _segmentation(scene: Any, case: Case, name: str) -> Any:
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    for structure in case.structures:
        image = slicer.vtkOrientedImageData()
        image.ShallowCopy(_image(structure.mask.voxels.astype(np.uint8)))
        image.SetGeometryFromImageToWorldMatrix(_matrix(structure.mask.ijk_to_ras))
        color = color_of(structure.name, structure.role, structure.level)
        identity = node.AddSegmentFromBinaryLabelmapRepresentation(image, structure.name, color)
        node.GetDisplayNode().SetSegmentOpacity3D(identity, opacity_of(structure.role))
    node.GetDisplayNode().SetOpacity2DFill(0.25)
    return node


def _image(voxels: np.ndarray) -> Any:
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=True))
    return image


def _matrix(array: np.ndarray) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, dtype=float).ravel())
    return matrix


def _file_under_patient(scene: Any, nodes: tuple[Any, Any], name: str) -> None:
    """As the DICOM importer does: the nodes in a study of a patient."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), name)
    study = hierarchy.CreateStudyItem(patient, "Neck and upper chest")
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.SetItemParent(item, study)
        else:
            hierarchy.CreateItem(study, node)
