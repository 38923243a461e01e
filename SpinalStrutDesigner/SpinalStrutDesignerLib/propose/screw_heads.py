"""Where a screw's head may sit: in metal that no bone takes away, clear of what lies before it, in a driver's reach."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..build.end import BOSS_WALL_MM
from ..build.outline import polygon_distance
from ..plan.entries import ScrewType
from ..verify.access import Driver, Obstacle
from ..verify.placement import thread_margin
from .screw_end import ScrewEnd
from .screw_shots import SPARE_MM, Fit, Lines, Shots, Tally

ACCESS_DEG = 45.0
"""How far a driver may be tilted from the way the surgeon looks; engineering judgement, verify locally."""
STRUT_WALL_MM = 0.3
"""Kept between the strut and the way that is cut for a driver."""
HELD_RIM = 0.9
"""Share of a boss' radius by which the flange must reach past its axis, as its width and height are made."""
_ROUND = 12
_DRIVER_STEP_MM = 2.0
_OFF_PLATE_MM = 0.5  # a boss on a flange ends at least so far below the endplate's rim
_IN_FOOT_MM = 1.0  # the metal under a head lies so far within the foot's edge, and above its face
_TOP_MM = 3.0  # and so far under the foot's end


def rim_mm(kind: ScrewType) -> float:
    """The radius of the metal round a head."""
    return 0.5 * kind.head_diameter_mm + BOSS_WALL_MM


def seated(end: ScrewEnd, kind: ScrewType, shots: Shots, tally: Tally) -> np.ndarray:
    """(n,) bool: whose heads lie in flange or foot, in metal enough, and keep from what lies before them."""
    entries, ways = shots.entries, shots.ways
    good = tally.asked("edge", within_edge(end, kind, entries, ways))
    for what, room in (("seat", seat_room), ("head", head_room)):
        kept = np.flatnonzero(good)
        good[kept] = tally.asked(what, room(end, kind, entries[kept], ways[kept]) - SPARE_MM)
    return good


def within_edge(end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n,) mm by which the metal under heads lies within flange or foot, negative outside."""
    local = end.plate.to_local(entries + end.under_mm(kind) * ways)
    flange, foot = end.shape.flange, end.shape.foot
    if flange is None:
        inside = -end.shape.footprint.distance(local[:, :2]) - _IN_FOOT_MM
        return np.minimum(inside, np.minimum(local[:, 2], foot.height_mm - _TOP_MM - local[:, 2]))
    held = HELD_RIM * rim_mm(kind)
    angle = np.deg2rad(flange.azimuth_deg)
    across = local[:, 0] * np.cos(angle) - local[:, 1] * np.sin(angle)
    # A plan's widths and heights are rounded to a tenth of a millimetre.
    beside = 0.5 * flange.width_mm + 0.05 - held - np.abs(across)
    return np.minimum(beside, np.minimum(flange.height_mm + 0.1 - held + local[:, 2], -_OFF_PLATE_MM - local[:, 2]))


def seat_room(end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n,) mm by which bone (with the fit gap) stays off the metal that is asked for around and under the head."""
    rules = end.plan.screw_rules
    bore, seat = 0.5 * kind.clearance_hole_mm, kind.seat_radius_mm
    middle = bore + 0.3 * (seat - bore)
    places = [
        (seat + rules.around_head_mm, rules.proud_mm),
        (seat + rules.around_head_mm, float(np.sqrt(seat**2 - bore**2))),
        (middle, float(np.sqrt(seat**2 - middle**2)) + rules.under_head_mm),
    ]
    room = np.full(len(entries), inf)
    for radius, depth in places:
        points = ring(entries, ways, radius, depth)
        off = end.off_bone(points.reshape(-1, 3)).reshape(points.shape[:2]).min(axis=1)
        np.minimum(room, off - end.shape.foot.fit_gap_mm, out=room)
    return room


def head_room(end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n,) mm that the metal round heads leaves of the implant's own keep-out rules, and the cut for a driver of the
    strut."""
    room, points = np.full(len(entries), inf), boss_points(end, kind, entries, ways)
    low, high = points.reshape(-1, 3).min(axis=0, initial=inf), points.reshape(-1, 3).max(axis=0, initial=-inf)
    for structure, need in end.before:
        first, last = structure.box
        if (first > high + max(need, 0.0)).any() or (last < low - max(need, 0.0)).any():
            continue
        away = structure.distance(points.reshape(-1, 3)).reshape(points.shape[:2]).min(axis=1)
        np.minimum(room, away - need, out=room)
    return room


def boss_points(end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n, k, 3) on the outside of the metal round heads."""
    boss = [ring(entries, ways, rim_mm(kind), share * end.under_mm(kind)) for share in (0.0, 0.5)]
    return np.concatenate([*boss, entries[:, None]], axis=1)


