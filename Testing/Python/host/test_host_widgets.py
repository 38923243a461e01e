"""CTK and qMRML widgets: properties and signals of the real ones, and selectors that follow the scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture(autouse=True)
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty scene of the test's own."""
    from slicer_host import dialogs, strict
    from slicer_host.install import install

    install()
    dialogs.clear()
    scene = slicer.vtkMRMLScene()
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    yield scene
    strict.check_no_slot_errors()
    scene.Clear(True)


@pytest.fixture
def selector(scene: Any) -> Any:
    """A selector of models without None."""
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLModelNode"]
    selector.setMRMLScene(scene)
    return selector


def test_a_collapsible_button_hides_what_it_holds() -> None:
    import ctk
    import qt

    button, heard = ctk.ctkCollapsibleButton("Strut"), []
    form = qt.QFormLayout(button)
    inner, hidden = qt.QLineEdit(), qt.QLabel()
    hidden.visible = False
    form.addRow("Width:", inner)
    form.addRow("", hidden)
    button.connect("contentsCollapsed(bool)", heard.append)
    button.collapsed = True
    assert (button.text, button.checked, inner.isHidden()) == ("Strut", False, True)
    button.collapsed = False
    assert (button.checked, inner.isHidden(), hidden.isHidden()) == (True, False, True)
    assert heard == [True, False]
    with pytest.raises(AttributeError, match="ctkCollapsibleButton has no attribute 'colapsed'"):
        button.colapsed = True


def test_a_slider_widget_keeps_range_and_decimals_and_tells() -> None:
    import ctk

    slider, heard = ctk.ctkSliderWidget(), []
    slider.minimum, slider.maximum, slider.decimals, slider.suffix = 4, 20, 1, " mm"
    slider.valueChanged.connect(heard.append)
    slider.value = 12.34
    assert slider.value == 12.3
    slider.value = 50
    assert (slider.value, heard) == (20.0, [12.3, 20.0])
    with pytest.raises(ValueError, match=r"it has valueChanged\(double\)"):
        slider.connect("valueChanged(int)", heard.append)


def test_moving_the_slider_itself_moves_the_value_by_steps() -> None:
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.singleStep = 0, 10, 0.5
    slider.slider().value = slider.slider().maximum // 4
    assert slider.value == 2.5


def test_a_directory_button_asks_for_a_folder(tmp_path: Any) -> None:
    import ctk
    from slicer_host import dialogs

    button, heard = ctk.ctkDirectoryButton(), []
    button.connect("directoryChanged(QString)", heard.append)
    dialogs.answers.extend([str(tmp_path), ""])
    assert button.browse() == str(tmp_path)
    assert button.browse() == str(tmp_path)
    assert (button.directory, heard) == (str(tmp_path), [str(tmp_path)])


def test_a_path_line_asks_for_what_its_filters_allow() -> None:
    import ctk
    from slicer_host import dialogs

    line, heard = ctk.ctkPathLineEdit(), []
    line.connect("currentPathChanged(QString)", heard.append)
    line.filters = ctk.ctkPathLineEdit.Files | ctk.ctkPathLineEdit.Writable
    line.nameFilters = ["STL (*.stl)"]
    dialogs.answers.append("/tmp/a.stl")
    line.browse()
    assert (line.currentPath, heard) == ("/tmp/a.stl", ["/tmp/a.stl"])
    assert dialogs.asked[-1][0] == "QFileDialog.getSaveFileName"


def test_a_range_widget_keeps_its_ends_in_order() -> None:
    import ctk

    widget = ctk.ctkRangeWidget()
    widget.setRange(0, 10)
    widget.setValues(2, 5)
    widget.minimumValue = 7
    assert (widget.minimumValue, widget.maximumValue) == (7.0, 7.0)


def test_the_selector_follows_nodes_that_come_are_renamed_and_go(scene: Any, selector: Any) -> None:
    heard = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    first = scene.AddNewNodeByClass("vtkMRMLModelNode", "first")
    second = scene.AddNewNodeByClass("vtkMRMLModelNode", "second")
    scene.AddNewNodeByClass("vtkMRMLTextNode", "other")
    assert selector.nodeCount() == 2
    assert selector.currentNode() is first and heard == [first]
    selector.setCurrentNode(second)
    assert selector.currentNodeID == second.GetID() and heard[-1] is second
    second.SetName("renamed")
    assert "renamed" in [selector.nodeFromIndex(i).GetName() for i in range(2)]
    assert selector.children()[0].itemText(1) == "renamed"
    scene.RemoveNode(second)
    assert selector.currentNode() is first and heard[-1] is first
    scene.Clear(0)
    assert selector.currentNode() is None and heard[-1] is None


