"""A chart shown beside the 3D view, and the layout put back that there was before."""

from __future__ import annotations

from typing import Any


class ChartBeside:
    """Which layout a chart replaced. Nothing is done to a layout that a person chose since."""

    def __init__(self) -> None:
        self._charted = False
        self._layout_before: int | None = None

    def show(self, chart: Any) -> None:
        """Shows a chart, once, in a layout with the 3D view where the present one has no place for it."""
        import slicer

        if self._charted:
            return
        layouts, logic = slicer.app.layoutManager(), slicer.modules.plots.logic()
        if logic.GetLayoutWithPlot(layouts.layout) != layouts.layout:
            self._layout_before = layouts.layout
            layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
        logic.ShowChartInLayout(chart)
        self._charted = True

    def take_away(self) -> None:
        """Goes back to the layout there was."""
        import slicer

        layouts = slicer.app.layoutManager()
        if self._layout_before is not None and layouts.layout == (
            slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView
        ):
            layouts.setLayout(self._layout_before)
        self.forget()

    def forget(self) -> None:
        """The case leaves the desk; its chart and layout stay as they are."""
        self._charted, self._layout_before = False, None
