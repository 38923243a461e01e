"""The area beside the module panel: a 3D, three slice and a plot view, arranged as the layout node says."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .plot_view import PlotView
from .strict import strict_class
from .views import SliceView, ThreeDView

SLICE_NAMES = ("Red", "Green", "Yellow")

# Height of the bar over a view, px.
_BAR_PX = 22

# The light blue of the application's 3D view bars.
_THREE_D_COLOR = "#BBBEEB"

# The grey of its plot view bars.
_PLOT_COLOR = "#E1E1E1"

# Rows or columns of the finest layout.
_MOST_STRETCHES = 6


class ViewBar(QtWidgets.QWidget):
    """The coloured bar over a view: its letter and, over a slice, the slider of its offset."""

    def __init__(self, letter: str, color: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_BAR_PX)
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(QtGui.QPalette.Window, QtGui.QColor(color))
        self.setPalette(palette)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(8)
        label = QtWidgets.QLabel(letter, self)
        font = label.font()
        font.setBold(True)
        label.setFont(font)
        row.addWidget(label)
        self.row = row


class SliceController(ViewBar):
    """The application's qMRMLSliceControllerWidget: the slice's offset in millimetres."""

    # Slider steps per millimetre.
    _STEPS = 10.0

    def __init__(self, view: SliceView, letter: str, color: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(letter, color, parent)
        self._view = view
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal, self)
        self._text = QtWidgets.QLabel(self)
        self._text.setMinimumWidth(84)
        self._text.setAlignment(QtCore.Qt.AlignRight | QtCore.Qt.AlignVCenter)
        self.row.addWidget(self._slider, 1)
        self.row.addWidget(self._text)
        self._slider.valueChanged.connect(lambda value: view.sliceLogic().SetSliceOffset(value / self._STEPS))
        for source in (view.sliceLogic(), view.mrmlSliceNode()):
            source.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._show())
        self._show()

    def _show(self) -> None:
        logic, node = self._view.sliceLogic(), self._view.mrmlSliceNode()
        extent, resolution = [-100.0, 100.0], vtk.reference(1.0)
        logic.GetSliceOffsetRangeResolution(extent, resolution)
        low, high = extent
        offset = logic.GetSliceOffset()
        blocked = self._slider.blockSignals(True)
        self._slider.setRange(round(low * self._STEPS), round(high * self._STEPS))
        self._slider.setValue(round(offset * self._STEPS))
        self._slider.blockSignals(blocked)
        letter = {"Axial": "S", "Coronal": "A", "Sagittal": "R"}.get(node.GetOrientation(), "")
        self._text.setText(f"{letter}: {offset:.2f} mm".lstrip(": "))

    def mrmlSliceNode(self) -> Any:
        """The slice node."""
        return self._view.mrmlSliceNode()

    def fitSliceToBackground(self) -> None:
        """Show the whole volume."""
        self._view.sliceLogic().FitSliceToBackground(True)

    def setSliceOffsetValue(self, offset: float) -> None:
        """Move the slice, in mm along its normal."""
        self._view.sliceLogic().SetSliceOffset(offset)

    def setSliceVisible(self, visible: bool) -> None:
        """Show the slice in the 3D view."""
        self._view.mrmlSliceNode().SetSliceVisible(visible)

    def setSliceLink(self, linked: bool) -> None:
        """All slice views change together."""
        self._view.sliceLogic().GetSliceCompositeNode().SetLinkedControl(linked)


class ViewWidget(QtWidgets.QWidget):
    """A view under its bar: the application's qMRMLThreeDWidget and qMRMLSliceWidget."""

    def __init__(self, view: Any, bar: ViewBar, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._bar = view, bar
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(view, 1)


class ThreeDWidget(ViewWidget):
    """The 3D view under its bar."""

    def threeDView(self) -> ThreeDView:
        """The view."""
        return self._view

    def threeDController(self) -> ViewBar:
        """The bar."""
        return self._bar

    def viewLogic(self) -> Any:
        """The view's logic."""
        return self._view.viewLogic()

    def mrmlViewNode(self) -> Any:
        """The view node."""
        return self._view.mrmlViewNode()


class PlotWidget(ViewWidget):
    """The plot view under its bar: the application's qMRMLPlotWidget."""

    def plotView(self) -> PlotView:
        """The view."""
        return self._view

    def mrmlPlotViewNode(self) -> Any:
        """The plot view node."""
        return self._view.mrmlPlotViewNode()


class SliceWidget(ViewWidget):
    """A slice view under its bar."""

    def sliceView(self) -> SliceView:
        """The view."""
        return self._view

    def sliceController(self) -> SliceController:
        """The bar."""
        return self._bar  # type: ignore[return-value]

    def sliceLogic(self) -> Any:
        """The slice logic."""
        return self._view.sliceLogic()

    def mrmlSliceNode(self) -> Any:
        """The slice node."""
        return self._view.mrmlSliceNode()

    def fitSliceToBackground(self) -> None:
        """Show the whole volume."""
        self.sliceController().fitSliceToBackground()


class LayoutManager(strict_class(QtCore.QObject)):
    """The application's qSlicerLayoutManager, for layouts of one 3D view, three slices and a plot."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self, scene: Any, application_logic: Any, area: QtWidgets.QWidget) -> None:
        super().__init__(area)
        self._scene, self._area = scene, area
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        node = self._logic.GetLayoutNode()
        node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
        view_node = scene.GetSingletonNode("1", "vtkMRMLViewNode")
        view = ThreeDView(view_node, application_logic)
        self._three_d = ThreeDWidget(view, ViewBar("1", _THREE_D_COLOR), area)
        plot = PlotView(_new_plot_node(scene))
        self._plot = PlotWidget(plot, ViewBar("P", _PLOT_COLOR), area)
        self._slices = {name: self._new_slice(name, application_logic) for name in SLICE_NAMES}
        self._grid = QtWidgets.QGridLayout(area)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._arrange())
        self._arranged = -1
        self._arrange()

    def _new_slice(self, name: str, application_logic: Any) -> SliceWidget:
        node = self._scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        view = SliceView(node, application_logic)
        color = QtGui.QColor.fromRgbF(*node.GetLayoutColor()).name()
        return SliceWidget(view, SliceController(view, node.GetLayoutLabel() or name[0], color), self._area)

    def _arrange(self) -> None:
        arrangement = self._logic.GetLayoutNode().GetViewArrangement()
        # While a scene is closed or loaded the layout is none; the views wait for the next one.
        if arrangement in (self._arranged, slicer.vtkMRMLLayoutNode.SlicerLayoutNone):
            return
        places = _places(arrangement)
        self._arranged = arrangement
        widgets = {"1": self._three_d, "P": self._plot, **self._slices}
        for name, widget in widgets.items():
            self._grid.removeWidget(widget)
            widget.setVisible(name in places)
            if name in places:
                self._grid.addWidget(widget, *places[name])
        rows = max(row + height for row, _column, height, _width in places.values())
        columns = max(column + width for _row, column, _height, width in places.values())
        for index in range(_MOST_STRETCHES):
            self._grid.setRowStretch(index, int(index < rows))
            self._grid.setColumnStretch(index, int(index < columns))
        self.layoutChanged.emit(arrangement)

    # What modules call, by Slicer's names

    @property
    def layout(self) -> int:
        """The number of the layout."""
        return self._logic.GetLayoutNode().GetViewArrangement()

    @layout.setter
    def layout(self, number: int) -> None:
        self.setLayout(number)

    @property
    def threeDViewCount(self) -> int:
        """How many 3D views there are."""
        return 1

    @property
    def tableViewCount(self) -> int:
        """How many table views there are."""
        return 0

    @property
    def plotViewCount(self) -> int:
        """How many plot views there are."""
        return 1

    def setLayout(self, number: int) -> None:
        """Arrange the views. Raises ValueError for a layout that the host does not have."""
        _places(number)
        self._logic.GetLayoutNode().SetViewArrangement(number)

    def layoutLogic(self) -> Any:
        """The layout logic."""
        return self._logic

    def threeDWidget(self, index: int | str) -> ThreeDWidget | None:
        """The 3D view by number or by name."""
        return self._three_d if index in (0, "1") else None

    def plotWidget(self, index: int | str) -> PlotWidget | None:
        """The plot view by number or by name."""
        return self._plot if index in (0, "PlotView1") else None

    def sliceWidget(self, name: str) -> SliceWidget | None:
        """A slice view by name."""
        return self._slices.get(name)

    def sliceViewNames(self) -> tuple[str, ...]:
        """The names of the slice views."""
        return SLICE_NAMES

    def mrmlSliceLogics(self) -> Any:
        """The slice logics, as a vtkCollection."""
        logics = vtk.vtkCollection()
        for widget in self._slices.values():
            logics.AddItem(widget.sliceLogic())
        return logics

    def activeMRMLThreeDViewNode(self) -> Any:
        """The view node of the 3D view."""
        return self._three_d.mrmlViewNode()

    def activeThreeDRenderer(self) -> Any:
        """The renderer of the 3D view."""
        return self._three_d.threeDView().renderer()

    def viewWidget(self, node: Any) -> ViewWidget | None:
        """The view that shows a view node."""
        widgets = [self._three_d, *self._slices.values()]
        nodes = [self._three_d.mrmlViewNode(), *(widget.mrmlSliceNode() for widget in self._slices.values())]
        return next((widget for widget, other in zip(widgets, nodes) if other is node), None)

    def resetThreeDViews(self) -> None:
        """Look from the front at all that is visible."""
        self._three_d.threeDView().resetFocalPoint()
        self._three_d.threeDView().resetCamera()

    def resetSliceViews(self) -> None:
        """Show whole volumes."""
        for widget in self._slices.values():
            widget.fitSliceToBackground()

    def pauseRender(self) -> None:
        """No view renders until resumeRender()."""
        for view in self.views():
            view.pauseRender()

    def resumeRender(self) -> None:
        """The counterpart of pauseRender()."""
        for view in self.views():
            view.resumeRender()

    def views(self) -> list[Any]:
        """All views of the scene: all but the plot."""
        return [self._three_d.threeDView(), *(widget.sliceView() for widget in self._slices.values())]


def _new_plot_node(scene: Any) -> Any:
    node = slicer.vtkMRMLPlotViewNode()
    node.SetSingletonTag("PlotView1")
    node.SetLayoutName("PlotView1")
    return scene.AddNode(node)


def _places(layout: int) -> dict[str, tuple[int, int, int, int]]:
    """Each visible view's row, column, rows and columns. Raises ValueError for an unknown layout."""
    node = slicer.vtkMRMLLayoutNode
    layouts = {
        node.SlicerLayoutConventionalView: {
            "1": (0, 0, 1, 3), "Red": (1, 0, 1, 1), "Green": (1, 1, 1, 1), "Yellow": (1, 2, 1, 1),
        },
        node.SlicerLayoutFourUpView: {
            "Red": (0, 0, 1, 1), "1": (0, 1, 1, 1), "Green": (1, 0, 1, 1), "Yellow": (1, 1, 1, 1),
        },
        node.SlicerLayoutConventionalPlotView: {
            "1": (0, 0, 1, 3), "P": (0, 3, 1, 3), "Red": (1, 0, 1, 2), "Green": (1, 2, 1, 2), "Yellow": (1, 4, 1, 2),
        },
        node.SlicerLayoutFourUpPlotView: {
            "Red": (0, 0, 1, 1), "P": (0, 1, 1, 1), "Green": (1, 0, 1, 1), "Yellow": (1, 1, 1, 1),
        },
        node.SlicerLayoutOneUp3DView: {"1": (0, 0, 1, 1)},
        node.SlicerLayoutOneUpRedSliceView: {"Red": (0, 0, 1, 1)},
        node.SlicerLayoutOneUpGreenSliceView: {"Green": (0, 0, 1, 1)},
        node.SlicerLayoutOneUpYellowSliceView: {"Yellow": (0, 0, 1, 1)},
        node.SlicerLayoutConventionalWidescreenView: {
            "1": (0, 0, 3, 3), "Red": (0, 3, 1, 1), "Green": (1, 3, 1, 1), "Yellow": (2, 3, 1, 1),
        },
    }  # fmt: skip
    if layout not in layouts:
        raise ValueError(f"Layout {layout} is not in the test host; it has {sorted(layouts)}.")
    return layouts[layout]
