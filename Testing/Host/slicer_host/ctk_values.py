"""CTK's widgets for numbers."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets

from slicer_host import strict
from slicer_host.widget_class import forwarded, stored, widget_class

# Steps of the slider between its ends; the spin box gives the exact value.
_STEPS = 1000


@widget_class
class ctkDoubleSpinBox(QtWidgets.QDoubleSpinBox):
    """A spin box for real numbers."""

    invertedControls = stored(bool, "invertedControls", False)


@widget_class
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box for one number."""

    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)

    def __init__(self, parent: Any = None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._host_slider = strict.lookup("QSlider")(QtCore.Qt.Orientation.Horizontal, self)
        self._host_slider.setRange(0, _STEPS)
        self._host_spin = strict.lookup("QDoubleSpinBox")(self)
        self._host_spin.setRange(0.0, 99.0)
        self._host_spin.setKeyboardTracking(False)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._host_slider, 1)
        layout.addWidget(self._host_spin)
        self._host_spin.connect("valueChanged(double)", self._follow_spin)
        self._host_slider.connect("valueChanged(int)", self._follow_slider)
        self._host_slider.connect("sliderReleased()", self._release)

    def setValue(self, value: float) -> None:
        """Set the value, within the range and rounded to the decimals."""
        self._host_spin.setValue(float(value))

    def setMinimum(self, minimum: float) -> None:
        """Set the lower end."""
        self._host_spin.setMinimum(float(minimum))
        self._place_slider()

    def setMaximum(self, maximum: float) -> None:
        """Set the upper end."""
        self._host_spin.setMaximum(float(maximum))
        self._place_slider()

    value = QtCore.Property(float, lambda self: self._host_spin.value, setValue, user=True)
    minimum = QtCore.Property(float, lambda self: self._host_spin.minimum, setMinimum)
    maximum = QtCore.Property(float, lambda self: self._host_spin.maximum, setMaximum)
    decimals = forwarded(int, "_host_spin", "decimals")
    prefix = forwarded(str, "_host_spin", "prefix")
    suffix = forwarded(str, "_host_spin", "suffix")
    singleStep = forwarded(float, "_host_spin", "singleStep")
    pageStep = stored(float, "pageStep", 10.0)
    tickInterval = stored(float, "tickInterval", 0.0)
    tracking = stored(bool, "tracking", True)
    autoSpinBoxWidth = stored(bool, "autoSpinBoxWidth", True)
    spinBoxVisible = stored(bool, "spinBoxVisible", True, lambda self: self._host_spin.setVisible(self.spinBoxVisible))
    popupSlider = stored(bool, "popupSlider", False)

    def setRange(self, minimum: float, maximum: float) -> None:
        """Set both ends."""
        self._host_spin.setRange(float(minimum), float(maximum))
        self._place_slider()

    def reset(self) -> None:
        """Set the value to 0."""
        self.setValue(0.0)

    def spinBox(self) -> Any:
        """The spin box."""
        return self._host_spin

    def slider(self) -> Any:
        """The slider."""
        return self._host_slider

    def _place_slider(self) -> None:
        span = self._host_spin.maximum - self._host_spin.minimum
        share = (self._host_spin.value - self._host_spin.minimum) / span if span else 0.0
        blocked = self._host_slider.blockSignals(True)
        self._host_slider.setValue(round(_STEPS * share))
        self._host_slider.blockSignals(blocked)

    def _follow_spin(self, value: float) -> None:
        if not self._host_slider.sliderDown:
            self._place_slider()
        if self._host_slider.sliderDown and not self.tracking:
            self.valueIsChanging.emit(value)
        else:
            self.valueChanged.emit(value)

    def _follow_slider(self, position: int) -> None:
        span = self._host_spin.maximum - self._host_spin.minimum
        step = self._host_spin.singleStep
        value = self._host_spin.minimum + round(span * position / _STEPS / step) * step
        self._host_spin.setValue(value)

    def _release(self) -> None:
        if not self.tracking:
            self.valueChanged.emit(self._host_spin.value)


@widget_class
class ctkRangeWidget(QtWidgets.QWidget):
    """Two spin boxes for the ends of a range."""

    valuesChanged = QtCore.Signal(float, float)
    minimumValueChanged = QtCore.Signal(float)
    maximumValueChanged = QtCore.Signal(float)

    def __init__(self, parent: Any = None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._host_low, self._host_high = (strict.lookup("QDoubleSpinBox")(self) for _ in range(2))
        layout.addWidget(self._host_low)
        layout.addWidget(self._host_high)
        self._host_high.setValue(self._host_high.maximum)
        self._host_low.connect("valueChanged(double)", self._lower)
        self._host_high.connect("valueChanged(double)", self._upper)

    def setMinimum(self, minimum: float) -> None:
        """Set the least value."""
        self.setRange(minimum, self._host_high.maximum)

    def setMaximum(self, maximum: float) -> None:
        """Set the greatest value."""
        self.setRange(self._host_low.minimum, maximum)

    def setRange(self, minimum: float, maximum: float) -> None:
        """Set the least and the greatest value."""
        for spin in (self._host_low, self._host_high):
            spin.setRange(float(minimum), float(maximum))

    def setDecimals(self, decimals: int) -> None:
        """Set the decimals of both ends."""
        for spin in (self._host_low, self._host_high):
            spin.setDecimals(decimals)

    def setSingleStep(self, step: float) -> None:
        """Set the step of both ends."""
        for spin in (self._host_low, self._host_high):
            spin.setSingleStep(step)

    minimum = QtCore.Property(float, lambda self: self._host_low.minimum, setMinimum)
    maximum = QtCore.Property(float, lambda self: self._host_high.maximum, setMaximum)
    decimals = QtCore.Property(int, lambda self: self._host_low.decimals, setDecimals)
    singleStep = QtCore.Property(float, lambda self: self._host_low.singleStep, setSingleStep)
    minimumValue = forwarded(float, "_host_low", "value")
    maximumValue = forwarded(float, "_host_high", "value")
    suffix = forwarded(str, "_host_high", "suffix")
    prefix = forwarded(str, "_host_low", "prefix")
    tracking = stored(bool, "tracking", True)

    def setValues(self, minimum: float, maximum: float) -> None:
        """Set both ends."""
        self._host_low.setValue(minimum)
        self._host_high.setValue(maximum)

    def _lower(self, value: float) -> None:
        if value > self._host_high.value:
            self._host_high.setValue(value)
        self.minimumValueChanged.emit(value)
        self.valuesChanged.emit(value, self._host_high.value)

    def _upper(self, value: float) -> None:
        if value < self._host_low.value:
            self._host_low.setValue(value)
        self.maximumValueChanged.emit(value)
        self.valuesChanged.emit(self._host_low.value, value)
