"""Slicer's MRML without the application: a scene with the module logics that the tests need."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.scene.models import show_mesh
from scipy.spatial.transform import Rotation
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


@pytest.fixture
def model(scene: Any) -> Any:
    """A block of 4 mm, as a model that may be filled."""
    return show_mesh(scene, box([0.0] * 3, [4.0] * 3), "Block", (1.0, 1.0, 1.0))


@pytest.fixture
def parameters(scene: Any, model: Any) -> Any:
    """What the lattice module's parameter node says, with coarse pores so that a lattice is made in a second."""
    return SimpleNamespace(
        parameterNode=scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"), source="model", domain=model,
        segmentation=None, segmentID="", cell="gyroid_skeletal", wish="pores", porosity=70.0, poreSize=1000.0,
        cellSize=1.7, thickness=0.55, printer="", compensate=False, where="whole",
        shellDepth=1.2, roi=None, grading="none", gradingLine=None, fromDepth=0.0, toDepth=1.0, gradingVolume=None,
        fromValue=200.0, toValue=800.0, endCells=False, endPorosity=55.0, endPoreSize=1000.0, endCellSize=1.7,
        endThickness=0.7, lying="scene", lyingTransform=None, lyingFace=None, finish="none", side="superior",
        sidePlane=None, sideModel=None, solidThickness=0.6, windowSize=2.0, bridge=0.6, denser=False,
        joined=False, patch=None, thinning=0.0,
        transitionDepth=1.0, lattice=None, keepWhole=True, measured="", madeOrder="", madeFrom="",
    )  # fmt: skip


@pytest.fixture
def turn() -> np.ndarray:
    """4x4, rigid."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("zyx", [30.0, -20.0, 50.0], degrees=True).as_matrix()
    matrix[:3, 3] = 5.0, -6.0, 7.0
    return matrix


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
