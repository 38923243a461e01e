"""A hand on the mouse: real Qt events sent to a view, at a place in the patient or in the view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

Qt = QtCore.Qt

_BUTTONS = {"Left": Qt.LeftButton, "Middle": Qt.MiddleButton, "Right": Qt.RightButton}
_MODIFIERS = {"Shift": Qt.ShiftModifier, "Control": Qt.ControlModifier, "Alt": Qt.AltModifier}

# Steps of a drag: enough for each to be seen by the view as a move, few enough to be quick.
_DRAG_STEPS = 5


class Mouse:
    """Places are RAS points (3 numbers) or the view's pixels from its upper left (2 numbers)."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._inside = False
        self._down = Qt.NoButton

    def pixel(self, place: Iterable[float]) -> QtCore.QPointF:
        """The place as the view's pixel from its upper left. Raises ValueError if that is outside the view."""
        numbers = np.asarray(list(place), dtype=float)
        if len(numbers) == 3:
            x, y = self._view.display_from_world(numbers)
            numbers = np.array([np.floor(x + 0.5), self._view.height() - 1 - np.floor(y + 0.5)])
        if not (0 <= numbers[0] < self._view.width() and 0 <= numbers[1] < self._view.height()):
            raise ValueError(
                f"{list(place)} is at pixel {numbers}, outside the view of {self._view.width()} x "
                f"{self._view.height()} pixels; move the view first."
            )
        return QtCore.QPointF(*numbers)

    def move(self, place: Iterable[float], modifiers: Iterable[str] = ()) -> None:
        """Move to a place."""
        position = self.pixel(place)
        if not self._inside:
            self._inside = True
            self._send(QtGui.QEnterEvent(position, position, position))
        self._mouse(QtCore.QEvent.MouseMove, position, Qt.NoButton, modifiers)

    def press(self, place: Iterable[float], button: str = "Left", modifiers: Iterable[str] = ()) -> None:
        """Move to a place and press a button there."""
        self.move(place, modifiers)
        self._down = _BUTTONS[button]
        self._mouse(QtCore.QEvent.MouseButtonPress, self.pixel(place), self._down, modifiers)

    def release(self, place: Iterable[float], button: str = "Left", modifiers: Iterable[str] = ()) -> None:
        """Move to a place and let a button go there."""
        self.move(place, modifiers)
        self._down = Qt.NoButton
        self._mouse(QtCore.QEvent.MouseButtonRelease, self.pixel(place), _BUTTONS[button], modifiers)

    def click(self, place: Iterable[float], button: str = "Left", modifiers: Iterable[str] = ()) -> None:
        """Press and let go at one place."""
        self.press(place, button, modifiers)
        self.release(place, button, modifiers)

    def double_click(self, place: Iterable[float], button: str = "Left", modifiers: Iterable[str] = ()) -> None:
        """Click twice at one place."""
        self.click(place, button, modifiers)
        self._mouse(QtCore.QEvent.MouseButtonDblClick, self.pixel(place), _BUTTONS[button], modifiers)
        self.release(place, button, modifiers)

    def drag(self, start: Iterable[float], end: Iterable[float], button: str = "Left",
             modifiers: Iterable[str] = ()) -> None:  # fmt: skip
        """Press at one place, move, and let go at another."""
        first, last = self.pixel(start), self.pixel(end)
        self.press((first.x(), first.y()), button, modifiers)
        for step in range(1, _DRAG_STEPS + 1):
            way = first + (last - first) * step / _DRAG_STEPS
            self.move((way.x(), way.y()), modifiers)
        self.release((last.x(), last.y()), button, modifiers)

    def wheel(self, place: Iterable[float], steps: int = 1, modifiers: Iterable[str] = ()) -> None:
        """Turn the wheel at a place: positive away from the user."""
        self.move(place, modifiers)
        position = self.pixel(place)
        for _step in range(abs(steps)):
            turn = QtCore.QPoint(0, 120 if steps > 0 else -120)
            self._send(
                QtGui.QWheelEvent(
                    position, position, QtCore.QPoint(), turn, Qt.NoButton, _flags(modifiers), Qt.NoScrollPhase, False
                )
            )

    def leave(self) -> None:
        """Move out of the view."""
        self._inside = False
        self._send(QtCore.QEvent(QtCore.QEvent.Leave))

    def key(self, key: Qt.Key, text: str = "", modifiers: Iterable[str] = ()) -> None:
        """Press and let go a key while the mouse is in the view."""
        for kind in (QtCore.QEvent.KeyPress, QtCore.QEvent.KeyRelease):
            self._send(QtGui.QKeyEvent(kind, key, _flags(modifiers), text))

    def _mouse(self, kind: Any, position: QtCore.QPointF, button: Any, modifiers: Iterable[str]) -> None:
        self._send(QtGui.QMouseEvent(kind, position, position, button, self._down, _flags(modifiers)))

    def _send(self, event: QtCore.QEvent) -> None:
        QtWidgets.QApplication.sendEvent(self._view, event)


def _flags(modifiers: Iterable[str]) -> Any:
    flags = Qt.NoModifier
    for name in modifiers:
        flags |= _MODIFIERS[name]
    return flags
