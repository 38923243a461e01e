"""Modules in the host live as in the application: loaded, set up once, entered and left, cleaned up at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")

MODULE = """
import slicer
from slicer.ScriptedLoadableModule import *

class Visitor(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "A visitor"
        parent.categories = ["Testing"]
        slicer.app.connect("startupCompleted()", lambda: slicer.modules.visitorEvents.append("started"))

class VisitorWidget(ScriptedLoadableModuleWidget):
    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        import qt
        self.button = qt.QPushButton("Break")
        self.layout.addWidget(self.button)
        self.button.connect("clicked(bool)", self.onClick)
        slicer.modules.visitorEvents.append("setup")
    def enter(self):
        slicer.modules.visitorEvents.append(f"enter {self.parent.isEntered}")
    def exit(self):
        slicer.modules.visitorEvents.append(f"exit {self.parent.isEntered}")
    def cleanup(self):
        slicer.modules.visitorEvents.append("cleanup")
    def onClick(self, checked):
        raise ValueError("It broke")

class VisitorLogic(ScriptedLoadableModuleLogic):
    pass

class VisitorTest(ScriptedLoadableModuleTest):
    def runTest(self):
        self.assertTrue(slicer.app.testingEnabled())
        slicer.modules.visitorEvents.append("tested")
"""


@pytest.fixture
def events(host: Any, tmp_path: Path) -> Iterator[list[str]]:
    """What happens to a module Visitor that was loaded from a file."""
    from slicer_host.modules import load_scripted

    slicer.modules.visitorEvents = []
    file = tmp_path / "Visitor" / "Visitor.py"
    file.parent.mkdir()
    file.write_text(MODULE, encoding="utf-8")
    load_scripted(file)
    yield slicer.modules.visitorEvents
    host.quit()
    for name in ("visitor", "visitorEvents", "VisitorInstance"):
        delattr(slicer.modules, name)
    sys.path.remove(str(file.parent))
    from slicer_host.host import start

    start()


def test_life_of_a_module(host: Any, events: list[str]) -> None:
    widget = host.open_module("Visitor")
    assert widget is slicer.modules.VisitorWidget
    assert widget is slicer.util.getModuleWidget("Visitor") is slicer.modules.visitor.widgetRepresentation().self()
    assert slicer.modules.visitor.title == "A visitor" and slicer.util.selectedModule() == "Visitor"
    assert events == ["setup", "enter True"]
    slicer.util.selectModule("Visitor")  # it is open already
    host.close_module()
    host.open_module("Visitor")
    assert events[2:] == ["exit False", "enter True"]
    host.run_self_test("Visitor")
    assert events[4:] == ["tested"] and slicer.app.testingEnabled() is False
    host.quit()
    assert events[5:] == ["exit False", "cleanup"]


def test_the_panel_is_as_wide_as_the_module_needs(host: Any, events: list[str]) -> None:
    from slicer_host.window import PANEL_WIDTH_PX

    widget = host.open_module("Visitor")
    assert host.window.panel.width() == PANEL_WIDTH_PX
    widget.button.setMinimumWidth(600)
    host.process_events()
    assert 600 <= host.window.panel.width() < 700
    host.close_module()
    assert host.window.panel.width() == PANEL_WIDTH_PX


def test_reloading_makes_a_new_panel(host: Any, events: list[str]) -> None:
    first = host.open_module("Visitor")
    path = Path(slicer.util.modulePath("Visitor"))
    path.write_text(MODULE.replace('"Break"', '"New"'), encoding="utf-8")
    first.onReload()
    assert slicer.modules.VisitorWidget is not first
    assert slicer.modules.VisitorWidget.button.text == "New"
    assert events[:4] == ["setup", "enter True", "cleanup", "setup"]


def test_an_exception_in_a_handler_reaches_the_test(host: Any, events: list[str]) -> None:
    widget = host.open_module("Visitor")
    widget.button.click()
    with pytest.raises(AssertionError, match="It broke"):
        host.process_events()


def test_start_is_told_to_modules_once(host: Any, events: list[str]) -> None:
    from slicer_host.host import start
    from slicer_host.modules import load_scripted

    start()
    assert "started" not in events  # it runs already
    host.quit()
    load_scripted(Path(slicer.modules.visitor.path))
    assert start() is host
    assert events == ["started"]


def test_unknown_and_broken_modules_are_named(host: Any) -> None:
    with pytest.raises(ValueError, match="Nowhere"):
        host.open_module("Nowhere")
    host.load_errors["Broken"] = SyntaxError("here")
    with pytest.raises(RuntimeError, match="Broken") as caught:
        host.open_module("Broken")
    assert isinstance(caught.value.__cause__, SyntaxError)
    del host.load_errors["Broken"]


def test_the_repositorys_modules_load_and_one_is_shown(host: Any) -> None:
    assert host.load_errors == {}
    before = np.asarray(picture(host))
    widget = host.open_module("LatticeGenerator")
    assert widget.ui.fillButton.enabled is False
    assert Path(slicer.modules.latticegenerator.path).name == "LatticeGenerator.py"
    after = np.asarray(picture(host))
    changed = np.abs(after.astype(int) - before).max(axis=2) > 30
    assert np.count_nonzero(changed[:, :470]) > 3000 and np.count_nonzero(changed[:, 490:]) == 0
    host.run_self_test("LatticeGenerator")


def picture(host: Any) -> np.ndarray:
    """The window as an array."""
    from PySide6 import QtGui

    image = host.window.grab().toImage().convertToFormat(QtGui.QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
