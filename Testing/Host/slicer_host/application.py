"""slicer.app and the functions of slicer.util that need an application."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .io_manager import IOManager
from .layout_manager import LayoutManager
from .messages import Messages
from .modules import ModuleManager, core_modules
from .scene_bootstrap import SceneParts
from .scripted_module import qSlicerScriptedLoadableModule, qSlicerScriptedLoadableModuleWidget
from .strict import strict_class
from .window import MainWindow

# The application that the host stands in for: the version of the slicer-core package in use.
_VERSION = (5, 13)


class Environment:
    """The environment in which the application was started: what QProcessEnvironment shows of it."""

    def keys(self) -> list[str]:
        """The names of the variables."""
        return list(os.environ)

    def value(self, name: str) -> str:
        """A variable's value."""
        return os.environ[name]


class CommandOptions(strict_class(QtCore.QObject)):
    """The options of the command line that started the application: none."""

    testingEnabled = False
    noMainWindow = False
    noSplash = True
    pythonCode = ""
    pythonScript = ""
    runPythonAndExit = False


class Application(strict_class(QtCore.QObject)):
    """The application's qSlicerApplication, as far as scripted modules use it."""

    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()
    mrmlSceneChanged = QtCore.Signal(object)
    pauseRenderEvent = QtCore.Signal()
    resumeRenderEvent = QtCore.Signal()

    def __init__(self, parts: SceneParts, window: MainWindow, temporary_folder: Path) -> None:
        super().__init__()
        self._parts, self._window, self._testing = parts, window, False
        self._io = IOManager(parts.scene, parts.application_logic, parts.logics)
        self._layout = LayoutManager(parts.scene, parts.application_logic, window.view_area)
        self._modules = ModuleManager()
        self._options = CommandOptions()
        self._settings = QtCore.QSettings(str(temporary_folder / "Slicer.ini"), QtCore.QSettings.IniFormat)
        logic = slicer.vtkMRMLApplicationLogic
        parts.application_logic.AddObserver(logic.PauseRenderEvent, lambda *_: self._layout.pauseRender())
        parts.application_logic.AddObserver(logic.ResumeRenderEvent, lambda *_: self._layout.resumeRender())
        self.temporaryPath = str(temporary_folder)
        self.cachePath = str(temporary_folder / "RemoteIO")
        self.slicerHome = str(Path(slicer.__file__).parent)
        self.extensionsInstallPath = str(temporary_folder / "Extensions")
        self.startupWorkingPath = os.getcwd()
        self.applicationName = "Slicer"
        self.mainApplicationName = "Slicer"
        self.majorVersion, self.minorVersion = _VERSION
        self.applicationVersion = f"{_VERSION[0]}.{_VERSION[1]}.0"
        self.revision = self.repositoryRevision = "0"
        self.os, self.arch = platform.system().lower(), platform.machine()
        self.platform = f"{self.os}-{self.arch}"
        self.isInstalled = False
        self.launcherExecutableFilePath = sys.executable

    # Parts of the application

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._parts.scene

    def applicationLogic(self) -> Any:
        """The vtkSlicerApplicationLogic."""
        return self._parts.application_logic

    def moduleLogic(self, name: str) -> Any:
        """A module's logic by the module's name, or None."""
        return self._parts.logics.get(name.lower())

    def coreIOManager(self) -> IOManager:
        """Reads and writes files."""
        return self._io

    ioManager = coreIOManager

    def layoutManager(self) -> LayoutManager:
        """The views."""
        return self._layout

    def moduleManager(self) -> ModuleManager:
        """The modules."""
        return self._modules

    def mainWindow(self) -> MainWindow:
        """The main window."""
        return self._window

    def settings(self) -> QtCore.QSettings:
        """The settings: a file of this run, never the user's."""
        return self._settings

    userSettings = settings
    revisionUserSettings = settings

    def commandOptions(self) -> CommandOptions:
        """The options at start."""
        return self._options

    def testingEnabled(self) -> bool:
        """Whether the application was started to run tests: messages are then logged and not shown."""
        return self._testing

    def set_testing(self, enabled: bool) -> None:
        """Behave as if started with or without --testing."""
        self._testing = enabled

    def startupEnvironment(self) -> Environment:
        """The environment in which the application was started."""
        return Environment()

    # What every QApplication can do

    def processEvents(self, *flags: Any) -> None:
        """Let waiting events be handled."""
        QtWidgets.QApplication.processEvents()

    def setOverrideCursor(self, cursor: Any) -> None:
        """Show a cursor everywhere until restoreOverrideCursor()."""
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        """The counterpart of setOverrideCursor()."""
        QtWidgets.QApplication.restoreOverrideCursor()

    def overrideCursor(self) -> Any:
        """The cursor shown everywhere, or None."""
        return QtWidgets.QApplication.overrideCursor()

    def topLevelWidgets(self) -> list[Any]:
        """All windows, the main window first."""
        others = [w for w in QtWidgets.QApplication.topLevelWidgets() if w is not self._window]
        return [self._window, *others]

    def palette(self) -> Any:
        """The application's colours."""
        return QtWidgets.QApplication.palette()

    def clipboard(self) -> Any:
        """The clipboard."""
        return QtWidgets.QApplication.clipboard()

    def pauseRender(self) -> None:
        """No view renders until resumeRender()."""
        self._parts.application_logic.PauseRender()

    def resumeRender(self) -> None:
        """The counterpart of pauseRender()."""
        self._parts.application_logic.ResumeRender()

    def setRenderPaused(self, paused: bool) -> None:
        """pauseRender() or resumeRender()."""
        if paused:
            self.pauseRender()
        else:
            self.resumeRender()


class ModuleSelector(strict_class(QtCore.QObject)):
    """The application's qSlicerModuleSelectorToolBar: opens one module at a time."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, window: MainWindow, manager: ModuleManager) -> None:
        super().__init__(window)
        self._window, self._manager = window, manager
        self._open: Any = None
        self._name = ""

    @property
    def selectedModule(self) -> str:
        """The name of the open module; empty when none is open."""
        return self._name

    def selectModule(self, name: str) -> None:
        """Open a module: exit() of the one before, then enter(). Raises ValueError for an unknown module."""
        module = self._manager.module(name)
        if name and module is None:
            raise ValueError(f"Module {name!r} is not loaded; the host has {self._manager.loadedModuleNames()}.")
        if name == self._name:
            return
        before, self._open, self._name = self._open, None, ""
        if before is not None:
            before.widgetRepresentation().exit()
        widget = module.widgetRepresentation() if module else None
        self._name = name
        if widget is None:
            self._window.panel.show_nothing()
        else:
            self._open = module
            self._window.panel.show_module(module.title, module.icon, widget)
            widget.enter()
        self.moduleSelected.emit(name)


def install_application(parts: SceneParts, window: MainWindow, temporary_folder: Path, messages: Messages) -> Any:
    """Make slicer.app, slicer.modules, and slicer.util's boxes that record instead of waiting."""
    import slicer.util

    slicer.modules = core_modules(parts.logics)
    slicer.qSlicerScriptedLoadableModule = qSlicerScriptedLoadableModule
    slicer.qSlicerScriptedLoadableModuleWidget = qSlicerScriptedLoadableModuleWidget
    application = Application(parts, window, temporary_folder)
    slicer.app = application
    window.set_module_selector(ModuleSelector(window, application.moduleManager()))
    slicer.util.messageBox = messages.show_box
    slicer.util.delayDisplay = messages.show_popup
    return application
