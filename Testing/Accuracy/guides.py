"""Drill guides of every case, on bone and in the implant's holes, as made: whether they slide on, lead the drill, have
walls and seat uniquely."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from designs import cases, cut, started
from LatticeGeneratorLib.mesh.check import components
from LatticeGeneratorLib.mesh.mesh import Mesh
from row import Row
from SpinalStrutDesignerLib.build.design import Design, DrillGuide, Implant, Situation
from SpinalStrutDesignerLib.build.drill_guide import drill_guides
from SpinalStrutDesignerLib.build.implant import blank, implant, trial
from SpinalStrutDesignerLib.build.mark_parts import marked_drill_guide
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError, GeometryError
from SpinalStrutDesignerLib.propose.propose import complete_plan
from SpinalStrutDesignerLib.verify.guide_seats import seat_of
from SpinalStrutDesignerLib.verify.guide_way import SLIDE_ERROR_MM, least_on_way, metal_on_way
from SpinalStrutDesignerLib.verify.guides import AXIS_DEG, AXIS_MM, bore_axis
from SpinalStrutDesignerLib.verify.plastic import WALL_MM, thinnest_mm

_WALL_ERROR_MM = 0.1  # of a wall as measured
_LEAST_ZONES = 3.0
_SECONDS = 6.0  # of processor time for all seats of a case


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """Both ends' guides in the nominal situation."""
    given_cases = cases(data)
    for given in (*given_cases[:-1], cut(given_cases[-1])):
        case = read_case(given.ct, given.labels, given.roles)
        try:
            where = situation(case, complete_plan(case, started(case, given)))
            cast = blank(where)
            made = implant(cast)
        except (CaseError, GeometryError) as error:
            yield Row(given.name, f"no plan: {error}", 1.0, most=0.0)
            continue
        whole = trial(cast).mesh
        for seated, place in (("bone", where), ("implant", _clipped(where))):
            yield from _guide_rows(f"{given.name}, on {seated}", place, replace(made, situation=place), whole)


def _clipped(where: Situation) -> Situation:
    """The same with guides that clip into the implant's holes."""
    return replace(where, plan=where.plan.with_(guides=where.plan.guides.with_(drill="implant")))


def _guide_rows(name: str, where: Situation, made: Implant, whole: Mesh) -> Iterator[Row]:
    """The guides that a plan asks for; whole: the implant's trial, on which they are made as `build` does."""
    start = time.process_time()
    guides = drill_guides(where, whole)
    yield Row(name, "drill guides made, processor time", time.process_time() - start, "s", most=30.0)
    for unmade, told in guides.unmade:
        yield Row(name, f"{unmade} not made: {told}", 1.0, most=0.0)
    design = Design((made,), (), "", guides=guides.made)
    for guide in guides.made:
        yield from _made_rows(name, guide, design)
    start = time.process_time()
    for guide in guides.made:
        yield from _seat_rows(name, guide, design)
    yield Row(name, "seats measured, processor time", time.process_time() - start, "s", most=_SECONDS)


def _made_rows(name: str, guide: DrillGuide, design: Design) -> Iterator[Row]:
    which, made = guide.part.name, design.implants[0]
    where = made.situation
    yield Row(name, f"{which} from bone on its way", least_on_way(guide, where)[0], "mm", least=-SLIDE_ERROR_MM)
    if where.plan.guides.drill == "implant":
        least = metal_on_way(guide, made.part.mesh)[0]
        yield Row(name, f"{which} from metal on its way", least, "mm", least=-SLIDE_ERROR_MM)
    pieces = float(len(components(guide.part.mesh)))
    yield Row(name, f"{which}'s closed surfaces", pieces, "", least=1.0, most=1.0)
    yield Row(name, f"{which}'s thinnest wall", thinnest_mm(guide.part.mesh), "mm", least=WALL_MM - _WALL_ERROR_MM)
    for sleeve in guide.sleeves:
        screw = where.plan.screws[sleeve.screw - 1]
        off, turned, _ = bore_axis(guide.part.mesh, sleeve, np.array(screw.entry), np.array(screw.direction))
        yield Row(name, f"{which}'s bore off screw {sleeve.screw}", off, "mm", most=AXIS_MM)
        yield Row(name, f"{which}'s bore turned from screw {sleeve.screw}", turned, "°", most=AXIS_DEG)
    missing = [word for mark in marked_drill_guide(guide, where)[1] for word in mark.omitted]
    yield Row(name, f"{which}'s words without room", float(len(missing)), "", most=0.0)


def _seat_rows(name: str, guide: DrillGuide, design: Design) -> Iterator[Row]:
    """Slip and tilt are reported: what may be had depends on the bone, and the finding warns where it is too much."""
    which, seat = guide.part.name, seat_of(guide, design).seating
    unique = "seats uniquely" if seat.unique else "does not seat uniquely"
    yield Row(name, f"{which} {unique}: slip", seat.slip_mm, "mm")
    yield Row(name, f"{which} {unique}: tilt", seat.tilt_deg, "°")
    yield Row(name, f"{which} stays on its seat", float(seat.bounded), "", least=1.0)
    yield Row(name, f"{which}'s contact", seat.contact_mm2, "mm²")
    # A saddle over metal holds as one; on bone, whose surface is less well known, zones are set apart.
    least = _LEAST_ZONES if design.implants[0].situation.plan.guides.drill == "bone" else 1.0
    yield Row(name, f"{which}'s contact zones", float(seat.zones), "", least=least)
    for error in seat.errors:
        yield Row(name, f"drill of screw {error.name} off at its tip", error.tip_mm, "mm")
        yield Row(name, f"drill of screw {error.name} turned", error.angle_deg, "°")
