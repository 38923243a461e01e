"""Axis and screws are dragged, and screws placed, by mouse events through Slicer's own displayable managers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.scene.slices import lie_along
from vtk.util.numpy_support import vtk_to_numpy


@pytest.fixture
def live(planned: Any) -> Any:
    """The panel with the live preview, the slice views at the axis' middle."""
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    planned.panel.jump_to(_middle(planned.plan))
    planned.host.process_events(0.1)
    return planned


def _middle(plan: Plan) -> tuple[float, float, float]:
    return plan.axis.control_points[len(plan.axis.control_points) // 2]


def _solid(bench: Any) -> np.ndarray:
    return vtk_to_numpy(bench.desk.belongings.get("preview").GetPolyData().GetPoints().GetData()).copy()


def test_a_point_of_the_axis_is_dragged_in_a_slice_and_the_implant_follows(live: Any, phantom_plan: Plan) -> None:
    start = np.array(_middle(live.plan))
    end = start + np.array([0.0, 3.0, 0.0])
    before = _solid(live)
    front = before[np.abs(before[:, 2] - start[2]) < 1.0][:, 1].max()
    live.host.slice_view("Yellow").mouse.drag(start, end)
    live.host.process_events()
    moved = np.array(_middle(live.plan))
    pixel = 0.5  # mm of the view; the drag ends within one
    assert moved == pytest.approx(end, abs=pixel)
    after = _solid(live)
    assert after[np.abs(after[:, 2] - start[2]) < 1.0][:, 1].max() == pytest.approx(front + 3.0, abs=0.8)
    # One drag is one decision, and undo brings curve and implant back.
    assert live.desk.history.undo_words == "axis"
    live.ui.undoButton.click()
    live.host.process_events()
    assert live.plan == phantom_plan and not live.ui.undoButton.enabled
    np.testing.assert_array_equal(_solid(live), before)
    curve = live.desk.belongings.get("axis")
    assert curve.GetNthControlPointPositionWorld(len(live.plan.axis.control_points) // 2) == pytest.approx(tuple(start))


def test_the_preview_follows_while_the_button_is_down(live: Any) -> None:
    start = np.array(_middle(live.plan))
    before, plan = _solid(live), live.plan
    mouse = live.host.slice_view("Yellow").mouse
    mouse.press(start)
    mouse.move(start + np.array([0.0, 1.5, 0.0]))
    mouse.move(start + np.array([0.0, 3.0, 0.0]))
    live.host.process_events()
    assert not np.array_equal(_solid(live)[:50], before[:50]) or len(_solid(live)) != len(before)
    assert live.plan == plan  # decided when it is let go
    mouse.release(start + np.array([0.0, 3.0, 0.0]))
    live.host.process_events()
    assert live.plan != plan


def test_a_drag_in_3d_moves_the_axis_as_far_as_the_mouse(live: Any, phantom_plan: Plan) -> None:
    slicer.util.resetThreeDViews()
    view = live.host.three_d_view()
    live.desk.parameters.segmentation.GetDisplayNode().SetVisibility(False)
    start = np.array(_middle(live.plan))
    live.host.process_events(0.1)
    pixel = view.mouse.pixel(start)
    view.mouse.drag((pixel.x(), pixel.y()), (pixel.x() + 6, pixel.y()))
    live.host.process_events()
    end = view.mouse.pixel(_middle(live.plan))
    assert (end.x() - pixel.x(), end.y() - pixel.y()) == pytest.approx((6, 0), abs=1.5)
    assert live.plan != phantom_plan


def test_an_axis_that_folds_is_told_and_taken_back(live: Any, phantom_plan: Plan) -> None:
    start = np.array(_middle(live.plan))
    live.host.slice_view("Yellow").mouse.drag(start, start + np.array([0.0, 22.0, 0.0]))
    live.host.process_events()
    assert "bends with a radius" in live.message
    assert live.plan == phantom_plan
    curve = live.desk.belongings.get("axis")
    middle = len(phantom_plan.axis.control_points) // 2
    assert curve.GetNthControlPointPositionWorld(middle) == pytest.approx(tuple(start))


def test_a_screw_s_tip_is_dragged_and_its_length_snaps_to_what_is_made(live: Any) -> None:
    number = next(n for n, screw in enumerate(live.plan.screws) if screw.level == "T2")
    screw = live.plan.screws[number]
    tip = np.asarray(screw.entry) + screw.length_mm * np.asarray(screw.direction)
    lie_along(slicer.app.layoutManager().sliceWidget("Yellow").mrmlSliceNode(), screw)
    live.host.process_events(0.1)
    end = tip + 7.0 * np.asarray(screw.direction)
    live.host.slice_view("Yellow").mouse.drag(tip, end)
    live.host.process_events()
    moved = live.plan.screws[number]
    assert moved.length_mm in screw.type.lengths_mm and moved.length_mm > screw.length_mm
    assert moved.entry == pytest.approx(screw.entry)
    line = live.desk.belongings.all("screw")[number]
    ends = [np.array(line.GetNthControlPointPositionWorld(n)) for n in range(2)]
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(moved.length_mm)


def test_a_screw_is_placed_by_a_click_on_bone(planned: Any, phantom: Case, phantom_plan: Plan) -> None:
    upper, lower = (find_endplate(phantom, "T2", face) for face in ("superior", "inferior"))
    inward = -0.5 * (upper.anterior + lower.anterior)
    middle = 0.5 * (upper.centre + lower.centre)
    way = middle - np.arange(0.0, 25.0, 0.1)[:, None] * inward
    place = way[np.abs(phantom.structure("T2").distance(way)).argmin()]  # the middle of the body's front
    planned.panel.jump_to(tuple(float(x) for x in place))
    planned.host.process_events(0.1)
    planned.ui.placeScrewButton.click()
    planned.host.slice_view("Yellow").mouse.click(place)
    planned.host.process_events(0.1)
    assert not planned.ui.placeScrewButton.checked and planned.message == ""
    added = planned.plan.screws[-1]
    assert len(planned.plan.screws) == len(phantom_plan.screws) + 1
    assert added.level == "T2" and np.dot(added.direction, inward) > 0.9  # straight from the front to the back
    tip = np.asarray(added.entry) + added.length_mm * np.asarray(added.direction)
    assert phantom.structure("T2").distance(tip[None])[0] < 0.0
    assert len(planned.desk.belongings.all("screw")) == len(planned.plan.screws)
    assert slicer.mrmlScene.GetFirstNodeByName("New screw") is None


def test_a_click_beside_the_docking_vertebrae_places_nothing(planned: Any, phantom_plan: Plan) -> None:
    place = np.array(_middle(phantom_plan))
    planned.panel.jump_to(tuple(place))
    planned.host.process_events(0.1)
    planned.ui.placeScrewButton.click()
    planned.host.slice_view("Yellow").mouse.click(place + np.array([0.0, 20.0, 0.0]))
    planned.host.process_events(0.1)
    assert planned.plan == phantom_plan and "click on C4 or T2" in planned.message


def test_placing_is_given_up_with_the_button(planned: Any, phantom_plan: Plan) -> None:
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    planned.ui.placeScrewButton.click()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    planned.ui.placeScrewButton.click()
    planned.host.process_events()
    assert interaction.GetCurrentInteractionMode() != interaction.Place
    assert planned.plan == phantom_plan and slicer.mrmlScene.GetFirstNodeByName("New screw") is None


def test_a_line_deleted_in_the_scene_is_a_screw_deleted(planned: Any, phantom_plan: Plan) -> None:
    slicer.mrmlScene.RemoveNode(planned.desk.belongings.all("screw")[0])
    planned.host.process_events(0.05)
    assert planned.plan.screws == phantom_plan.screws[1:]
    planned.desk.undo()
    assert planned.plan == phantom_plan and len(planned.desk.belongings.all("screw")) == len(phantom_plan.screws)


def test_a_slice_view_follows_the_axis(planned: Any) -> None:
    planned.parameters.following = "axis"
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    for share in (0.0, 100.0):
        planned.parameters.followPosition = share
        planned.host.process_events()
        matrix = red.GetSliceToRAS()
        place = [matrix.GetElement(row, 3) for row in range(3)]
        end = planned.plan.axis.control_points[0 if share == 0.0 else -1]
        assert place == pytest.approx(end, abs=0.05)
    planned.parameters.following = "none"
    planned.host.process_events()
    assert red.GetOrientation() == "Axial"
