"""The base classes of a module, translation and packages."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")


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


def test_the_logic_finds_or_makes_the_one_parameter_node(scene: Any) -> None:
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    class ThingLogic(ScriptedLoadableModuleLogic):
        pass

    logic = ThingLogic()
    node = logic.getParameterNode()
    assert ThingLogic().getParameterNode() is node
    assert (node.GetAttribute("ModuleName"), node.GetSingletonTag(), node.GetName()) == ("Thing", "Thing", "Thing")
    assert logic.getAllParameterNodes() == [node]
    several = ThingLogic()
    several.isSingletonParameterNode = False
    assert several.getParameterNode() is node
    second = scene.AddNode(several.createParameterNode())
    assert second.GetSingletonTag() is None and several.getAllParameterNodes() == [node, second]


def test_the_module_takes_its_icon_and_lists_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import qt
    from slicer.ScriptedLoadableModule import ScriptedLoadableModule

    class Thing(ScriptedLoadableModule):
        pass

    icons = tmp_path / "Resources" / "Icons"
    icons.mkdir(parents=True)
    pixmap = qt.QPixmap(16, 16)
    pixmap.fill(qt.Qt.red)
    assert pixmap.save(str(icons / "Thing.png"))
    monkeypatch.setattr(slicer, "selfTests", {}, raising=False)
    parent = types.SimpleNamespace(path=str(tmp_path / "Thing.py"))
    module = Thing(parent)
    assert module.resourcePath("UI/Thing.ui") == str(tmp_path / "Resources" / "UI" / "Thing.ui")
    assert not parent.icon.isNull()
    assert (parent.title, parent.dependencies, list(slicer.selfTests)) == ("", [], ["Thing"])
    with pytest.raises(AssertionError, match="ThingTest"):
        module.runTest()


def test_a_module_test_runs_each_of_its_methods() -> None:
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

    class ThingTest(ScriptedLoadableModuleTest):
        ran: ClassVar[list[str]] = []

        def setUp(self) -> None:
            self.ran.append("setUp")

        def test_one(self) -> None:
            self.delayDisplay("one")
            self.ran.append("one")

        def test_two(self) -> None:
            self.assertEqual(1, 2)

    with pytest.raises(AssertionError, match="1 != 2"):
        ThingTest().runTest()
    assert ThingTest.ran == ["setUp", "one", "setUp"]


def test_text_stays_as_it_is_written() -> None:
    from slicer.i18n import tr, translate

    assert (tr("Fill"), translate("context", "Planning")) == ("Fill", "Planning")


def test_packages_are_asked_for_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaging = slicer.packaging
    monkeypatch.setattr(packaging, "requests", [])
    requirements, constraints = tmp_path / "requirements.txt", tmp_path / "constraints.txt"
    requirements.write_text("# comment\n\nnumpy>=1\n-r other.txt\nno-such-package-here>=2\n", encoding="utf-8")
    constraints.write_text("numpy==1\n", encoding="utf-8")
    wanted = packaging.load_requirements(requirements)
    assert [str(requirement) for requirement in wanted] == ["numpy>=1", "no-such-package-here>=2"]
    packaging.pip_ensure(wanted, constraints=constraints, requester="Thing")
    assert packaging.requests[0]["missing"] == ["no-such-package-here>=2"]
    assert (packaging.requests[0]["constraints"], packaging.requests[0]["requester"]) == ("numpy==1\n", "Thing")
    monkeypatch.setattr(packaging, "answer", "declined")
    packaging.pip_ensure("numpy")
    with pytest.raises(RuntimeError, match="User declined package installation"):
        packaging.pip_ensure(wanted)
    with pytest.raises(TypeError):
        packaging.pip_ensure(5)
