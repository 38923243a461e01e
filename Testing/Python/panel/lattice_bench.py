"""LatticeGenerator's panel as tests use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

# An edge of the block that is filled, mm.
EDGE = 3.0
TIMEOUT_S = 120.0


@dataclass
class Bench:
    """The panel as a test uses it."""

    host: Any
    widget: Any

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def panel(self) -> Any:
        return self.widget.panel

    @property
    def parameters(self) -> Any:
        return self.widget._parameterNode

    @property
    def process(self) -> Any:
        return self.panel.work._child._process

    def choose(self, box: Any, words: str) -> None:
        """Chooses an entry of a combo box by what a person reads."""
        place = box.findText(words)
        assert place >= 0, [box.itemText(n) for n in range(box.count)]
        box.currentIndex = place
        self.host.process_events()

    def wait(self) -> None:
        """Until the child process has ended and its result is taken in."""
        self.host.wait_for(lambda: not self.panel.work.busy, TIMEOUT_S, "the end of the job")
        self.host.process_events()

    def apply(self) -> None:
        """Presses Apply and waits."""
        assert self.ui.fillButton.enabled, self.ui.fillButton.toolTip
        self.ui.fillButton.click()
        self.wait()

    def texts(self) -> dict[str, tuple[str, str, str, str]]:
        """The result as it reads: verdict, ordered, made and printed, by quantity."""
        table = self.ui.resultTable
        lines = [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]
        return {quantity: (verdict, ordered, made, printed) for verdict, quantity, ordered, made, printed in lines}

    def rows(self) -> dict[str, tuple[str, float, float]]:
        """The comparison: verdict, ordered and made, by quantity; of what has a limit."""
        return {name: (text[0], number(text[1]), number(text[2])) for name, text in self.texts().items() if text[1]}


def number(text: str) -> float:
    """The first number in a text."""
    return float(re.findall(r"[\d.]+", text)[0])


def volume_of(node: Any) -> float:
    """Of a closed model, by VTK, mm³."""
    properties = vtk.vtkMassProperties()
    properties.SetInputData(node.GetPolyData())
    return float(properties.GetVolume())


def block_of(edge: float = EDGE, name: str = "Block") -> Any:
    """A model of a cube round the origin."""
    cube = vtk.vtkCubeSource()
    cube.SetXLength(edge)
    cube.SetYLength(edge)
    cube.SetZLength(edge)
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(cube.GetOutputPort())
    triangles.Update()
    node = slicer.modules.models.logic().AddModel(triangles.GetOutput())
    node.SetName(name)
    return node
