"""An implant on its way in, in the panel: a copy that moves, and nothing else that does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.scene.models import mesh_of
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.entries import RetractionRule
from SpinalStrutDesignerLib.plan.insertion import Way, Waypoint
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.plan.way import pose_of
from SpinalStrutDesignerLib.scene.job import design_job
from SpinalStrutDesignerLib.scene.part_nodes import ShownPart, show_parts
from SpinalStrutDesignerLib.scene.way_nodes import copy_on_way
from SpinalStrutDesignerLib.verify.on_way import Beside

OUTSIDE = Waypoint((-10.0, 120.0, 5.0), (30.0, 0.0, 0.0))
WAYS = (
    Way(0.0, (OUTSIDE, Waypoint((0.0, 30.0, 0.0)), Waypoint())),
    Way(3.0, (Waypoint((0.0, 90.0, 0.0)), Waypoint())),
)


def bar(plan: Plan, case: Case, amount_mm: float) -> Mesh:
    """A bar from endplate to endplate, 10 mm thick, in place of an implant as made."""
    place = situation(case, plan, amount_mm)
    low, high = np.minimum(place.upper.centre, place.lower.centre), np.maximum(place.upper.centre, place.lower.centre)
    return box(low - 5.0, high + 5.0)


@pytest.fixture(scope="module")
def bars(phantom: Case, phantom_plan: Plan) -> dict[str, Mesh]:
    """The bars of the phantom's plan and its variant, by the names of their parts."""
    plan = phantom_plan.with_(insertion=phantom_plan.insertion.with_(ways=WAYS))
    return {name: bar(plan, phantom, amount) for name, amount in (("implant", 0.0), ("implant_plus3mm", 3.0))}


@pytest.fixture
def made(planned: Any, bars: dict[str, Mesh]) -> Any:
    """The panel with ways in its plan, and with parts as the check makes them."""
    plan = planned.plan
    planned.desk.decide(plan.with_(insertion=plan.insertion.with_(ways=WAYS)), "ways in")
    parts = [ShownPart(name, "implant", mesh) for name, mesh in bars.items()]
    show_parts(planned.desk.owner, planned.desk.folder, parts)
    planned.parameters.checked = planned.desk.digest()
    planned.ui.insertionButton.collapsed = False
    planned.host.process_events()
    assert planned.ui.waySlider.enabled and planned.ui.waySlider.value == 100.0
    return planned


def copy_of(bench: Any) -> Any:
    return copy_on_way(bench.desk.owner)


def part(bench: Any, name: str) -> Any:
    return next(
        n for n in bench.desk.belongings.all("part") if n.GetAttribute("SpinalStrutDesigner.Part") == name
    )  # fmt: skip


def copies() -> list[Any]:
    """The nodes in the scene that show an implant on its way: model, display, transform."""
    names = [name for name in slicer.util.getNodes("*", useLists=True) if "on its way in" in name or name == "Way in"]
    models = [node for name in names for node in slicer.util.getNodes(name, useLists=True)[name]]
    return models + [node.GetDisplayNode() for node in models if node.IsA("vtkMRMLModelNode")]


def move_to(bench: Any, value: float) -> None:
    """The slider moved, and all measured."""
    bench.ui.waySlider.value = value
    told = bench.ui.wayLabel
    bench.host.wait_for(lambda: told.text and "measuring" not in told.text, 60.0, "what is beside the implant")


def corners(mesh: Mesh, pose: np.ndarray) -> np.ndarray:
    return mesh.vertices @ pose[:3, :3].T + pose[:3, 3]


def test_the_slider_moves_a_copy_along_the_way(made: Any) -> None:
    implant = part(made, "implant")
    before = mesh_of(implant)
    assert copy_of(made) is None
    move_to(made, 0.0)
    middle = situation(made.desk.case(), made.plan).middle
    moved = mesh_of(copy_of(made))
    np.testing.assert_allclose(moved.vertices, corners(before, pose_of(OUTSIDE, middle)), atol=1e-6)
    # Most of the way is straight down its last stretch; in between it stands upright.
    move_to(made, 90.0)
    shift = mesh_of(copy_of(made)).vertices - before.vertices
    np.testing.assert_allclose(shift, shift[:1].repeat(len(shift), axis=0), atol=1e-6)
    assert shift[0, 0] == shift[0, 2] == pytest.approx(0.0, abs=1e-6) and 3.0 < shift[0, 1] < 25.0
    move_to(made, 100.0)
    assert copy_of(made) is None and copies() == []
    assert "place" in made.ui.wayLabel.text
    np.testing.assert_array_equal(mesh_of(implant).vertices, before.vertices)


