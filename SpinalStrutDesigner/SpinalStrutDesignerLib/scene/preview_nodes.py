"""The live preview's nodes: the solid, which can be coloured by the room it has, its porous layers as translucent
blocks, and the axis coloured by the room along it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.scene.hierarchy import put_in_folder
from LatticeGeneratorLib.scene.models import polydata

from ..plan.curve import AxisCurve
from ..verify.preview import SLACK_SHOWN_MM
from .belongings import Belongings

SOLID, BLOCK, MARGIN = "preview", "previewBlock", "axisMargin"
_TITANIUM, _POROUS = (0.72, 0.74, 0.78), (0.95, 0.60, 0.20)
# What is left beyond every rule at which it is drawn red, and from which on it is green, mm; yellow between.
_BROKEN_MM, _TIGHT_MM, _ROOMY_MM = -1.0, 0.0, SLACK_SHOWN_MM
_SLACK, _MARGIN_SCALARS = "slack_mm", "margin_mm"
_OPACITY = 0.75  # of the solid, so that the axis and its colours are seen through it
# Of the colours' legend: a label each millimetre; its size as parts of the view's.
_LABELS, _LEGEND_SIZE = 4, (0.06, 0.25)
_TUBE_MM = 0.8  # radius of the coloured axis: thin beside the least section, 2 mm


def show_preview(owner: Any, folder: int, solid: Mesh, blocks: Sequence[Mesh], slack_mm: np.ndarray) -> Any:
    """Shows the previewed solid and its blocks; returns the solid's model node. Visibility, opacity and whether it is
    coloured are kept.

    slack_mm: (n,) at the solid's corners, as `Clearances.slack_at`.
    """
    from vtk.util.numpy_support import numpy_to_vtk

    belongings = Belongings(owner)
    new = belongings.get(SOLID) is None
    node = _model(belongings, SOLID, 0, "Implant preview", _TITANIUM, _OPACITY, folder)
    surface = _smooth(solid)
    scalars = numpy_to_vtk(slack_mm.astype(float), deep=True)
    scalars.SetName(_SLACK)
    surface.GetPointData().SetScalars(scalars)
    node.SetAndObservePolyData(surface)
    if new:
        color_by_slack(owner, True)
    for number, block in enumerate(blocks):
        name = f"Porous interface {number + 1} (block)"
        _model(belongings, BLOCK, number, name, _POROUS, 0.45, folder).SetAndObservePolyData(polydata(block))
    for extra in belongings.all(BLOCK)[len(blocks) :]:
        owner.GetScene().RemoveNode(extra)
    return node


def color_by_slack(owner: Any, colored: bool) -> None:
    """Colours the previewed solid by the room it has, with a legend, or shows it as metal."""
    import slicer

    node = Belongings(owner).get(SOLID)
    if node is None:
        return
    display, scene = node.GetDisplayNode(), node.GetScene()
    if colored:
        _color_by(display, _SLACK)
        legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
        legend.SetTitleText("Room (mm)")
        legend.SetLabelFormat("%.0f")
        legend.SetNumberOfLabels(_LABELS)
        legend.SetSize(*_LEGEND_SIZE)
        legend.SetVisibility2D(False)
        return
    display.SetScalarVisibility(False)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(display)
    if legend is not None:
        scene.RemoveNode(legend)


def is_colored(owner: Any) -> bool:
    """Whether the previewed solid is coloured by its room; False where there is none."""
    node = Belongings(owner).get(SOLID)
    return node is not None and bool(node.GetDisplayNode().GetScalarVisibility())


def _smooth(mesh: Mesh) -> Any:
    """A mesh with a normal at each corner: edges of a preview are coarse, and drawn flat they would look like a saw."""
    import vtk

    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(polydata(mesh))
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


def show_margins(owner: Any, folder: int, curve: AxisCurve, margins_mm: np.ndarray) -> Any:
    """The axis as a thin line, red where the strut has no margin left, green where there is room.

    margins_mm: (n,) at the curve's samples: what is left beyond the rules, negative where one is broken.
    """
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    line = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(curve.points, deep=True))
    line.SetPoints(points)
    cells = vtk.vtkCellArray()
    cells.InsertNextCell(len(curve.points), list(range(len(curve.points))))
    line.SetLines(cells)
    scalars = numpy_to_vtk(margins_mm.astype(float), deep=True)
    scalars.SetName(_MARGIN_SCALARS)
    line.GetPointData().SetScalars(scalars)
    tube = vtk.vtkTubeFilter()
    tube.SetInputData(line)
    tube.SetRadius(_TUBE_MM)
    tube.SetNumberOfSides(8)
    tube.Update()
    node = _model(Belongings(owner), MARGIN, 0, "Axis margins", (1.0, 1.0, 1.0), 1.0, folder)
    # In slices the axis' curve is seen; a tube cut anew at every event would cost more than it shows.
    node.GetDisplayNode().SetVisibility2D(False)
    node.SetAndObservePolyData(tube.GetOutput())
    _color_by(node.GetDisplayNode(), _MARGIN_SCALARS)
    return node


def _color_by(display: Any, scalars: str) -> None:
    """Has a model drawn in the colours of what is left beyond the rules. scalars: the array that holds it."""
    scene = display.GetScene()
    if display.GetColorNodeID() and display.GetScalarVisibility():
        return
    colors = scene.GetFirstNodeByName("Strut margin colours")
    if colors is None:
        import slicer
        import vtk

        colors = slicer.vtkMRMLProceduralColorNode()
        colors.SetName("Strut margin colours")
        colors.SetHideFromEditors(True)
        function = vtk.vtkDiscretizableColorTransferFunction()
        function.AddRGBPoint(_BROKEN_MM, 0.80, 0.10, 0.10)
        function.AddRGBPoint(_TIGHT_MM, 0.90, 0.25, 0.10)
        function.AddRGBPoint(0.5 * (_TIGHT_MM + _ROOMY_MM), 0.95, 0.80, 0.20)
        function.AddRGBPoint(_ROOMY_MM, 0.20, 0.65, 0.30)
        colors.SetAndObserveColorTransferFunction(function)
        scene.AddNode(colors)
    display.SetAndObserveColorNodeID(colors.GetID())
    display.SetActiveScalarName(scalars)
    display.SetScalarRangeFlag(display.UseManualScalarRange)
    display.SetScalarRange(_BROKEN_MM, _ROOMY_MM)
    display.SetScalarVisibility(True)


def _model(
    belongings: Belongings, role: str, number: int, name: str, color: tuple[float, float, float], opacity: float,
    folder: int,
) -> Any:  # fmt: skip
    """The model node of a role: the one there is, or a new one with its first looks, in the case's folder."""
    nodes = belongings.all(role)
    if number < len(nodes):
        return nodes[number]
    node = belongings.owner.GetScene().AddNewNodeByClass("vtkMRMLModelNode", name)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*color)
    display.SetOpacity(opacity)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    put_in_folder(node, folder)
    belongings.put(role, *nodes, node)
    return node
