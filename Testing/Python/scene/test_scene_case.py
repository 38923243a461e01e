"""Volume and segmentation nodes become the same case as the files they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from LatticeGeneratorLib.scene.job import fault_in, progress_in
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.write import write_case
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.json import plan_from_json
from SpinalStrutDesignerLib.plan.plan import Corrections, Plan
from SpinalStrutDesignerLib.scene.case_nodes import case_from_nodes, segment_meanings
from SpinalStrutDesignerLib.scene.job import design_job, propose_job
from vtk.util.numpy_support import vtk_to_numpy


@pytest.fixture
def loaded(nodes: Any, phantom: Case) -> tuple[Any, Any]:
    volume = nodes.volume(phantom.ct.voxels, phantom.ct.ijk_to_ras, "Doe^Jane neck")
    segments = {s.name: (s.mask.voxels, s.mask.ijk_to_ras) for s in phantom.structures}
    return volume, nodes.segmentation(segments)


def _same(found: Case, expected: Case, move: np.ndarray | None = None) -> None:
    move = np.eye(4) if move is None else move
    assert [(s.name, s.role, s.level) for s in found.structures] == [
        (s.name, s.role, s.level) for s in expected.structures
    ]
    for a, b in zip(found.structures, expected.structures):
        np.testing.assert_array_equal(a.mask.voxels, b.mask.voxels)
        np.testing.assert_allclose(a.mask.ijk_to_ras, move @ b.mask.ijk_to_ras, atol=1e-9)
    np.testing.assert_array_equal(found.ct.voxels, expected.ct.voxels)
    np.testing.assert_allclose(found.ct.ijk_to_ras, move @ expected.ct.ijk_to_ras, atol=1e-9)


def test_nodes_become_the_case(loaded: tuple[Any, Any], phantom: Case) -> None:
    case = case_from_nodes(*loaded)
    _same(case, phantom)
    assert case.name == "scene"
    assert case.unknown == ()
    assert [(m.name, m.role) for m in segment_meanings(loaded[1])] == [(s.name, s.role) for s in phantom.structures]


def test_segments_that_share_a_labelmap_are_told_apart(loaded: tuple[Any, Any], phantom: Case) -> None:
    volume, segmentation = loaded
    segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert segmentation.GetSegmentation().GetNumberOfLayers() < len(phantom.structures)
    _same(case_from_nodes(volume, segmentation), phantom)


def test_rigid_parent_transforms_are_applied(loaded: tuple[Any, Any], nodes: Any, phantom: Case) -> None:
    angle = np.radians(20.0)
    move = np.eye(4)
    move[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    move[:3, 3] = 10.0, -5.0, 3.0
    transform = nodes.transform(move)
    for node in loaded:
        node.SetAndObserveTransformNodeID(transform.GetID())
    _same(case_from_nodes(*loaded), phantom, move)


def test_what_is_as_it_was_read_before_is_not_measured_again(loaded: tuple[Any, Any]) -> None:
    before = case_from_nodes(*loaded)
    field = before.structure("C7").mask.field
    again = case_from_nodes(*loaded, before=before)
    assert again is before and again.structure("C7").mask.field is field
    loaded[1].GetSegmentation().CollapseBinaryLabelmaps(False)  # as a scene is saved: other arrays, the same voxels
    assert case_from_nodes(*loaded, before=before) is before


def _one_voxel(nodes: tuple[Any, Any]) -> None:
    labelmap = nodes[1].GetBinaryLabelmapInternalRepresentation(_identity(nodes[1], "C4"))
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    voxels[np.flatnonzero(voxels)[5]] = 0


def _one_grey_value(nodes: tuple[Any, Any]) -> None:
    vtk_to_numpy(nodes[0].GetImageData().GetPointData().GetScalars())[12345] += 1


def _another_name(nodes: tuple[Any, Any]) -> None:
    nodes[1].GetSegmentation().GetSegment(_identity(nodes[1], "C4")).SetName("C3")


def _one_segment_less(nodes: tuple[Any, Any]) -> None:
    nodes[1].GetSegmentation().RemoveSegment(_identity(nodes[1], "C4"))


def _moved(nodes: tuple[Any, Any]) -> None:
    origin = nodes[0].GetOrigin()
    nodes[0].SetOrigin(origin[0] + 1e-3, *origin[1:])


def _identity(segmentation: Any, name: str) -> str:
    identity: str = segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)
    return identity


@pytest.mark.parametrize("edit", [_one_voxel, _one_grey_value, _another_name, _one_segment_less, _moved])
def test_no_edit_is_missed_for_what_was_read_before(loaded: tuple[Any, Any], nodes: Any, edit: Any) -> None:
    """Even one that nobody tells: voxels changed in place. What is read is what is read with nothing before."""
    if edit is _another_name:
        loaded[1].GetSegmentation().RemoveSegment(_identity(loaded[1], "C3"))
    before = case_from_nodes(*loaded)
    edit(loaded)
    now, anew = case_from_nodes(*loaded, before=before), case_from_nodes(*loaded)
    _same(now, anew)
    assert now.digest == anew.digest != before.digest
    assert (now.quality, now.unknown) == (anew.quality, anew.unknown)
    kept = {s.name for s in now.structures if any(s.mask is b.mask for b in before.structures)}
    assert kept >= {s.name for s in now.structures} - {"C4", "C3"}


def test_what_reading_noticed_is_told_of_another_scan_of_the_same_grey_values(nodes: Any, phantom: Case) -> None:
    """A voxel without a number is read as air, and that is told, whatever was read before."""
    segments = {s.name: (s.mask.voxels, s.mask.ijk_to_ras) for s in phantom.structures[:2]}
    hu = phantom.ct.voxels.astype(np.float32)
    hu[0, 0, 0] = -1024.0
    whole = nodes.volume(hu, phantom.ct.ijk_to_ras, "Whole")
    hu[0, 0, 0] = np.nan
    holed = nodes.volume(hu, phantom.ct.ijk_to_ras, "Holed")
    segmentation = nodes.segmentation(segments)
    before = case_from_nodes(whole, segmentation)
    now = case_from_nodes(holed, segmentation, before=before)
    assert now.quality == case_from_nodes(holed, segmentation).quality != before.quality


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", ["Stretch", "Shear", "Mirror"])
def test_a_transform_that_is_not_rigid_is_refused_by_name(
    loaded: tuple[Any, Any], nodes: Any, name: str, number: int
) -> None:
    matrix = np.diag([{"Stretch": 1.1, "Mirror": -1.0}.get(name, 1.0), 1.0, 1.0, 1.0])
    matrix[0, 1] = 0.2 if name == "Shear" else 0.0
    loaded[number].SetAndObserveTransformNodeID(nodes.transform(matrix, name).GetID())
    node = ("Doe^Jane neck", "Segmentation")[number].replace("^", r"\^")
    with pytest.raises(
        CaseError, match=rf"'{node}' stands under '{name}', which scales, shears or mirrors: use a rigid"
    ):
        case_from_nodes(*loaded)


def test_a_role_that_does_not_exist_is_refused_by_row(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    roles = tmp_path / "roles.csv"
    roles.write_text("name,role\nlungs,keepout_soft\ncarotids,vessel\n")
    with pytest.raises(CaseError, match=r"roles.csv', row 3: 'carotids' has the role 'vessel'; roles are bone, disc"):
        case_from_nodes(*loaded, roles)


def test_a_warping_transform_is_refused_by_name(scene: Any, loaded: tuple[Any, Any]) -> None:
    transform = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Warp")
    import vtk

    grid = vtk.vtkImageData()
    grid.SetDimensions(4, 4, 4)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    spline = slicer.vtkOrientedBSplineTransform()
    spline.SetCoefficientData(grid)
    transform.SetAndObserveTransformFromParent(spline)
    loaded[1].SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(CaseError, match=r"Warp.*harden"):
        case_from_nodes(*loaded)


def test_a_segmentation_beside_the_ct_is_refused(loaded: tuple[Any, Any], nodes: Any) -> None:
    away = np.eye(4)
    away[:3, 3] = 500.0
    loaded[1].SetAndObserveTransformNodeID(nodes.transform(away).GetID())
    with pytest.raises(CaseError, match="reaches out of the CT"):
        case_from_nodes(*loaded)


def test_a_volume_without_voxels_is_refused(scene: Any, loaded: tuple[Any, Any]) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    with pytest.raises(CaseError, match=r"'Nothing' holds no voxels"):
        case_from_nodes(empty, loaded[1])


def test_unknown_segments_are_reported(nodes: Any, phantom: Case) -> None:
    c4 = phantom.structure("C4").mask
    volume = nodes.volume(phantom.ct.voxels, phantom.ct.ijk_to_ras)
    case = case_from_nodes(volume, nodes.segmentation({"C4": (c4.voxels, c4.ijk_to_ras), "Segment_2": (
        phantom.structure("T2").mask.voxels, phantom.structure("T2").mask.ijk_to_ras)}))  # fmt: skip
    assert case.levels == ("C4",)
    assert len(case.unknown) == 1 and "Segment_2" in case.unknown[0]


def test_two_segments_of_one_level_are_refused(nodes: Any, phantom: Case) -> None:
    mask = phantom.structure("C4").mask
    volume = nodes.volume(phantom.ct.voxels, phantom.ct.ijk_to_ras)
    segments = {"C4": (mask.voxels, mask.ijk_to_ras), "vertebrae_C4": (mask.voxels, mask.ijk_to_ras)}
    with pytest.raises(CaseError, match=r"vertebrae_C4.*'C4'.*both"):
        case_from_nodes(volume, nodes.segmentation(segments))


def test_what_the_child_process_reads_is_what_the_scene_holds(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    case, plan = case_from_nodes(*loaded), Plan("C4", "T2", case_code="CASE-007")
    job = design_job(case, plan, tmp_path / "out", tmp_path / "work")
    given = dict(zip(job.arguments, job.arguments[1:]))
    read = read_case(job.arguments[3], given["--labels"], given["--roles"])
    _same(read, case)
    assert read.digest == case.digest
    assert plan_from_json(Path(given["--plan"]).read_text()) == plan
    assert job.written == (0, 2)  # files that are not for manufacture are files all the same
    assert job.arguments[2] == "design" and Path(given["--out"]) == tmp_path / "out" == job.output
    assert all(Path(folder).is_dir() for folder in job.python_path)
    proposal = propose_job(case, plan, tmp_path / "work")
    assert proposal.arguments[2] == "propose" and proposal.output.parent == tmp_path / "work"


def test_a_correction_says_what_an_unknown_segment_is(nodes: Any, phantom: Case) -> None:
    volume = nodes.volume(phantom.ct.voxels, phantom.ct.ijk_to_ras)
    masks = {"C4": "C4", "Segment_2": "T2", "Segment_3": "lungs"}
    found = {name: phantom.structure(true).mask for name, true in masks.items()}
    segmentation = nodes.segmentation({name: (mask.voxels, mask.ijk_to_ras) for name, mask in found.items()})
    corrections = Corrections(levels=(("Segment_2", "T2"),), roles=(("Segment_3", "keepout_critical"),))
    case = case_from_nodes(volume, segmentation, corrections=corrections)
    assert case.levels == ("C4", "T2") and case.unknown == ()
    assert case.structure("Segment_3").role == "keepout_critical"
    assert [m.role for m in segment_meanings(segmentation)] == ["bone", None, None]


def test_overlapping_structures_keep_every_voxel(phantom: Case, tmp_path: Path) -> None:
    from dataclasses import replace

    dura, cord = phantom.structure("dural_sac"), phantom.structure("spinal_cord")
    whole = replace(dura, mask=replace(dura.mask, voxels=np.ones_like(dura.mask.voxels)))
    ct, labels, roles = write_case(phantom.with_structures([cord, whole]), tmp_path)
    again = read_case(ct, labels, roles)
    assert [s.mask.voxels.sum() for s in again.structures] == [cord.mask.voxels.sum(), whole.mask.voxels.sum()]


def test_progress_lines_are_read_and_others_left_alone() -> None:
    assert progress_in('{"stage": "feet", "fraction": 0.5}') == ("feet", 0.5)
    broken = ("hello", "{broken", "[]")
    other = ('{"error": {"message": "no"}}', '{"stage": "feet"}', '{"stage": "feet", "fraction": null}')
    for line in broken + other:
        assert progress_in(line) is None


def test_a_child_that_fails_says_why_and_one_that_is_killed_says_that() -> None:
    error = '{"error": {"type": "PlanError", "message": "no room"}}'
    lines = ['{"stage": "reading", "fraction": 0.1}', error, "strut: no"]
    assert fault_in(lines, 1) == "no room"
    killed = fault_in([*lines[:1], "Segmentation fault"], -11)
    assert "signal 11" in killed and "Segmentation fault" in killed and "reading" not in killed
    assert "as they were" in killed


def test_the_gantry_tilt_transform_of_the_dicom_importer_is_refused_by_name(
    scene: Any, loaded: tuple[Any, Any]
) -> None:
    import vtk

    grid = vtk.vtkImageData()
    grid.SetDimensions(2, 2, 2)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    for number in range(8):
        grid.GetPointData().GetScalars().SetTuple3(number, 0.0, 2.0 * (number // 4), 0.0)
    tilt = slicer.vtkOrientedGridTransform()
    tilt.SetDisplacementGridData(grid)
    node = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "Acquisition transform")
    node.SetAndObserveTransformFromParent(tilt)
    loaded[0].SetAndObserveTransformNodeID(node.GetID())
    with pytest.raises(CaseError, match=r"'Doe\^Jane neck' stands under the .* 'Acquisition transform'.*harden"):
        case_from_nodes(*loaded)
