"""The sections that carry an implant's load: along the strut, through each foot, at the neck of each flange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.errors import GeometryError

from ..build.outline import polygon_distance
from ..case.model import Endplate
from ..plan.curve import Station
from ..plan.plan import Flange, FootPlan, Screw
from .beam import Beam
from .contact import contact_of
from .measured import Measured
from .sections import CrossSection, Outline, cut
from .sections import measured as section_of

_STATION_MM = 2.0
_SLICE_MM = 1.0
# Loops farther than this from the axis belong to another part of a curved strut. T12's plate reaches 35 mm (Panjabi).
_REACH_MM = 42.0
_LEAST_AREA_MM2 = 0.5
_BEFORE_MM = 0.05
# A foot reaches this far into a concave endplate.
_DOME_MM = 4.0


@dataclass(frozen=True, eq=False)
class Root:
    """A section across a foot or flange, and what it carries: share of the end's force, acting at lever (3,)."""

    place: str
    section: CrossSection
    share: float
    lever: np.ndarray


@dataclass(frozen=True, eq=False)
class End:
    """One end of an implant: its plate, and the decisions about it. way: unit, downwards through the plate."""

    name: str
    level: str
    plate: Endplate
    foot: FootPlan
    flange: Flange | None
    screws: tuple[Screw, ...]
    station: Station
    way: np.ndarray

    @property
    def strut_is_over_plate(self) -> bool:
        """Whether the strut's end stands over the endplate rather than in front of or beside it."""
        outline = self.plate.to_local(self.plate.outline)[:, :2]
        return bool(polygon_distance(outline, self.plate.to_local(self.station.point[None])[:, :2])[0] < 0.0)


def end_of(measured: Measured, name: str) -> End:
    """One end, "upper" or "lower"."""
    plan, axis = measured.plan, measured.implant.axis
    plate = measured.foot(name).endplate
    if name == "upper":
        level, foot, flange, station, way = plan.upper, plan.upper_foot, plan.upper_flange, axis.at(0.0), plate.normal
    else:
        level, foot, flange = plan.lower, plan.lower_foot, plan.lower_flange
        station, way = axis.at(axis.length_mm), -plate.normal
    screws = tuple(s for s in plan.screws if s.level == level)
    return End(name, level, plate, foot, flange, screws, station, way)


def strut_beam(measured: Measured) -> Beam:
    """Sections across the axis about every 2 mm, measured once.

    Where an end of the axis stands over its endplate, the stretch within the foot's height is left to the foot's own
    sections. Raises GeometryError where the strut has no metal at a station.
    """
    return measured.once("strut beam", lambda: _strut_beam(measured))


def _strut_beam(measured: Measured) -> Beam:
    first, last = _free_span(measured)
    count = max(int(np.ceil((last - first) / _STATION_MM)), 4)
    length = (last - first) / count
    arc = first + (np.arange(count) + 0.5) * length
    sections = []
    for s in arc:
        station = measured.implant.axis.at(float(s))
        section = section_of(_cut(measured, station.point, station.tangent).near(station.point, _REACH_MM))
        if section is None or section.area < _LEAST_AREA_MM2:
            place = ", ".join(f"{x:.1f}" for x in station.point)
            raise GeometryError(f"the strut has no metal {s:.1f} mm along its axis (RAS {place}); check the axis")
        sections.append(section)
    return Beam(arc, np.full(count, length), tuple(sections))


def foot_layers(measured: Measured, end: End) -> list[Root]:
    """Sections through a foot parallel to its endplate, 1 mm apart, from under its porous layer to its height.

    Only where the strut stands over the plate; each carries the whole load.
    """
    return measured.once(f"foot layers {end.name}", lambda: _foot_layers(measured, end))


def _foot_layers(measured: Measured, end: End) -> list[Root]:
    if not end.strut_is_over_plate:
        return []
    foot = measured.foot(end.name)
    start = end.foot.fit_gap_mm + (foot.porous_depth_mm if foot.porous_face == "endplate" else 0.0) + 0.5
    layers = []
    for out in np.arange(start, end.foot.height_mm, _SLICE_MM):
        point = end.plate.centre + out * end.plate.normal
        outline = _cut(measured, point, end.way).near(end.station.point, _REACH_MM)
        section = section_of(outline)
        if section is not None and section.area >= _LEAST_AREA_MM2:
            layers.append(Root(f"{end.name} foot, {out:.1f} mm under the endplate", section, 1.0, end.plate.centre))
    return layers


def foot_roots(measured: Measured, end: End) -> list[Root]:
    """Upright sections across a foot between the middle of its contact and the strut, 1 mm apart.

    Each carries the pressure on the contact beyond it, taken as even: a tongue is a cantilever. Empty where the strut
    stands over the middle of the contact.
    """
    return measured.once(f"foot roots {end.name}", lambda: _foot_roots(measured, end))


