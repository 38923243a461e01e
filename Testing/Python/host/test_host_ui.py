"""Files of Qt Designer: loaded into strict widgets, with their mistakes found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")

_ROOT = Path(__file__).resolve().parents[3]
_FILES = sorted(_ROOT.glob("*/Resources/UI/*.ui"))


@pytest.fixture(autouse=True)
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty scene of the test's own."""
    from slicer_host import strict
    from slicer_host.install import install

    install()
    scene = slicer.vtkMRMLScene()
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    yield scene
    strict.check_no_slot_errors()


def _load(folder: Path, inside: str, connections: str = "") -> Any:
    """A .ui file whose root is a qMRMLWidget with these children."""
    path = folder / "test.ui"
    path.write_text(
        f'<ui version="4.0"><widget class="qMRMLWidget" name="Root"><layout class="QVBoxLayout" name="lay">{inside}'
        f"</layout></widget><connections>{connections}</connections></ui>",
        encoding="utf-8",
    )
    return slicer.util.loadUI(str(path))


def _widget(kind: str, name: str, properties: str = "") -> str:
    return f'<item><widget class="{kind}" name="{name}">{properties}</widget></item>'


def _connection(sender: str, signal: str, receiver: str, slot: str) -> str:
    return (
        f"<connection><sender>{sender}</sender><signal>{signal}</signal><receiver>{receiver}</receiver>"
        f"<slot>{slot}</slot></connection>"
    )


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_the_modules_files_load_and_their_selectors_get_the_scene(path: Path, scene: Any) -> None:
    import qt

    widget = slicer.util.loadUI(str(path))
    ui = slicer.util.childWidgetVariables(widget)
    widget.setMRMLScene(scene)
    selectors = widget.findChildren(slicer.qMRMLNodeComboBox)
    assert all(selector.mrmlScene() is scene for selector in selectors)
    named = [child for child in widget.findChildren(qt.QWidget) if child.name and not child.name.startswith("qt_")]
    assert named and all(getattr(ui, child.name) is child for child in named)


def test_there_is_a_file_for_each_module() -> None:
    assert [path.stem for path in _FILES] == ["LatticeGenerator", "SpinalStrutDesigner"]


def test_properties_lists_enums_and_dynamic_properties_arrive(tmp_path: Path) -> None:
    types = "<stringlist><string>vtkMRMLModelNode</string></stringlist>"
    root = _load(
        tmp_path,
        _widget(
            "qMRMLNodeComboBox",
            "node",
            f'<property name="nodeTypes">{types}</property><property name="noneEnabled"><bool>true</bool></property>'
            '<property name="showHidden"><bool>true</bool></property>'
            '<property name="showChildNodeTypes"><bool>false</bool></property>'
            '<property name="baseName"><string>Strut</string></property>',
        )
        + _widget(
            "QLabel",
            "label",
            '<property name="alignment"><set>Qt::AlignRight|Qt::AlignTop</set></property>'
            '<property name="PlanField" stdset="0"><string>section.width_mm</string></property>',
        )
        + _widget(
            "ctkPathLineEdit",
            "path",
            '<property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Writable</set></property>',
        )
        + _widget(
            "ctkCollapsibleButton",
            "section",
            '<property name="contentsFrameShape"><enum>QFrame::StyledPanel</enum></property>'
            '<property name="focusPolicy"><enum>Qt::StrongFocus</enum></property>'
            '<property name="collapsed"><bool>true</bool></property>',
        )
        + _widget("ctkSliderWidget", "slider", '<property name="maximum"><double>7.5</double></property>'),
    )
    import ctk
    import qt

    ui = slicer.util.childWidgetVariables(root)
    assert list(ui.node.nodeTypes) == ["vtkMRMLModelNode"]
    assert (ui.node.noneEnabled, ui.node.showHidden, ui.node.showChildNodeTypes) == (True, True, False)
    assert ui.node.baseName == "Strut"
    assert ui.label.alignment == qt.Qt.AlignRight | qt.Qt.AlignTop
    assert ui.label.property("PlanField") == "section.width_mm"
    assert ui.path.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Writable
    assert (ui.section.contentsFrameShape, ui.section.collapsed) == (qt.QFrame.StyledPanel, True)
    assert ui.section.focusPolicy == qt.Qt.StrongFocus
    assert ui.slider.maximum == 7.5
    assert type(ui.node) is slicer.qMRMLNodeComboBox and type(ui.label) is qt.QLabel
    with pytest.raises(AttributeError):
        ui.label.txt = "x"


def test_connections_work_and_only_they_hand_the_scene_on(tmp_path: Path, scene: Any) -> None:
    scene_signal = "mrmlSceneChanged(vtkMRMLScene*)"
    root = _load(
        tmp_path,
        _widget("qMRMLNodeComboBox", "wired") + _widget("qMRMLNodeComboBox", "loose") + _widget("QPushButton", "clear")
        + _widget("QLineEdit", "line", '<property name="text"><string>x</string></property>'),
        _connection("Root", scene_signal, "wired", "setMRMLScene(vtkMRMLScene*)")
        + _connection("clear", "clicked()", "line", "clear()"),
    )  # fmt: skip
    ui = slicer.util.childWidgetVariables(root)
    root.setMRMLScene(scene)
    assert (ui.wired.mrmlScene(), ui.loose.mrmlScene()) == (scene, None)
    ui.clear.click()
    assert ui.line.text == ""


@pytest.mark.parametrize(
    ("inside", "connection", "words"),
    [
        (_widget("QComobBox", "a"), "", "no widget class 'QComobBox'"),
        (_widget("qMRMLVolumeWidget", "a"), "", "no widget class 'qMRMLVolumeWidget'"),
        (_widget("QLabel", "a", '<property name="txt"><string/></property>'), "", "QLabel 'a' has no property 'txt'"),
        (
            _widget("ctkSliderWidget", "a", '<property name="sufix"><string/></property>'),
            "",
            "ctkSliderWidget 'a' has no property 'sufix'",
        ),
        (
            _widget("ctkPathLineEdit", "a", '<property name="filters"><set>ctkPathLineEdit::Dir</set></property>'),
            "",
            "no enum value 'Dir'",
        ),
        (
            _widget(
                "qMRMLNodeComboBox", "a", '<property name="nodeTypes"><string>vtkMRMLModelNode</string></property>'
            ),
            "",
            "nodeTypes takes QStringList",
        ),
        (_widget("QLabel", "a") + _widget("QLabel", "a"), "", "used twice: a"),
        (_widget("QPushButton", "a"), _connection("a", "cliked()", "Root", "close()"), r"no signal 'cliked\(\)'"),
        (_widget("QPushButton", "a"), _connection("a", "clicked()", "Root", "clsoe()"), r"no slot 'clsoe\(\)'"),
        (_widget("QPushButton", "a"), _connection("b", "clicked()", "Root", "close()"), "names 'b'"),
    ],
)
def test_mistakes_in_a_file_are_refused(tmp_path: Path, inside: str, connection: str, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        _load(tmp_path, inside, connection)


def test_a_missing_file_is_told_as_slicer_does(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadUI(str(tmp_path / "none.ui"))
