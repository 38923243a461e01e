"""The module `ctk`: the few CTK widgets that modules use most, with the properties and signals of the real ones."""

from __future__ import annotations

import types
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from slicer_host.ctk_paths import ctkDirectoryButton, ctkPathLineEdit
from slicer_host.ctk_values import ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget
from slicer_host.widget_class import stored, widget_class

# Height of the header bar beyond the text's, and the triangle's size, px: as Slicer draws it.
_PADDING, _TRIANGLE = 8, 8


@widget_class
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A bar with a triangle and a title, that shows or hides what it holds."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, text: Any = "", parent: Any = None) -> None:
        if not isinstance(text, str):
            text, parent = "", text
        QtWidgets.QAbstractButton.__init__(self, parent)
        self._host_hidden: list[Any] = []
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._header(), 0, 0)
        self.connect("toggled(bool)", self._show_contents)

    def setCollapsed(self, collapsed: bool) -> None:
        """Hide or show the contents."""
        self.setChecked(not collapsed)

    collapsed = QtCore.Property(bool, lambda self: not self.isChecked(), setCollapsed)
    collapsedHeight = stored(int, "collapsedHeight", 10)
    contentsFrameShape = stored(QtWidgets.QFrame.Shape, "contentsFrameShape", 0)
    contentsFrameShadow = stored(QtWidgets.QFrame.Shadow, "contentsFrameShadow", 16)
    contentsLineWidth = stored(int, "contentsLineWidth", 1)
    contentsMidLineWidth = stored(int, "contentsMidLineWidth", 0)
    buttonTextAlignment = stored(QtCore.Qt.AlignmentFlag, "buttonTextAlignment", 0x81)
    indicatorAlignment = stored(QtCore.Qt.AlignmentFlag, "indicatorAlignment", 0x81)

    def _header(self) -> int:
        return self.fontMetrics().height() + _PADDING

    def _show_contents(self, expanded: bool) -> None:
        children = [c for c in self.children() if c.isWidgetType() and not QtWidgets.QWidget.isWindow(c)]
        if expanded:
            for child in self._host_hidden:
                child.setVisible(True)
            self._host_hidden = []
            self.setMaximumHeight(16777215)  # QWIDGETSIZE_MAX
        else:
            self._host_hidden = [child for child in children if not child.isHidden()]
            for child in self._host_hidden:
                child.setVisible(False)
            self.setMaximumHeight(self._header() + 2)
        self.updateGeometry()
        self.contentsCollapsed.emit(not expanded)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        """Only the bar is pressed."""
        return position.y() <= self._header()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """A flat bar, a triangle that points right or down, a title half bold."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        height, palette = self._header(), QtWidgets.QWidget.palette(self)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QtGui.QPalette.ColorRole.Window).darker(110))
        painter.drawRoundedRect(QtCore.QRectF(0, 0, QtWidgets.QWidget.width(self), height), 3, 3)
        painter.setBrush(palette.color(QtGui.QPalette.ColorRole.WindowText))
        x, half = 8.0, _TRIANGLE / 2
        painter.drawPolygon(_triangle(x, height / 2, self.isChecked()))
        font = QtGui.QFont(QtWidgets.QWidget.font(self))
        font.setWeight(QtGui.QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.WindowText))
        area = QtCore.QRectF(x + 2 * half + 8, 0, QtWidgets.QWidget.width(self) - 28, height)
        painter.drawText(area, QtCore.Qt.AlignmentFlag.AlignVCenter | QtCore.Qt.AlignmentFlag.AlignLeft, self.text)
        painter.end()


def _triangle(x: float, y: float, down: bool) -> QtGui.QPolygonF:
    """A triangle whose left edge's middle is at (x, y), that points down or right."""
    half = _TRIANGLE / 2
    points = [(x, y - half / 2), (x + 2 * half, y - half / 2), (x + half, y + half / 2)]
    if not down:
        points = [(x + half / 2, y - half), (x + half / 2, y + half), (x + 1.5 * half, y)]
    return QtGui.QPolygonF([QtCore.QPointF(*point) for point in points])


@widget_class
class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box with a triangle that shows or hides what it holds."""

    def __init__(self, title: Any = "", parent: Any = None) -> None:
        if not isinstance(title, str):
            title, parent = "", title
        QtWidgets.QGroupBox.__init__(self, title, parent)
        self.setCheckable(True)
        self.connect("toggled(bool)", self._show_contents)

    def setCollapsed(self, collapsed: bool) -> None:
        """Hide or show the contents."""
        self.setChecked(not collapsed)

    collapsed = QtCore.Property(bool, lambda self: not self.isChecked(), setCollapsed)
    collapsedHeight = stored(int, "collapsedHeight", 14)

    def _show_contents(self, expanded: bool) -> None:
        for child in self.children():
            if child.isWidgetType():
                child.setVisible(expanded)
        self.setFlat(not expanded)
        self.setMaximumHeight(16777215 if expanded else self.fontMetrics().height() + _PADDING)  # QWIDGETSIZE_MAX

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """A group box, with a triangle where the check mark would be."""
        QtWidgets.QGroupBox.paintEvent(self, event)
        option = QtWidgets.QStyleOptionGroupBox()
        self.initStyleOption(option)
        style = QtWidgets.QWidget.style(self)
        mark = style.subControlRect(
            QtWidgets.QStyle.ComplexControl.CC_GroupBox, option, QtWidgets.QStyle.SubControl.SC_GroupBoxCheckBox, self
        )
        painter, palette = QtGui.QPainter(self), QtWidgets.QWidget.palette(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.fillRect(mark, palette.color(QtGui.QPalette.ColorRole.Window))
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QtGui.QPalette.ColorRole.WindowText))
        painter.drawPolygon(_triangle(mark.x() + 2.0, mark.center().y() + 0.5, self.isChecked()))
        painter.end()


@widget_class
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a hint while nothing is chosen."""

    defaultText = stored(str, "defaultText", "", lambda self: self.setPlaceholderText(self.defaultText))
    forceDefault = stored(bool, "forceDefault", False)


@widget_class
class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box."""


@widget_class
class ctkPushButton(QtWidgets.QPushButton):
    """A push button."""


@widget_class
class ctkMenuButton(QtWidgets.QPushButton):
    """A push button with a menu."""


@widget_class
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box that may be told not to come again."""

    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")
    dontShowAgain = stored(bool, "dontShowAgain", False)
    dontShowAgainVisible = stored(bool, "dontShowAgainVisible", False)


_WIDGETS = (
    ctkCheckBox,
    ctkCollapsibleButton,
    ctkCollapsibleGroupBox,
    ctkComboBox,
    ctkDirectoryButton,
    ctkDoubleSpinBox,
    ctkMenuButton,
    ctkMessageBox,
    ctkPathLineEdit,
    ctkPushButton,
    ctkRangeWidget,
    ctkSliderWidget,
)


def widgets() -> dict[str, type]:
    """The CTK widgets by name."""
    return {widget.__name__: widget for widget in _WIDGETS}


def make_ctk() -> types.ModuleType:
    """The module `ctk`."""
    module = types.ModuleType("ctk")
    for name, widget in widgets().items():
        setattr(module, name, widget)
    return module
