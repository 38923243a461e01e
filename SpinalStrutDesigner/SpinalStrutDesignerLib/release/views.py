"""Pictures of the implant in the spine, of the implant alone and of its porous interfaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..build.design import Foot, Implant
from ..case.alignment import Restoration
from ..case.model import Case, Endplate, Structure
from ..plan.plan import Plan
from ..plan.rules import group_of
from .palette import AXIS, CHORD, CONTACT, SCREW, TITANIUM, legend_name, look_of
from .render import INK, Camera, Colour, Label, Layer, Swatch, View, scale_bar
from .surfaces import mesh_surface, screw_surface, structure_surface, surface_arrays, tube

SIZE = (940, 1200)
LEGEND_SIZE = (230, 1200)
# How much of the patient is drawn around the implant, mm: to the patient's side, front, back, and above and below.
_SIDE, _FRONT, _BACK, _ALONG = 38.0, 22.0, 55.0, 26.0
# What would only veil the rest, by group or name.
_HIDDEN = ("lungs", "skin", "body")
# The front part of a vertebra's depth that is taken for its body.
_BODY_PART = 0.35
# Close-ups: how far they are turned to the back, and how far behind the plate is drawn, mm.
_BEHIND_DEG, _BEYOND_MM = 50.0, 25.0
_GREY = (0.45, 0.47, 0.50)
_WHITE = (1.0, 1.0, 1.0)
# Axis and chord: how thick, mm; their names: how far beside them and below each other, of the picture.
_LINE_MM, _TEXT_AWAY, _TEXT_ROW = 1.0, 0.12, 0.026


def implant_layer(implant: Implant) -> Layer:
    """The implant in its colour."""
    return Layer(mesh_surface(implant.part.mesh), TITANIUM, shine=0.55)


def screw_layers(plan: Plan) -> tuple[Layer, ...]:
    """The screws as planned."""
    return tuple(Layer(screw_surface(s), SCREW, shine=0.6) for s in plan.screws)


def anatomy_layers(case: Case, low: np.ndarray, high: np.ndarray) -> dict[Structure, Layer]:
    """The structures of a case around the box from low to high (RAS mm), those that are there."""
    low = low - np.array([_SIDE, _BACK, _ALONG])
    high = high + np.array([_SIDE, _FRONT, _ALONG])
    found: dict[Structure, Layer] = {}
    for structure in case.structures:
        if group_of(structure.name) in _HIDDEN or structure.name.lower() in _HIDDEN:
            continue
        surface = structure_surface(structure, low, high)
        if surface is not None and surface.GetNumberOfPolys():
            colour, opacity = look_of(structure)
            found[structure] = Layer(surface, colour, opacity)
    return found


def spine_views(
    low: np.ndarray,
    high: np.ndarray,
    own: tuple[Layer, ...],
    around: dict[Structure, Layer],
    names_aside: float = 0.0,
) -> dict[str, View]:
    """What is in the box from low to high in the translucent spine: from the front, the left and the front right.

    names_aside: how far to the right of the vertebrae their names stand, of the picture.
    """
    middle, height = 0.5 * (low + high), 1.28 * (high[2] - low[2]) + 26.0
    into = {
        "anterior": (0.0, -1.0, 0.0),
        "lateral": (1.0, 0.0, 0.0),
        "oblique": (-0.80, -0.52, -0.30),
    }
    layers = (*around.values(), *own)
    ends = {"anterior": ("R", "L"), "lateral": ("A", "P"), "oblique": ("", "")}
    views = {}
    for name, direction in into.items():
        camera = Camera(middle, np.array(direction), np.array([0.0, 0.0, 1.0]), height)
        length, bar = scale_bar(camera, SIZE, 10.0)
        labels = (*_level_labels(around, camera, names_aside), *_side_labels(*ends[name]), length)
        views[name] = View(layers, camera, SIZE, labels, (bar,))
    return views


def endplate_layers(plates: Iterable[Endplate]) -> tuple[Layer, ...]:
    """Outlines of endplates with their outward normals."""
    layers = []
    for plate in plates:
        normal = np.stack([plate.centre, plate.centre + 6.0 * plate.normal])
        layers += [Layer(tube(plate.outline, 0.45, closed=True), CONTACT), Layer(tube(normal, 0.45), CONTACT)]
    return tuple(layers)


def span_layers(restored: Restoration) -> tuple[Layer, ...]:
    """The mechanical axis and the chord between two docking endplates."""
    return (
        Layer(tube(restored.line, _LINE_MM), AXIS),
        Layer(tube(restored.line[[0, -1]], _LINE_MM), CHORD),
    )


def with_span(view: View, restored: Restoration) -> View:
    """The picture with the names of the docking endplates and the lengths of axis and chord, beside the spine."""
    ends = restored.line[[0, -1]]
    middle = restored.line[len(restored.line) // 2]
    texts = (
        (f"{restored.upper} inferior endplate", ends[0], CONTACT, 0.0),
        (f"axis {restored.axis_mm:.1f} mm", middle, AXIS, 0.5 * _TEXT_ROW),
        (f"chord {restored.distance_mm:.1f} mm", middle, CHORD, -0.5 * _TEXT_ROW),
        (f"{restored.lower} superior endplate", ends[1], CONTACT, 0.0),
    )
    # All begin at one line, left of whatever of the axis lies farthest to the left.
    right = float(view.camera.seen(restored.line, view.size)[:, 0].min()) - _TEXT_AWAY
    labels = tuple(
        Label(
            f" {text} ", right, float(view.camera.seen(place, view.size)[0, 1]) + off, 20, colour, "right", True, _WHITE
        )
        for text, place, colour, off in texts
    )
    return replace(view, labels=(*view.labels, *labels))


def alone_views(implant: Implant, own: tuple[Layer, ...]) -> tuple[View, ...]:
    """The implant with its screws: from the front, from the left, from behind and obliquely."""
    low, high = implant.part.mesh.bounds
    size = (620, 1200)
    # A tenth of the picture is left below for the title and the scale.
    height = (1.06 * float(np.linalg.norm(high[1:] - low[1:])) + 4.0) / 0.9
    middle = 0.5 * (low + high) - np.array([0.0, 0.0, 0.05 * height])
    named = (
        ("from the front", (0.0, -1.0, 0.0)),
        ("from the left", (1.0, 0.0, 0.0)),
        ("from behind", (0.0, 1.0, 0.0)),
        ("from the front left, above", (0.68, -0.68, -0.28)),
    )
    views = []
    for title, direction in named:
        camera = Camera(middle, np.array(direction), np.array([0.0, 0.0, 1.0]), height)
        length, bar = scale_bar(camera, size, 10.0)
        views.append(View(own, camera, size, (Label(title, 0.04, 0.03, 24), length), (bar,)))
    return tuple(views)


def interface_views(foot: Foot, metal: Layer) -> tuple[View, ...]:
    """A foot seen from its endplate, straight with the endplate's outline, and where its porous face is seen best:
    obliquely from behind, or a flange's from the bone.

    metal: the implant, without its screws.
    """
    plate = foot.endplate
    size = (900, 820)
    height = 1.35 * max(plate.depth_mm, plate.width_mm * size[1] / size[0]) + 6.0
    # The foot stands on the plate's outer side; seen from the bone the line of sight runs along the normal.
    # Drawn in the bone's way, the outline lies a little in front of the contact face.
    outline = Layer(tube(plate.outline - 2.0 * plate.normal, 0.14, closed=True), CONTACT, shine=0.0)
    # Which of the patient's sides lies right in the picture: seen upwards it is the left.
    sides = ("L", "R") if np.cross(plate.normal, plate.anterior) @ plate.right > 0.0 else ("R", "L")
    ends = (*_side_labels(*sides), Label("A", 0.5, 0.96, 34, _GREY, "centre", True))
    turn = np.deg2rad(_BEHIND_DEG)
    views = []
    # The flange stands up on the bone's side.
    beside_bone = plate.centre - 0.15 * height * plate.normal
    best = (
        "seen obliquely from behind",
        beside_bone,
        np.cos(turn) * plate.normal + np.sin(turn) * plate.anterior,
        plate.anterior,
        (),
        _side_labels(*sides),
    )
    if foot.porous_face == "flange" and foot.domain is not None:
        middle = foot.domain.vertices.mean(axis=0)
        outwards = middle - plate.centre - (middle - plate.centre) @ plate.normal * plate.normal
        upwards = plate.normal if plate.face == "superior" else -plate.normal
        best = ("its flange seen from the bone", middle, outwards / np.linalg.norm(outwards), upwards, (), ())
    for title, focus, into, up, more, marks in (
        ("seen from the endplate", plate.centre, plate.normal, plate.anterior, (outline,), ends),
        best,
    ):
        camera = Camera(focus, into, up, height, _BEYOND_MM)
        length, bar = scale_bar(camera, size, 5.0)
        text = f"{foot.end.capitalize()} foot on {plate.level} {plate.face} endplate, {title}"
        name = Label(f" {text} ", 0.02, 0.04, 22, INK, "left", False, (1.0, 1.0, 1.0))
        views.append(View((metal, *more), camera, size, (*marks, name, length), (bar,)))
    return tuple(views)


def legend_view(structures: Iterable[Structure], own: tuple[tuple[str, Colour], ...]) -> View:
    """Names in their colours, own first, bone and discs as one word each: a strip to set beside a picture."""
    rows = list(own)
    for structure in structures:
        name = {"bone": "bone", "disc": "discs"}.get(structure.role, legend_name(structure))
        if name not in [n for n, _ in rows]:
            rows.append((name, look_of(structure)[0]))
    step = min(0.028, 0.96 / len(rows))
    heights = [0.975 - i * step for i in range(len(rows))]
    labels = tuple(Label(name, 0.17, y, 21) for (name, _), y in zip(rows, heights))
    swatches = tuple(Swatch(0.06, y - 0.006, 0.07, 0.013, colour) for (_, colour), y in zip(rows, heights))
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    return View((), camera, LEGEND_SIZE, labels, swatches)


def _level_labels(around: dict[Structure, Layer], camera: Camera, aside: float) -> tuple[Label, ...]:
    """Each vertebra's name: in the middle of what is drawn of it or aside, at the height of its front part.

    The processes hang far below the body in the thorax.
    """
    labels = []
    for structure, layer in around.items():
        if structure.level is None:
            continue
        points, _ = surface_arrays(layer.surface)
        low, high = points.min(axis=0), points.max(axis=0)
        place = 0.5 * (low + high)
        place[2] = points[points[:, 1] > high[1] - _BODY_PART * (high[1] - low[1]), 2].mean()
        x, y = camera.seen(place, SIZE)[0] + [aside, 0.0]
        if 0.02 < x < 0.98 and 0.02 < y < 0.98:
            labels.append(Label(f" {structure.level} ", float(x), float(y), 20, INK, "centre", True, (1.0, 1.0, 1.0)))
    return tuple(labels)


def _side_labels(left: str, right: str) -> tuple[Label, ...]:
    """The patient's sides at the picture's edges, as in radiology."""
    sides = ((left, 0.02, "left"), (right, 0.98, "right"))
    return tuple(Label(text, x, 0.5, 34, _GREY, anchor, True) for text, x, anchor in sides if text)