def test_a_check_or_release_half_way_gets_what_it_gets_in_place(made: Any, tmp_path: Path) -> None:
    """What the child process is given are files: they are the same to the byte, and so is what they are made from."""

    def written(name: str) -> dict[str, bytes]:
        folder = tmp_path / name
        folder.mkdir()
        design_job(made.desk.case(), made.plan, folder / "out", folder)
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    digest, placed = made.desk.digest(), written("placed")
    parts = [(node, mesh_of(node)) for node in made.desk.belongings.all("part")]
    move_to(made, 50.0)
    assert copy_of(made) is not None and len(placed) >= 4
    assert written("half way") == placed and made.desk.digest() == digest
    assert made.heads()["check"] != "↻"
    for node, mesh in parts:
        assert node.GetParentTransformNode() is None
        np.testing.assert_array_equal(mesh_of(node).vertices, mesh.vertices)
    assert all(node.GetParentTransformNode() is None for node in made.desk.sources)


def leave_by_button(bench: Any, tmp_path: Path) -> None:
    bench.ui.inPlaceButton.click()
    assert bench.ui.waySlider.value == 100.0


def leave_by_header(bench: Any, tmp_path: Path) -> None:
    bench.ui.insertionButton.collapsed = True


def leave_by_plan(bench: Any, tmp_path: Path) -> None:
    bench.ui.plan_section_width_mm.value = 12.0


def leave_by_undo(bench: Any, tmp_path: Path) -> None:
    bench.ui.undoButton.click()


def leave_by_module(bench: Any, tmp_path: Path) -> None:
    bench.host.close_module()


def leave_by_other_case(bench: Any, tmp_path: Path) -> None:
    other = bench.widget.logic.createParameterNode()
    slicer.mrmlScene.AddNode(other)
    bench.ui.parameterNodeSelector.setCurrentNode(other)


def leave_by_other_implant(bench: Any, tmp_path: Path) -> None:
    bench.choose(bench.ui.wayComboBox, "3.0")


@pytest.mark.parametrize("leave", [
    leave_by_button, leave_by_header, leave_by_plan, leave_by_undo, leave_by_module, leave_by_other_case,
    leave_by_other_implant,
])  # fmt: skip
def test_no_copy_is_left_on_its_way(made: Any, leave: Any, tmp_path: Path) -> None:
    move_to(made, 40.0)
    assert len(copies()) == 3
    leave(made, tmp_path)
    made.host.process_events(0.1)
    assert copies() == []
    assert made.ui.waySlider.value == 100.0 and not made.ui.playButton.checked


def test_a_scene_saved_half_way_holds_no_copy(made: Any, tmp_path: Path) -> None:
    move_to(made, 40.0)
    made.host.save_scene(tmp_path / "case.mrb")
    made.host.close_scene()
    made.host.load_scene(tmp_path / "case.mrb")
    made.host.process_events(0.1)
    assert copies() == []
    assert len(made.desk.belongings.all("part")) == 2 and made.plan.insertion.ways == WAYS
    move_to(made, 40.0)  # and it goes on
    assert copy_of(made) is not None


def test_closing_the_scene_half_way_raises_nothing(made: Any) -> None:
    made.ui.playButton.click()
    made.host.process_events(0.1)
    made.host.close_scene()
    made.host.process_events(0.2)
    assert made.ui.waySlider.value == 100.0 and not made.ui.playButton.checked


