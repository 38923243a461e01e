"""The host's views show what is in the scene, and the mouse places and moves points where it points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import vtk  # noqa: E402
from PySide6.QtCore import Qt  # noqa: E402

RADIUS = 25.0


@pytest.fixture
def ball(host: Any) -> Any:
    """A bright ball of 25 mm around the origin in a volume of 1 mm voxels, shown in all slices."""
    k, j, i = np.mgrid[0:70, 0:70, 0:70] - 35
    voxels = np.where(i**2 + j**2 + k**2 < RADIUS**2, 1000, 0).astype(np.int16)
    volume = slicer.util.addVolumeFromArray(voxels, name="Ball")
    volume.SetOrigin(-35, -35, -35)
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevel(1000, 500)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    for name in ("Red", "Green", "Yellow"):
        host.slice_view(name).jump_to((0.0, 0.0, 0.0))
    host.process_events()
    return volume


def placing(kind: str = "vtkMRMLMarkupsFiducialNode", persistent: bool = False) -> Any:
    """A markups node whose points the next clicks place."""
    node = slicer.mrmlScene.AddNewNodeByClass(kind, "Point")
    node.CreateDefaultDisplayNodes()
    slicer.modules.markups.logic().SetActiveList(node)
    # Not the logic's StartPlaceMode: in the application too that one places fiducial points only.
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetPlaceModePersistence(persistent)
    interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
    return node


def position(node: Any, index: int = 0) -> np.ndarray:
    return np.array(node.GetNthControlPointPositionWorld(index))


@pytest.mark.parametrize("name", ["Red", "Green", "Yellow"])
def test_slice_shows_the_volume_in_its_true_size(host: Any, ball: Any, name: str) -> None:
    view = host.slice_view(name)
    pixel_mm = np.linalg.norm(view.world_from_display(1, 0) - view.world_from_display(0, 0))
    bright = np.count_nonzero(view.pixels().min(axis=2) > 127)
    assert bright * pixel_mm**2 == pytest.approx(np.pi * RADIUS**2, rel=0.02)


def test_slice_follows_its_offset(host: Any, ball: Any) -> None:
    view = host.slice_view("Red")
    widget = slicer.app.layoutManager().sliceWidget("Red")
    before = np.count_nonzero(view.pixels().min(axis=2) > 127)
    widget.sliceController().setSliceOffsetValue(20.0)
    host.process_events()
    after = np.count_nonzero(view.pixels().min(axis=2) > 127)
    assert after / before == pytest.approx((RADIUS**2 - 20.0**2) / RADIUS**2, rel=0.03)
    view.mouse.wheel((40, 40), 2)
    assert view.mrmlSliceNode().GetSliceOffset() == pytest.approx(22.0)


def test_model_fills_its_share_of_the_3d_view(host: Any) -> None:
    view = host.three_d_view()
    empty = view.pixels()
    assert empty.std() > 5  # the gradient
    add_sphere()
    slicer.app.layoutManager().resetThreeDViews()
    host.process_events()
    edge = [view.display_from_world(np.array((x, 0.0, 0.0)))[0] for x in (-RADIUS, RADIUS)]
    white = view.pixels().astype(int)
    red = np.count_nonzero(white[..., 0] - white[..., 2] > 60)
    # In perspective the ball's outline is a little larger than its equator.
    assert red == pytest.approx(np.pi / 4 * (edge[1] - edge[0]) ** 2, rel=0.05)


@pytest.mark.parametrize(
    "name, target", [("Red", (12.3, -7.8, 0.0)), ("Green", (3.1, 0.0, 14.4)), ("Yellow", (0.0, -9.6, 4.2))]
)
def test_click_in_a_slice_places_a_point_there(host: Any, ball: Any, name: str, target: tuple) -> None:
    node, view = placing(), host.slice_view(name)
    view.mouse.click(target)
    host.process_events()
    assert node.GetNumberOfDefinedControlPoints() == 1
    pixel_mm = np.linalg.norm(view.world_from_display(1, 0) - view.world_from_display(0, 0))
    assert np.abs(position(node) - target).max() <= 0.51 * pixel_mm  # the mouse stands on whole pixels
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == slicer.vtkMRMLInteractionNode.ViewTransform


def test_click_in_an_oblique_slice(host: Any, ball: Any) -> None:
    view = host.slice_view("Red")
    turned = vtk.vtkTransform()
    turned.Translate(2.0, -3.0, 4.0)
    turned.RotateWXYZ(35.0, 1.0, 2.0, 0.5)
    view.mrmlSliceNode().GetSliceToRAS().DeepCopy(turned.GetMatrix())
    view.mrmlSliceNode().UpdateMatrices()
    host.process_events()
    target = np.array(turned.TransformPoint(7.5, -4.0, 0.0))
    node = placing()
    view.mouse.click(target)
    host.process_events()
    pixel_mm = np.linalg.norm(view.world_from_display(1, 0) - view.world_from_display(0, 0))
    assert np.linalg.norm(position(node) - target) <= pixel_mm


def test_slicers_own_click_and_drag(host: Any, ball: Any) -> None:
    view = host.slice_view("Red")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Point")
    node.CreateDefaultDisplayNodes()
    node.AddControlPointWorld(5.0, 5.0, 0.0)
    host.process_events()
    start = tuple(round(value) for value in view.display_from_world(np.array((5.0, 5.0, 0.0))))
    slicer.util.clickAndDrag(view, button="None", start=start, end=start)  # points answer once the mouse is over them
    slicer.util.clickAndDrag(view, start=start, end=(start[0] + 20, start[1] - 10))
    expected = view.world_from_display(start[0] + 20, start[1] - 10)
    assert np.linalg.norm(position(node) - expected) < 0.5


def test_drag_in_a_slice_moves_a_point(host: Any, ball: Any) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Point")
    node.CreateDefaultDisplayNodes()
    node.AddControlPointWorld(5.0, 5.0, 0.0)
    node.AddControlPointWorld(-10.0, 5.0, 0.0)
    view = host.slice_view("Red")
    view.mouse.drag((5.0, 5.0, 0.0), (-4.0, 12.0, 0.0))
    host.process_events()
    pixel_mm = np.linalg.norm(view.world_from_display(1, 0) - view.world_from_display(0, 0))
    assert np.abs(position(node) - (-4.0, 12.0, 0.0)).max() <= 2 * pixel_mm
    assert np.allclose(position(node, 1), (-10.0, 5.0, 0.0))


def test_persistent_placement_draws_a_curve(host: Any, ball: Any) -> None:
    node = placing("vtkMRMLMarkupsCurveNode", persistent=True)
    targets = [(0.0, -15.0, 0.0), (5.0, 0.0, 0.0), (0.0, 15.0, 0.0)]
    for target in targets:
        host.slice_view("Red").mouse.click(target)
    host.process_events()
    assert node.GetNumberOfDefinedControlPoints() == 3
    assert np.abs([position(node, n) - target for n, target in enumerate(targets)]).max() < 0.5


def test_a_double_click_ends_placement_and_a_key_deletes(host: Any, ball: Any) -> None:
    node, view = placing("vtkMRMLMarkupsCurveNode", persistent=False), host.slice_view("Red")
    targets = [(0.0, -15.0, 0.0), (5.0, 0.0, 0.0), (0.0, 15.0, 0.0)]
    for target in targets[:2]:
        view.mouse.click(target)
    view.mouse.double_click(targets[2])
    host.process_events()
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == slicer.vtkMRMLInteractionNode.ViewTransform
    assert node.GetNumberOfDefinedControlPoints() == 3
    view.mouse.move(targets[1])
    view.mouse.key(Qt.Key_Delete)
    host.process_events()
    assert np.abs([position(node, n) - target for n, target in enumerate(targets[::2])]).max() < 0.5
    assert node.GetNumberOfControlPoints() == 2


def test_click_and_drag_on_a_surface_in_3d(host: Any) -> None:
    add_sphere()
    slicer.app.layoutManager().resetThreeDViews()
    view = host.three_d_view()
    node = placing()
    first, second = on_sphere(5.0, 12.0), on_sphere(-8.0, 3.0)
    view.mouse.click(first)
    host.process_events()
    across = [view.display_from_world(np.array((x, RADIUS, 0.0))) for x in (0.0, 10.0)]
    pixel_mm = 10.0 / np.hypot(*np.subtract(*across))
    assert np.linalg.norm(position(node) - first) <= 1.5 * pixel_mm
    view.mouse.drag(first, second)
    host.process_events()
    assert np.linalg.norm(position(node) - second) <= 2.5 * pixel_mm
    assert np.linalg.norm(position(node)) == pytest.approx(RADIUS, abs=0.2)


def test_drag_beside_everything_turns_the_camera(host: Any) -> None:
    add_sphere()
    slicer.app.layoutManager().resetThreeDViews()
    view = host.three_d_view()
    camera = view.cameraNode().GetCamera()
    before, distance = np.array(camera.GetPosition()), camera.GetDistance()
    view.mouse.drag((40, 40), (140, 40))
    assert np.linalg.norm(np.array(camera.GetPosition()) - before) > 0.1 * distance
    assert camera.GetDistance() == pytest.approx(distance)


def test_the_crosshair_knows_where_the_mouse_is(host: Any, ball: Any) -> None:
    host.slice_view("Green").mouse.move((-6.0, 0.0, 9.0))
    host.process_events()
    found = [0.0, 0.0, 0.0]
    assert slicer.util.getNode("Crosshair").GetCursorPositionRAS(found)
    assert np.allclose(found, (-6.0, 0.0, 9.0), atol=0.3)


def test_the_mouse_says_where_it_cannot_point(host: Any, ball: Any) -> None:
    with pytest.raises(ValueError, match=r"4\.00 mm off the Red slice"):
        host.slice_view("Red").mouse.click((0.0, 0.0, 4.0))
    with pytest.raises(ValueError, match="outside the view"):
        host.slice_view("Red").mouse.click((500.0, 0.0, 0.0))


def test_layouts_show_and_hide_views(host: Any) -> None:
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    host.process_events()
    shown = [manager.sliceWidget(name).isVisible() for name in ("Red", "Green")]
    assert shown == [True, False] and not manager.threeDWidget(0).isVisible()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalWidescreenView)
    host.process_events()
    widths = [view.width() for view in manager.views()]
    assert widths[0] == pytest.approx(3 * widths[1], rel=0.02) and widths[1:] == [widths[1]] * 3
    with pytest.raises(ValueError, match="Layout 99"):
        manager.setLayout(99)


def test_nothing_is_rendered_while_rendering_is_paused(host: Any) -> None:
    view = host.three_d_view()
    with slicer.util.RenderBlocker():
        before = view.render_count
        add_sphere()
        host.process_events(0.02)
        assert view.render_count == before
    host.process_events(0.02)
    assert view.render_count > before


def test_screenshot_holds_panel_and_views(host: Any, ball: Any, tmp_path: Path) -> None:
    file = host.screenshot(tmp_path / "window.png", (1200, 800))
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(file))
    reader.Update()
    image = reader.GetOutput()
    assert image.GetDimensions()[:2] == (1200, 800)
    pixels = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(800, 1200, -1)[..., :3]
    panel, views = pixels[:, :470], pixels[:, 490:]
    assert panel.min(axis=(0, 1)).tolist() > [200, 200, 200]  # light, and empty without a module
    assert np.count_nonzero(views.max(axis=2) == 0) > 10000  # black around the slices
    host.window.resize(1600, 1000)


def test_pictures_show_translucent_surfaces_in_their_order(host: Any) -> None:
    inner, outer = add_sphere(RADIUS / 2), add_sphere()
    inner.GetDisplayNode().SetColor(0.0, 1.0, 0.0)
    for display in (inner.GetDisplayNode(), outer.GetDisplayNode()):  # their plain colours, half translucent
        display.SetAmbient(1.0)
        display.SetDiffuse(0.0)
        display.SetSpecular(0.0)
        display.SetBackfaceCulling(True)
        display.SetOpacity(0.5)
    slicer.app.layoutManager().resetThreeDViews()
    view = host.three_d_view()
    view.mrmlViewNode().SetBoxVisible(False)
    view.mrmlViewNode().SetAxisLabelsVisible(False)
    with view.fine():
        pixels = view.pixels().astype(float)
    x, y = (round(value) for value in view.display_from_world(np.array((0.0, RADIUS, 0.0))))
    row = pixels[view.height() - 1 - y]
    red, green, background = np.array((255, 0, 0)), np.array((0, 255, 0)), row[5]
    assert np.allclose(row[x], red / 2 + (green / 2 + background / 2) / 2, atol=3)
    view.mrmlViewNode().SetBoxVisible(True)
    view.mrmlViewNode().SetAxisLabelsVisible(True)


def add_sphere(radius: float = RADIUS) -> Any:
    """A red ball around the origin."""
    source = vtk.vtkSphereSource()
    source.SetRadius(radius)
    source.SetPhiResolution(80)
    source.SetThetaResolution(80)
    model = slicer.modules.models.logic().AddModel(source.GetOutputPort())
    model.GetDisplayNode().SetColor(1.0, 0.0, 0.0)
    model.GetDisplayNode().SetAmbient(0.6)
    return model


def on_sphere(x: float, z: float) -> np.ndarray:
    """The point of the ball that faces the front."""
    return np.array((x, np.sqrt(RADIUS**2 - x**2 - z**2), z))
