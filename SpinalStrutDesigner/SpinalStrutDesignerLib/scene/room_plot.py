"""The room along the strut as a chart: a line for each structure that comes near its rule, which lies at zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..plan.plan import Plan
from ..verify.along import TOLD_MM, Profile, Trace
from .belongings import Belongings

CHART, SERIES, TABLE = "roomChart", "roomSeries", "roomTable"
# The attribute by which a structure's line is found again, whatever a person has called it since; the rule's is empty.
_STRUCTURE = "SpinalStrutDesigner.Structure"
# The chart reaches at least this far below the rules, mm, so that their line does not lie on its border.
_BELOW_MM = 2.0
# Colours told apart on white, also by the colour-blind: "Dark2" of C. Brewer, colorbrewer2.org. Later ones come dashed.
_COLORS = (
    (0.106, 0.620, 0.467), (0.851, 0.373, 0.008), (0.459, 0.439, 0.702), (0.906, 0.161, 0.541),
    (0.400, 0.651, 0.118), (0.902, 0.671, 0.008), (0.651, 0.463, 0.114), (0.400, 0.400, 0.400),
)  # fmt: skip
_RULE_COLOR = (0.1, 0.1, 0.1)
_LINE_PX, _TITLE_PT, _TEXT_PT = 2.0, 14, 11


def show_room(owner: Any, folder: int, plan: Plan, profile: Profile) -> Any:
    """Draws a strut's profile into the case's chart, which is made where there is none; returns the chart node."""
    belongings = Belongings(owner)
    near = [(n, trace) for n, trace in enumerate(profile.traces) if trace.near]
    table = belongings.get(TABLE) or _new(belongings, TABLE, "vtkMRMLTableNode", "Room along the strut", folder)
    chart = belongings.get(CHART) or _new_chart(belongings, folder)
    modified = chart.StartModify()
    _write(table, plan, profile, [trace for _, trace in near])
    lines = _lines(belongings, table, plan, near, folder)
    if [chart.GetNthPlotSeriesNodeID(n) for n in range(chart.GetNumberOfPlotSeriesNodes())] != lines:
        chart.RemoveAllPlotSeriesNodeIDs()
        for line in lines:
            chart.AddAndObservePlotSeriesNodeID(line)
    chart.SetTitle(f"Room along the strut, {plan.upper} to {plan.lower}")
    chart.SetXAxisTitle(_along_words(plan))
    chart.SetXAxisRange(0.0, float(profile.arc_mm[-1]))
    least = min((float(trace.slack_mm.min()) for _, trace in near), default=0.0)
    chart.SetYAxisRange(min(-_BELOW_MM, float(np.floor(least))), TOLD_MM)
    chart.EndModify(modified)
    return chart


def empty_room(owner: Any) -> None:
    """Takes the lines out of the chart: what they told is not known any more."""
    belongings = Belongings(owner)
    chart = belongings.get(CHART)
    if chart is not None and chart.GetNumberOfPlotSeriesNodes():
        chart.RemoveAllPlotSeriesNodeIDs()
        belongings.removed(SERIES)


def clear_room(owner: Any) -> None:
    """Takes chart, lines and table out of the scene."""
    belongings = Belongings(owner)
    for role in (CHART, SERIES, TABLE):
        if belongings.all(role):
            belongings.removed(role)


def _along_words(plan: Plan) -> str:
    return f"Along the strut from {plan.upper} (mm)"


def _write(table: Any, plan: Plan, profile: Profile, traces: Sequence[Trace]) -> None:
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    made = vtk.vtkTable()
    columns = {_along_words(plan): profile.arc_mm, "": np.zeros(len(profile.arc_mm))}
    columns |= {trace.structure: trace.slack_mm for trace in traces}
    for name, values in columns.items():
        column = numpy_to_vtk(values.astype(float), deep=True)
        column.SetName(_column(name))
        made.AddColumn(column)
    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetAndObserveTable(made)


def _column(structure: str) -> str:
    return structure.replace("_", " ") or "rule"


def _lines(belongings: Belongings, table: Any, plan: Plan, near: Sequence[tuple[int, Trace]], folder: int) -> list[str]:
    """The ids of the lines, of which those are removed that are no longer wanted, and the rule's is the first."""
    before = {node.GetAttribute(_STRUCTURE): node for node in belongings.all(SERIES)}
    nodes = []
    for number, name in ((-1, ""), *((number, trace.structure) for number, trace in near)):
        node = before.pop(name, None) or _new_line(belongings, name, number, folder)
        node.SetAndObserveTableNodeID(table.GetID())
        node.SetXColumnName(_along_words(plan))
        node.SetYColumnName(_column(name))
        nodes.append(node)
    for node in before.values():
        belongings.owner.GetScene().RemoveNode(node)
    if nodes != belongings.all(SERIES):
        belongings.put(SERIES, *nodes)
    return [node.GetID() for node in nodes]


def _new_line(belongings: Belongings, name: str, number: int, folder: int) -> Any:
    node = belongings.owner.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode", _column(name))
    node.SetAttribute(_STRUCTURE, name)
    node.SetPlotType(node.PlotTypeScatter)
    node.SetMarkerStyle(node.MarkerStyleNone)
    node.SetLineWidth(_LINE_PX)
    node.SetLineStyle(node.LineStyleDash if number >= len(_COLORS) else node.LineStyleSolid)
    node.SetColor(*(_COLORS[number % len(_COLORS)] if name else _RULE_COLOR))
    put_in_folder(node, folder)
    return node


def _new_chart(belongings: Belongings, folder: int) -> Any:
    node = _new(belongings, CHART, "vtkMRMLPlotChartNode", "Room along the strut (chart)", folder)
    node.SetYAxisTitle("Beyond the rule (mm)")
    node.SetXAxisRangeAuto(False)
    node.SetYAxisRangeAuto(False)
    node.SetTitleFontSize(_TITLE_PT)
    node.SetAxisTitleFontSize(_TEXT_PT)
    node.SetAxisLabelFontSize(_TEXT_PT)
    node.SetLegendFontSize(_TEXT_PT)
    return node


def _new(belongings: Belongings, role: str, kind: str, name: str, folder: int) -> Any:
    node = belongings.owner.GetScene().AddNewNodeByClass(kind, name)
    put_in_folder(node, folder)
    belongings.put(role, node)
    return node
