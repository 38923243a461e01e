"""The room along the strut in the panel: told in words, drawn beside the scene, as colours; gone when not wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.verify.along import TOLD_MM, Profile, Trace
from vtk.util.numpy_support import vtk_to_numpy

LAYOUTS = slicer.vtkMRMLLayoutNode
PLOTS = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode")


@pytest.fixture
def previewed(planned: Any) -> Any:
    """The phantom's plan with its preview."""
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    planned.host.process_events()
    return planned


def drawn() -> dict[str, np.ndarray]:
    """The lines of the chart in the plot view, by structure."""
    chart = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().GetPlotChartNode()
    found = {}
    for number in range(chart.GetNumberOfPlotSeriesNodes() if chart is not None else 0):
        line = chart.GetNthPlotSeriesNode(number)
        found[line.GetName()] = vtk_to_numpy(line.GetTableNode().GetTable().GetColumnByName(line.GetYColumnName()))
    return found


def test_least_room_is_that_of_the_axis(previewed: Any) -> None:
    profile = previewed.panel.live.room_of(previewed.plan)
    tightest = profile.tightest
    words = previewed.ui.roomLabel.text
    assert tightest.structure.replace("_", " ") in words and "below C4" in words
    assert f"{abs(tightest.slack_mm):.1f} mm" in words and f"{tightest.at_mm:.0f} mm below" in words


def test_the_chart_stands_beside_the_scene_and_follows_a_drag(previewed: Any) -> None:
    layouts = slicer.app.layoutManager()
    layouts.setLayout(LAYOUTS.SlicerLayoutConventionalWidescreenView)
    previewed.ui.roomCheckBox.checked = True
    previewed.host.process_events(0.1)
    assert layouts.plotWidget(0).isVisible() and layouts.threeDWidget(0).isVisible()
    before = drawn()
    profile = previewed.panel.live.room
    near = {trace.structure.replace("_", " "): trace for trace in profile.traces if trace.slack_mm.min() < 10.0}
    assert set(before) == {"rule", *near} and len(near) >= 3
    for name, trace in near.items():
        np.testing.assert_allclose(before[name], trace.slack_mm)
    curve = previewed.desk.belongings.get("axis")
    x, y, z = curve.GetNthControlPointPositionWorld(2)
    curve.InvokeEvent(curve.PointStartInteractionEvent)
    curve.SetNthControlPointPositionWorld(2, x + 2.0, y, z)
    dragged = drawn()
    assert any(not np.array_equal(dragged[name], before[name]) for name in set(before) & set(dragged) - {"rule"})
    curve.InvokeEvent(curve.PointEndInteractionEvent)
    previewed.desk.undo()
    after = drawn()
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-9)
    # The picture shows lines, and is white without them.
    view = layouts.plotWidget(0).plotView()
    assert (view.pixels() < 100).any(axis=2).mean() > 0.005
    previewed.ui.roomCheckBox.checked = False
    previewed.host.process_events(0.1)
    assert layouts.layout == LAYOUTS.SlicerLayoutConventionalWidescreenView
    assert [slicer.mrmlScene.GetNumberOfNodesByClass(kind) for kind in PLOTS] == [0, 0]
    assert slicer.mrmlScene.GetFirstNodeByName("Room along the strut") is None


def test_what_is_not_measured_is_not_drawn(previewed: Any) -> None:
    previewed.ui.roomCheckBox.checked = True
    previewed.ui.previewCheckBox.checked = False
    assert drawn()
    previewed.ui.plan_section_width_mm.value = 12.0
    assert drawn() == {} and previewed.ui.roomLabel.text == ""
    previewed.ui.undoButton.click()
    assert drawn() and previewed.ui.roomLabel.text


def test_a_closed_scene_keeps_nothing_of_it(previewed: Any) -> None:
    previewed.ui.roomCheckBox.checked = True
    previewed.host.process_events()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") > 2
    previewed.host.close_scene()
    previewed.host.process_events(0.1)
    kinds = (*PLOTS, "vtkMRMLTableNode", "vtkMRMLColorLegendDisplayNode")
    assert [slicer.mrmlScene.GetNumberOfNodesByClass(kind) for kind in kinds] == [0, 0, 0, 0]
    assert not previewed.ui.roomCheckBox.checked and drawn() == {}


def test_the_strut_is_colored_until_a_person_wants_metal(previewed: Any) -> None:
    display = previewed.desk.belongings.get("preview").GetDisplayNode()
    assert previewed.ui.slackColorsCheckBox.checked and display.GetScalarVisibility()
    previewed.ui.slackColorsCheckBox.checked = False
    assert not display.GetScalarVisibility()
    previewed.ui.plan_section_width_mm.value = 11.0
    assert not display.GetScalarVisibility()
    previewed.ui.slackColorsCheckBox.checked = True
    assert display.GetScalarVisibility()


def test_words_tell_what_limits_where(host: Any) -> None:
    from SpinalStrutDesignerLib.panel.room import room_words

    arc = np.linspace(0.0, 60.0, 61)
    sac = Trace("dural_sac", "clearance", np.where(arc < 30.5, 4.0, 9.0), np.full(61, 3.0))
    gullet = Trace("oesophagus", "displacement", np.where(arc == 41.0, -2.4, 2.0), np.full(61, -2.0))
    assert room_words(Profile(arc, (sac, gullet)), "C4") == (
        "Short of room by 0.4 mm: oesophagus, 41 mm below C4\n"
        "From C4 down: dural sac 0 to 30 mm (1.0 mm), oesophagus 31 to 60 mm (-0.4 mm)"
    )
    assert room_words(Profile(arc, (sac,)), "C4") == "Least room 1.0 mm: dural sac, 0 mm below C4"
    far = Trace("lungs", "clearance", np.full(61, 1.8 + TOLD_MM), np.full(61, 1.8))
    assert room_words(Profile(arc, (far,)), "C4") == "More than 10 mm of room everywhere"
    assert "no structure" in room_words(Profile(arc, ()), "C4")