def ring(entries: np.ndarray, ways: np.ndarray, radius: float, depth: float, count: int = _ROUND) -> np.ndarray:
    """(n, count, 3) round each screw at a depth under its head's top."""
    helper = np.eye(3)[np.argmin(np.abs(ways), axis=1)]
    side = np.cross(ways, helper)
    side = side / np.maximum(np.linalg.norm(side, axis=1), 1e-9)[:, None]
    up = np.cross(ways, side)
    angle = np.arange(count) * 2.0 * np.pi / count
    around = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * up[:, None]
    places: np.ndarray = (entries + depth * ways)[:, None] + radius * around
    return places


def reachable(end: ScrewEnd, fit: Fit, lines: Lines, tally: Tally) -> np.ndarray:
    """(n, l) bool: along which lines, with the head lifted so far, a straight driver reaches it."""
    under, lifts = end.under_mm(fit.kind), np.array(fit.lifts)
    driver = Driver(0.5 * fit.kind.driver_diameter_mm, end.plan.screw_rules.driver_length_mm)
    out = np.arange(under, under + lifts.max() + driver.length_mm + _DRIVER_STEP_MM, _DRIVER_STEP_MM)
    room = np.full((len(lines.places), len(lifts)), inf)
    turned = np.degrees(np.arccos(np.clip(lines.ways @ end.access, -1.0, 1.0)))
    alive = tally.asked("approach", ACCESS_DEG + 1e-6 - turned)
    passes = np.ones(room.shape, dtype=bool)
    for what, distance, radius, need, thing in _obstructions(end, fit.kind, driver, lines, out):
        rows = np.flatnonzero(alive)
        points = lines.places[rows, None] - out[:, None] * lines.ways[rows, None]
        away = distance(points.reshape(-1, 3)).reshape(len(rows), len(out))
        left = thread_margin(away, out, radius) - need if len(rows) else away
        past = np.stack([left[:, out >= under + lift - 0.5 * _DRIVER_STEP_MM].min(axis=1) for lift in lifts], axis=1)
        if thing is not None:
            past = _held_aside(end, thing, driver, lines.chosen(rows), under + lifts, past)
        room[rows] = np.minimum(room[rows], past)
        passes = room >= 0.0
        alive[rows] = tally.asked(f"driver: {what}", room[rows].max(axis=1))
    return passes & alive[:, None]


def _held_aside(
    end: ScrewEnd, thing: Obstacle, driver: Driver, lines: Lines, heads: np.ndarray, room: np.ndarray
) -> np.ndarray:
    """(n, l) mm by which a structure may be held aside farther than it must, where a driver (room (n, l)) meets it."""
    row, lift = np.nonzero(room < 0.0)
    left = np.full(room.shape, inf)
    if len(row):
        ways = lines.ways[row]
        entries = lines.places[row] - heads[lift][:, None] * ways
        needed = end.aside(thing).needed_mm(entries, ways, driver)
        left[row, lift] = thing.allowance_mm - end.plan.budget.segmentation_to_print_mm - needed
    return left


_Obstruction = tuple[str, Distance, float, float, Obstacle | None]


def _obstructions(
    end: ScrewEnd, kind: ScrewType, driver: Driver, lines: Lines, out: np.ndarray
) -> Iterator[_Obstruction]:
    """What drivers along lines may meet: name, distance, their radius, what is kept, the thing if it may give way."""
    yield "strut", end.curve.field, kind.seat_radius_mm, STRUT_WALL_MM, None
    tips = np.concatenate([lines.places - at * lines.ways for at in (out[0], out[-1])])
    low, high = tips.min(axis=0, initial=inf) - driver.radius_mm, tips.max(axis=0, initial=-inf) + driver.radius_mm
    for thing in end.in_the_way:
        first, last = thing.structure.box
        if np.isfinite(thing.allowance_mm) and (first <= high).all() and (last >= low).all():
            name = thing.structure.level or thing.structure.name
            mobile = None if thing.rule is None else thing
            yield name, thing.structure.distance, driver.radius_mm, 0.0, mobile


def on_footprint(end: ScrewEnd, places: np.ndarray) -> np.ndarray:
    """(n,) mm that places lie within the endplate's outline, in its plane."""
    outline = end.plate.to_local(end.plate.outline)[:, :2]
    within: np.ndarray = -polygon_distance(outline, end.plate.to_local(places)[:, :2])
    return within
