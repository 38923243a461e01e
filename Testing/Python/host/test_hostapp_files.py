"""The host reads and writes files and scenes as the application does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")
import SimpleITK  # noqa: E402
import vtk  # noqa: E402

SHAPE = (6, 7, 8)
ORIGIN = (-12.0, 20.0, 5.0)
SPACING = (0.5, 0.75, 2.0)


def ramp() -> np.ndarray:
    return np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) - 100


def test_volume_written_by_another_library(host: Any, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(ramp())
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    SimpleITK.WriteImage(image, str(tmp_path / "neck.nrrd"))
    volume = slicer.util.loadVolume(str(tmp_path / "neck.nrrd"), {"name": "Neck"})
    assert volume.GetName() == "Neck"
    assert np.array_equal(slicer.util.arrayFromVolume(volume), ramp())
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    # SimpleITK is LPS, the scene RAS: the first two axes turn round.
    expected = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    expected[:3, 3] = -ORIGIN[0], -ORIGIN[1], ORIGIN[2]
    assert np.allclose(slicer.util.arrayFromVTKMatrix(matrix), expected)
    assert host.slice_view("Red").volume_name() == "Neck"


def test_missing_file_is_an_error_with_its_name(host: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nowhere\.nrrd"):
        slicer.util.loadVolume(str(tmp_path / "nowhere.nrrd"), {})


def test_segmentation_keeps_segments_and_voxels(host: Any, tmp_path: Path) -> None:
    _volume, segmentation = volume_and_segmentation()
    file = tmp_path / "labels.seg.nrrd"
    assert slicer.util.saveNode(segmentation, str(file), {})
    image = SimpleITK.ReadImage(str(file))
    assert image.GetMetaData("Segment0_Name") == "C6"
    host.close_scene()
    loaded = slicer.util.loadSegmentation(str(file), {})
    assert [loaded.GetSegmentation().GetNthSegment(i).GetName() for i in range(2)] == ["C6", "C7"]
    voxels = slicer.util.arrayFromSegmentInternalBinaryLabelmap(loaded, loaded.GetSegmentation().GetNthSegmentID(0))
    assert np.count_nonzero(voxels == 1) == 24


def test_model_is_stored_in_lps(host: Any, tmp_path: Path) -> None:
    cube = vtk.vtkCubeSource()
    cube.SetBounds(10, 12, 20, 23, 30, 34)
    model = slicer.modules.models.logic().AddModel(cube.GetOutputPort())
    file = tmp_path / "cube.stl"
    assert slicer.util.exportNode(model, str(file), {})
    reader = vtk.vtkSTLReader()
    reader.SetFileName(str(file))
    reader.Update()
    assert reader.GetOutput().GetBounds() == pytest.approx((-12, -10, -23, -20, 30, 34))
    loaded = slicer.util.loadModel(str(file))
    bounds = [0.0] * 6
    loaded.GetRASBounds(bounds)
    assert bounds == pytest.approx([10, 12, 20, 23, 30, 34])
    assert model.GetStorageNode() is None  # exporting is not saving


def test_export_in_world_coordinates(host: Any, tmp_path: Path) -> None:
    cube = vtk.vtkCubeSource()
    model = slicer.modules.models.logic().AddModel(cube.GetOutputPort())
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 3, 100.0)
    move.SetMatrixTransformToParent(matrix)
    model.SetAndObserveTransformNodeID(move.GetID())
    for name, world, middle in (("local.stl", False, 0.0), ("world.stl", True, 100.0)):
        assert slicer.util.exportNode(model, str(tmp_path / name), {}, world=world)
        reader = vtk.vtkSTLReader()
        reader.SetFileName(str(tmp_path / name))
        reader.Update()
        assert reader.GetOutput().GetCenter()[2] == pytest.approx(middle)


@pytest.mark.parametrize("name", ["case.mrb", "case.mrml", "folder"])
def test_scene_comes_back_with_its_references(host: Any, tmp_path: Path, name: str) -> None:
    volume, segmentation = volume_and_segmentation()
    curve = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "Axis")
    for z in (0.0, 10.0, 20.0):
        curve.AddControlPointWorld(1.0, 2.0, z)
    parameters = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters")
    parameters.SetParameter("plan", '{"width_mm": 12.5}')
    parameters.SetNodeReferenceID("volume", volume.GetID())
    parameters.SetNodeReferenceID("segmentation", segmentation.GetID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient 1")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), patient)
    twin = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Axis/1")
    twin.SetName("Axis")  # the same name twice
    twin.AddControlPointWorld(7.0, 8.0, 9.0)

    saved = host.save_scene(tmp_path / name)
    host.close_scene()
    assert not slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    host.load_scene(next(saved.rglob("*.mrml")) if saved.is_dir() else saved)

    parameters = slicer.util.getFirstNodeByClassByName("vtkMRMLScriptedModuleNode", "Parameters")
    assert parameters.GetParameter("plan") == '{"width_mm": 12.5}'
    volume = parameters.GetNodeReference("volume")
    assert np.array_equal(slicer.util.arrayFromVolume(volume), ramp())
    segments = parameters.GetNodeReference("segmentation").GetSegmentation()
    assert [segments.GetNthSegment(i).GetName() for i in range(segments.GetNumberOfSegments())] == ["C6", "C7"]
    for kind, expected in (("Curve", [(1, 2, 0), (1, 2, 10), (1, 2, 20)]), ("Fiducial", [(7, 8, 9)])):
        markups = slicer.util.getFirstNodeByClassByName(f"vtkMRMLMarkups{kind}Node", "Axis")
        assert np.allclose(slicer.util.arrayFromMarkupsControlPoints(markups, world=True), expected)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    items = [hierarchy.GetItemByDataNode(slicer.util.getNode(node)) for node in ("CT", "Axis", "Labels")]
    assert all(items)
    assert hierarchy.GetItemName(hierarchy.GetItemParent(items[0])) == "Patient 1"


def volume_and_segmentation() -> tuple[Any, Any]:
    """A ramp and two segments of 24 voxels each."""
    volume = slicer.util.addVolumeFromArray(ramp(), name="CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Labels")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, first in (("C6", 0), ("C7", 3)):
        voxels = np.zeros(SHAPE, np.uint8)
        voxels[first : first + 2, 3:6, 1:5] = 1
        segment = segmentation.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, segment, volume)
    return volume, segmentation
