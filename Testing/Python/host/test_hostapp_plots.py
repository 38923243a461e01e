"""The host's plot view shows the chart that the plots module's logic is given, where the chart says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture
def chart(host: Any) -> Any:
    """Red points at height 5 over 0 to 10, in axes of 0 to 10 both ways."""
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(table, (np.linspace(0.0, 10.0, 11), np.full(11, 5.0)), ("x", "y"))
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "Height")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleNone)
    series.SetColor(1.0, 0.0, 0.0)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    node.AddAndObservePlotSeriesNodeID(series.GetID())
    for letter in "XY":
        getattr(node, f"Set{letter}AxisRangeAuto")(False)
        getattr(node, f"Set{letter}AxisRange")(0.0, 10.0)
    node.SetLegendVisibility(False)
    return node


def red_rows(host: Any) -> np.ndarray:
    """How much of each row of the plot view is red, from the top."""
    host.process_events(0.05)
    pixels = slicer.app.layoutManager().plotWidget(0).plotView().pixels().astype(int)
    return ((pixels[..., 0] > 200) & (pixels[..., 1] < 120)).mean(axis=1)


def test_a_chart_is_shown_in_a_layout_with_a_plot(host: Any, chart: Any) -> None:
    layouts = slicer.app.layoutManager()
    assert not layouts.plotWidget(0).isVisible()
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    host.process_events(0.05)
    assert layouts.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView
    assert layouts.plotWidget(0).isVisible() and layouts.threeDWidget(0).isVisible()
    assert layouts.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() is chart
    rows = red_rows(host)
    height = int(rows.argmax())
    assert rows[height] > 0.5 and 0.3 < height / len(rows) < 0.7
    # Twice as high: a quarter of the axis nearer to the top.
    slicer.util.updateTableFromArray(
        chart.GetNthPlotSeriesNode(0).GetTableNode(), (np.linspace(0.0, 10.0, 11), np.full(11, 7.5)), ("x", "y")
    )
    assert int(red_rows(host).argmax()) < height - 0.1 * len(rows)
    layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    assert not layouts.plotWidget(0).isVisible()


def test_a_chart_that_is_removed_is_not_shown(host: Any, chart: Any) -> None:
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    assert red_rows(host).max() > 0.5
    slicer.mrmlScene.RemoveNode(chart)
    assert red_rows(host).max() == 0.0
