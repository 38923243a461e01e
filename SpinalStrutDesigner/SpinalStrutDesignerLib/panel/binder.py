"""Connects widgets that carry the dynamic property PlanField ("section.width_mm") with that field of the plan.

Ranges, units and tooltips come from the plan's own table of limits, so that none is written twice. PlanScale, where
given, is what the field is multiplied with to be shown (100 for a share shown in per cent).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal, get_args, get_origin

from ..errors import PlanError
from ..plan.check import hints_of, options_of
from ..plan.limits import LIMITS, Range, Text, unit_of
from ..plan.plan import Plan
from ..plan.sources import source_of

_NONE = "as above"


@dataclass(frozen=True)
class Field:
    """A field of the plan: its dotted path, the record that owns it, its type without None, and whether None may be."""

    path: str
    owner: type
    hint: Any
    optional: bool

    @property
    def row(self) -> Any:
        """Its row in the table of limits, None where it has none."""
        return LIMITS.get(f"{self.owner.__name__}.{self.path.rsplit('.', 1)[-1]}")


class Bound(ABC):
    """A widget bound to a field. show(plan): takes the plan's value; the widget then says what it changes."""

    def __init__(self, widget: Any, field: Field, decide: Callable[[Field, Any], None]) -> None:
        self.widget, self.field = widget, field
        self._decide = decide

    def show(self, plan: Plan | None, locked: bool) -> None:
        """Shows the plan's value; a field whose record is not there cannot be edited."""
        there, value = value_of(plan, self.field.path)
        self.widget.enabled = there and not locked
        if there:
            was = self.widget.blockSignals(True)
            try:
                self._put(value)
            finally:
                self.widget.blockSignals(was)

    @abstractmethod
    def _put(self, value: Any) -> None:
        """Shows a value."""

    def _changed(self, value: Any) -> None:
        self._decide(self.field, value)


class BoundNumber(Bound):
    """A slider or spin box and a number; for a field that may be none the lowest value means none, in the
    widget's own words for it or by default as the field above."""

    def __init__(self, widget: Any, field: Field, decide: Callable[[Field, Any], None]) -> None:
        super().__init__(widget, field, decide)
        row = field.row
        if not isinstance(row, Range):
            raise PlanError(f"{field.path}: it has no range to give to a slider")
        self._scale = float(widget.property("PlanScale") or 1.0)
        step = widget.singleStep
        self._none_at = row.low * self._scale - step if field.optional else None
        low = row.low * self._scale if self._none_at is None else self._none_at
        was = widget.blockSignals(True)
        widget.minimum, widget.maximum = low, row.high * self._scale
        if not widget.suffix:
            widget.suffix = " %" if self._scale == 100.0 else unit_of(field.path)
        if self._none_at is not None:
            widget.specialValueText = widget.specialValueText or _NONE
        widget.blockSignals(was)
        widget.connect("valueChanged(double)", self.on_value)

    def on_value(self, value: float) -> None:
        """The widget moved."""
        none = self._none_at is not None and value < self._none_at + 0.5 * self.widget.singleStep
        self._changed(None if none else value / self._scale)

    def _put(self, value: Any) -> None:
        self.widget.value = self._none_at if value is None else value * self._scale


class BoundChoice(Bound):
    """A combo box and one of some words; data of the items are the plan's words, their texts are for people."""

    def __init__(self, widget: Any, field: Field, decide: Callable[[Field, Any], None]) -> None:
        super().__init__(widget, field, decide)
        allowed = set(get_args(field.hint)) if get_origin(field.hint) is Literal else None
        if widget.count == 0 and allowed is not None:
            for word in get_args(field.hint):
                widget.addItem(word.replace("_", " "), word)
        widget.connect("currentIndexChanged(int)", self.on_index)

    def on_index(self, index: int) -> None:
        """A person chose."""
        if index >= 0:
            self._changed(self.widget.itemData(index))

    def _put(self, value: Any) -> None:
        self.widget.currentIndex = self.widget.findData(value)


