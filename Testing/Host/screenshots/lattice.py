"""The Lattice Generator, filling a model."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from .stage import FRONT_LEFT, JOB_TIMEOUT_S, Stage

# A spacer as it is put between two vertebrae: half width, half depth and half height, mm.
_HALF_MM = (6.0, 4.5, 3.0)

# Coarser than for bone: so that the pores are seen in a picture, and few enough triangles to show all of them, µm.
_PORES_UM = 1200.0


def show_lattice(stage: Stage) -> None:
    """A model of a spacer that becomes a gyroid, denser downwards, in a frame in front; what was measured on it."""
    stage.host.close_scene()
    stage.dress_views()
    widget = stage.host.open_module("LatticeGenerator")
    ui = widget.ui
    spacer = slicer.modules.models.logic().AddModel(_spacer())
    spacer.SetName("Spacer")
    spacer.GetDisplayNode().SetColor(0.75, 0.80, 0.88)
    spacer.GetDisplayNode().SetVisibility2D(True)
    ui.domainSelector.setCurrentNode(spacer)
    ui.poreSizeSlider.value, ui.porositySlider.value = _PORES_UM, 75.0
    _choose(stage, ui.gradingComboBox, "Changes along a line")
    ui.gradingLineSelector.setCurrentNode(_line())
    ui.endPorositySlider.value = 60.0
    _choose(stage, ui.finishComboBox, "A solid frame with windows for powder")
    _choose(stage, ui.sideComboBox, "Anterior (front)")
    ui.fillButton.click()
    stage.host.wait_for(lambda: not widget.panel.work.busy, JOB_TIMEOUT_S, "the end of the lattice")
    stage.host.process_events()
    if ui.messageLabel.text:
        raise RuntimeError(ui.messageLabel.text)
    _show_whole(stage)
    slicer.util.getNode("Line").GetDisplayNode().SetVisibility(False)
    stage.look_from(FRONT_LEFT, (0.0, 0.0, 0.0), 3.6 * _HALF_MM[1])
    stage.show_in_slices((0.0, 0.0, 0.0), dict.fromkeys(("Red", "Green", "Yellow"), 4.0 * _HALF_MM[1]))
    stage.host.scroll_to(ui.resultLabel)
    stage.take("7_lattice")


def _choose(stage: Stage, box: Any, words: str) -> None:
    """An entry of a combo box by what a person reads."""
    box.currentIndex = box.findText(words)
    stage.host.process_events()


def _line() -> Any:
    """From the upper face of the spacer to the lower one."""
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Line")
    line.AddControlPoint(0.0, 0.0, _HALF_MM[2])
    line.AddControlPoint(0.0, 0.0, -_HALF_MM[2])
    return line


def _show_whole(stage: Stage) -> None:
    """The whole mesh in place of the one that is thinned out for quick display, where there are two."""
    for whole in slicer.util.getNodes("* lattice (whole)").values():
        whole.GetDisplayNode().SetVisibility(True)
        whole.GetDisplayNode().SetVisibility2D(True)
        slicer.util.getNode(whole.GetName().removesuffix(" (whole)")).GetDisplayNode().SetVisibility(False)
    stage.host.process_events()


def _spacer() -> Any:
    """A block with rounded edges, as a closed surface."""
    body = vtk.vtkSuperquadricSource()
    body.SetScale(*_HALF_MM)
    body.SetSize(1.0)
    body.SetPhiRoundness(0.35)
    body.SetThetaRoundness(0.45)
    body.SetPhiResolution(96)
    body.SetThetaResolution(96)
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(body.GetOutputPort())
    joined = vtk.vtkCleanPolyData()
    joined.SetInputConnection(triangles.GetOutputPort())
    joined.ConvertPolysToLinesOff()
    joined.Update()
    return joined.GetOutput()
