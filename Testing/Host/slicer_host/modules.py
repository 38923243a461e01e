"""slicer.modules and the module manager: slicer-core's modules by their logic, scripted ones from the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore

from .scripted_module import load_module
from .segment_editor import SegmentEditorModule
from .strict import strict_class

# Names of modules whose spelling is more than a capital at the start.
_NAMES = ("SubjectHierarchy", "ViewControllers", "SceneViews", "CropVolume")


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


def core_modules(logics: dict[str, Any]) -> Modules:
    """slicer.modules with the modules that slicer-core brings."""
    names = {name.lower(): name for name in _NAMES}
    modules = Modules()
    for key, logic in logics.items():
        setattr(modules, key, CoreModule(names.get(key, key.capitalize()), logic))
    modules.segmenteditor = SegmentEditorModule()
    return modules


def load_scripted(file: Path) -> Any:
    """Execute a module's file and make its class, as the application does at start-up."""
    module = load_module(file)
    setattr(slicer.modules, f"{file.stem}Instance", module.self())
    return module


class ModuleManager(strict_class(QtCore.QObject)):  # type: ignore[misc]
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

    def open_panels(self) -> list[str]:
        """The names of the modules whose panel has been made."""
        return [name for name in self.loadedModuleNames() if f"{name}Widget" in vars(slicer.modules)]
