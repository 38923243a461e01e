"""Drill guides: one for each end that has screws, seated on the docking vertebra's bone or in the implant's holes.

Predrilling comes before the implant, on the vertebra as it stands: a variant's lower end lies farther down, but with
its vertebra, which is the same body. So one guide an end, made in the nominal situation, serves all variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.mesh import Mesh, Part

from ..case.model import Endplate
from .clip_guide import check_seats, clip_body, clip_shapes
from .design import DrillGuide, End, Situation
from .guide_base import GuideShape, check_free, finished_mesh, joined_guide
from .guide_grip import gripped
from .guide_ground import bone_ground, guide_frames
from .guide_windows import windowed
from .guide_zones import contact_zones
from .mark_words import guide_wordings
from .sleeves import check_apart, sleeve_on_bone, sleeve_on_implant

_MOST_WAYS = 4  # in which a guide on an implant is tried: what keeps it from them keeps it from the next

NAMES: dict[End, str] = {"upper": "drill_proximal", "lower": "drill_distal"}


@dataclass(frozen=True, eq=False)
class DrillGuides:
    """made: at most one an end; unmade: (name, why not) of those that were asked for and cannot be made."""

    made: tuple[DrillGuide, ...]
    unmade: tuple[tuple[str, str], ...]


def drill_guides(situation: Situation, implant: Mesh | None = None) -> DrillGuides:
    """The guides that the plan asks for, in the nominal situation; implant: the finished one's surface, for guides that
    clip into its holes.

    A guide that cannot be made does not keep the implant from being made: it is told with the reason, and verification
    fails it.
    """
    makers: dict[str, Callable[[End], DrillGuide]] = {"bone": lambda end: guide_on_bone(situation, end)}
    if implant is not None:
        makers["implant"] = lambda end: guide_on_implant(situation, implant, end)
    make = makers.get(situation.plan.guides.drill)
    made, unmade = [], []
    for end in ("upper", "lower") if make else ():
        if not screw_numbers(situation, end):  # type: ignore[arg-type]
            continue
        try:
            made.append(make(end))  # type: ignore[misc, arg-type]
        except GeometryError as fault:
            unmade.append((NAMES[end], str(fault)))  # type: ignore[index]
    return DrillGuides(tuple(made), tuple(unmade))


def screw_numbers(situation: Situation, end: End) -> tuple[int, ...]:
    """Numbers, from 1, of the plan's screws in an end's docking vertebra."""
    level = docking_plate(situation, end).level
    return tuple(number for number, screw in enumerate(situation.plan.screws, 1) if screw.level == level)


def docking_plate(situation: Situation, end: End) -> Endplate:
    """The endplate that an end docks on."""
    return situation.upper if end == "upper" else situation.lower


def guide_on_bone(situation: Situation, end: End) -> DrillGuide:
    """A guide that rests on zones of the docking vertebra's face and on its endplate's rim.

    Raises GeometryError where bone is missing under a screw, sleeves collide, no three separated zones can be had, or
    sleeves and zones cannot be joined; each with what to change.
    """
    plate, guides = docking_plate(situation, end), situation.plan.guides
    bone, screws = situation.case.structure(plate.level), situation.plan.screws
    numbers = screw_numbers(situation, end)
    sleeves = tuple(sleeve_on_bone(n, screws[n - 1], bone, guides) for n in numbers)
    check_apart(sleeves)
    faults, words = [], guide_wordings(situation, end, sleeves)
    for frame in guide_frames(situation, plate, sleeves):
        ground = bone_ground(situation, plate, sleeves, frame)
        try:
            check_free(ground, sleeves, guides)
            tried = contact_zones(ground, plate, sleeves, guides)
        except GeometryError as fault:
            faults.append(fault)
            continue
        for zones in tried:
            try:
                shape, body = joined_guide(GuideShape(ground, zones, sleeves, guides))
                shape = windowed(gripped(shape, body, situation, words))
                return _finished(shape, finished_mesh(body, shape), end, f"bone of {plate.level}")
            except GeometryError as fault:
                faults.append(fault)
    # What is told is what keeps the guide from the best of its ways.
    raise faults[0]


def guide_on_implant(situation: Situation, implant: Mesh, end: End) -> DrillGuide:
    """A guide whose plugs fill the finished implant's holes.

    Raises GeometryError where sleeves collide, a seat is too narrow, or sleeves cannot be joined; each with what to
    change.
    """
    numbers, guides = screw_numbers(situation, end), situation.plan.guides
    screws = tuple(situation.plan.screws[n - 1] for n in numbers)
    sleeves = tuple(sleeve_on_implant(n, screw, guides) for n, screw in zip(numbers, screws))
    check_apart(sleeves)
    check_seats(sleeves, screws, guides)
    plate = docking_plate(situation, end)
    faults = []
    for shape in islice(clip_shapes(situation, implant, sleeves, plate), _MOST_WAYS):
        try:
            body = clip_body(shape, screws, plate)
            shape = gripped(shape, body, situation, guide_wordings(situation, end, sleeves))
            return _finished(shape, finished_mesh(body, shape), end, "holes of the implant")
        except GeometryError as fault:
            faults.append(fault)
    raise faults[0]


def _finished(shape: GuideShape, mesh: Mesh, end: End, seat: str) -> DrillGuide:
    """The guide of a shape, with what whoever uses it must know in its part's provenance."""
    told = {
        "end": end,
        "seat": seat,
        "zones": str(len(shape.zones.points)),
        "windows": str(len(shape.holes)),
        "grip": "made" if shape.grip else "none",
        **{f"screw {sleeve.screw}": sleeve.words for sleeve in shape.sleeves},
    }
    part = Part(mesh, NAMES[end], "guide", "PA12", told)
    ground = shape.ground
    return DrillGuide(part, end, shape.sleeves, ground.insertion, ground.ras(shape.zones.points))
