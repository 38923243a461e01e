"""The case lives in the scene: saved and loaded with it, closed with it, beside other cases in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from SpinalStrutDesignerLib.build.build import input_digest
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan


@pytest.mark.parametrize("name", ["case.mrb", "scene/case.mrml"])
def test_everything_is_back_after_saving_and_loading(
    planned: Any, tmp_path: Path, name: str, phantom: Case, phantom_plan: Plan
) -> None:
    planned.parameters.plannedOn = planned.desk.case().digest
    planned.ui.plan_section_width_mm.value = 11.0
    planned.desk.belongings.get("axis").GetDisplayNode().SetOpacity(0.7)
    saved, digest = planned.plan, planned.desk.digest()
    assert digest == input_digest(planned.desk.case(), saved.with_(waivers=()))
    (tmp_path / "scene").mkdir()
    planned.host.save_scene(tmp_path / name)
    planned.host.close_scene()
    assert planned.heads()["anatomy"] == "○" and planned.desk.plan is None
    planned.host.load_scene(tmp_path / name)
    planned.host.process_events(0.05)
    assert planned.plan == saved and planned.desk.digest() == digest
    assert len(planned.widget.logic.getAllParameterNodes()) == 1
    belongings = planned.desk.belongings
    assert belongings.get("axis").GetDisplayNode().GetOpacity() == pytest.approx(0.7)
    assert len(belongings.all("screw")) == len(saved.screws)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode") == len(saved.screws)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsCurveNode") == 1
    # Observers are alive: of the handles, and of the segmentation.
    middle = saved.axis.control_points[2]
    belongings.get("axis").SetNthControlPointPositionWorld(2, middle[0] + 1.0, *middle[1:])
    assert planned.plan.axis.control_points[2][0] == pytest.approx(middle[0] + 1.0)
    planned.desk.undo()
    assert planned.plan == saved
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(belongings.get("axis"))
    assert hierarchy.GetItemParent(item) == planned.desk.folder
    edit_segment(planned.parameters.segmentation, "C7")
    assert planned.heads()["axis"] == "↻"


def test_an_edited_segmentation_makes_what_hangs_on_it_out_of_date(planned: Any) -> None:
    planned.parameters.plannedOn = planned.desk.case().digest
    planned.host.process_events()
    assert set(planned.heads()[step] for step in ("anatomy", "axis", "strut", "screws")) == {"✓"}
    before = planned.desk.digest()
    edit_segment(planned.parameters.segmentation, "C4")
    heads = planned.heads()
    assert [heads[step] for step in ("anatomy", "axis", "strut", "interface", "screws", "guides")] == ["↻"] * 6
    assert planned.desk.digest() != before
    planned.ui.keepPlanButton.click()
    assert planned.heads()["axis"] == "✓" and not planned.ui.keepPlanButton.visible


def test_a_renamed_segment_is_read_anew(planned: Any) -> None:
    segment = planned.parameters.segmentation.GetSegmentation().GetSegment(
        identity(planned.parameters.segmentation, "C4")
    )
    segment.SetName("something")
    planned.host.process_events()
    assert planned.heads()["anatomy"] in "⚠↻" and not planned.ui.proposeButton.enabled
    assert "C4" in planned.ui.proposeButton.toolTip


def test_closing_the_scene_mid_work_raises_nothing_and_ends_the_job(planned: Any) -> None:
    planned.ui.proposeButton.click()
    assert planned.panel.work.busy
    process = planned.panel.work._child._process
    planned.host.close_scene()
    planned.host.process_events(0.2)
    assert not planned.panel.work.busy
    assert process.wait(timeout=20) is not None
    assert not planned.ui.undoButton.enabled and planned.desk.plan is None


def test_closing_the_scene_while_the_preview_is_made_raises_nothing(planned: Any) -> None:
    planned.parameters.previewVisible = True
    planned.host.process_events()
    planned.host.close_scene()
    planned.host.process_events(0.2)
    assert not planned.panel.live.ready and planned.panel.live.fault == ""


def test_two_cases_in_one_scene_are_apart(planned: Any, phantom: Case, phantom_plan: Plan) -> None:
    first = planned.parameters.parameterNode
    planned.ui.plan_section_width_mm.value = 12.0
    second = planned.widget.logic.createParameterNode()
    slicer.mrmlScene.AddNode(second)
    planned.ui.parameterNodeSelector.setCurrentNode(second)
    planned.host.process_events()
    assert planned.desk.owner is second and planned.desk.plan is None
    assert not planned.ui.undoButton.enabled
    planned.parameters.previewVisible = False
    planned.load(phantom, "Other")
    other = phantom_plan.with_(case_code="CASE-002")
    planned.parameters.plan = plan_to_json(other)
    planned.host.process_events()
    planned.ui.plan_section_width_mm.value = 9.0
    planned.ui.parameterNodeSelector.setCurrentNode(first)
    planned.host.process_events()
    assert planned.plan.section.width_mm == 12.0 and planned.ui.undoButton.enabled
    planned.ui.undoButton.click()
    assert planned.plan == phantom_plan
    planned.ui.parameterNodeSelector.setCurrentNode(second)
    planned.host.process_events()
    assert planned.plan.section.width_mm == 9.0 and planned.plan.case_code == "CASE-002"
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsCurveNode") == 2


@pytest.mark.parametrize("text, words", [
    ("{broken", "not valid JSON"), ('{"schema": 99, "upper": "C4", "lower": "T2"}', "update the program"),
    ('{"schema": 1, "upper": "C4", "lower": "T2", "section": {"width_mm": 900}}', "section.width_mm"),
])  # fmt: skip
def test_a_plan_that_cannot_be_read_is_told_and_kept(planned: Any, text: str, words: str) -> None:
    planned.parameters.plan = text
    planned.host.process_events()
    assert words in planned.message and "cannot be read" in planned.message
    assert planned.parameters.plan == text and planned.ui.startAnewButton.visible
    assert not planned.ui.proposeButton.enabled and not planned.ui.checkRunButton.enabled
    planned.ui.startAnewButton.click()
    planned.host.process_events()
    kept = slicer.mrmlScene.GetFirstNodeByName("Unreadable strut plan (kept)")
    assert kept.GetText() == text and planned.desk.plan is None
    assert planned.message == "" and not planned.ui.startAnewButton.visible
    planned.choose(planned.ui.upperLevelComboBox, "C4")
    planned.choose(planned.ui.lowerLevelComboBox, "T2")
    assert planned.plan.upper == "C4"


def test_a_moved_case_is_read_where_it_stands_and_a_warped_one_is_refused(planned: Any) -> None:
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Turn")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 25.0)
    transform.SetMatrixTransformToParent(matrix)
    before = planned.desk.case().ct.ijk_to_ras
    for node in planned.desk.sources:
        node.SetAndObserveTransformNodeID(transform.GetID())
    planned.host.process_events()
    moved = planned.desk.case().ct.ijk_to_ras
    np.testing.assert_allclose(moved[:3, 3] - before[:3, 3], (25.0, 0.0, 0.0), atol=1e-9)
    matrix.SetElement(0, 0, 2.0)
    transform.SetMatrixTransformToParent(matrix)
    planned.host.process_events()
    assert planned.heads()["anatomy"] == "✗"
    assert "'Turn', which scales" in planned.ui.proposeButton.toolTip
    assert planned.desk.plan is not None


def test_what_a_person_hides_stays_hidden(planned: Any) -> None:
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    block = planned.desk.belongings.all("previewBlock")[0].GetDisplayNode()
    line = planned.desk.belongings.all("screw")[0].GetDisplayNode()
    solid = planned.desk.belongings.get("preview").GetDisplayNode()
    block.SetVisibility(False)
    line.SetVisibility(False)
    solid.SetOpacity(0.3)
    planned.ui.plan_section_width_mm.value = 12.0
    planned.ui.addPointButton.click()
    assert not block.GetVisibility() and not line.GetVisibility() and solid.GetVisibility()
    assert solid.GetOpacity() == pytest.approx(0.3)
    planned.ui.handlesCheckBox.checked = False
    planned.host.process_events()
    assert not planned.desk.belongings.get("axis").GetDisplayNode().GetVisibility()
    planned.ui.previewCheckBox.checked = False
    planned.host.process_events()
    assert not solid.GetVisibility()


def test_clearances_of_another_plan_are_not_shown(planned: Any) -> None:
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    planned.host.process_events()
    assert planned.ui.clearanceTable.rowCount > 0
    planned.ui.previewCheckBox.checked = False
    planned.ui.plan_section_width_mm.value = 12.0
    assert planned.ui.clearanceTable.rowCount == 0 and "not measured" in planned.ui.axisButton.text
    planned.ui.undoButton.click()
    assert planned.ui.clearanceTable.rowCount > 0


def test_outputs_stand_under_the_patient_and_the_study(planned: Any) -> None:
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(planned.parameters.volume))
    folder = planned.desk.folder
    assert hierarchy.GetItemParent(folder) == study and hierarchy.GetItemName(folder) == "Strut C4 to T2"
    for role in ("axis", "screw"):
        for node in planned.desk.belongings.all(role):
            assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder


def identity(segmentation: Any, name: str) -> str:
    """The id of the segment of a name."""
    return segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)


def edit_segment(segmentation: Any, name: str) -> None:
    """Erases a segment's lowest slices, as the Segment Editor leaves it."""
    volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, identity(segmentation, name), volume)
    lowest = int(np.flatnonzero(voxels.any(axis=(1, 2)))[0])
    voxels[: lowest + 2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, identity(segmentation, name), volume)
