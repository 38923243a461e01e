"""The axis curve and the screw lines follow the plan, and the plan follows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.plan.entries import ScrewType
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Screw
from SpinalStrutDesignerLib.scene.belongings import Belongings
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.handles import AXIS, Handles
from SpinalStrutDesignerLib.scene.screw_lines import ROLE as SCREW
from SpinalStrutDesignerLib.scene.screw_lines import made_length, screw_of, show_screws

POINTS = ((0.0, 10.0, 80.0), (1.0, 12.0, 40.0), (0.0, 11.0, 0.0))
SCREWS = (
    Screw(ScrewType(), "C4", (4.0, 15.0, 85.0), (0.0, -1.0, 0.0), 14.0),
    Screw(ScrewType(), "T2", (0.0, 15.0, -5.0), (0.0, -1.0, 0.0), 14.0),
)
PLAN = Plan("C4", "T2", axis=Axis(control_points=POINTS), screws=SCREWS)


class Heard:
    """What the handles said."""

    def __init__(self) -> None:
        self.moves = 0
        self.drops: list[str] = []
        self.removed: list[int | None] = []

    def moved(self) -> None:
        self.moves += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def handles(owner: Any, heard: Heard) -> Handles:
    made = Handles(owner, heard.moved, heard.drops.append, heard.removed.append)
    made.show(PLAN, case_folder(owner, None, "Strut"), False)
    return made


def test_handles_show_the_plan_and_say_nothing_of_it(owner: Any, handles: Handles, heard: Heard) -> None:
    assert handles.plan_of(PLAN) is PLAN
    assert (heard.moves, heard.drops, heard.removed) == (0, [], [])
    belongings = Belongings(owner)
    assert belongings.get(AXIS).GetNumberOfControlPoints() == 3
    lines = belongings.all(SCREW)
    assert [line.GetName() for line in lines] == ["C4 screw 1", "T2 screw 2"]
    assert lines[0].GetNthControlPointPositionWorld(1) == pytest.approx((4.0, 1.0, 85.0))
    assert lines[0].GetDisplayNode().GetLineDiameter() == pytest.approx(3.5)


def test_a_dragged_point_moves_then_drops(owner: Any, handles: Handles, heard: Heard) -> None:
    curve = Belongings(owner).get(AXIS)
    curve.InvokeEvent(curve.PointStartInteractionEvent)
    curve.SetNthControlPointPositionWorld(1, 3.0, 12.0, 41.0)
    assert heard.moves >= 1 and heard.drops == []
    assert handles.plan_of(PLAN).axis.control_points[1] == pytest.approx((3.0, 12.0, 41.0))
    curve.InvokeEvent(curve.PointEndInteractionEvent)
    assert heard.drops == ["axis"]


def test_a_point_moved_by_a_program_drops_at_once(owner: Any, handles: Handles, heard: Heard) -> None:
    Belongings(owner).get(AXIS).SetNthControlPointPositionWorld(0, 1.0, 10.0, 80.0)
    assert heard.moves == 0 and set(heard.drops) == {"axis"}


def test_a_screw_follows_its_line_in_made_lengths(owner: Any, handles: Handles) -> None:
    Belongings(owner).all(SCREW)[1].SetNthControlPointPositionWorld(1, 0.0, 15.0 - 17.2 * 0.8, -5.0 - 17.2 * 0.6)
    upper, lower = handles.plan_of(PLAN).screws
    assert upper == SCREWS[0]
    assert lower.direction == pytest.approx((0.0, -0.8, -0.6)) and lower.length_mm == 18.0
    assert lower.entry == pytest.approx(SCREWS[1].entry)


def test_a_deleted_line_and_a_deleted_curve_are_told(scene: Any, owner: Any, handles: Handles, heard: Heard) -> None:
    scene.RemoveNode(Belongings(owner).all(SCREW)[1])
    scene.RemoveNode(Belongings(owner).get(AXIS))
    assert heard.removed == [1, None]


def test_locked_handles_cannot_be_dragged(owner: Any, handles: Handles) -> None:
    belongings = Belongings(owner)
    assert not belongings.get(AXIS).GetLocked() and not belongings.all(SCREW)[0].GetLocked()
    folder = case_folder(owner, None, "Strut")
    handles.show(PLAN.with_(screws=(SCREWS[0].with_(locked=True), SCREWS[1])), folder, False)
    assert [line.GetLocked() for line in belongings.all(SCREW)] == [1, 0]
    handles.show(PLAN, folder, True)
    assert belongings.get(AXIS).GetLocked() and all(line.GetLocked() for line in belongings.all(SCREW))


def test_fewer_and_more_screws_reuse_their_lines(scene: Any, owner: Any) -> None:
    first = show_screws(owner, SCREWS)
    (left,) = show_screws(owner, SCREWS[:1])
    assert left is first[0] and scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode") == 1
    assert show_screws(owner, SCREWS)[0] is left
    assert show_screws(owner, ()) == [] and scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode") == 0


def test_released_handles_are_silent(owner: Any, handles: Handles, heard: Heard) -> None:
    handles.release()
    Belongings(owner).get(AXIS).SetNthControlPointPositionWorld(0, 1.0, 10.0, 80.0)
    assert heard.drops == []


def test_a_scene_that_closes_tells_nothing(scene: Any, handles: Handles, heard: Heard) -> None:
    scene.Clear(False)
    assert heard.removed == [] and heard.drops == []


@settings(max_examples=60, deadline=None)
@given(st.floats(min_value=1.5, max_value=130.0))
def test_a_made_length_is_the_nearest_there_is(length: float) -> None:
    kind = ScrewType()
    made = made_length(kind, length)
    assert made in kind.lengths_mm
    assert abs(made - length) <= min(abs(other - length) for other in kind.lengths_mm)


def test_a_line_still_being_placed_leaves_the_screw(scene: Any) -> None:
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    line.AddControlPointWorld(0.0, 0.0, 0.0)
    assert screw_of(line, SCREWS[0]) is SCREWS[0]


def test_two_cases_have_handles_and_folders_of_their_own(scene: Any, owner: Any, handles: Handles) -> None:
    other = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "SpinalStrutDesigner_1")
    show_screws(other, SCREWS[:1])
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode") == 3
    assert case_folder(other, None, "Strut") != case_folder(owner, None, "Strut")


def test_a_case_s_folder_stands_in_the_study_of_its_volume(scene: Any, owner: Any, nodes: Any) -> None:
    volume = nodes.volume(np.zeros((2, 2, 2), np.int16), np.eye(4))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Doe")
    study = hierarchy.CreateStudyItem(patient, "CT neck")
    hierarchy.CreateItem(study, volume)
    folder = case_folder(owner, volume, "Strut C4 to T2")
    assert hierarchy.GetItemParent(folder) == study
    hierarchy.SetItemName(folder, "my strut")
    assert case_folder(owner, volume, "Strut C4 to T2") == folder and hierarchy.GetItemName(folder) == "my strut"
