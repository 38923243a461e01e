"""Pictures of the implant in the spine, of the implant alone and of its porous interfaces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh

from ..build.design import Foot, Implant
from ..case.model import Case, Endplate, Structure
from .palette import CONTACT, SCREW, TITANIUM, look_of, spoken
from .render import INK, Camera, Colour, Label, Layer, Swatch, View
from .surfaces import mesh_surface, screw_surface, structure_surface, tube

SIZE = (940, 1200)
LEGEND_SIZE = (230, 1200)
# How much of the patient is drawn around the implant, mm: to the patient's side, front, back, and above and below.
_SIDE, _FRONT, _BACK, _ALONG = 38.0, 22.0, 55.0, 26.0
_HIDDEN = ("lungs", "skin", "body")
_GREY = (0.45, 0.47, 0.50)


def implant_layers(implant: Implant) -> tuple[Layer, ...]:
    """The implant and its screws."""
    screws = tuple(Layer(screw_surface(s), SCREW, shine=0.6) for s in implant.situation.plan.screws)
    return (Layer(mesh_surface(implant.part.mesh), TITANIUM, shine=0.55), *screws)


def anatomy_layers(case: Case, low: np.ndarray, high: np.ndarray) -> dict[Structure, Layer]:
    """The structures of a case around the box from low to high (RAS mm), those that are there."""
    low = low - np.array([_SIDE, _BACK, _ALONG])
    high = high + np.array([_SIDE, _FRONT, _ALONG])
    found: dict[Structure, Layer] = {}
    for structure in case.structures:
        if structure.name.lower().startswith(_HIDDEN):
            continue
        surface = structure_surface(structure, low, high)
        if surface is not None and surface.GetNumberOfPolys():
            colour, opacity = look_of(structure)
            found[structure] = Layer(surface, colour, opacity)
    return found


def spine_views(
    low: np.ndarray, high: np.ndarray, own: tuple[Layer, ...], around: dict[Structure, Layer]
) -> dict[str, View]:
    """What is in the box from low to high in the translucent spine: from the front, the left and the front right."""
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
        labels = (*_level_labels(around, camera), *_side_labels(*ends[name]))
        views[name] = View(layers, camera, SIZE, labels)
    return views


def endplate_layers(plates: Iterable[Endplate]) -> tuple[Layer, ...]:
    """Outlines of endplates with their outward normals."""
    layers = []
    for plate in plates:
        normal = np.stack([plate.centre, plate.centre + 6.0 * plate.normal])
        layers += [Layer(tube(plate.outline, 0.45, closed=True), CONTACT), Layer(tube(normal, 0.45), CONTACT)]
    return tuple(layers)


def alone_views(implant: Implant, own: tuple[Layer, ...]) -> tuple[View, ...]:
    """The implant with its screws: from the front, from the left, from behind and obliquely."""
    low, high = implant.part.mesh.bounds
    middle = 0.5 * (low + high)
    height = 1.06 * float(np.linalg.norm(high[1:] - low[1:])) + 4.0
    named = (
        ("from the front", (0.0, -1.0, 0.0)),
        ("from the left", (1.0, 0.0, 0.0)),
        ("from behind", (0.0, 1.0, 0.0)),
        ("oblique", (0.68, -0.68, -0.28)),
    )
    views = []
    for title, direction in named:
        camera = Camera(middle, np.array(direction), np.array([0.0, 0.0, 1.0]), height)
        labels = (Label(title, 0.5, 0.03, 24, INK, "centre"), *_scale_label(camera, (620, 1200)))
        views.append(View((*own, _scale_bar(camera, (620, 1200))), camera, (620, 1200), labels))
    return tuple(views)


def interface_views(implant: Implant, foot: Foot) -> tuple[View, ...]:
    """A foot seen from its endplate, straight and obliquely, with the endplate's outline."""
    plate = foot.endplate
    size = (900, 820)
    height = 1.22 * max(plate.depth_mm, plate.width_mm * size[1] / size[0]) + 3.0
    # The foot stands on the plate's outer side; seen from the bone the line of sight runs along the normal.
    # Drawn in the bone's way, the outline lies a little in front of the contact face.
    surface = mesh_surface(_around(implant.part.mesh, plate.centre, 1.5 * height))
    outline = Layer(tube(plate.outline - 2.0 * plate.normal, 0.14, closed=True), CONTACT, shine=0.0)
    views = []
    for title, tilt in (("seen from the endplate", 0.0), ("obliquely", 52.0)):
        angle = np.deg2rad(tilt)
        into = np.cos(angle) * plate.normal - np.sin(angle) * (0.75 * plate.anterior + 0.66 * plate.right)
        camera = Camera(plate.centre + 1.5 * plate.normal * (tilt > 0), into, plate.anterior, height)
        layers: tuple[Layer, ...] = (Layer(surface, TITANIUM, shine=0.4), _scale_bar(camera, size, 5.0))
        if tilt == 0.0:
            layers += (outline,)
        text = f"{foot.end.capitalize()} foot on {plate.level} {plate.face} endplate, {title}"
        labels = (
            Label(f" {text} ", 0.03, 0.04, 22, INK, "left", False, (1.0, 1.0, 1.0)),
            *_scale_label(camera, size, 5.0),
        )
        views.append(View(layers, camera, size, labels))
    return tuple(views)


