"""Qt as PythonQt shows it: what works there works here, and each planted mistake fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture(autouse=True)
def qt() -> Iterator[Any]:
    """The module qt; a test whose slots raised fails unless it has looked at that itself."""
    from slicer_host import dialogs, strict
    from slicer_host.install import install

    install()
    import qt

    dialogs.clear()
    yield qt
    strict.check_no_slot_errors()


def test_install_twice_gives_the_same_modules_and_application(qt: Any) -> None:
    from slicer_host.install import install

    button_class, application = qt.QPushButton, qt.QApplication.instance()
    install()
    import qt as again

    assert again.QPushButton is button_class
    assert qt.QApplication.instance() is application


def test_a_qt_property_is_a_python_property_and_its_setter_stays(qt: Any) -> None:
    button = qt.QPushButton("first")
    assert (button.text, button.enabled, button.checkable) == ("first", True, False)
    button.text, button.enabled = "second", False
    button.setToolTip("hint")
    assert (button.text, button.isEnabled(), button.toolTip) == ("second", False, "hint")
    button.name = "given"
    assert button.objectName == "given"
    combo = qt.QComboBox()
    combo.addItems(["a", "b"])
    combo.currentIndex = 1
    assert (combo.count, combo.currentText, combo.itemText(0)) == (2, "b", "a")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("txt", "x", "QPushButton has no attribute 'txt'"),
        ("_private", 1, "QPushButton has no attribute '_private'"),
        ("setText", "x", "QPushButton.setText is a method"),
        ("clicked", None, "QPushButton.clicked is a signal"),
        ("sizeHint", None, "QPushButton.sizeHint is read-only"),
    ],
)
def test_setting_what_cannot_be_set_names_class_and_attribute(qt: Any, name: str, value: Any, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        setattr(qt.QPushButton(), name, value)


def test_reading_an_unknown_attribute_names_class_and_attribute(qt: Any) -> None:
    with pytest.raises(AttributeError, match="QLabel has no attribute 'txt'"):
        _ = qt.QLabel().txt
    with pytest.raises(AttributeError, match="qt has no 'QLable'"):
        _ = qt.QLable


def test_an_item_of_a_table_has_methods_and_takes_no_attribute(qt: Any) -> None:
    table = qt.QTableWidget(1, 1)
    table.setItem(0, 0, qt.QTableWidgetItem("cell"))
    assert (table.rowCount, table.item(0, 0).text()) == (1, "cell")
    with pytest.raises(AttributeError, match=r"QTableWidgetItem\.text is a method"):
        table.item(0, 0).text = "changed"


def test_a_python_subclass_may_carry_attributes_of_its_own(qt: Any) -> None:
    class Dialog(qt.QDialog):
        def __init__(self) -> None:
            super().__init__()
            self.answer = 42
            self.windowTitle = "Title"

    dialog = Dialog()
    assert (dialog.answer, dialog.windowTitle) == (42, "Title")
    assert isinstance(dialog, qt.QWidget)


def test_a_signal_of_a_python_subclass_is_as_strict(qt: Any) -> None:
    class Work(qt.QObject):
        finished = qt.Signal(int, str)

    class Longer(Work):
        pass

    work, heard = Longer(), []
    work.finished.connect(lambda code: heard.append(code))
    work.connect("finished(int,QString)", lambda code, words: heard.append(words))
    work.finished.emit(3, "done")
    assert heard == [3, "done"]
    with pytest.raises(ValueError, match=r"it has finished\(int,QString\)"):
        work.connect("finished(int)", heard.append)
    with pytest.raises(ValueError, match="needs 3 arguments"):
        work.finished.connect(lambda code, words, more: None)


def test_objects_that_qt_makes_itself_are_strict_too(qt: Any) -> None:
    table, menu = qt.QTableWidget(2, 2), qt.QMenu()
    header = table.horizontalHeader()
    header.stretchLastSection = True
    assert header.stretchLastSection is True
    with pytest.raises(AttributeError, match="QHeaderView has no attribute"):
        header.strechLastSection = True
    action = menu.addAction("Undo")
    assert action.text == "Undo"


def test_a_class_outlives_the_objects_that_qt_made_of_it(qt: Any) -> None:
    counts = []
    for _ in range(20):
        table = qt.QTableWidget(1, 1)
        assert table.horizontalHeader().visible is False
        del table
        counts.append(sys.getrefcount(qt.QHeaderView))
    assert counts[-1] >= counts[0]


def test_a_class_keeps_its_meta_object_when_an_object_that_was_asked_for_it_goes(qt: Any) -> None:
    root = qt.QWidget()
    layout = qt.QVBoxLayout(root)
    box = qt.QFontComboBox()
    layout.addWidget(box)
    assert box.className() == box.metaObject().className() == "QFontComboBox"
    del box, layout, root
    assert qt.QFontComboBox().connect("currentIndexChanged(int)", lambda index: None)


def test_signals_connect_by_name_and_by_signature_and_disconnect(qt: Any) -> None:
    button, heard = qt.QPushButton(), []

    def on_clicked(checked: bool) -> None:
        heard.append(("clicked(bool)", checked))

    def on_any() -> None:
        heard.append(("clicked()",))

    button.clicked.connect(on_clicked)
    button.connect("clicked()", on_any)
    button.click()
    assert heard == [("clicked(bool)", False), ("clicked()",)]
    assert button.clicked.disconnect(on_clicked)
    assert button.disconnect("clicked()", on_any)
    assert not button.disconnect("clicked()", on_any)
    button.click()
    assert len(heard) == 2


def test_a_slot_gets_as_many_arguments_as_it_takes(qt: Any) -> None:
    box, heard = qt.QSpinBox(), []
    box.connect("valueChanged(int)", lambda: heard.append("none"))
    box.connect("valueChanged( int )", lambda value: heard.append(value))
    box.value = 5
    assert heard == ["none", 5]


def test_a_misspelled_signal_or_wrong_arguments_are_refused_with_those_that_exist(qt: Any) -> None:
    with pytest.raises(ValueError, match=r"no signal 'cliked\(\)'; it has clicked\(\), clicked\(bool\)"):
        qt.QPushButton().connect("cliked()", lambda: None)
    with pytest.raises(ValueError, match=r"it has valueChanged\(int\)"):
        qt.QSpinBox().connect("valueChanged(double)", lambda value: None)
    with pytest.raises(AttributeError, match="QPushButton has no attribute 'cliked'"):
        qt.QPushButton().cliked.connect(lambda: None)


def test_a_default_argument_on_a_boolean_signal_is_refused(qt: Any) -> None:
    class Panel:
        def onDesign(self, checked: bool = False) -> None: ...

    button = qt.QPushButton()
    for connect in (button.clicked.connect, lambda slot: button.connect("toggled(bool)", slot)):
        with pytest.raises(ValueError, match=r"onDesign .* gives 'checked' a default"):
            connect(Panel().onDesign)
    with pytest.raises(ValueError, match="gives 'row' a default"):
        qt.QAction("x", button).triggered.connect(lambda row=3: None)
    button.connect("clicked()", Panel().onDesign)


def test_a_slot_that_needs_more_than_the_signal_gives_is_refused(qt: Any) -> None:
    with pytest.raises(ValueError, match="needs 1 arguments"):
        qt.QPushButton().connect("clicked()", lambda checked: None)


def test_an_exception_in_a_slot_or_timer_is_not_lost(qt: Any) -> None:
    from slicer_host import strict

    def fail() -> None:
        raise RuntimeError("planted")

    button, timer = qt.QPushButton(), qt.QTimer()
    button.connect("clicked()", fail)
    button.click()
    with pytest.raises(strict.SlotError, match="planted"):
        strict.check_no_slot_errors()
    timer.singleShot = True
    timer.connect("timeout()", fail)
    timer.start(0)
    qt.QTimer.singleShot(0, fail)
    with pytest.raises(strict.SlotError, match=r"2 exception\(s\)"):
        for _ in range(100):
            qt.QThread.msleep(1)
            if len(strict.raised) == 2:
                break
            qt.QApplication.processEvents()
        strict.process_events()
    strict.check_no_slot_errors()


def test_a_dynamic_property_is_an_attribute_once_set(qt: Any) -> None:
    label = qt.QLabel()
    label.setProperty("SlicerParameterName", "volume")
    assert label.property("SlicerParameterName") == label.SlicerParameterName == "volume"
    assert label.property("PlanField") is None


def test_children_are_found_by_class_and_name(qt: Any) -> None:
    widget = qt.QWidget()
    layout = qt.QVBoxLayout(widget)
    button = qt.QPushButton()
    button.name = "go"
    layout.addWidget(button)
    assert widget.findChildren(qt.QPushButton) == (button,)
    assert widget.findChild("QPushButton", "go") is button
    assert widget.findChild(qt.QLabel) is None
    assert widget.layout() is layout


def test_lists_come_as_tuples_and_keyword_arguments_are_refused(qt: Any) -> None:
    widget = qt.QWidget()
    layout = qt.QVBoxLayout(widget)
    assert widget.children() == (layout,)
    with pytest.raises(TypeError, match=r"keyword arguments .* stretch"):
        layout.addStretch(stretch=1)
    with pytest.raises(TypeError, match="QLabel got text"):
        qt.QLabel(text="x")


def test_a_shortcut_fires_its_slot(qt: Any) -> None:
    window, heard = qt.QWidget(), []
    shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+Z"), window)
    shortcut.connect("activated()", lambda: heard.append(1))
    shortcut.activated()
    assert heard == [1]
    assert shortcut.key.toString() == "Ctrl+Z"


def test_dialogs_take_the_queued_answer_and_never_block(qt: Any) -> None:
    from slicer_host import dialogs

    dialogs.answers.extend(["/tmp/out", "/tmp/a.stl", qt.QMessageBox.Yes, qt.QDialog.Accepted])
    assert qt.QFileDialog.getExistingDirectory(None, "Folder") == "/tmp/out"
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "STL (*.stl)") == "/tmp/a.stl"
    assert qt.QMessageBox.question(None, "Sure", "Really?") == qt.QMessageBox.Yes
    assert qt.QDialog().exec_() == qt.QDialog.Accepted
    assert [name for name, _arguments in dialogs.asked][:2] == [
        "QFileDialog.getExistingDirectory",
        "QFileDialog.getSaveFileName",
    ]
    with pytest.raises(dialogs.UnansweredDialog, match=r"QMessageBox\.exec"):
        qt.QMessageBox().exec_()
    with pytest.raises(dialogs.UnansweredDialog, match="getOpenFileName"):
        qt.QFileDialog.getOpenFileName(None, "Open")


def test_settings_are_not_the_users(qt: Any) -> None:
    settings = qt.QSettings()
    settings.setValue("a", "b")
    assert qt.QSettings().value("a") == "b"
    assert "slicer-host-settings" in settings.fileName()


# A class is known by name before Qt has made an object of it; then wrappers of such objects come and go.
_COME_AND_GO = """
from PySide6 import QtWidgets
from slicer_host import strict

application = QtWidgets.QApplication([])
strict.strict_class(QtWidgets.QHeaderView)
for _ in range(50):
    table = QtWidgets.QTableWidget()
    strict.adopt(table.horizontalHeader())
    del table
"""


def test_what_qt_deleted_leaves_no_address_behind() -> None:
    """Shiboken walks through all it knows when the process ends: an address left behind is a crash there."""
    folder = str(Path(__file__).resolve().parents[2] / "Host")
    ended = subprocess.run(
        [sys.executable, "-c", _COME_AND_GO],
        env={**os.environ, "PYTHONPATH": folder, "QT_QPA_PLATFORM": "offscreen"},
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
