"""The phantom as nodes: a cervicothoracic spine that the program draws itself; no patient is in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case.model import Case
from ..case.phantom import make_phantom

# Colours as anatomists draw them; opacity in 3D of what lies in front of the spine.
_BONE, _SOFT = (0.93, 0.87, 0.75), (0.75, 0.60, 0.60)
_COLORS = {
    "discs": (0.55, 0.70, 0.80), "spinal_cord": (0.95, 0.85, 0.35), "dural_sac": (0.90, 0.80, 0.55),
    "trachea_airway": (0.60, 0.85, 0.95), "oesophagus": (0.85, 0.55, 0.45), "carotids": (0.85, 0.20, 0.20),
    "vertebral_arteries": (0.85, 0.20, 0.20), "great_vessels": (0.80, 0.25, 0.25), "jugulars": (0.30, 0.40, 0.85),
    "larynx_cartilage": (0.65, 0.80, 0.75), "lungs": (0.80, 0.65, 0.70), "other_bone": (0.88, 0.82, 0.72),
}  # fmt: skip
_SEEN_THROUGH = 0.15


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
        color = _COLORS.get(structure.name, _BONE if structure.role == "bone" else _SOFT)
        identity = node.AddSegmentFromBinaryLabelmapRepresentation(image, structure.name, color)
        solid = structure.role == "bone"
        node.GetDisplayNode().SetSegmentOpacity3D(identity, 1.0 if solid else _SEEN_THROUGH)
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
