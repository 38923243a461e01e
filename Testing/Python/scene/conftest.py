"""Slicer's MRML without the application: a scene with the module logics that the tests need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty scene with Slicer's application logic and the volumes, segmentations, models and markups modules'."""
    before = getattr(slicer, "mrmlScene", None)
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    logics = []
    for name, kind in (
        ("Volumes", slicer.vtkSlicerVolumesLogic), ("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic),
        ("Models", slicer.vtkSlicerModelsLogic), ("Markups", slicer.vtkSlicerMarkupsLogic),
    ):  # fmt: skip
        logic = kind()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(name, logic)
        logics.append(logic)
    yield scene
    scene.Clear(True)
    slicer.mrmlScene = before


@pytest.fixture
def nodes(scene: Any) -> Nodes:
    """A maker of nodes in the scene."""
    return Nodes(scene)


@pytest.fixture
def owner(scene: Any) -> Any:
    """A parameter node."""
    return scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "SpinalStrutDesigner")


def matrix_from(array: np.ndarray) -> vtk.vtkMatrix4x4:
    """A 4x4 array as a vtkMatrix4x4."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, dtype=float).ravel())
    return matrix


class Nodes:
    """Makes nodes the way Slicer's readers do."""

    def __init__(self, scene: Any) -> None:
        self.scene = scene

    def volume(self, voxels: np.ndarray, ijk_to_ras: np.ndarray, name: str = "CT") -> Any:
        """A scalar volume node. voxels: (k, j, i)."""
        image = vtk.vtkImageData()
        image.SetDimensions(*voxels.shape[::-1])
        image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(), deep=True))
        node = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        node.SetIJKToRASMatrix(matrix_from(ijk_to_ras))
        node.SetAndObserveImageData(image)
        return node

    def segmentation(self, segments: dict[str, tuple[np.ndarray, np.ndarray]]) -> Any:
        """A segmentation node from name to (voxels (k, j, i), 4x4)."""
        node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        for name, (voxels, ijk_to_ras) in segments.items():
            image = slicer.vtkOrientedImageData()
            image.SetDimensions(*voxels.shape[::-1])
            image.GetPointData().SetScalars(numpy_to_vtk(voxels.astype(np.uint8).ravel(), deep=True))
            image.SetGeometryFromImageToWorldMatrix(matrix_from(ijk_to_ras))
            assert node.AddSegmentFromBinaryLabelmapRepresentation(image, name)
        return node

    def transform(self, matrix: np.ndarray, name: str = "Move") -> Any:
        """A linear transform node."""
        node = self.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        node.SetMatrixTransformToParent(matrix_from(matrix))
        return node
