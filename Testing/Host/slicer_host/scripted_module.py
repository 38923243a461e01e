"""The module `slicer.ScriptedLoadableModule`: the four base classes, and what Slicer puts around a module file."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import unittest
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from slicer_host import strict
from slicer_host.mrml_widgets import qMRMLWidget
from slicer_host.widget_class import stored, widget_class

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


class ScriptedLoadableModule:
    """What Slicer shows of a module; `parent` is the module object of Slicer and takes only what that one has."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        for extension in (".svg", ".png"):
            icon = Path(self.resourcePath(f"Icons/{self.moduleName}{extension}"))
            if icon.is_file():
                parent.icon = QtGui.QIcon(str(icon))
                break
        slicer.selfTests = {**getattr(slicer, "selfTests", {}), self.moduleName: self.runTest}

    def resourcePath(self, filename: str) -> str:
        """The path of a file in the module's Resources folder."""
        return str(Path(self.parent.path).parent / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A paragraph that links to the documentation."""
        return f'<p>For more information, see the <a href="{docPage or self.moduleName}">online documentation</a>.</p>'

    def runTest(self, msec: int = 100, **keywords: Any) -> None:
        """Run the module's test class. Raises AssertionError where there is none."""
        module = importlib.import_module(type(self).__module__)
        test_class = getattr(module, f"{self.moduleName}Test", None)
        if test_class is None:
            raise AssertionError(f"Test case class not found: {module.__name__}.{self.moduleName}Test")
        test = test_class()
        test.messageDelay = msec
        test.runTest(**keywords)


class ScriptedLoadableModuleWidget:
    """A module's panel. Without a parent it makes one and sets itself up, as in Slicer."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent if parent else slicer.qMRMLWidget()
        if not parent:
            self.parent.setLayout(strict.lookup("QVBoxLayout")())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if not parent:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        """The path of a file in the module's Resources folder."""
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def setup(self) -> None:
        """Build the panel; the reload section belongs to developer mode, which is off here."""

    def enter(self) -> None:
        """The module is opened."""

    def exit(self) -> None:
        """Another module is opened."""

    def cleanup(self) -> None:
        """The module is unloaded."""

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def onReload(self) -> None:
        """Read the module file again and build a new panel."""
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    """A module's work; its parameter node is found by the module's name."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The first parameter node of this module; made if there is none."""
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node:
                if node.GetAttribute("ModuleName") != self.moduleName:
                    node.SetAttribute("ModuleName", self.moduleName)
                return node
        existing = self.getAllParameterNodes()
        if existing and not self.isSingletonParameterNode:
            return existing[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        """All parameter nodes of this module."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """A parameter node that is not in the scene yet."""
        if slicer.mrmlScene is None:
            return None
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's test: `runTest` runs each method with "test" in its name, unless it is overridden."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.messageDelay = 0
        names = [name for name in dir(self) if "test" in name and callable(getattr(self, name))]
        self.moduleTestNames: list[str] = names

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Log a message and let events be processed."""
        logging.info(message)
        strict.process_events()

    def setUp(self) -> None:
        """Prepare one test."""

    def tearDown(self) -> None:
        """End one test."""

    def runTest(self) -> None:
        """Run each test."""
        self.setUpClass()
        for name in self.moduleTestNames:
            self.setUp()
            getattr(self, name)()
            self.tearDown()
        self.tearDownClass()


@widget_class
class qSlicerScriptedLoadableModuleWidget(qMRMLWidget._native):
    """The widget Slicer makes for a panel; it knows the Python object that fills it, and whether it is entered."""

    def __init__(self, parent: Any = None) -> None:
        qMRMLWidget._native.__init__(self, parent)
        self._host_entered, self._host_python, self._host_module = False, None, None

    isEntered = QtCore.Property(bool, lambda self: self._host_entered)
    moduleName = QtCore.Property(str, lambda self: self._host_module.name if self._host_module else "")

    def self(self) -> Any:
        """The panel's Python object."""
        return self._host_python

    def fill(self, module: Any) -> None:
        """Make the panel's Python object and set it up. Its exceptions are raised."""
        self._host_module = module
        if QtWidgets.QWidget.layout(self) is None:
            self.setLayout(strict.lookup("QVBoxLayout")())
        self.setMRMLScene(slicer.mrmlScene)
        self._host_python = getattr(sys.modules[module.name], f"{module.name}Widget")(self)
        setattr(slicer.modules, f"{module.name}Widget", self._host_python)
        self._host_python.setup()

    def reload(self) -> None:
        """Fill the widget anew, after the module file has been read again; enter() is not called, as in Slicer."""
        self.fill(self._host_module)

    def enter(self) -> None:
        """The module is opened."""
        self._host_entered = True
        self._host_python.enter()

    def exit(self) -> None:
        """Another module is opened."""
        self._host_entered = False
        self._host_python.exit()


class _Module(QtCore.QObject):
    title = stored(str, "title", "")
    categories = stored("QStringList", "categories", [])
    contributors = stored("QStringList", "contributors", [])
    dependencies = stored("QStringList", "dependencies", [])
    associatedNodeTypes = stored("QStringList", "associatedNodeTypes", [])
    helpText = stored(str, "helpText", "")
    acknowledgementText = stored(str, "acknowledgementText", "")
    extensions = stored("QVariantMap", "extensions", {})
    icon = stored(QtGui.QIcon, "icon", QtGui.QIcon())
    hidden = stored(bool, "hidden", False)
    index = stored(int, "index", -1)
    widgetRepresentationCreationEnabled = stored(bool, "widgetRepresentationCreationEnabled", True)
    path = QtCore.Property(str, lambda self: self._host_path)


@widget_class
class qSlicerScriptedLoadableModule(_Module):
    """A module as `slicer.modules.<name>` gives it."""

    def __init__(self, path: str) -> None:
        QtCore.QObject.__init__(self)
        self._host_path = path
        self._host_widget: Any = None
        self._host_logic: Any = None
        self._host_python: Any = None
        self.setObjectName(Path(path).stem)

    def self(self) -> Any:
        """The module's Python object."""
        return self._host_python

    def widgetRepresentation(self) -> Any:
        """The module's widget, made when it is first asked for."""
        if self._host_widget is None:
            self._host_widget = self.createNewWidgetRepresentation()
        return self._host_widget

    def createNewWidgetRepresentation(self) -> Any:
        """A new widget of the module."""
        widget = qSlicerScriptedLoadableModuleWidget()
        widget.fill(self)
        return widget

    def logic(self) -> Any:
        """The module's logic."""
        if self._host_logic is None:
            self._host_logic = getattr(sys.modules[self.name], f"{self.name}Logic")()
        return self._host_logic


def load_module(path: str | Path) -> Any:
    """Read a module file and make its module object: what `slicer.modules.<name in lower case>` is in Slicer."""
    path = Path(path)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    python = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = python
    spec.loader.exec_module(python)
    module = qSlicerScriptedLoadableModule(str(path))
    module._host_python = getattr(python, path.stem)(module)
    setattr(slicer.modules, path.stem.lower(), module)
    return module
