"""The plot view: the chart that a plot view node shows, drawn by VTK's own charts as in the application."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from .rendered_view import RenderedView

_LINES = {
    slicer.vtkMRMLPlotSeriesNode.LineStyleNone: vtk.vtkPen.NO_PEN,
    slicer.vtkMRMLPlotSeriesNode.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDash: vtk.vtkPen.DASH_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDot: vtk.vtkPen.DOT_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDashDot: vtk.vtkPen.DASH_DOT_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDashDotDot: vtk.vtkPen.DASH_DOT_DOT_LINE,
}


class PlotView(RenderedView):
    """The application's qMRMLPlotView, for scatter series: lines through points of two columns.

    Source: Slicer Libs/MRML/Widgets/qMRMLPlotView.cxx.
    """

    def __init__(self, node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node = node
        self._observed: list[tuple[Any, int]] = []
        self._chart = vtk.vtkChartXY()
        self._chart.GetLegend().SetHorizontalAlignment(vtk.vtkChartLegend.RIGHT)
        actor = vtk.vtkContextActor()
        actor.GetScene().AddItem(self._chart)
        actor.GetScene().SetRenderer(self._renderer)
        self._renderer.SetBackground(1.0, 1.0, 1.0)
        self._renderer.AddActor(actor)
        node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._follow())
        self._follow()

    def mrmlPlotViewNode(self) -> Any:
        """The plot view node."""
        return self._node

    def chart(self) -> Any:
        """The vtkChartXY."""
        return self._chart

    def _follow(self) -> None:
        """Watches the chart that is to be shown, and draws it."""
        for observed, tag in self._observed:
            observed.RemoveObserver(tag)
        chart = self._node.GetPlotChartNode()
        events = () if chart is None else (vtk.vtkCommand.ModifiedEvent, chart.PlotModifiedEvent)
        self._observed = [(chart, chart.AddObserver(event, lambda caller, name: self._draw())) for event in events]
        self._draw()

    def _draw(self) -> None:
        chart, shown = self._node.GetPlotChartNode(), self._chart
        shown.ClearPlots()
        shown.SetTitle("")
        if chart is not None and chart.GetScene() is not None:
            for number in range(chart.GetNumberOfPlotSeriesNodes()):
                series = chart.GetNthPlotSeriesNode(number)
                if series is not None:
                    self._add(series)
            self._dress(chart)
        self.scheduleRender()

    def _add(self, series: Any) -> None:
        table = series.GetTableNode()
        columns = series.GetXColumnName(), series.GetYColumnName()
        if table is None or not table.GetNumberOfRows() or None in map(table.GetTable().GetColumnByName, columns):
            return
        plot = self._chart.AddPlot(vtk.vtkChart.LINE)
        plot.SetInputData(table.GetTable(), *columns)
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(_LINES[series.GetLineStyle()])

    def _dress(self, chart: Any) -> None:
        shown = self._chart
        shown.SetTitle(chart.GetTitle() if chart.GetTitleVisibility() and chart.GetTitle() else "")
        shown.GetTitleProperties().SetFontSize(chart.GetTitleFontSize())
        shown.SetShowLegend(chart.GetLegendVisibility())
        shown.GetLegend().GetLabelProperties().SetFontSize(chart.GetLegendFontSize())
        for at, letter in ((vtk.vtkAxis.BOTTOM, "X"), (vtk.vtkAxis.LEFT, "Y")):
            axis = shown.GetAxis(at)
            axis.SetTitle(getattr(chart, f"Get{letter}AxisTitle")() or "")
            axis.GetTitleProperties().SetFontSize(chart.GetAxisTitleFontSize())
            axis.GetLabelProperties().SetFontSize(chart.GetAxisLabelFontSize())
            axis.SetGridVisible(chart.GetGridVisibility())
            if getattr(chart, f"Get{letter}AxisRangeAuto")():
                axis.SetBehavior(vtk.vtkAxis.AUTO)
            else:
                axis.SetBehavior(vtk.vtkAxis.FIXED)
                axis.SetRange(*getattr(chart, f"Get{letter}AxisRange")())
        shown.RecalculateBounds()
