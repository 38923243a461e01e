"""The test host's public face: start it, open a module, press its buttons, look at pictures of it.

host = start()
widget = host.open_module("SpinalStrutDesigner")
host.slice_view("Red").mouse.click((10.0, 5.0, 30.0))
host.screenshot("panel.png")
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Both are read when the libraries are loaded; without a screen there is nothing else that works.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import slicer
from PySide6 import QtWidgets

from . import dialogs
from .application import install_application
from .install import install
from .messages import Messages
from .modules import load_scripted
from .sample_data import install_sample_data
from .scene_bootstrap import bootstrap_scene, new_temporary_folder
from .screenshot import save_screenshot
from .strict import process_events
from .views import SliceView, ThreeDView
from .window import WINDOW_SIZE_PX, MainWindow, set_appearance

# The repository that the host belongs to, and its modules: those with a folder and a file of one name.
REPOSITORY = Path(__file__).resolve().parents[3]

# How long wait_for sleeps between two looks, seconds.
_LOOK_AGAIN_S = 0.01

_running: list[Host] = []


def start() -> Host:
    """The host of this process, started if it was not."""
    if not _running:
        _running.append(Host())
    host = _running[0]
    host.run()
    slicer.mrmlScene = host.app.mrmlScene()  # tests without the application may have set another
    return host


class Host:
    """A running application with its scene, views and modules."""

    def __init__(self) -> None:
        install()
        set_appearance(QtWidgets.QApplication.instance())
        self._folder = new_temporary_folder()
        self.temporary_folder = Path(self._folder.name)
        self._parts = bootstrap_scene(self.temporary_folder)
        self.messages = Messages()
        self.window = MainWindow()
        self.app = install_application(self._parts, self.window, self.temporary_folder, self.messages)
        install_sample_data()
        self.load_errors: dict[str, BaseException] = {}
        self._runs = False

    def run(self) -> None:
        """Load the modules and show the window, unless that is done."""
        if self._runs:
            return
        self._runs = True
        self.load_errors.clear()
        for file in module_files():
            self._load(file)
        self.window.show()
        self.process_events()
        self.app.startupCompleted.emit()

    # Modules

    def _load(self, file: Path) -> None:
        """Load a module as at start-up: a module that fails is skipped, and says why when it is opened."""
        try:
            load_scripted(file)
        except Exception as error:
            self.load_errors[file.stem] = error

    def open_module(self, name: str) -> Any:
        """Open a module's panel and return its widget: setup() the first time, enter() each time.

        Raises RuntimeError if the module could not be loaded, and SlotError for exceptions that its panel raised.
        """
        if name in self.load_errors:
            raise RuntimeError(f"Module {name} could not be loaded.") from self.load_errors[name]
        self.window.moduleSelector().selectModule(name)
        self.process_events()
        return getattr(slicer.modules, f"{name}Widget")

    def close_module(self) -> None:
        """Leave the open module: its exit() is called."""
        self.window.moduleSelector().selectModule("")
        self.process_events()

    def run_self_test(self, name: str) -> None:
        """Run a module's own test as the application's test driver does, with --testing. Raises what it raises."""
        if name in self.load_errors:
            raise RuntimeError(f"Module {name} could not be loaded.") from self.load_errors[name]
        self.app.set_testing(True)
        try:
            getattr(sys.modules[name], f"{name}Test")().runTest()
        finally:
            self.app.set_testing(False)
        self.process_events()

    def quit(self) -> None:
        """Close the application: exit() of the open module, cleanup() of every panel. start() starts it again."""
        self.app.aboutToQuit.emit()
        self.window.moduleSelector().selectModule("")
        manager = self.app.moduleManager()
        for name in manager.open_panels():
            manager.moduleAboutToBeUnloaded.emit(name)
            delattr(slicer.modules, f"{name}Widget")
        self.window.panel.forget_modules()
        self.close_scene()
        for signal in ("startupCompleted()", "aboutToQuit()"):
            self.app.disconnect(signal)  # those who listened go with the modules
        self.window.hide()
        self._runs = False

    # Time

    def process_events(self, seconds: float = 0.0) -> None:
        """Let the application work for a while, at least once. Raises SlotError if an exception left a slot."""
        end = time.monotonic() + seconds
        process_events()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_AGAIN_S))
            process_events()

    def wait_for(self, predicate: Callable[[], Any], timeout_s: float, what: str) -> Any:
        """Let the application work until predicate() is true, and return its value. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while not (value := predicate()):
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not happen within {timeout_s} s.")
            process_events()
            time.sleep(_LOOK_AGAIN_S)
        return value

    # Scene

    def close_scene(self) -> None:
        """File > Close scene."""
        slicer.mrmlScene.Clear(False)
        self.process_events()

    def save_scene(self, path: str | Path) -> Path:
        """Save to a bundle (.mrb), a scene file (.mrml, with its data files) or an empty folder. Raises OSError."""
        file = Path(path)
        if file.suffix == ".mrml":
            self._save_data_files(file.absolute().parent)
        if not slicer.util.saveScene(str(file), {}):
            raise OSError(f"The scene could not be saved to {file}; choose a folder that can be written to.")
        self.process_events()
        return file

    def _save_data_files(self, folder: Path) -> None:
        """What the save dialog does before it writes a .mrml: every node's data beside it."""
        self.app.coreIOManager().addDefaultStorageNodes()
        taken: set[str] = set()
        for node in slicer.util.getNodesByClass("vtkMRMLStorableNode"):
            storage = node.GetStorageNode()
            if storage is None or not node.GetSaveWithScene():
                continue
            name = self.app.applicationLogic().PercentEncode(node.GetName())
            name = f"{name}_{node.GetID()}" if name in taken else name
            taken.add(name)
            slicer.util.saveNode(node, str(folder / f"{name}.{storage.GetDefaultWriteFileExtension()}"), {})

    def load_scene(self, path: str | Path) -> None:
        """Load a bundle or scene file into the scene, adding to what is there. Raises RuntimeError."""
        slicer.util.loadScene(str(path), {})
        self.process_events()

    def reset(self) -> None:
        """As after start: no module open, an empty scene, no messages, the usual layout, nothing being placed."""
        self.close_module()
        self.close_scene()
        self.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
        self.app.applicationLogic().GetInteractionNode().SwitchToViewTransformMode()
        for view in self.app.layoutManager().views():
            view.mouse.leave()
        self.messages.forget()
        dialogs.clear()
        self.process_events()

    # Views and pictures

    def slice_view(self, name: str) -> SliceView:
        """A slice view, "Red", "Green" or "Yellow", rendered and laid out."""
        widget = self.app.layoutManager().sliceWidget(name)
        if widget is None:
            raise ValueError(f"There is no slice view {name!r}, only {self.app.layoutManager().sliceViewNames()}.")
        self.process_events()
        return widget.sliceView()

    def three_d_view(self) -> ThreeDView:
        """The 3D view, rendered and laid out."""
        self.process_events()
        return self.app.layoutManager().threeDWidget(0).threeDView()

    def screenshot(self, path: str | Path, size: tuple[int, int] = WINDOW_SIZE_PX) -> Path:
        """Write a picture of the window, the panel beside the views, as PNG."""
        self.process_events()
        layout = self.app.layoutManager()
        return save_screenshot(self.window, [*layout.views(), layout.plotWidget(0).plotView()], path, size)

    def scroll_to(self, widget: QtWidgets.QWidget) -> None:
        """Scroll the open module's panel until a widget of it can be seen."""
        self.window.panel.scroll_to(widget)
        self.process_events()


def module_files() -> list[Path]:
    """The repository's scripted modules, those that others depend on first."""
    files = sorted(file for file in REPOSITORY.glob("*/*.py") if file.stem == file.parent.name)
    return [file for file in files if (file.parent / "CMakeLists.txt").exists()]