def _foot_roots(measured: Measured, end: End) -> list[Root]:
    contact = contact_of(measured, end.name)
    if not len(contact.points):
        return []
    plate, station = end.plate, end.station
    centre = contact.points.mean(axis=0)
    way = station.point - centre
    way = way - (way @ plate.normal) * plate.normal
    distance = float(np.linalg.norm(way))
    if distance < 1e-6:
        return []
    way = way / distance
    half = 0.5 * (abs(way @ station.back) * station.depth + abs(way @ station.right) * station.width)
    roots = []
    # The last plane stands just before the strut's own face: the root.
    reach = distance - half - _BEFORE_MM
    if reach < 0.0:
        return []
    for along in np.linspace(0.0, reach, int(np.ceil(reach / _SLICE_MM)) + 1):
        point = centre + along * way
        beyond = (contact.points - point) @ way < 0.0
        outline = _cut(measured, point, way).near(point, _REACH_MM)
        outline = outline.clipped(plate.centre - _DOME_MM * plate.normal, plate.normal)
        outline = outline.clipped(plate.centre + (end.foot.height_mm + 1.0) * plate.normal, -plate.normal)
        section = section_of(outline)
        if section is None or section.area < _LEAST_AREA_MM2 or not beyond.any():
            continue
        place = f"root of the {end.name} foot, {along:.0f} mm from the middle of its contact"
        roots.append(Root(place, section, float(beyond.mean()), contact.points[beyond].mean(axis=0)))
    return roots


def flange_necks(measured: Measured, end: End) -> list[Root]:
    """Sections across a flange between the endplate's rim and its nearest screw, 1 mm apart; empty without a flange.

    lever: the middle of the screws' heads, where the vertebra pulls.
    """
    return measured.once(f"flange necks {end.name}", lambda: _flange_necks(measured, end))


def _flange_necks(measured: Measured, end: End) -> list[Root]:
    if end.flange is None or not end.screws:
        return []
    plate = end.plate
    heads = np.array([s.entry for s in end.screws], dtype=float)
    nearest = max(-end.flange.height_mm, float(plate.to_local(heads)[:, 2].max()))
    necks = []
    for out in np.arange(-1.0, nearest - 1e-6, -_SLICE_MM):
        point = plate.centre + out * plate.normal
        outline = _cut(measured, point, plate.normal).near(heads.mean(axis=0), _REACH_MM)
        section = section_of(_beside_the_plate(outline, plate))
        if section is not None and section.area >= _LEAST_AREA_MM2:
            necks.append(
                Root(f"neck of the {end.name} flange, {-out:.0f} mm over the rim", section, 1.0, heads.mean(axis=0))
            )
    return necks


def _cut(measured: Measured, point: np.ndarray, normal: np.ndarray) -> Outline:
    """The outline of what carries load in a plane: of the metal outside the porous layers."""
    outline = cut(measured.patches.at_plane(point, normal), point, normal)
    for foot in measured.implant.feet:
        if foot.domain is not None:
            outline = outline.without(cut(foot.domain, point, normal))
    return outline


def _free_span(measured: Measured) -> tuple[float, float]:
    """Arc lengths between which sections across the axis stand for the strut."""
    axis = measured.implant.axis
    first, last = 0.0, axis.length_mm
    upper, lower = end_of(measured, "upper"), end_of(measured, "lower")
    if upper.strut_is_over_plate:
        out = upper.plate.to_local(axis.points)[:, 2]
        first = float(axis.arc[np.argmax(out >= upper.foot.height_mm)])
    if lower.strut_is_over_plate:
        out = lower.plate.to_local(axis.points)[::-1, 2]
        last = float(axis.arc[len(axis.arc) - 1 - np.argmax(out >= lower.foot.height_mm)])
    if last - first < _STATION_MM:
        raise GeometryError(
            f"the feet leave {last - first:.1f} mm of strut between them; reduce upper_foot.height_mm "
            "or lower_foot.height_mm"
        )
    return first, last


def _beside_the_plate(outline: Outline, plate: Endplate) -> Outline:
    """Without the loops over the plate itself: the dome of a foot in a concave endplate."""
    if not len(outline.loop):
        return outline
    # A wide flange curves round the vertebra: its middle may lie over the plate, its points do not.
    flat = plate.to_local(plate.outline)[:, :2]
    beside = polygon_distance(flat, plate.to_local(outline.starts)[:, :2]) >= 0.0
    return outline.kept(np.bincount(outline.loop, weights=beside) > 0)