def test_it_plays_from_outside_to_its_place(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from SpinalStrutDesignerLib.panel import way_in

    monkeypatch.setattr(way_in, "_PLAYED_S", 0.5)
    seen: list[float] = []
    made.ui.waySlider.connect("valueChanged(double)", seen.append)
    made.ui.playButton.click()
    assert made.ui.playButton.text == "Pause" and made.ui.waySlider.value == 0.0
    made.host.wait_for(lambda: not made.ui.playButton.checked, 60.0, "the end of the way")
    made.host.process_events(0.2)
    assert made.ui.playButton.text == "Play" and seen[0] == 0.0 and seen[-1] == 100.0
    assert seen == sorted(seen) and len(seen) >= 3 and copy_of(made) is None


def test_it_can_be_paused(made: Any) -> None:
    made.ui.playButton.click()
    made.host.wait_for(lambda: made.ui.waySlider.value > 0.0, 60.0, "the first of the way")
    made.ui.playButton.click()
    value = made.ui.waySlider.value
    made.host.process_events(0.2)
    assert made.ui.waySlider.value == value < 100.0 and copy_of(made) is not None


def test_a_variant_has_its_own_shape_and_way(made: Any) -> None:
    box_ = made.ui.wayComboBox
    assert [box_.itemText(n) for n in range(box_.count)] == ["nominal", "+3 mm"]
    made.choose(box_, "3.0")
    move_to(made, 0.0)
    shift = mesh_of(copy_of(made)).vertices - mesh_of(part(made, "implant_plus3mm")).vertices
    np.testing.assert_allclose(shift, [[0.0, 90.0, 0.0]] * len(shift), atol=1e-6)


def test_a_model_that_a_person_moved_is_copied_where_it_belongs(made: Any) -> None:
    away = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Away")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 500.0)
    away.SetMatrixTransformToParent(matrix)
    part(made, "implant").SetAndObserveTransformNodeID(away.GetID())
    move_to(made, 95.0)
    assert abs(mesh_of(copy_of(made)).vertices[:, 0]).max() < 100.0


def test_what_lies_beside_it_is_what_is_there(made: Any) -> None:
    """By the voxels that the implant's own points come to lie in, with no distance field."""
    move_to(made, 90.0)
    told = made.ui.wayLabel.text
    mesh, case = mesh_of(copy_of(made)), made.desk.case()
    low, high = mesh.bounds  # it is a box, and upright there
    points = low + np.random.default_rng(3).uniform(0.02, 0.98, (60_000, 3)) * (high - low)
    held = told.partition("Nearest")[0]
    for name in ("oesophagus", "trachea_airway", "spinal_cord", "carotids"):
        mask = case.structure(name).mask
        inverse = np.linalg.inv(mask.ijk_to_ras)
        ijk = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        within = np.all((ijk >= 0) & (ijk < mask.voxels.shape[::-1]), axis=1)
        hit = mask.voxels[tuple(ijk[within][:, ::-1].T)].sum()
        assert (name.replace("_", " ") in held) == (hit > 50), (name, hit, told)
    assert "oesophagus" in held and "Nearest: " in told


def test_what_must_not_be_moved_is_told_apart(host: Any) -> None:
    from SpinalStrutDesignerLib.panel.way_in import beside_words

    aside = RetractionRule("oesophagus", "aside", 30.0, "made up")
    lungs = RetractionRule("lungs", "collapsed", 0.0, "made up")
    found = (
        Beside("oesophagus", -6.24, 3.0, aside), Beside("lungs", -4.0, 3.0, lungs),
        Beside("spinal_cord", -1.0, 4.0, None), Beside("metal", -0.2, -0.2, None), Beside("carotids", 1.31, 3.0, aside),
        Beside("great_vessels", 49.3, 30.0, aside),
    )  # fmt: skip
    assert beside_words(found).splitlines() == [
        "Held aside here: oesophagus (6.2 mm deep in it), lungs (collapsed).",
        "In the way, and not to be moved: spinal cord (1.0 mm deep in it).",
        "Nearest: metal -0.2 mm, carotids 1.3 mm, great vessels more than 24 mm.",
    ]


def test_without_an_implant_it_says_what_is_missing(planned: Any) -> None:
    assert not planned.ui.waySlider.enabled and "Search" in planned.ui.waySlider.toolTip
    plan = planned.plan
    planned.desk.decide(plan.with_(insertion=plan.insertion.with_(ways=WAYS)), "ways in")
    planned.host.process_events()
    assert not planned.ui.playButton.enabled and "preview" in planned.ui.wayLabel.text


def test_the_preview_moves_where_nothing_is_made_yet(planned: Any) -> None:
    plan = planned.plan
    planned.desk.decide(plan.with_(insertion=plan.insertion.with_(ways=WAYS)), "ways in")
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    planned.host.process_events()
    solid = planned.desk.belongings.get("preview")
    before = mesh_of(solid)
    move_to(planned, 0.0)
    middle = situation(planned.desk.case(), planned.plan).middle
    moved = corners(before, pose_of(OUTSIDE, middle))
    np.testing.assert_allclose(mesh_of(copy_of(planned)).vertices, moved, atol=1e-4)
    assert not copy_of(planned).GetDisplayNode().GetScalarVisibility() and solid.GetParentTransformNode() is None
    planned.choose(planned.ui.wayComboBox, "3.0")
    assert not planned.ui.waySlider.enabled and "variants" in planned.ui.wayLabel.text
