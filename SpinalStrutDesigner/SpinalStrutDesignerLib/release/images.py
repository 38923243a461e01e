"""The pictures of a release: the implant in the spine, on the CT, its interfaces, and the implant alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design, Implant
from ..case.model import Case, Endplate, Structure
from ..plan.plan import Plan
from .palette import CONTACT, SCREW, TITANIUM
from .render import INK, Camera, Colour, Label, View, beside, rendered, write_png
from .sections import section_views
from .views import (
    alone_views,
    anatomy_layers,
    endplate_layers,
    implant_layers,
    interface_views,
    legend_view,
    spine_views,
)

_RED: Colour = (0.76, 0.07, 0.07)
_STRIP = 46
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


@dataclass(frozen=True)
class Picture:
    """A picture as written. file: its name within images/."""

    file: str
    title: str
    caption: str


def write_images(
    plan: Plan, design: Design, folder: Path, mark: str = "", progress: Progress = silent
) -> tuple[Picture, ...]:
    """Draws the nominal implant's pictures into folder, each with the case code and the mark in a strip below.

    Raises ReleaseError where this machine cannot draw.
    """
    pictures = []
    implant = design.implants[0]
    total = len(_TITLES) + 3
    for number, (picture, pixels) in enumerate(_drawn(implant, plan)):
        progress(f"picture: {picture.title.lower()}", number / total)
        write_png(folder / picture.file, _stamped(pixels, f"{plan.case_code} · {plan.upper} to {plan.lower}", mark))
        pictures.append(picture)
    return tuple(pictures)


def write_overview(case: Case, plates: Sequence[Endplate], folder: Path) -> tuple[Picture, ...]:
    """Draws a case's spine from the front, the left and obliquely, with the endplates found on it, into folder."""
    bones = [s for s in case.structures if s.level] or list(case.structures)
    corners = np.concatenate([_corners(s) for s in bones])
    low, high = corners.min(axis=0), corners.max(axis=0)
    around = anatomy_layers(case, low, high)
    names = rendered(legend_view(around, (("endplates", CONTACT),)))
    pictures = []
    for key, view in spine_views(low, high, endplate_layers(plates), around).items():
        write_png(folder / f"{key}.png", _stamped(beside(names, rendered(view)), case.name, ""))
        pictures.append(_picture(key))
    return tuple(pictures)


def _corners(structure: Structure) -> np.ndarray:
    """(8, 3) RAS mm: the corners of a structure's block of voxels."""
    k, j, i = structure.mask.voxels.shape
    matrix = structure.pose @ structure.mask.ijk_to_ras
    ijk = np.array([[a, b, c] for a in (0, i) for b in (0, j) for c in (0, k)], dtype=float)
    return ijk @ matrix[:3, :3].T + matrix[:3, 3]


def _drawn(implant: Implant, plan: Plan) -> Iterator[tuple[Picture, np.ndarray]]:
    low, high = implant.part.mesh.bounds
    own, around = implant_layers(implant), anatomy_layers(implant.situation.case, low, high)
    screws = (("screws", SCREW),) if implant.situation.plan.screws else ()
    names = rendered(legend_view(around, (("implant", TITANIUM), *screws)))
    for key, view in spine_views(low, high, own, around).items():
        yield _picture(key), beside(names, rendered(view))
    for key, view in section_views(implant).items():
        yield _picture(key, _pose_note(plan)), rendered(view)
    for foot in implant.feet:
        plate = foot.endplate
        title = f"{foot.end.capitalize()} interface"
        caption = (
            f"The porous face that rests on the {plate.level} {plate.face} endplate; the plate's outline in orange."
        )
        pixels = beside(*(rendered(view) for view in interface_views(implant, foot)))
        yield Picture(f"interface_{foot.end}.png", title, caption), pixels
    pixels = beside(*(rendered(view) for view in alone_views(implant, own)))
    yield Picture("implant.png", "The implant", "The implant with its screws as planned."), pixels


def _picture(key: str, note: str = "") -> Picture:
    title, caption = _TITLES[key]
    return Picture(f"{key}.png", title, caption + note)


def _pose_note(plan: Plan) -> str:
    pose = plan.pose
    corrected = (pose.distraction_mm, pose.lordosis_deg, pose.coronal_deg, pose.rotation_deg)
    return " The CT is shown as scanned: the planned posture is not applied to it." if any(corrected) else ""


def _stamped(pixels: np.ndarray, text: str, mark: str) -> np.ndarray:
    size = (pixels.shape[1], _STRIP)
    labels = [
        Label(text, 0.015, 0.5, 20, INK),
        Label("Research software, not a certified medical device.", 0.985, 0.5, 17, INK, "right"),
    ]
    if mark:
        labels[1] = Label(mark, 0.985, 0.5, 24, _RED, "right", True)
    camera = Camera(np.zeros(3), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), 1.0)
    return np.concatenate([pixels, rendered(View((), camera, size, tuple(labels)))], axis=0)
