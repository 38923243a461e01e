"""The pictures of a release: the implant in the spine, on the CT, its interfaces, and the implant alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design, Implant
from ..case.alignment import Restoration
from ..case.model import Case, Endplate
from ..plan.plan import Plan
from .palette import AXIS, CHORD, CONTACT, SCREW, TITANIUM
from .render import INK, Camera, Colour, Easel, Label, View, beside, write_png
from .sections import section_views
from .views import (
    alone_views,
    anatomy_layers,
    endplate_layers,
    implant_layer,
    interface_views,
    legend_view,
    screw_layers,
    span_layers,
    spine_views,
    with_span,
)

_RED: Colour = (0.76, 0.07, 0.07)
_STRIP = 46
# Of the picture: names of vertebrae there hide neither the axis nor what lies before it.
_NAMES_ASIDE = 0.15
_NUMBER = 8
_TITLES = {
    "anterior": (
        "From the front",
        "The implant in the spine, seen from the front; structures to stay clear of in colour.",
    ),
    "lateral": ("From the left", "Seen from the patient's left."),
    "oblique": ("Oblique", "Seen from the patient's front right and above."),
    "section_sagittal": (
        "Sagittal section along the axis",
        "The CT on the upright sheet that follows the strut's axis sideways; the implant's cut in blue.",
    ),
    "section_coronal": (
        "Coronal section along the axis",
        "The CT on the upright sheet that follows the strut's axis from front to back.",
    ),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as drawn. file: its name within images/; pixels: (height, width, 3) uint8, first row on top."""

    file: str
    title: str
    caption: str
    pixels: np.ndarray


def draw_images(design: Design, progress: Progress = silent) -> tuple[Picture, ...]:
    """The nominal implant's pictures. They need the finished design, not what was found on it.

    Raises ReleaseError where this machine cannot draw.
    """
    implant = design.implants[0]
    pictures: list[Picture] = []
    with Easel() as easel:
        for picture in _drawn(implant, easel):
            progress(f"drawn: {picture.title.lower()}", len(pictures) / _NUMBER)
            pictures.append(picture)
    return tuple(pictures)


def write_images(pictures: Iterable[Picture], folder: Path, text: str, mark: str = "") -> None:
    """Writes pictures into folder, each with a text and the mark in a strip below."""
    with Easel() as easel:
        for picture in pictures:
            write_png(folder / picture.file, _stamped(picture.pixels, text, mark, easel))


def draw_overview(case: Case, plates: Sequence[Endplate], restored: Restoration | None) -> tuple[Picture, ...]:
    """A case's spine from the front, the left and obliquely, with the endplates found on it, and over the span, where
    its docking endplates were found, the mechanical axis and the chord."""
    bones = [s for s in case.structures if s.level] or list(case.structures)
    corners = np.concatenate([s.box for s in bones])
    low, high = corners.min(axis=0), corners.max(axis=0)
    around = anatomy_layers(case, low, high)
    own, names = [*endplate_layers(plates)], [("endplates", CONTACT)]
    if restored is not None:
        own += span_layers(restored)
        names += [("mechanical axis", AXIS), ("chord", CHORD)]
    with Easel() as easel:
        legend = easel.drawn(legend_view(around, tuple(names)))
        views = spine_views(low, high, tuple(own), around, _NAMES_ASIDE)
        if restored is not None:
            views = {key: with_span(view, restored) for key, view in views.items()}
        return tuple(_picture(key, beside(legend, easel.drawn(view))) for key, view in views.items())


def _drawn(implant: Implant, easel: Easel) -> Iterator[Picture]:
    low, high = implant.part.mesh.bounds
    plan = implant.situation.plan
    metal, screws = implant_layer(implant), screw_layers(plan)
    around = anatomy_layers(implant.situation.case, low, high)
    own = (("implant", TITANIUM), ("screws", SCREW)) if screws else (("implant", TITANIUM),)
    names = easel.drawn(legend_view(around, own))
    for key, view in spine_views(low, high, (metal, *screws), around).items():
        yield _picture(key, beside(names, easel.drawn(view)))
    for key, view in section_views(implant).items():
        yield _picture(key, easel.drawn(view), _pose_note(plan))
    for foot in implant.feet:
        plate = foot.endplate
        title = f"{foot.end.capitalize()} interface"
        rests = (
            f"porous flange that rests on {plate.level}, and the foot under its"
            if foot.porous_face == "flange"
            else f"porous face that rests on the {plate.level}"
        )
        caption = f"The {rests} {plate.face} endplate, without the screws; the plate's outline in orange."
        pixels = beside(*(easel.drawn(view) for view in interface_views(foot, metal)))
        yield Picture(f"interface_{foot.end}.png", title, caption, pixels)
    pixels = beside(*(easel.drawn(view) for view in alone_views(implant, (metal, *screws))))
    yield Picture("implant.png", "The implant", "The implant with its screws as planned.", pixels)


def _picture(key: str, pixels: np.ndarray, note: str = "") -> Picture:
    title, caption = _TITLES[key]
    return Picture(f"{key}.png", title, caption + note, pixels)


def _pose_note(plan: Plan) -> str:
    pose = plan.pose
    corrected = (pose.distraction_mm, pose.lordosis_deg, pose.coronal_deg, pose.rotation_deg)
    return " The CT is shown as scanned: the planned posture is not applied to it." if any(corrected) else ""


def _stamped(pixels: np.ndarray, text: str, mark: str, easel: Easel) -> np.ndarray:
    size = (pixels.shape[1], _STRIP)
    labels = [
        Label(text, 0.015, 0.5, 20, INK),
        Label("Research software, not a certified medical device.", 0.985, 0.5, 17, INK, "right"),
    ]
    if mark:
        labels[1] = Label(mark, 0.985, 0.5, 24, _RED, "right", True)
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    return np.concatenate([pixels, easel.drawn(View((), camera, size, tuple(labels)))], axis=0)