def test_a_node_is_chosen_by_itself_only_without_none(scene: Any, selector: Any) -> None:
    selector.noneEnabled = True
    node = scene.AddNewNodeByClass("vtkMRMLModelNode")
    assert selector.currentNode() is None
    selector.currentNodeID = node.GetID()
    assert selector.currentNode() is node
    selector.setCurrentNode(None)
    assert selector.currentNode() is None


def test_hidden_nodes_and_derived_types_are_listed_only_if_wanted(scene: Any, selector: Any) -> None:
    hidden = scene.CreateNodeByClass("vtkMRMLModelNode")
    hidden.UnRegister(None)
    hidden.SetHideFromEditors(True)
    scene.AddNode(hidden)
    assert selector.nodeCount() == 0
    selector.showHidden = True
    assert selector.nodeCount() == 1
    volumes = slicer.qMRMLNodeComboBox()
    volumes.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    volumes.setMRMLScene(scene)
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert volumes.nodeCount() == 1
    volumes.showChildNodeTypes = False
    assert volumes.nodeCount() == 0


def test_an_attribute_filters_the_nodes_and_marks_new_ones(scene: Any) -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScriptedModuleNode"]
    selector.showHidden = True
    selector.addAttribute("vtkMRMLScriptedModuleNode", "ModuleName", "SpinalStrutDesigner")
    selector.setMRMLScene(scene)
    other = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    assert selector.nodeCount() == 0
    made = selector.addNode()
    assert made.GetAttribute("ModuleName") == "SpinalStrutDesigner" and selector.currentNode() is made
    other.SetAttribute("ModuleName", "SpinalStrutDesigner")
    assert selector.nodeCount() == 2


@pytest.mark.parametrize(("name", "value"), [("nodeTypes", "vtkMRMLModelNode"), ("noneEnabled", "no"), ("baseName", 3)])
def test_a_property_takes_only_values_of_its_type(selector: Any, name: str, value: Any) -> None:
    before = getattr(selector, name)
    with pytest.raises(TypeError, match=f"qMRMLNodeComboBox.{name} takes"):
        setattr(selector, name, value)
    assert getattr(selector, name) == before


def test_qt_itself_can_set_and_read_the_properties(selector: Any) -> None:
    for name, value in (("noneEnabled", True), ("baseName", "Strut")):
        assert selector.setProperty(name, value)
        assert getattr(selector, name) == selector.property(name) == value
    assert selector.setProperty("nodeTypes", ["vtkMRMLTextNode"])
    assert selector.nodeTypes == ("vtkMRMLTextNode",)


def test_an_exception_in_an_observer_of_vtk_is_not_lost(scene: Any) -> None:
    from slicer_host import strict

    def fail(caller: Any, event: str) -> None:
        raise RuntimeError("planted")

    scene.AddObserver(scene.NodeAddedEvent, fail)
    scene.AddNewNodeByClass("vtkMRMLTextNode")
    with pytest.raises(strict.SlotError, match="planted"):
        strict.check_no_slot_errors()


def test_a_selector_without_a_scene_is_disabled_and_remembers_what_was_asked(scene: Any) -> None:
    scene.AddNewNodeByClass("vtkMRMLModelNode", "first")
    second = scene.AddNewNodeByClass("vtkMRMLModelNode", "second")
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLModelNode"]
    assert not selector.enabled
    selector.setCurrentNode(second)
    selector.setMRMLScene(scene)
    assert selector.enabled and selector.currentNode() is second


def test_the_segment_selector_lists_the_segments(scene: Any) -> None:
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    selector, heard = slicer.qMRMLSegmentSelectorWidget(), []
    selector.setMRMLScene(scene)
    selector.connect("currentSegmentChanged(QString)", heard.append)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "spine")
    first = node.GetSegmentation().AddEmptySegment("", "C4")
    second = node.GetSegmentation().AddEmptySegment("", "C5")
    assert selector.currentNode() is node
    assert selector.segmentIDs() == (first, second)
    selector.setCurrentSegmentID(second)
    assert (selector.currentSegmentID(), heard) == (second, [first, second])
    node.GetSegmentation().RemoveSegment(second)
    assert selector.currentSegmentID() == first


def test_a_selector_that_is_gone_is_not_called(scene: Any) -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLModelNode"]
    selector.setMRMLScene(scene)
    del selector
    scene.AddNewNodeByClass("vtkMRMLModelNode")
