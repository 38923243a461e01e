"""Whether each seat has the shape that the screw's head asks for, and what the implant has against backing out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..build.screws import HoleShape, finished_hole
from .finding import Finding, Verdict
from .measured import Measured
from .raster import Rays, cast_at
from .registry import check
from .screwline import ScrewLine
from .screws import screw_lines

_STEP_MM = 0.1
# A seat may be off by this much, mm: five times the chord error of the mesh (0.02 mm).
_TOLERANCE_MM = 0.1
# Left out beside the bore's edge and the head's rim, mm, where a ray meets one face or the next.
_EDGE_MM = 0.1
# Of a seat's ring so much may be lacking or too deep before a person looks: scallops at the seat's rim.
_SHARE = 0.05
_OTHER = 0.5  # of which more lies deeper where the seat is another one
_MEANS = {
    "cover_plate": "a cover plate, with a place to fasten it",
    "locking_ring": "a groove and its ring",
    "locking_thread": "a thread in the seat, and a screw whose head has the same",
}


@check(order=57)
def seat_shape(measured: Measured) -> Iterator[Finding]:
    """Every seat's face along rays beside its screw, and what the plan wants against backing out."""
    for line in screw_lines(measured):
        yield _seat(measured, line)
        yield from _backout(measured, line)


def _seat(measured: Measured, line: ScrewLine) -> Finding:
    """How far the seat's face lies from the catalogue's, square to it: negative where metal keeps the head out."""
    hole = finished_hole(line.screw.type)
    off, start, places = _faces(measured, line)
    ring = (off > hole.bore_radius + _EDGE_MM) & (off < hole.seat_radius - _EDGE_MM)
    away = _square_to(hole, off[ring], start[ring])
    title, words = f"{line.name}: how far its seat is off the {_name(hole)}", f"± {_TOLERANCE_MM:g} mm"
    source = "the catalogue's seat; chord error 0.02 mm; engineering judgement, verify locally"
    if not len(away):
        return measured.finding(
            f"screw.{line.number}.seat", title, None, "mm", words, "not_evaluated", source, line.screw.entry,
            detail=f"the seat is no wider than the bore, {2.0 * hole.bore_radius:g} mm",
        )  # fmt: skip
    stands, lacks = float(away.min()), float(np.mean(away > _TOLERANCE_MM))
    verdict: Verdict = "pass" if lacks <= _SHARE else "warn" if lacks <= _OTHER else "fail"
    detail = f"over {100.0 * lacks:.0f} % of its ring it lies deeper or is not there"
    if stands < -_TOLERANCE_MM:
        verdict, detail = "fail", "metal stands where the head goes: the seat is not cut, or not to this shape"
    worst = int(np.argmax(np.where(np.isfinite(away), np.abs(away), -1.0)))
    value = float(away[worst]) if np.isfinite(away[worst]) else None
    place = places[ring][worst]
    return measured.finding(
        f"screw.{line.number}.seat", title, value, "mm", words, verdict, source, place, detail=detail
    )  # fmt: skip


def _name(hole: HoleShape) -> str:
    if hole.half_angle_deg is None:
        return f"sphere of {hole.seat_radius:g} mm"
    return f"{2.0 * hole.half_angle_deg:g}° cone of {2.0 * hole.seat_radius:g} mm"


def _square_to(hole: HoleShape, off: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(n,) mm that places by depth and distance from the axis lie beyond a seat, negative within the head's room."""
    if hole.half_angle_deg is None:
        return np.hypot(off, depth) - hole.seat_radius
    half = np.deg2rad(hole.half_angle_deg)
    away: np.ndarray = (depth - (hole.seat_radius - off) / np.tan(half)) * np.sin(half)
    return away


def _faces(measured: Measured, line: ScrewLine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) distance from the axis of every ray, (n,) depth at which it meets metal from the head's top on (infinite
    where it does not), and (n, 3) that place or the one where the head's top would be."""
    rays = _rays(measured, line)
    ray, start, end = rays.chords
    below = np.flatnonzero(end > 0.0)
    first, index = np.unique(ray[below], return_index=True)
    depth = np.full(int(np.prod(rays.shape)), np.inf)
    depth[first] = np.maximum(start[below][index], 0.0)
    depth[np.setdiff1d(rays.ray, ray)] = np.nan  # rays through an edge tell nothing
    known = np.flatnonzero(np.isfinite(depth) | np.isposinf(depth))
    places = rays.points(known, np.where(np.isfinite(depth[known]), depth[known], 0.0))
    across = rays.points(known, np.zeros(len(known))) - np.asarray(line.screw.entry)
    off = np.linalg.norm(across - (across @ line.direction)[:, None] * line.direction, axis=1)
    return off, depth[known], places


def _rays(measured: Measured, line: ScrewLine) -> Rays:
    across = np.cross(line.direction, np.eye(3)[int(np.argmin(np.abs(line.direction)))])
    across = across / np.linalg.norm(across)
    frame = np.stack([across, np.cross(line.direction, across), line.direction])
    reach = np.full(2, finished_hole(line.screw.type).seat_radius)
    return cast_at(measured.patches, frame, np.asarray(line.screw.entry, dtype=float), _STEP_MM, -reach, reach)


def _backout(measured: Measured, line: ScrewLine) -> Iterator[Finding]:
    """Nothing where nothing is wanted. What is wanted is made after the print, and is not in the finished mesh: its
    holes are round and open, which `seat` and `bore` measure."""
    wanted = line.screw.anti_backout
    if wanted == "none":
        return
    detail = "tell the workshop by the drawing of holes, and look at the part before it is released"
    if wanted == "locking_thread" and line.screw.type.seat == "spherical":
        detail = f"no thread is known of the round head of '{line.screw.type.name}'; {detail}"
    yield measured.finding(
        f"screw.{line.number}.backout",
        f"{line.name}: against backing out, {wanted.replace('_', ' ')}",
        "not part of this implant",
        "",
        _MEANS[wanted],
        "warn",
        "the plan's decision; the mesh has a round seat and an open bore only",
        line.screw.entry,
        detail=detail,
    )
