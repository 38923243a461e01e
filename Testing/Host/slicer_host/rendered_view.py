"""A widget that shows what an offscreen VTK window renders, and hands Qt's mouse, wheel and keys to VTK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtk.util.numpy_support import vtk_to_numpy

Qt = QtCore.Qt

_BUTTONS = {Qt.LeftButton: "Left", Qt.MiddleButton: "Middle", Qt.RightButton: "Right"}

# Samples a pixel. Without a graphics card several cost as many times the render: only pictures that are kept are
# worth it.
_QUICK_SAMPLES, _FINE_SAMPLES = 0, 8

# Keys whose VTK name is not their text.
_KEY_NAMES = {
    Qt.Key_Escape: "Escape", Qt.Key_Delete: "Delete", Qt.Key_Backspace: "BackSpace", Qt.Key_Return: "Return",
    Qt.Key_Enter: "KP_Enter", Qt.Key_Tab: "Tab", Qt.Key_Space: "space", Qt.Key_Left: "Left", Qt.Key_Right: "Right",
    Qt.Key_Up: "Up", Qt.Key_Down: "Down", Qt.Key_Shift: "Shift_L", Qt.Key_Control: "Control_L",
}  # fmt: skip


class RenderedView(QtWidgets.QWidget):
    """The common part of 3D and slice views: one renderer, one interactor, renders when idle after a request."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setMinimumSize(80, 80)
        self._image = QtGui.QImage()
        self._wanted = False
        self._paused = 0
        self._batches = False
        self.render_count = 0
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(_QUICK_SAMPLES)
        self._window.SetSize(200, 200)
        self._renderer = vtk.vtkRenderer()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.EnableRenderOff()
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._render_if_wanted)

    def _start(self, factory: Any, observer: Any, node: Any, managers: tuple[str, ...]) -> None:
        """Connect Slicer's displayable managers and mouse handling to the renderer."""
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self._observer, self._node = observer, node
        self._interactor.Initialize()
        self._managers = factory.InstantiateDisplayableManagers(self._renderer)
        observer.SetDisplayableManagers(self._managers)
        observer.SetInteractor(self._interactor)
        self._managers.AddObserver(vtk.vtkCommand.UpdateEvent, lambda caller, event: self.scheduleRender())
        self._window.Render()  # picking needs a context before the first displayable manager asks for it
        self._managers.SetMRMLDisplayableNode(node)
        scene = node.GetScene()
        scene.AddObserver(slicer.vtkMRMLScene.StartBatchProcessEvent, lambda *_: self._set_batch(True))
        scene.AddObserver(slicer.vtkMRMLScene.EndBatchProcessEvent, lambda *_: self._set_batch(False))

    # What modules call, by Slicer's names

    def renderWindow(self) -> Any:
        """The vtkRenderWindow."""
        return self._window

    def renderer(self) -> Any:
        """The vtkRenderer with the content."""
        return self._renderer

    def interactor(self) -> Any:
        """The vtkRenderWindowInteractor."""
        return self._interactor

    def interactorStyle(self) -> Any:
        """The interactor's style; events reach MRML through interactorObserver()."""
        return self._interactor.GetInteractorStyle()

    def interactorObserver(self) -> Any:
        """Slicer's own mouse handling."""
        return self._observer

    def displayableManagerByClassName(self, name: str) -> Any:
        """One of the view's displayable managers, or None."""
        return self._managers.GetDisplayableManagerByClassName(name)

    def getDisplayableManagers(self, collection: Any) -> None:
        """Add the view's displayable managers to a vtkCollection."""
        for index in range(self._managers.GetDisplayableManagerCount()):
            collection.AddItem(self._managers.GetNthDisplayableManager(index))

    def scheduleRender(self) -> None:
        """Render once when the event loop is next idle."""
        self._wanted = True
        if not self._timer.isActive() and self._may_render():
            self._timer.start(0)

    def forceRender(self) -> None:
        """Render now."""
        self._wanted = False
        self.render_count += 1
        self._window.Render()
        self._image = self._picture()
        self.update()

    def pauseRender(self) -> None:
        """No renders until resumeRender() was called as often."""
        self._paused += 1

    def resumeRender(self) -> None:
        """The counterpart of pauseRender()."""
        self._paused = max(0, self._paused - 1)
        if self._wanted:
            self.scheduleRender()

    # Rendering

    def _may_render(self) -> bool:
        return self._paused == 0 and not self._batches

    def _set_batch(self, running: bool) -> None:
        self._batches = running
        if not running and self._wanted:
            self.scheduleRender()

    def _render_if_wanted(self) -> None:
        if self._wanted and self._may_render() and self.isVisible():
            self.forceRender()

    def _picture(self) -> QtGui.QImage:
        width, height = self._window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        rows = np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 3)[::-1])
        return QtGui.QImage(rows.data, width, height, 3 * width, QtGui.QImage.Format_RGB888).copy()

    def picture(self) -> QtGui.QImage:
        """What the view shows, rendered anew if something has changed."""
        if self._wanted or self._image.isNull():
            self.forceRender()
        return self._image

    @contextmanager
    def fine(self) -> Iterator[None]:
        """In here the view shows smooth edges, as on a graphics card."""
        self._window.SetMultiSamples(_FINE_SAMPLES)
        self.forceRender()
        try:
            yield
        finally:
            self._window.SetMultiSamples(_QUICK_SAMPLES)

    def pixels(self) -> np.ndarray:
        """The view's picture as an array: (rows from the top, columns, 3) bytes."""
        image = self.picture().convertToFormat(QtGui.QImage.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    # Qt's events

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Show the last rendered picture."""
        painter = QtGui.QPainter(self)
        painter.drawImage(self.rect(), self.picture())
        self._paint_over(painter)

    def _paint_over(self, painter: QtGui.QPainter) -> None:
        """Text over the picture."""

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """The VTK window takes the widget's size."""
        width, height = max(1, self.width()), max(1, self.height())
        self._window.SetSize(width, height)
        self._interactor.UpdateSize(width, height)
        self._interactor.ConfigureEvent()
        self.scheduleRender()

    def _tell_position(self, position: QtCore.QPointF, modifiers: Qt.KeyboardModifier, repeats: int = 0) -> None:
        x, y = int(position.x()), self.height() - 1 - int(position.y())
        control, shift = bool(modifiers & Qt.ControlModifier), bool(modifiers & Qt.ShiftModifier)
        self._interactor.SetEventInformation(x, y, int(control), int(shift), "\0", repeats, None)
        self._interactor.SetAltKey(int(bool(modifiers & Qt.AltModifier)))

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """To VTK."""
        self._button(event, "Press", 0)

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """To VTK."""
        self._button(event, "Release", 0)

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """To VTK: the second press of a double click."""
        self._button(event, "Press", 1)

    def _button(self, event: QtGui.QMouseEvent, action: str, repeats: int) -> None:
        name = _BUTTONS.get(event.button())
        if name:
            self._tell_position(event.position(), event.modifiers(), repeats)
            getattr(self._interactor, f"{name}Button{action}Event")()
            if repeats and action == "Press":
                self._interactor.InvokeEvent(getattr(vtk.vtkCommand, f"{name}ButtonDoubleClickEvent"))

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """To VTK."""
        self._tell_position(event.position(), event.modifiers())
        self._interactor.MouseMoveEvent()

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """To VTK."""
        self._tell_position(event.position(), event.modifiers())
        if event.angleDelta().y() > 0:
            self._interactor.MouseWheelForwardEvent()
        else:
            self._interactor.MouseWheelBackwardEvent()

    def enterEvent(self, event: QtGui.QEnterEvent) -> None:
        """To VTK."""
        self._tell_position(event.position(), QtWidgets.QApplication.keyboardModifiers())
        self._interactor.EnterEvent()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """To VTK."""
        self._interactor.LeaveEvent()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """To VTK."""
        self._key(event)
        self._interactor.KeyPressEvent()
        self._interactor.CharEvent()

    def keyReleaseEvent(self, event: QtGui.QKeyEvent) -> None:
        """To VTK."""
        self._key(event)
        self._interactor.KeyReleaseEvent()

    def _key(self, event: QtGui.QKeyEvent) -> None:
        text = event.text()
        name = _KEY_NAMES.get(Qt.Key(event.key()), text)
        modifiers = event.modifiers()
        control, shift = bool(modifiers & Qt.ControlModifier), bool(modifiers & Qt.ShiftModifier)
        code = text[0] if text and ord(text[0]) < 128 else "\0"
        self._interactor.SetKeyEventInformation(int(control), int(shift), code, 0, name)