def _around(mesh: Mesh, centre: np.ndarray, reach_mm: float) -> Mesh:
    """The faces of a mesh within reach of a place, for pictures."""
    near = np.linalg.norm(mesh.vertices - centre, axis=1) < reach_mm
    used, faces = np.unique(mesh.faces[near[mesh.faces].all(axis=1)], return_inverse=True)
    return Mesh(mesh.vertices[used], faces)


def legend_view(structures: Iterable[Structure], own: tuple[tuple[str, Colour], ...]) -> View:
    """Names in their colours, own first, bone and discs as one word each: a strip to set beside a picture."""
    rows = list(own)
    for structure in structures:
        name = {"bone": "bone", "disc": "discs"}.get(structure.role, spoken(structure.name))
        if name not in [n for n, _ in rows]:
            rows.append((name, look_of(structure)[0]))
    step = min(0.028, 0.96 / len(rows))
    heights = [0.975 - i * step for i in range(len(rows))]
    labels = tuple(Label(name, 0.17, y, 21) for (name, _), y in zip(rows, heights))
    swatches = tuple(Swatch(0.06, y - 0.006, 0.07, 0.013, colour) for (_, colour), y in zip(rows, heights))
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    return View((), camera, LEGEND_SIZE, labels, swatches)


def _level_labels(around: dict[Structure, Layer], camera: Camera) -> tuple[Label, ...]:
    """Each vertebra's name at the middle of what is drawn of it."""
    labels = []
    for structure, layer in around.items():
        if structure.level is None:
            continue
        bounds = np.array(layer.surface.GetBounds()).reshape(3, 2)
        x, y = camera.seen(bounds.mean(axis=1), SIZE)[0]
        if 0.02 < x < 0.98 and 0.02 < y < 0.98:
            labels.append(Label(f" {structure.level} ", float(x), float(y), 20, INK, "centre", True, (1.0, 1.0, 1.0)))
    return tuple(labels)


def _side_labels(left: str, right: str) -> tuple[Label, ...]:
    """The patient's sides at the picture's edges, as in radiology."""
    sides = ((left, 0.02, "left"), (right, 0.98, "right"))
    return tuple(Label(text, x, 0.5, 34, _GREY, anchor, True) for text, x, anchor in sides if text)


def _scale_bar(camera: Camera, size: tuple[int, int], length_mm: float = 10.0) -> Layer:
    width_mm = camera.height_mm * size[0] / size[1]
    corner = camera.focus + camera.right * (0.46 * width_mm) - camera.up * (0.40 * camera.height_mm)
    near = corner - 60.0 * camera.into
    return Layer(tube(np.stack([near - length_mm * camera.right, near]), 0.004 * camera.height_mm), INK, shine=0.0)


def _scale_label(camera: Camera, size: tuple[int, int], length_mm: float = 10.0) -> tuple[Label, ...]:
    width_mm = camera.height_mm * size[0] / size[1]
    x = 0.96 - 0.5 * length_mm / width_mm
    return (Label(f"{length_mm:g} mm", x, 0.072, 20, INK, "centre"),)
