"""The CT along a screw as a chart: mean HU round its thread over the depth, and where mean screws loosened."""

from __future__ import annotations

from typing import Any

import numpy as np
from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..case.model import Case
from ..plan.plan import Plan
from ..verify.purchase import hu_profile
from ..verify.screwline import ScrewLine
from ..verify.screws import LOOSENING_HU
from .belongings import Belongings

CHART, SERIES, TABLE = "screwChart", "screwSeries", "screwProfile"
DEPTH, HU, LIMIT = "Depth under the head (mm)", "HU along the thread", f"{LOOSENING_HU:g} HU"
"""Columns of the table: the last one is the mean below which screws loosened."""
# The CT's and the limit's colours on white, as in the chart of the room along the strut.
_COLORS = {HU: (0.106, 0.620, 0.467), LIMIT: (0.1, 0.1, 0.1)}
_LINE_PX, _TITLE_PT, _TEXT_PT = 2.0, 14, 11


def show_screw_profile(owner: Any, folder: int, case: Case, plan: Plan, number: int) -> Any:
    """Draws the profile of a plan's screw, numbered from 0, into the case's chart, which is made where there is none.

    case: as posed and resected. Returns the chart node.
    """
    belongings, screw = Belongings(owner), plan.screws[number]
    depths, values = hu_profile(case, ScrewLine(screw, number + 1, case.structure(screw.level)))
    table = belongings.get(TABLE) or _new(belongings, TABLE, "vtkMRMLTableNode", "HU along a screw", folder)
    _write(table, depths, values)
    chart = belongings.get(CHART) or _new_chart(belongings, table, folder)
    modified = chart.StartModify()
    chart.SetTitle(f"{screw.level} screw {number + 1}")
    chart.SetXAxisRange(float(depths[0]), float(depths[-1]))
    chart.EndModify(modified)
    return chart


def screw_profile_shown(owner: Any) -> bool:
    """Whether there is a chart."""
    return Belongings(owner).get(CHART) is not None


def clear_screw_profile(owner: Any) -> None:
    """Takes chart, lines and table out of the scene."""
    belongings = Belongings(owner)
    for role in (CHART, SERIES, TABLE):
        if belongings.all(role):
            belongings.removed(role)


def _write(table: Any, depths: np.ndarray, values: np.ndarray) -> None:
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    made = vtk.vtkTable()
    for name, column in ((DEPTH, depths), (HU, values), (LIMIT, np.full(len(depths), LOOSENING_HU))):
        array = numpy_to_vtk(column.astype(float), deep=True)
        array.SetName(name)
        made.AddColumn(array)
    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetAndObserveTable(made)


def _new_chart(belongings: Belongings, table: Any, folder: int) -> Any:
    lines = [_new_line(belongings, table, name, folder) for name in (HU, LIMIT)]
    belongings.put(SERIES, *lines)
    node = _new(belongings, CHART, "vtkMRMLPlotChartNode", "HU along a screw (chart)", folder)
    for line in lines:
        node.AddAndObservePlotSeriesNodeID(line.GetID())
    node.SetXAxisTitle(DEPTH)
    node.SetYAxisTitle("HU")
    node.SetXAxisRangeAuto(False)
    node.SetTitleFontSize(_TITLE_PT)
    node.SetAxisTitleFontSize(_TEXT_PT)
    node.SetAxisLabelFontSize(_TEXT_PT)
    node.SetLegendFontSize(_TEXT_PT)
    return node


def _new_line(belongings: Belongings, table: Any, name: str, folder: int) -> Any:
    node = belongings.owner.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    node.SetPlotType(node.PlotTypeScatter)
    node.SetMarkerStyle(node.MarkerStyleNone)
    node.SetLineWidth(_LINE_PX)
    node.SetLineStyle(node.LineStyleDash if name == LIMIT else node.LineStyleSolid)
    node.SetColor(*_COLORS[name])
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(DEPTH)
    node.SetYColumnName(name)
    put_in_folder(node, folder)
    return node


def _new(belongings: Belongings, role: str, kind: str, name: str, folder: int) -> Any:
    node = belongings.owner.GetScene().AddNewNodeByClass(kind, name)
    belongings.put(role, node)
    put_in_folder(node, folder)
    return node
