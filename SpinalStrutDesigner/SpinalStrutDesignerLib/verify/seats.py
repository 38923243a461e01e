"""The place of each screw in the finished mesh: bore, metal under the head, head above the surface."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..build.screws import finished_hole
from ..plan.rules import group_of
from .finding import Finding, Verdict
from .measured import Measured
from .raster import Rays, cast_at
from .registry import check
from .screwline import ScrewLine
from .screws import screw_lines

_STEP_MM = 0.1
# Heads within this distance of the oesophagus press on it when they stand proud.
_FACING_MM = 12.0
_WALL_MM = 1.0
# Directions about a screw in which the wall beside its head is measured.
_ROUND = 36
# Metal farther from the axis than the seat and this is not the wall beside it.
_SEAT_MM = 0.3


@check(order=57)
def seats(measured: Measured) -> Iterator[Finding]:
    """Rays through the mesh around each head, along the screw and out from its axis."""
    for line in screw_lines(measured):
        rays = _rays(measured, line)
        yield _bore(measured, line, rays)
        yield _under_head(measured, line, rays)
        yield _around_head(measured, line)
        yield _proud(measured, line, rays)


def _rays(measured: Measured, line: ScrewLine) -> Rays:
    across = np.cross(line.direction, np.eye(3)[int(np.argmin(np.abs(line.direction)))])
    across = across / np.linalg.norm(across)
    frame = np.stack([across, np.cross(line.direction, across), line.direction])
    reach = np.full(2, max(line.screw.type.seat_radius_mm, line.screw.type.head_radius_mm) + _WALL_MM + 0.3)
    return cast_at(measured.patches, frame, np.asarray(line.screw.entry), _STEP_MM, -reach, reach)


def _off_axis(rays: Rays, line: ScrewLine, ray: np.ndarray) -> np.ndarray:
    """Distance of rays from the screw's axis."""
    away = rays.points(ray, np.zeros(len(ray))) - np.asarray(line.screw.entry)
    away = away - (away @ line.direction)[:, None] * line.direction
    return np.linalg.norm(away, axis=1)


def _bore(measured: Measured, line: ScrewLine, rays: Rays) -> Finding:
    ray, start, end = rays.chords
    blocking = (end > -30.0) & (start < line.screw.length_mm)
    off = _off_axis(rays, line, ray[blocking])
    head = blocking & (end < 0.0)
    needed = line.radius
    free = float(off.min()) if len(off) else float(line.screw.type.clearance_hole_mm / 2.0)
    over_head = _off_axis(rays, line, ray[head])
    way = float(over_head.min()) if len(over_head) else np.inf
    clear = free >= needed and way >= line.screw.type.head_radius_mm
    detail = f"thread needs {needed:g} mm"
    if way < line.screw.type.head_radius_mm:
        detail += f"; metal stands over the head, {way:.2f} mm from its axis"
    return measured.finding(
        f"screw.{line.number}.bore",
        f"{line.name}: free radius of its hole",
        free,
        "mm",
        f"≥ {needed:g} mm, free above",
        "pass" if clear else "fail",
        "measured on the finished mesh",
        line.screw.entry,
        detail=detail,
    )


def _under_head(measured: Measured, line: ScrewLine, rays: Rays) -> Finding:
    """Metal along the screw below the seat, over the ring on which the head rests."""
    kind, limit = line.screw.type, measured.plan.screw_rules.under_head_mm
    every = np.arange(int(np.prod(rays.shape)))
    off = _off_axis(rays, line, every)
    inner, outer = kind.clearance_hole_mm / 2.0, kind.seat_radius_mm
    ring = every[(off > inner + 0.15) & (off < inner + 0.6 * (outer - inner))]
    ray, start, end = rays.chords
    beside = (start > -0.5) & (start < finished_hole(kind).seat_depth + 1.0)
    thickness = np.zeros(len(every))
    first = np.unique(ray[beside], return_index=True)
    thickness[first[0]] = (end - start)[beside][first[1]]
    value = float(np.percentile(thickness[ring], 5.0)) if len(ring) else 0.0
    return measured.finding(
        f"screw.{line.number}.under_head",
        f"{line.name}: metal under its head",
        value,
        "mm",
        f"≥ {limit:g} mm",
        "pass" if value >= limit else "warn" if value >= 0.8 * limit else "fail",
        "at least 1.5–2 mm of metal under the head; verify locally",
        line.screw.entry,
        detail=f"5th percentile over the seat's ring, mean {thickness[ring].mean():.2f} mm",
    )


