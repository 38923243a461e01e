"""The module `slicer.parameterNodeWrapper`: typed fields over a parameter node, and their binding to widgets.

Stricter than Slicer in three things that there go unnoticed: an attribute that is no field cannot be set on a wrapper,
two widgets cannot carry the same field's name, and an annotation nobody knows is refused. Field types that the host
lacks (tuple, dict, Any, parameterPack) are refused when the class is decorated.
"""

from __future__ import annotations

import typing
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import qt
import slicer
import vtk

from slicer_host import slots
from slicer_host.parameter_storage import Storage, storage_for
from slicer_host.parameter_types import (
    Choice,
    Decimals,
    Default,
    Exclude,
    IsInstance,
    Maximum,
    Minimum,
    NotNone,
    SingleStep,
    Validator,
    WithinRange,
)
from slicer_host.parameter_widgets import Connector, connector_for

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

SlicerParameterNamePropertyName = "SlicerParameterName"


@dataclass
class _Field:
    name: str
    annotated: Any
    storage: Storage
    default: Default


class _Value:
    """One field of one wrapper: read once, kept until the node is modified."""

    def __init__(self, field: _Field, node: Any) -> None:
        self._field, self._node, self._writing = field, node, False
        if not field.storage.is_in(node, field.name):
            field.storage.write(node, field.name, field.default.value)
        self._value = field.storage.read(node, field.name)
        me = weakref.ref(self)
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: slots.guarded(_reread)(me()))

    def __del__(self) -> None:
        if hasattr(self, "_tag"):
            self._node.RemoveObserver(self._tag)

    def reread(self) -> None:
        """Read the value again, unless it is being written."""
        if not self._writing:
            storage = self._field.storage
            if not storage.is_in(self._node, self._field.name):
                storage.write(self._node, self._field.name, self._field.default.value)
            self._value = storage.read(self._node, self._field.name)

    def read(self) -> Any:
        """The value."""
        return self._value

    def write(self, value: Any) -> None:
        """Check the value, keep it in the node, and only then let observers know."""
        self._writing = True
        try:
            with slicer.util.NodeModify(self._node):
                self._field.storage.write(self._node, self._field.name, value)
                self._value = self._field.storage.read(self._node, self._field.name)
        finally:
            self._writing = False


def _reread(value: _Value | None) -> None:
    if value is not None:
        value.reread()


class _Wrapper:
    """What a decorated class gets."""

    allParameters: dict[str, _Field]
    _is_parameter_node_wrapper = True

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        object.__setattr__(self, "parameterNode", parameterNode)
        object.__setattr__(self, "_host_guis", {})
        object.__setattr__(self, "_host_next_tag", 0)
        object.__setattr__(self, "_host_updating", False)
        fields = self.allParameters.items()
        values = {
            n: _Value(_Field(f"{prefix or ''}{n}", f.annotated, f.storage, f.default), parameterNode) for n, f in fields
        }
        object.__setattr__(self, "_host_values", values)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self.allParameters)}")
        object.__setattr__(self, name, value)

    @classmethod
    def _field(cls, name: str) -> _Field:
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; found {', '.join(cls.allParameters)}")
        return cls.allParameters[name]

    def default(self, name: str) -> Default:
        """A field's Default."""
        return self._field(name).default

    def isCached(self, name: str) -> bool:
        """Whether a field is read from memory; all are here."""
        return self._field(name) is not None

    @classmethod
    def dataType(cls, name: str) -> Any:
        """A field's annotation."""
        return cls._field(name).annotated

    def getValue(self, name: str) -> Any:
        """A field's value."""
        self._field(name)
        return self._host_values[name].read()

    def setValue(self, name: str, value: Any) -> None:
        """Set a field."""
        self._field(name)
        self._host_values[name].write(value)

    def StartModify(self) -> int:
        """Hold events back."""
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: int) -> int:
        """Let events go."""
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Callable, priority: float = 0.0) -> int:
        """Observe the parameter node."""
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        """End an observation."""
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        """Tell observers that something has changed."""
        self.parameterNode.Modified()

    def connectGui(self, gui: Any) -> int:
        """Bind each widget that carries the dynamic property SlicerParameterName. Raises ValueError for no field."""
        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else vars(gui).values()
        mapping: dict[str, Any] = {}
        for widget in widgets:
            name = widget.property(SlicerParameterNamePropertyName)
            if name and name in mapping:
                raise ValueError(f"Two widgets carry the name of {name!r}: {mapping[name].name!r} and {widget.name!r}")
            if name:
                mapping[name] = widget
        return self.connectParametersToGui(mapping)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Bind fields to widgets; returns what disconnectGui takes. Raises ValueError, RuntimeError (unfit widget)."""
        for name in mapping:
            self._field(name)
        connectors = {name: connector_for(widget, self.dataType(name)) for name, widget in mapping.items()}
        tag = self._host_next_tag
        self._host_next_tag += 1
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.on_changed(self._taker(name, connector))
        update = slots.guarded(self._show)
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: update())
        self._host_guis[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag: int | None) -> None:
        """Undo connectGui; a tag that is not connected is ignored."""
        connectors, observer = self._host_guis.pop(tag, ({}, None))
        for connector in connectors.values():
            connector.on_changed(None)
        if observer is not None:
            self.RemoveObserver(observer)

    def _taker(self, name: str, connector: Connector) -> Callable[[], None]:
        def take() -> None:
            with slicer.util.NodeModify(self):
                if not self._host_updating:
                    self.setValue(name, connector.read())

        return take

    def _show(self) -> None:
        if self._host_updating:
            return
        self._host_updating = True
        try:
            with slicer.util.NodeModify(self):
                for connectors, _observer in list(self._host_guis.values()):
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._host_updating = False


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Make a wrapper of a class of annotated fields.

    Raises ValueError for a field whose name the wrapper needs and TypeError for a field type that cannot be kept.
    """
    return _wrapper_class(classtype) if classtype is not None else _wrapper_class


def isParameterNodeWrapper(classOrObj: Any) -> bool:
    """Whether a class or object is a parameter node wrapper."""
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def _wrapper_class(classtype: type) -> type:
    fields: dict[str, _Field] = {}
    for name, annotated in typing.get_type_hints(classtype, include_extras=True).items():
        if hasattr(_Wrapper, name) or name == "parameterNode":
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        fields[name] = _field_of(classtype, name, annotated)
    body: dict[str, Any] = {name: _accessor(name) for name in fields}
    body.update(allParameters=fields, __doc__=classtype.__doc__, __module__=classtype.__module__)
    return type(classtype.__name__, (_Wrapper, classtype), body)


def _field_of(classtype: type, name: str, annotated: Any) -> _Field:
    try:
        storage, notes = storage_for(annotated)
    except TypeError as error:
        raise TypeError(f"Unable to create serializer for {classtype.__name__} member {name}: {error}") from error
    defaults = [note for note in notes if isinstance(note, Default)]
    unknown = [note for note in notes if not isinstance(note, (Default, Decimals, SingleStep))]
    if unknown or len(defaults) > 1:
        raise TypeError(f"{classtype.__name__} member {name} has annotations without effect: {unknown or defaults}")
    if hasattr(classtype, name):
        default = Default(getattr(classtype, name))
    else:
        default = defaults[0] if defaults else Default(generator=storage.default)
    return _Field(name, annotated, storage, default)


def _accessor(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))
