"""Parameter node wrappers: kept as Slicer keeps them, bound to widgets both ways, strict about mistakes."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")


class Cell(enum.Enum):
    """Two cells."""

    GYROID = 1
    BCC = 2


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
    scene.Clear(True)


@pytest.fixture
def node(scene: Any) -> Any:
    """A parameter node."""
    return scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "parameters")


def _decorated(**annotations: Any) -> Any:
    """A wrapper class with these fields and no other defaults."""
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    return parameterNodeWrapper(type("Parameters", (), {"__annotations__": annotations}))


def _all_kinds() -> Any:
    from slicer.parameterNodeWrapper import Choice, Default, WithinRange

    return _decorated(
        width=Annotated[float, WithinRange(4.0, 20.0), Default(10.0)],
        count=int,
        label=Annotated[str, Default("C4")],
        shown=bool,
        cell=Cell,
        preset=Annotated[str, Choice(["case2", "case1"]), Default("case2")],
        folder=Path,
        volume=slicer.vtkMRMLScalarVolumeNode,
        axis=slicer.vtkMRMLMarkupsCurveNode | None,
        levels=list[str],
        screws=list[slicer.vtkMRMLMarkupsLineNode],
    )


def test_defaults_are_those_of_the_annotation_or_the_type(node: Any) -> None:
    parameters = _all_kinds()(node)
    assert (parameters.width, parameters.count, parameters.label, parameters.shown) == (10.0, 0, "C4", False)
    assert (parameters.cell, parameters.preset, parameters.folder) == (Cell.GYROID, "case2", Path())
    assert (parameters.volume, parameters.axis, parameters.levels, parameters.screws) == (None, None, [], [])


def test_values_are_kept_under_the_names_that_slicer_uses(scene: Any, node: Any) -> None:
    parameters = _all_kinds()(node)
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    axis = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode")
    screw = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    parameters.width, parameters.shown, parameters.cell = 12.5, True, Cell.BCC
    parameters.volume, parameters.axis, parameters.screws = volume, axis, [screw]
    parameters.levels = ["C4", "T2"]
    texts = {name: node.GetParameter(name) for name in ("width", "shown", "cell", "levels.len", "levels.1")}
    assert texts == {"width": "12.5", "shown": "True", "cell": "BCC", "levels.len": "2", "levels.1": "T2"}
    references = {role: node.GetNodeReferenceID(role) for role in ("volume", "axis.0", "screws.0")}
    assert references == {"volume": volume.GetID(), "axis.0": axis.GetID(), "screws.0": screw.GetID()}
    parameters.axis = None
    assert (node.GetNodeReferenceID("axis.0"), node.GetParameter("axis.1")) == (None, "True")


def test_values_come_back_from_a_saved_scene(scene: Any, node: Any, tmp_path: Path) -> None:
    kind = _all_kinds()
    parameters = kind(node)
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    volume.SetSaveWithScene(False)
    text = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "axis")
    parameters.width, parameters.cell, parameters.axis = 7.25, Cell.BCC, text
    parameters.label, parameters.levels = 'a "quoted" & <marked> %41 text\nand a line', ["C4", "C5"]
    path = tmp_path / "scene.mrml"
    scene.SetURL(str(path))
    assert scene.Commit(str(path))
    loaded = slicer.vtkMRMLScene()
    loaded.SetURL(str(path))
    assert loaded.Import()
    again = kind(loaded.GetFirstNodeByName("parameters"))
    assert (again.width, again.cell, again.axis.GetName()) == (7.25, Cell.BCC, "axis")
    assert (again.label, again.levels) == ('a "quoted" & <marked> %41 text\nand a line', ["C4", "C5"])


def test_a_list_keeps_its_changes(node: Any) -> None:
    parameters = _decorated(levels=list[str])(node)
    parameters.levels.append("C4")
    parameters.levels.extend(["C5", "C6"])
    del parameters.levels[0]
    assert parameters.levels == ["C5", "C6"]
    assert (node.GetParameter("levels.len"), node.HasParameter("levels.2")) == ("2", 0)
    with pytest.raises(TypeError):
        parameters.levels.append(7)
    assert parameters.levels == ["C5", "C6"]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("width", 3.9, ValueError),
        ("width", 20.1, ValueError),
        ("width", "ten", TypeError),
        ("width", None, ValueError),
        ("count", 1.5, TypeError),
        ("preset", "case3", ValueError),
        ("cell", "BCC", TypeError),
        ("label", 5, TypeError),
        ("folder", "/tmp", TypeError),
        ("axis", "curve", TypeError),
        ("levels", [1], TypeError),
    ],
)
def test_values_that_may_not_be_written_are_refused_and_nothing_changes(
    node: Any, name: str, value: Any, error: type[Exception]
) -> None:
    parameters = _all_kinds()(node)
    before = getattr(parameters, name)
    with pytest.raises(error):
        setattr(parameters, name, value)
    assert getattr(parameters, name) == before


def test_a_node_of_another_class_is_refused(scene: Any, node: Any) -> None:
    parameters = _all_kinds()(node)
    with pytest.raises(TypeError):
        parameters.volume = scene.AddNewNodeByClass("vtkMRMLModelNode")


@pytest.mark.parametrize(("kind", "text"), [(float, "wide"), (int, "2.5"), (Cell, "DIAMOND")])
def test_a_corrupted_value_is_told_when_the_wrapper_is_made(node: Any, kind: Any, text: str) -> None:
    node.SetParameter("field", text)
    with pytest.raises(ValueError, match=text):
        _decorated(field=kind)(node)


def test_a_number_out_of_range_in_a_scene_is_read_as_it_is(node: Any) -> None:
    node.SetParameter("width", "99")
    assert _all_kinds()(node).width == 99.0


@pytest.mark.parametrize("kind", [complex, tuple[int, int], Any, dict[str, int]])
def test_a_type_that_cannot_be_kept_is_refused_when_decorated(kind: Any) -> None:
    with pytest.raises(TypeError, match="Parameters member field"):
        _decorated(field=kind)


@pytest.mark.parametrize("name", ["connectGui", "default", "parameterNode"])
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"reserved name '{name}'"):
        _decorated(**{name: int})


def test_an_attribute_that_is_no_field_is_refused(node: Any) -> None:
    with pytest.raises(AttributeError, match="has no field 'widht'"):
        _all_kinds()(node).widht = 5.0


def test_observers_hear_one_event_and_see_the_new_value(node: Any) -> None:
    import vtk
    from slicer.util import VTKObservationMixin

    parameters, heard = _all_kinds()(node), []
    mixin = VTKObservationMixin()
    mixin.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, lambda caller, event: heard.append(parameters.width))
    parameters.width = 11.0
    assert heard == [11.0]
    with slicer.util.NodeModify(parameters):
        parameters.width, parameters.count = 12.0, 3
        assert heard == [11.0]
    assert heard == [11.0, 12.0]
    mixin.removeObservers()
    parameters.width = 13.0
    assert len(heard) == 2


def test_a_change_of_the_node_itself_is_seen(node: Any) -> None:
    parameters = _all_kinds()(node)
    node.SetParameter("width", "15")
    assert parameters.width == 15.0
    assert parameters.default("width").value == 10.0 and parameters.isCached("width")


class Ui:
    """Widgets by name, as childWidgetVariables gives them."""

    def __init__(self, **widgets: Any) -> None:
        for name, widget in widgets.items():
            widget.setProperty("SlicerParameterName", name)
        vars(self).update(widgets)


def _ui(scene: Any) -> Any:
    import ctk
    import qt

    volume, axis = slicer.qMRMLNodeComboBox(), slicer.qMRMLNodeComboBox()
    axis.noneEnabled = True
    for selector in (volume, axis):
        selector.setMRMLScene(scene)
    return Ui(
        width=ctk.ctkSliderWidget(), count=qt.QSpinBox(), label=qt.QLineEdit(), shown=qt.QCheckBox(),
        cell=qt.QComboBox(), preset=qt.QComboBox(), folder=ctk.ctkDirectoryButton(), volume=volume, axis=axis,
    )  # fmt: skip


def test_the_gui_shows_the_parameters_and_the_parameters_follow_the_gui(scene: Any, node: Any, tmp_path: Path) -> None:
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    axis = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode")
    parameters, ui = _all_kinds()(node), _ui(scene)
    parameters.width, parameters.cell, parameters.volume = 9.5, Cell.BCC, volume
    tag = parameters.connectGui(ui)
    assert (ui.width.value, ui.width.minimum, ui.width.maximum) == (9.5, 4.0, 20.0)
    assert (ui.cell.currentText, ui.preset.count, ui.label.text, ui.volume.currentNode()) == ("BCC", 2, "C4", volume)
    ui.width.value, ui.count.value, ui.label.text, ui.shown.checked = 8, 3, "C5", True
    ui.cell.currentIndex, ui.preset.currentIndex, ui.folder.directory = 0, 1, str(tmp_path)
    ui.axis.setCurrentNode(axis)
    assert (parameters.width, parameters.count, parameters.label, parameters.shown) == (8.0, 3, "C5", True)
    assert (parameters.cell, parameters.preset, parameters.folder) == (Cell.GYROID, "case1", tmp_path)
    assert parameters.axis is axis
    parameters.width, parameters.axis = 6.0, None
    assert (ui.width.value, ui.axis.currentNode()) == (6.0, None)
    parameters.disconnectGui(tag)
    ui.width.value = 5
    parameters.count = 9
    assert (parameters.width, ui.count.value) == (6.0, 3)


def test_the_widgets_of_a_widget_are_found_by_their_property(node: Any) -> None:
    import qt

    root = qt.QWidget()
    line = qt.QLineEdit(root)
    line.setProperty("SlicerParameterName", "label")
    parameters = _all_kinds()(node)
    parameters.connectGui(root)
    line.text = "T2"
    assert parameters.label == "T2"


def test_a_widget_with_the_name_of_no_field_is_refused(node: Any) -> None:
    import qt

    with pytest.raises(ValueError, match="Cannot find a param with the given name: lable"):
        _all_kinds()(node).connectGui(Ui(lable=qt.QLineEdit()))


def test_two_widgets_of_one_field_are_refused(node: Any) -> None:
    import qt

    root = qt.QWidget()
    for name in ("one", "two"):
        line = qt.QLineEdit(root)
        line.name = name
        line.setProperty("SlicerParameterName", "label")
    with pytest.raises(ValueError, match="'one' and 'two'"):
        _all_kinds()(node).connectGui(root)


@pytest.mark.parametrize(
    ("field", "widget"),
    [
        ("label", "QSpinBox"),
        ("label", "QPlainTextEdit"),
        ("label", "QComboBox"),
        ("width", "QSpinBox"),
        ("count", "QSlider"),
        ("shown", "QRadioButton"),
        ("folder", "QLineEdit"),
        ("volume", "QComboBox"),
        ("levels", "QListWidget"),
    ],
)
def test_a_pair_of_widget_and_type_that_slicer_cannot_connect_is_refused(node: Any, field: str, widget: str) -> None:
    import qt

    with pytest.raises(RuntimeError, match=r"Unable to create GUI connector|unbounded|requires the Choice"):
        _all_kinds()(node).connectGui(Ui(**{field: getattr(qt, widget)()}))


def test_a_slider_widget_needs_a_range(node: Any) -> None:
    import ctk

    with pytest.raises(RuntimeError, match="unbounded"):
        _decorated(length=float)(node).connectGui(Ui(length=ctk.ctkSliderWidget()))


def test_a_value_that_the_gui_may_not_give_counts_as_an_exception_in_a_slot(node: Any) -> None:
    import qt
    from slicer.parameterNodeWrapper import Exclude
    from slicer_host import strict

    parameters, line = _decorated(label=Annotated[str, Exclude(["bad"])])(node), qt.QLineEdit()
    parameters.connectParametersToGui({"label": line})
    line.text = "bad"
    assert parameters.label == ""
    with pytest.raises(strict.SlotError, match="must not be one of"):
        strict.check_no_slot_errors()
