"""Pictures show things where they are: sides, places, sizes, colours."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.solids import box, sphere
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.errors import ReleaseError
from SpinalStrutDesignerLib.plan.catalogue import load_screws
from SpinalStrutDesignerLib.plan.plan import Screw
from SpinalStrutDesignerLib.release import render
from SpinalStrutDesignerLib.release.palette import BONE, legend_name, look_of
from SpinalStrutDesignerLib.release.render import (
    Camera,
    Easel,
    Layer,
    Swatch,
    View,
    rendered,
    scale_bar,
    write_png,
)
from SpinalStrutDesignerLib.release.sections import section_views
from SpinalStrutDesignerLib.release.surfaces import mesh_surface, screw_surface, structure_surface, surface_arrays
from SpinalStrutDesignerLib.release.views import implant_layer, interface_views, spine_views

RED, GREEN = (0.9, 0.05, 0.05), (0.05, 0.8, 0.05)


def _where(pixels: np.ndarray, channel: int) -> np.ndarray:
    """(n, 2) places, 0..1 from the lower left, where one channel of a picture is far above the others."""
    others = [c for c in range(3) if c != channel]
    strong = pixels[..., channel].astype(int) - pixels[..., others].max(axis=-1).astype(int) > 60
    rows, columns = np.nonzero(strong)
    height, width = strong.shape
    return np.stack([(columns + 0.5) / width, 1.0 - (rows + 0.5) / height], axis=1)


def test_a_ball_is_drawn_where_and_as_large_as_the_camera_says():
    centre, radius = np.array([7.0, -4.0, 12.0]), 3.0
    camera = Camera(np.array([1.0, 0.0, 10.0]), np.array([0.3, -0.8, 0.2]), np.array([0.0, 0.0, 1.0]), 50.0)
    view = View((Layer(mesh_surface(sphere(centre, radius)), RED, shine=None),), camera, (400, 500))
    seen = _where(rendered(view), 0)
    np.testing.assert_allclose(seen.mean(axis=0), camera.seen(centre[None], view.size)[0], atol=0.004)
    pixel_mm = 50.0 / 500.0
    assert len(seen) * pixel_mm**2 == pytest.approx(np.pi * radius**2, rel=0.03)


def test_what_lies_in_front_hides_and_what_is_translucent_does_not():
    near, far = np.array([0.0, 20.0, 0.0]), np.array([0.0, -20.0, 0.0])
    camera = Camera(np.zeros(3), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0]), 40.0)

    def share(opacity: float) -> np.ndarray:
        layers = (
            Layer(mesh_surface(sphere(near, 8.0)), RED, opacity, shine=None),
            Layer(mesh_surface(sphere(far, 4.0)), GREEN, shine=None),
        )
        return rendered(View(layers, camera, (200, 200)))

    assert share(1.0)[100, 100, 0] > 200 and share(1.0)[100, 100, 1] < 60
    mixed = share(0.4)[100, 100].astype(float) / 255.0
    # The ball's two walls are seen through one after the other.
    np.testing.assert_allclose(mixed, 0.64 * np.array(RED) + 0.36 * np.array(GREEN), atol=0.03)


def test_an_easel_draws_each_view_as_if_it_were_alone():
    camera = Camera(np.zeros(3), np.array([0.3, -0.8, 0.2]), np.array([0.0, 0.0, 1.0]), 40.0)
    shared = Layer(mesh_surface(sphere(np.zeros(3), 8.0)), RED)
    other = Layer(mesh_surface(box(np.full(3, 2.0), np.full(3, 9.0))), GREEN, 0.4)
    views = (View((shared, other), camera, (200, 150)), View((shared,), camera, (90, 120)))
    with Easel() as easel:
        for view in (*views, views[0]):
            np.testing.assert_array_equal(easel.drawn(view), rendered(view))


def test_what_lies_too_far_behind_is_left_out():
    far = Layer(mesh_surface(sphere(np.array([0.0, -20.0, 0.0]), 4.0)), GREEN, shine=None)
    into, up = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    for depth, seen in ((30.0, True), (15.0, False)):
        near = Layer(mesh_surface(sphere(np.array([8.0, 10.0, 0.0]), 3.0)), RED, shine=None)
        pixels = rendered(View((far, near), Camera(np.zeros(3), into, up, 40.0, depth), (100, 100)))
        assert (len(_where(pixels, 1)) > 0) == seen and len(_where(pixels, 0)) > 0


def test_a_scale_bar_is_as_long_as_it_says():
    camera = Camera(np.zeros(3), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), 60.0)
    for size in ((600, 1200), (900, 820)):
        label, bar = scale_bar(camera, size, 10.0, (0.0, 0.0, 1.0))
        pixels = rendered(View((), camera, size, (), (bar,)))
        long = np.ptp(np.nonzero((pixels == [0, 0, 255]).all(axis=-1))[1]) + 1
        assert long * 60.0 / size[1] == pytest.approx(10.0, abs=60.0 / size[1]) and label.text == "10 mm"


def test_swatches_are_painted_to_the_pixel():
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    pixels = rendered(View((), camera, (200, 100), (), (Swatch(0.25, 0.5, 0.5, 0.2, (1.0, 0.0, 0.0)),)))
    assert (pixels[30:50, 50:150] == [255, 0, 0]).all() and (pixels == [255, 0, 0]).all(axis=-1).sum() == 20 * 100


@pytest.mark.parametrize(
    ("name", "left", "right"), [("anterior", (20, 0, 0), (-20, 0, 0)), ("lateral", (0, 20, 0), (0, -20, 0))]
)
def test_the_patients_right_and_front_are_drawn_left(name, left, right):
    own = tuple(
        Layer(mesh_surface(sphere(np.array(place, dtype=float), 5.0)), colour, shine=None)
        for place, colour in ((left, RED), (right, GREEN))
    )
    view = spine_views(np.full(3, -30.0), np.full(3, 30.0), own, {})[name]
    pixels = rendered(view)
    assert _where(pixels, 0)[:, 0].max() < 0.5 < _where(pixels, 1)[:, 0].min()


def test_close_ups_name_the_side_that_is_there(cleared):
    """From the upper vertebra's plate one looks down, with the patient's right on the right; below it is turned."""
    implant = cleared.design.implants[0]
    for foot in implant.feet:
        for view in interface_views(foot, implant_layer(implant)):
            marks = {label.text: label for label in view.labels}
            right, front = view.camera.seen(foot.endplate.centre + 5.0 * np.eye(3)[:2], view.size) - 0.5
            middle = view.camera.seen(foot.endplate.centre, view.size)[0] - 0.5
            assert (marks["R"].x > marks["L"].x) == (right[0] > middle[0])
            assert front[1] > middle[1] and ("A" not in marks or marks["A"].y > 0.9)


def test_levels_are_named_at_the_height_of_their_bodies():
    """A body of 20 mm with a process that hangs 40 mm below it."""
    voxels = np.zeros((60, 60, 20), dtype=bool)
    voxels[40:, 35:, :], voxels[:45, :35, 8:12] = True, True
    bone = Structure("T7", "bone", Mask(voxels, np.eye(4)), 1, "T7")
    low, high = np.zeros(3), np.array([20.0, 60.0, 60.0])
    surface = structure_surface(bone, low - 5.0, high + 5.0)
    for view in spine_views(low, high, (), {bone: Layer(surface, BONE)}).values():
        label = next(label for label in view.labels if label.text.strip() == "T7")
        body = view.camera.seen(np.array([10.0, 30.0, 50.0]), view.size)[0]
        assert label.y == pytest.approx(body[1], abs=0.03)


def test_the_two_sides_of_a_structure_have_one_row_in_a_legend():
    def name(text: str) -> str:
        return legend_name(Structure(text, "keepout_soft", Mask(np.ones((1, 1, 1), bool), np.eye(4))))

    assert name("common_carotid_artery_left") == name("common_carotid_artery_right") == "common carotid artery"
    assert name("lung_upper_lobe_left") == name("lungs") == "lungs" and name("esophagus") == "oesophagus"


def test_a_structures_surface_lies_on_its_border_as_posed_and_resected():
    matrix = np.diag([-1.0, 1.0, 2.0, 1.0])  # a left-handed grid, as LPS files give
    matrix[:3, 3] = [9.5, -9.5, -19.0]
    pose = np.eye(4)
    pose[:3, 3] = [0.0, 0.0, 5.0]
    cut = (np.array([0.0, 0.0, 15.0]), np.array([0.0, 0.0, 1.0]))
    voxels = np.ones((20, 20, 20), dtype=bool)
    structure = Structure("block", "bone", Mask(voxels, matrix), None, None, pose, (cut,))
    surface = structure_surface(structure, np.full(3, -100.0), np.full(3, 100.0))
    low, high = np.array(surface.GetBounds()).reshape(3, 2).T
    # 20 mm cube of 40 mm height about the origin, raised by 5 mm, cut at z = 15; smoothing rounds by under a voxel.
    np.testing.assert_allclose(low, [-10.0, -10.0, -15.0], atol=0.6)
    np.testing.assert_allclose(high, [10.0, 10.0, 15.0], atol=1.1)
    vertices, faces = surface_arrays(surface)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0.0  # outside is outside
    assert structure_surface(structure, np.full(3, 50.0), np.full(3, 60.0)) is None


def test_fine_voxels_put_together_stay_where_they_are():
    """A block of 41 x 40 x 39 voxels of 0.5 mm between rows of empty ones."""
    voxels = np.zeros((45, 50, 53), dtype=bool)
    voxels[3:42, 5:45, 7:48] = True
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    for role in ("keepout_soft", "metal"):
        structure = Structure("block", role, Mask(voxels, matrix))
        surface = structure_surface(structure, np.full(3, -100.0), np.full(3, 100.0))
        low, high = np.array(surface.GetBounds()).reshape(3, 2).T
        np.testing.assert_allclose(low, [3.25, 2.25, 1.25], atol=0.25)
        np.testing.assert_allclose(high, [23.75, 22.25, 20.75], atol=0.25)


def test_a_screw_is_as_long_and_thick_as_planned():
    for entry in load_screws().values():
        kind, length = entry.value, entry.value.lengths_mm[2]
        direction = np.array([0.6, -0.64, 0.48])
        screw = Screw(kind, "C4", (1.0, 2.0, 3.0), tuple(direction), length)
        vertices, _ = surface_arrays(screw_surface(screw))
        along = (vertices - [1.0, 2.0, 3.0]) @ direction
        across = np.linalg.norm(vertices - [1.0, 2.0, 3.0] - along[:, None] * direction, axis=1)
        assert along.min() == pytest.approx(0.0, abs=1e-4) and along.max() == pytest.approx(length, abs=1e-4)
        assert across.max() == pytest.approx(0.5 * kind.head_diameter_mm, abs=1e-3)
        assert across[along > kind.head_radius_mm + 0.2].max() == pytest.approx(0.5 * kind.diameter_mm, abs=1e-3)


def test_the_section_shows_ct_and_implant_at_their_places(cleared):
    implant = cleared.design.implants[0]
    views = section_views(implant)
    for name, half in (("section_sagittal", 3.0), ("section_coronal", 5.0)):
        view = views[name]
        pixels = rendered(view)
        blue = _where(pixels, 2)
        blue = blue[(blue[:, 0] > 0.3) & (blue[:, 0] < 0.7)]  # the legend lies left
        scale = np.array([view.camera.height_mm * view.size[0] / view.size[1], view.camera.height_mm])
        size = (np.quantile(blue, 0.999, axis=0) - np.quantile(blue, 0.001, axis=0)) * scale
        # The implant is a box of 10 by 6 by 59 mm about (0, 0.5, 0).
        np.testing.assert_allclose(size, [2.0 * half, 59.0], atol=1.0)
        # 900 HU bone is much brighter than 40 HU around it, above the implant's end at z = 29.5.
        x, y = view.camera.seen(np.array([[0.0, 36.0, 0.0]]), view.size)[0]
        row, column = round((1.0 - y) * view.size[1]), round(x * view.size[0])
        assert pixels[row - 40, column - 60].min() > 190
        assert pixels[view.size[1] // 2, round(0.85 * view.size[0])].max() < 100


def test_the_section_outlines_structures_where_the_sheet_cuts_them(cleared):
    """The cord and the oesophagus of the toy are bars, one before and one behind the axis."""
    view = section_views(cleared.design.implants[0])["section_sagittal"]
    outlines = {layer.colour: np.array(layer.surface.GetBounds()) for layer in view.layers if layer.opacity == 1.0}
    for name, (front, back) in (("spinal_cord", (-14.0, -20.0)), ("oesophagus", (22.0, 16.0))):
        colour = look_of(next(s for s in cleared.case.structures if s.name == name))[0]
        np.testing.assert_allclose(outlines[colour][:2], [-front, -back], atol=0.2)


def test_structures_have_the_colours_people_expect():
    def look(name: str, role: str, level: str | None = None) -> tuple[float, float, float]:
        return look_of(Structure(name, role, Mask(np.ones((1, 1, 1), bool), np.eye(4)), None, level))[0]  # type: ignore[arg-type]

    def hue(name: str) -> int:
        return int(np.argmax(look(name, "keepout_critical")))

    assert [hue(n) for n in ("aorta", "common_carotid_artery_left", "superior_vena_cava", "jugulars", "trachea")] == [
        0,
        0,
        2,
        2,
        2,
    ]
    assert look("vertebrae_T5", "bone", "T5") == BONE
    assert look("unheard of", "keepout_critical") != look("unheard of", "keepout_soft")


def test_a_picture_is_written_as_it_is(tmp_path):
    import SimpleITK as sitk

    pixels = np.random.default_rng(3).integers(0, 255, (7, 9, 3), dtype=np.uint8)
    write_png(tmp_path / "p.png", pixels)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "p.png"))), pixels)
    with pytest.raises(ReleaseError, match="could not be written"):
        write_png(tmp_path / "absent" / "p.png", pixels)


def test_a_machine_that_cannot_draw_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(render, "_pixels", lambda window: np.zeros((10, 20, 3), dtype=np.uint8))
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    with pytest.raises(ReleaseError, match=r"came out empty.*OpenGL driver"):
        rendered(View((), camera, (20, 10)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are named by DISPLAY on Linux only")
def test_draws_without_a_display_and_without_complaint():
    code = (
        "import numpy as np\n"
        "from LatticeGeneratorLib.mesh.solids import box\n"
        "from SpinalStrutDesignerLib.release.render import *\n"
        "from SpinalStrutDesignerLib.release.surfaces import mesh_surface\n"
        "c = Camera(np.zeros(3), np.array([0., 1., 0.]), np.array([0., 0., 1.]), 10.)\n"
        "v = View((Layer(mesh_surface(box(-np.ones(3), np.ones(3))), (1., 0., 0.)),), c, (50, 50))\n"
        "print(rendered(v)[25, 25].argmax())\n"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "VTK_DEFAULT_OPENGL_WINDOW")}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, encoding="utf-8", timeout=120)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "0", "")


def test_boxes_keep_their_sharp_edges():
    vertices, _ = surface_arrays(mesh_surface(box(np.zeros(3), np.ones(3))))
    assert len(vertices) == 24  # three normals at each of the eight corners
