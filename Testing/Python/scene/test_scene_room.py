"""The room along a strut as nodes: a table, a line for each structure that comes near, a chart; and as colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from LatticeGeneratorLib.mesh.solids import sphere
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.scene.belongings import Belongings
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.preview_nodes import SOLID, color_by_slack, show_preview
from SpinalStrutDesignerLib.scene.room_plot import CHART, SERIES, TABLE, clear_room, empty_room, show_room
from SpinalStrutDesignerLib.verify.along import Profile, Trace
from vtk.util.numpy_support import vtk_to_numpy

ARC = np.linspace(0.0, 40.0, 41)
PLAN = Plan("C4", "T2")
KINDS = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")


def profile(**slacks: float) -> Profile:
    """Structures that come nearest to their rule in the middle, by so much."""
    dip = np.abs(ARC - 20.0)
    return Profile(
        ARC, tuple(Trace(name, "clearance", slack + 3.0 + dip, np.full(41, 3.0)) for name, slack in slacks.items())
    )


def shown(owner: Any, found: Profile) -> Any:
    return show_room(owner, case_folder(owner, None, "Strut"), PLAN, found)


def column(series: Any, name: str) -> np.ndarray:
    return vtk_to_numpy(series.GetTableNode().GetTable().GetColumnByName(name))


def lines(chart: Any) -> dict[str, np.ndarray]:
    """What each line shows, by its name."""
    series = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
    for line in series:
        np.testing.assert_allclose(column(line, line.GetXColumnName()), ARC)
    return {line.GetName(): column(line, line.GetYColumnName()) for line in series}


def count(scene: Any) -> list[int]:
    return [scene.GetNumberOfNodesByClass(kind) for kind in KINDS]


def test_structures_that_come_near_are_lines_over_the_rule(scene: Any, owner: Any) -> None:
    chart = shown(owner, profile(dural_sac=0.4, heart=12.0, metal=-1.5))
    found = lines(chart)
    assert list(found) == ["rule", "dural sac", "metal"]
    assert not found["rule"].any()
    np.testing.assert_allclose(found["dural sac"], 0.4 + np.abs(ARC - 20.0))
    assert found["metal"].min() == pytest.approx(-1.5)
    assert "(mm)" in chart.GetXAxisTitle() and "C4" in chart.GetXAxisTitle() and "(mm)" in chart.GetYAxisTitle()
    assert chart.GetXAxisRange() == (0.0, 40.0)
    low, high = chart.GetYAxisRange()
    assert low <= -1.5 and high == 10.0
    colors = {chart.GetNthPlotSeriesNode(n).GetColor() for n in range(3)}
    assert len(colors) == 3


def test_a_change_moves_the_lines_there_are(scene: Any, owner: Any) -> None:
    chart = shown(owner, profile(dural_sac=0.4, metal=3.0))
    sac = chart.GetNthPlotSeriesNode(1)
    sac.SetName("my sac")
    sac.SetColor(0.0, 0.0, 1.0)
    again = shown(owner, profile(oesophagus=2.0, dural_sac=1.4, metal=30.0))
    assert again is chart
    assert list(lines(chart)) == ["rule", "oesophagus", "my sac"]
    assert lines(chart)["my sac"].min() == pytest.approx(1.4) and sac.GetColor() == (0.0, 0.0, 1.0)
    assert count(scene) == [1, 3, 1]
    deep = shown(owner, profile(dural_sac=-7.2))
    assert deep.GetYAxisRange()[0] <= -7.2 and count(scene) == [1, 2, 1]


def test_nothing_is_left_of_a_chart_that_is_taken_away(scene: Any, owner: Any) -> None:
    before = scene.GetNumberOfNodes()
    folder = case_folder(owner, None, "Strut")
    shown(owner, profile(dural_sac=0.4))
    empty_room(owner)
    assert count(scene) == [1, 0, 1] and lines(Belongings(owner).get(CHART)) == {}
    shown(owner, profile(dural_sac=0.4))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for role in (CHART, SERIES, TABLE):
        for node in Belongings(owner).all(role):
            assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    clear_room(owner)
    assert count(scene) == [0, 0, 0] and scene.GetNumberOfNodes() <= before + 1  # the subject hierarchy's own


def test_the_preview_is_colored_by_its_room_and_goes_back_to_metal(scene: Any, owner: Any) -> None:
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())  # as the application's colour logic does
    ball = sphere((0.0, 0.0, 0.0), 5.0)
    slack = ball.vertices[:, 0]
    folder = case_folder(owner, None, "Strut")
    node = show_preview(owner, folder, ball, (), slack)
    display = node.GetDisplayNode()
    nodes = scene.GetNumberOfNodes()
    color_by_slack(owner, True)
    assert scene.GetNumberOfNodes() == nodes  # it is so from the first
    assert display.GetScalarVisibility() and display.GetActiveScalarName() == "slack_mm"
    np.testing.assert_allclose(vtk_to_numpy(node.GetPolyData().GetPointData().GetArray("slack_mm")), slack)
    low, high = display.GetScalarRange()
    assert low < 0.0 < high
    color = [0.0] * 3
    transfer = display.GetColorNode().GetColorTransferFunction()
    transfer.GetColor(low, color)
    assert color[0] > 2.0 * color[1]  # red
    transfer.GetColor(high, color)
    assert color[1] > 2.0 * color[0]  # green
    (legend,) = [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes()) if n]
    assert legend.IsA("vtkMRMLColorLegendDisplayNode") and "mm" in legend.GetTitleText()
    # A later preview keeps its colours and legend.
    show_preview(owner, folder, ball, (), -slack)
    assert display.GetScalarVisibility() and node.GetNumberOfDisplayNodes() == 2
    color_by_slack(owner, False)
    assert not display.GetScalarVisibility() and node.GetNumberOfDisplayNodes() == 1
    assert scene.GetNumberOfNodes() == nodes - 1
    show_preview(owner, folder, ball, (), slack)
    assert not display.GetScalarVisibility() and scene.GetNumberOfNodes() == nodes - 1
    assert Belongings(owner).get(SOLID) is node
