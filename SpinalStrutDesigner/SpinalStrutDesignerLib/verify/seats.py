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


@check(order=57)
def seats(measured: Measured) -> Iterator[Finding]:
    """Rays along each screw through the mesh around its head."""
    for line in screw_lines(measured):
        rays = _rays(measured, line)
        yield _bore(measured, line, rays)
        yield _under_head(measured, line, rays)
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
