"""slicer.modules: the modules of slicer-core by their logic, and scripted modules loaded from the repository."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui

from .strict import strict_class

# What a module may set on its `parent`. Source: Slicer Base/QTGUI/qSlicerScriptedLoadableModule.h, Q_PROPERTY.
_SETTABLE = {
    "title": "", "categories": [], "contributors": [], "associatedNodeTypes": [], "helpText": "",
    "acknowledgementText": "", "extensions": {}, "icon": None, "hidden": False, "dependencies": [], "index": -1,
    "widgetRepresentationCreationEnabled": True,
}  # fmt: skip


class Modules:
    """The namespace slicer.modules."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"slicer.modules has no {name!r}; it has {', '.join(sorted(vars(self)))}")


class CoreModule:
    """A module whose logic comes with slicer-core; it has no widget here."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title, self._logic = name, name, logic
        self.path, self.hidden = "", False

    def logic(self) -> Any:
        """The module logic."""
        return self._logic

    def widgetRepresentation(self) -> None:
        """Modules in C++ have no panel in the test host."""


class qSlicerScriptedLoadableModule:  # noqa: N801 (Slicer's name)
    """What the application keeps of a scripted module, and hands to its class as `parent`."""

    def __init__(self, name: str, path: Path) -> None:
        values = {key: value.copy() if hasattr(value, "copy") else value for key, value in _SETTABLE.items()}
        vars(self).update(values, name=name, path=str(path), isInstalled=False, isBuiltIn=False)
        vars(self).update(_instance=None, _widget=None, _logic=None)

    def __setattr__(self, name: str, value: Any) -> None:
        """As in the application only the module's own properties can be set."""
        if name not in _SETTABLE:
            raise AttributeError(f"A module has no property {name!r} to set; it has {', '.join(sorted(_SETTABLE))}")
        expected = _SETTABLE[name]
        if expected is not None and not isinstance(value, type(expected)):
            raise TypeError(f"{name} is of type {type(expected).__name__}, not {type(value).__name__}")
        vars(self)[name] = value

    def logic(self) -> Any:
        """The module's vtkSlicerScriptedLoadableModuleLogic."""
        if self._logic is None:
            vars(self)["_logic"] = slicer.vtkSlicerScriptedLoadableModuleLogic()
        return self._logic

    def self(self) -> Any:
        """The instance of the module's class."""
        return self._instance

    def widgetRepresentation(self) -> Any:
        """The module's panel, made and set up when first asked for."""
        if self._widget is None:
            vars(self)["_widget"] = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self) -> Any:
        """Another panel of the module."""
        widget = slicer.qSlicerScriptedLoadableModuleWidget()
        widget.start(self.name, Path(self.path))
        return widget

    def load(self) -> None:
        """Execute the module's file and make its class."""
        module = load_file(self.name, Path(self.path))
        icon = Path(self.path).parent / "Resources" / "Icons" / f"{self.name}.png"
        if icon.exists():
            self.icon = QtGui.QIcon(str(icon))
        vars(self)["_instance"] = getattr(module, self.name)(self)
        setattr(slicer.modules, f"{self.name}Instance", self._instance)
        setattr(slicer.modules, self.name.lower(), self)

    @property
    def has_widget(self) -> bool:
        """Whether the panel has been made."""
        return self._widget is not None


def load_file(name: str, path: Path) -> Any:
    """The Python module of a file, executed anew, under its name in sys.modules."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def new_widget_class() -> type:
    """The class qSlicerScriptedLoadableModuleWidget, on the strict Qt of the host: made once qt is installed."""
    import qt

    class qSlicerScriptedLoadableModuleWidget(qt.QWidget):  # noqa: N801 (Slicer's name)
        """The panel of a scripted module: the `parent` that the module's widget class gets."""

        def start(self, name: str, path: Path) -> None:
            """Make the widget class of the module file, and set it up."""
            self._name, self._path, self._self, self._entered = name, path, None, False
            self.setLayout(qt.QVBoxLayout())
            self.make()

        def make(self) -> None:
            """Make the widget of the module's class as it is now loaded."""
            self._self = getattr(sys.modules[self._name], f"{self._name}Widget")(self)
            setattr(slicer.modules, f"{self._name}Widget", self._self)
            self._self.setup()

        reload = make

        @property
        def isEntered(self) -> bool:
            """Whether the module is the open one."""
            return self._entered

        @property
        def moduleName(self) -> str:
            """The module's name."""
            return self._name

        def self(self) -> Any:
            """The instance of the module's widget class."""
            return self._self

        def mrmlScene(self) -> Any:
            """The scene."""
            return slicer.mrmlScene

        def enter(self) -> None:
            """The module is opened."""
            self._entered = True
            if hasattr(self._self, "enter"):
                self._self.enter()

        def exit(self) -> None:
            """Another module is opened."""
            self._entered = False
            if hasattr(self._self, "exit"):
                self._self.exit()

    return qSlicerScriptedLoadableModuleWidget


class ModuleManager(strict_class(QtCore.QObject)):
    """The application's qSlicerModuleManager, which is its own factory manager here."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleUnloaded = QtCore.Signal(str)

    def module(self, name: str) -> Any:
        """A module by its name, or None."""
        found = vars(slicer.modules).get(name.lower())
        return found if hasattr(found, "widgetRepresentation") else None

    def factoryManager(self) -> ModuleManager:
        """Says which modules are loaded."""
        return self

    def loadedModuleNames(self) -> list[str]:
        """The names of all modules."""
        return [module.name for module in vars(slicer.modules).values() if hasattr(module, "widgetRepresentation")]

    modulesNames = loadedModuleNames

    def isLoaded(self, name: str) -> bool:
        """Whether a module is loaded."""
        return name in self.loadedModuleNames()