class BoundText(Bound):
    """A line of text; taken when it is finished."""

    def __init__(self, widget: Any, field: Field, decide: Callable[[Field, Any], None]) -> None:
        super().__init__(widget, field, decide)
        widget.connect("editingFinished()", self.on_finished)

    def on_finished(self) -> None:
        """A person finished typing."""
        self._changed(self.widget.text)

    def _put(self, value: Any) -> None:
        self.widget.text = value


class BoundPresence(Bound):
    """A check box and a record that may be none: checked, it is there."""

    def __init__(self, widget: Any, field: Field, decide: Callable[[Field, Any], None]) -> None:
        super().__init__(widget, field, decide)
        widget.connect("toggled(bool)", self.on_toggled)

    def on_toggled(self, there: bool) -> None:
        """A person wants it, or not."""
        self._changed(self.field.hint() if there else None)

    def _put(self, value: Any) -> None:
        self.widget.checked = value is not None


def bound(root: Any, choose: Callable[[Field, Any], None], adjust: Callable[[Field, Any], None]) -> tuple[Bound, ...]:
    """Binds every widget under root that carries PlanField.

    choose(field, value) is called for what a person chooses, adjust(field, value) for what they drag.

    Raises PlanError for a field that does not exist, and for a widget that cannot show a field of its type.
    """
    import slicer

    found = []
    for widget in slicer.util.findChildren(root):
        path = widget.property("PlanField")
        if path:
            field = field_at(path)
            kind = _kind_of(widget, field)
            found.append(kind(widget, field, adjust if kind is BoundNumber else choose))
            widget.toolTip = tooltip(field, widget.toolTip)
    return tuple(found)


def field_at(path: str) -> Field:
    """The field of a dotted path without indexes. Raises PlanError where there is none."""
    owner: Any = Plan
    names = path.split(".")
    hint: Any = Plan
    optional = False
    for number, name in enumerate(names):
        if not is_dataclass(hint) or name not in hints_of(hint):
            raise PlanError(f"PlanField '{path}': the plan has no field '{'.'.join(names[: number + 1])}'")
        owner = hint
        hint, optional = options_of(hints_of(hint)[name])
    return Field(path, owner, hint, optional)


def value_of(plan: Plan | None, path: str) -> tuple[bool, Any]:
    """Whether the record that owns a field is there, and the field's value."""
    value: Any = plan
    for name in path.split("."):
        if value is None:
            return False, None
        value = getattr(value, name)
    return True, value


def with_value(plan: Plan, path: str, value: Any) -> Plan:
    """The plan with another value in a field. Raises PlanError as the plan does."""
    names = path.split(".")
    records: list[Any] = [plan]
    for name in names[:-1]:
        records.append(getattr(records[-1], name))
    for record, name in zip(reversed(records), reversed(names)):
        value = record.with_(**{name: value})
    changed: Plan = value
    return changed


def tooltip(field: Field, words: str) -> str:
    """What a field is, its unit and limits, and where its default comes from."""
    row = field.row
    lines = [words] if words else []
    if isinstance(row, Range):
        unit = unit_of(field.path)
        lines.append(f"{row.low:g} to {row.high:g}{unit}")
    elif isinstance(row, Text):
        lines.append(row.form)
    lines.append(f"Default: {source_of(field.path)}")
    return "\n".join(lines)


def _kind_of(widget: Any, field: Field) -> type[Bound]:
    name = widget.className()
    # A box makes a record of defaults: one with a field that has none cannot be made so.
    if is_dataclass(field.hint) and field.optional and name == "QCheckBox":
        return BoundPresence
    # Only the spin box has a text that can stand for none.
    if field.hint is float and name in ("QDoubleSpinBox",) + (() if field.optional else ("ctkSliderWidget",)):
        return BoundNumber
    if (get_origin(field.hint) is Literal or field.hint is str) and name in ("QComboBox", "ctkComboBox"):
        return BoundChoice
    if field.hint is str and name == "QLineEdit":
        return BoundText
    raise PlanError(f"PlanField '{field.path}': a {name} cannot show it")