def _around_head(measured: Measured, line: ScrewLine) -> Finding:
    """The thinnest wall beside the head, straight out from the screw's axis to the outside of the implant or a pore."""
    limit = measured.plan.screw_rules.around_head_mm
    thickness, place = min(_walls(measured, line), key=lambda wall: wall[0])
    return measured.finding(
        f"screw.{line.number}.around_head",
        f"{line.name}: metal around its head",
        thickness,
        "mm",
        f"≥ {limit:g} mm",
        "pass" if thickness >= limit else "warn" if thickness >= 0.8 * limit else "fail",
        "recommended titanium wall for laser powder bed; engineering judgement, verify locally",
        place,
        detail=f"from {measured.plan.screw_rules.proud_mm:g} mm under the head's top, by which it may stand out, to "
        "the end of its seat",
    )


def _walls(measured: Measured, line: ScrewLine) -> Iterator[tuple[float, np.ndarray]]:
    """In each direction about the screw the thinnest wall beside its seat, mm, and a place on it, (3,) RAS.

    0 where there is none.
    """
    kind, entry = line.screw.type, np.asarray(line.screw.entry, dtype=float)
    across = np.cross(line.direction, np.eye(3)[int(np.argmin(np.abs(line.direction)))])
    across = across / np.linalg.norm(across)
    beside = np.cross(line.direction, across)
    top, bore = measured.plan.screw_rules.proud_mm, 0.5 * kind.clearance_hole_mm
    low = np.array([top, 0.0])
    high = np.array([max(float(np.sqrt(kind.seat_radius_mm**2 - bore**2)), top + _STEP_MM), 0.0])
    for angle in np.arange(_ROUND) * 2.0 * np.pi / _ROUND:
        out = np.cos(angle) * across + np.sin(angle) * beside
        frame = np.stack([line.direction, np.cross(out, line.direction), out])
        rays = cast_at(measured.patches, frame, entry, _STEP_MM, low, high)
        ray, start, end = rays.chords
        # A ray that grazes an edge has crossings and no chords: it tells nothing, and its neighbours tell the same.
        lost = np.setdiff1d(rays.ray, ray)
        outwards = np.flatnonzero(end > 0.0)
        first, index = np.unique(ray[outwards], return_index=True)
        start, end = np.maximum(start[outwards][index], 0.0), end[outwards][index]
        thickness = np.zeros(int(np.prod(rays.shape)))
        thickness[first] = np.where(start < kind.seat_radius_mm + _SEAT_MM, end - start, 0.0)
        thickness[lost] = np.inf
        thinnest = int(np.argmin(thickness))
        yield float(thickness[thinnest]), rays.points(np.array([thinnest]), np.array([kind.seat_radius_mm]))[0]


def _proud(measured: Measured, line: ScrewLine, rays: Rays) -> Finding:
    """How far the head's flat top stands over the metal around it, on its worst side."""
    kind, limit = line.screw.type, measured.plan.screw_rules.proud_mm
    every = np.arange(int(np.prod(rays.shape)))
    off = _off_axis(rays, line, every)
    radius = max(kind.head_radius_mm, kind.seat_radius_mm)
    ring = every[(off > radius + 0.2) & (off < radius + _WALL_MM)]
    ray, start, _ = rays.chords
    top = np.full(len(every), kind.head_radius_mm)
    first, index = np.unique(ray[start > -10.0], return_index=True)
    top[first] = np.minimum(start[start > -10.0][index], kind.head_radius_mm)
    proud = float(np.percentile(top[ring], 90.0))
    oesophagus = [s for s in measured.case.structures if group_of(s.name) == "oesophagus"]
    entry = np.asarray(line.screw.entry)[None]
    faces = bool(oesophagus) and float(measured.case.distance(oesophagus, entry)[0]) < _FACING_MM
    verdict: Verdict = "pass" if proud <= limit else "fail" if faces else "warn"
    return measured.finding(
        f"screw.{line.number}.proud",
        f"{line.name}: head above the metal around it",
        max(proud, 0.0),
        "mm",
        f"≤ {limit:g} mm" + (" (faces the oesophagus)" if faces else ""),
        verdict,
        "heads facing the oesophagus at most 0.5 mm proud; engineering judgement, verify locally",
        line.screw.entry,
        detail="" if proud > 0.0 else f"recessed by {-proud:.2f} mm",
    )
