"""How each end is held: a flange with screws through it, or screws obliquely through the foot (zero profile)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..build.end import FLANGE_OVER_PLATE_MM
from ..build.outline import polygon_distance
from ..errors import PlanError
from ..plan.curve import AxisCurve
from ..plan.plan import Flange, Screw, ScrewType
from .corridor import Corridor
from .foot import Site, footprint
from .screws import Ground, Shots, tried, under_head_mm, varied

_DRIVER_MM = 20.0  # length of a driver's way that the strut must leave free
_IN_STRUT = 30.0  # cost per mm² of a head or its driver's way cutting into the strut
_BAD = 100.0  # cost per mm² of a rule missed
_SPARE_MM = 0.2  # kept between a flange and what a rule protects, over that rule
_BOSS_WALL_MM = 1.2
_STRUT_WALL_MM = 0.3  # kept between the strut and a driver's way
_FLANGES = 200  # sets for which a flange is worked out
_FEW = 100
_PAIRED = 400  # candidates of each screw that are combined
# Between two screws of a level: each converges 5 to 15 degrees (clinical facts, recalled: verify locally).
_CONVERGENCE_DEG = (10.0, 30.0)
# Thicknesses of a flange with what the thinner one costs in strength; anterior cervical plates are 1.9 to 2.5 mm thick.
# A slimmer one only for a rule: it still is half as thick again as the recommended wall, and verification judges its
# neck (engineering judgement; verify locally).
_FLANGE_MM = ((2.5, 0.0), (2.2, 2.0), (1.9, 4.0), (1.6, 8.0))
_HELD_RIM = 0.9  # share of a boss' radius that the flange reaches past its axis
_WALL_REACH_MM = 4.0
_PER_DEG = 0.2  # cost of each degree of convergence too little or too much
_TALLEST_FLANGE_MM = 11.0  # a taller one costs
_NECK_MM = 12.0  # least width of a flange
_AZIMUTHS_DEG = np.arange(-102.0, 103.0, 6.0)
_WIDEST_FLANGE_MM = 26.0
# A flange lies on the front or side in everybody's way; without a reason there is none.
_FLANGE_COST = 4.0
# Each screw through the foot takes contact from the endplate and metal from the foot's root, and its seat lies in the
# loft, where little metal surrounds it: only for where a flange is far worse.
_THROUGH_FOOT_COST = 30.0


@dataclass(frozen=True, eq=False)
class Attachment:
    """An end's screws, its flange if it has one, and the cost of it all."""

    screws: tuple[Screw, ...]
    flange: Flange | None
    cost: float


def propose_attachment(
    ground: Ground, site: Site, types: Sequence[ScrewType], curve: AxisCurve, end: int
) -> Attachment:
    """The best way to hold one end with screws of these types; curve's end: 0 upper, -1 lower.

    Zero profile needs a foot high enough for a head, so a tongue in a disc space gets a flange. Where no set of screws
    holds every rule the least bad one is returned. Raises PlanError for more than two screws.
    """
    if not 1 <= len(types) <= 2:
        raise PlanError(f"{site.plate.level}: {len(types)} screws; screws are placed for one or two a level")
    flanged = _flanged(ground, site, types, curve.points[end])
    if site.gap_mm is not None:
        return flanged
    through_foot = _through_foot(replace(ground, docked_free=True), site, types, curve)
    return min((through_foot, flanged), key=lambda attachment: attachment.cost)


def _through_foot(ground: Ground, site: Site, types: Sequence[ScrewType], curve: AxisCurve) -> Attachment:
    """Screws that enter through the free side of the foot and cross the contact face."""
    plate, foot = site.plate, site.foot
    edge = footprint(plate, foot)
    sides = (np.arange(*limits, 1.0) for limits in zip(edge.min(axis=0), edge.max(axis=0)))
    plane = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    # The metal under a head must lie in the foot.
    plane = plane[polygon_distance(edge, plane) < -1.0]
    heights = np.arange(0.8, foot.height_mm - 3.0, 0.8)
    targets = plate.to_ras(np.column_stack([np.repeat(plane, len(heights), axis=0), np.tile(heights, len(plane))]))
    ways = _ways(ground, site, np.arange(20.0, 76.0, 6.0), np.arange(-36.0, 37.0, 9.0))
    found = {kind: tried(ground, kind, targets, ways) for kind in dict.fromkeys(types)}
    shots = [_apart_from_strut(found[kind], curve) for kind in types]
    _, chosen = _best_set(ground, site, shots, None)
    shots = [_apart_from_strut(varied(ground, s, k, None), curve) for s, k in zip(shots, chosen)]
    best = _attachment(ground, site, shots, None)
    return replace(best, cost=best.cost + _THROUGH_FOOT_COST * len(best.screws))


def _flanged(ground: Ground, site: Site, types: Sequence[ScrewType], strut_end: np.ndarray) -> Attachment:
    """Screws through a flange on the docking vertebra's front or side, near to where the strut ends."""
    places = surface_places(ground, site)
    ways = _ways(ground, site, np.arange(-24.0, 25.0, 8.0), np.arange(-72.0, 73.0, 12.0))
    right, anterior, _ = site.plate.to_local(strut_end[None])[0]
    found = {kind: tried(ground, kind, places, ways) for kind in dict.fromkeys(types)}
    towards = float(np.degrees(np.arctan2(right, anterior)))
    shots = [found[kind] for kind in types]
    _, chosen = _best_set(ground, site, shots, towards)
    shots = [varied(ground, s, k, site.foot.fit_gap_mm) for s, k in zip(shots, chosen)]
    return _attachment(ground, site, shots, towards)


def _ways(ground: Ground, site: Site, into_deg: np.ndarray, aside_deg: np.ndarray) -> np.ndarray:
    """(n, 3) unit directions: turned into the body from the plate's plane, and aside from the way of the surgeon."""
    plate = site.plate
    ahead = ground.access - (ground.access @ plate.normal) * plate.normal
    ahead /= np.linalg.norm(ahead)
    beside = np.cross(plate.normal, ahead)
    into, aside = (np.deg2rad(v).ravel()[:, None] for v in np.meshgrid(into_deg, aside_deg, indexing="ij"))
    level = np.cos(aside) * ahead + np.sin(aside) * beside
    return np.cos(into) * level - np.sin(into) * plate.normal


def surface_places(ground: Ground, site: Site) -> np.ndarray:
    """(n, 3) RAS points at the fit gap in front of and beside the docking body, where metal under a head may end."""
    plate, gap = site.plate, site.foot.fit_gap_mm
    angle = np.deg2rad(_AZIMUTHS_DEG)
    outward = np.sin(angle)[:, None] * plate.right + np.cos(angle)[:, None] * plate.anterior
    into = np.arange(2.0, _body_height(ground) - 2.0, 1.0)
    reach = np.arange(0.0, 0.8 * max(plate.width_mm, plate.depth_mm) + 8.0, 0.5)
    start = plate.centre - into[:, None] * plate.normal
    rays = start[:, None, None] + reach[:, None] * outward[None, :, None]
    free = ground.docking.distance(rays.reshape(-1, 3)).reshape(rays.shape[:3]) >= gap
    # The body's own wall is the first place on the way out from which the ray is free for a head's depth.
    outside = np.minimum.accumulate(free[:, :, ::-1], axis=2)[:, :, ::-1]
    reached = outside.any(axis=2)
    first = np.argmax(outside, axis=2)
    i, j = np.nonzero(reached)
    places = rays[i, j, first[i, j]]
    # What stands out farther from the body's outline is a process or a rib, not its wall.
    outline = plate.to_local(plate.outline)[:, :2]
    return places[polygon_distance(outline, plate.to_local(places)[:, :2]) < _WALL_REACH_MM]


def _body_height(ground: Ground) -> float:
    if ground.far is None:
        return 12.0
    return float(np.linalg.norm(ground.far.plate.centre - ground.plate.centre))


def _apart_from_strut(shots: Shots, curve: AxisCurve) -> Shots:
    """With the cost of a head and its driver's way cutting into the strut."""
    at = np.arange(-_DRIVER_MM, 1.0, 2.0)
    points = shots.entries[:, None] + at[None, :, None] * shots.directions[:, None]
    free = curve.field(points.reshape(-1, 3)).reshape(points.shape[:2]).min(axis=1) - shots.type.seat_radius_mm
    return replace(shots, costs=shots.costs + _IN_STRUT * np.maximum(_STRUT_WALL_MM - free, 0.0) ** 2)


def _attachment(ground: Ground, site: Site, found: Sequence[Shots], towards_deg: float | None) -> Attachment:
    """The cheapest set as an attachment."""
    cost, chosen = _best_set(ground, site, found, towards_deg)
    screws = tuple(shots.screw(k, site.plate.level) for shots, k in zip(found, chosen))
    flange = None if towards_deg is None else _flange_for(ground, site, found, chosen, towards_deg)[0]
    return Attachment(screws, flange, cost)


def _best_set(
    ground: Ground, site: Site, found: Sequence[Shots], towards_deg: float | None
) -> tuple[float, tuple[int, ...]]:
    """The cheapest set with one of each screw, heads and shafts apart; with a flange where towards_deg is given."""
    tops = [_spread(shots, _PAIRED) for shots in found]
    order = _pairs(ground, found, tops) if len(found) == 2 else _singles(found[0], tops[0])
    if towards_deg is None:
        return order[0]
    best: tuple[float, tuple[int, ...]] | None = None
    for cost, chosen in order[:_FLANGES]:
        total = cost + _flange_for(ground, site, found, chosen, towards_deg)[1] + _FLANGE_COST
        if best is None or total < best[0]:
            best = total, chosen
    assert best is not None
    return best


def _spread(shots: Shots, count: int) -> np.ndarray:
    """Indices of the cheapest candidates, of those that enter within 1.5 mm of each other only the best few;
    all of them where there are few."""
    if len(shots.costs) <= _FEW:
        return np.arange(len(shots.costs))
    kept: list[int] = []
    cells: dict[tuple[int, ...], int] = {}
    for k, entry in enumerate(shots.entries):
        cell = tuple(int(v) for v in np.floor(entry / 1.5))
        if cells.get(cell, 0) < 3:
            cells[cell] = cells.get(cell, 0) + 1
            kept.append(k)
        if len(kept) == count:
            break
    return np.array(kept)


def _singles(shots: Shots, tops: np.ndarray) -> list[tuple[float, tuple[int, ...]]]:
    return [(float(shots.costs[k]), (int(k),)) for k in tops]


def _pairs(ground: Ground, found: Sequence[Shots], tops: Sequence[np.ndarray]) -> list[tuple[float, tuple[int, ...]]]:
    """All pairs of two screws by cost."""
    (one, other), (first, second) = found, tops
    a, b = (grid.ravel() for grid in np.meshgrid(first, second, indexing="ij"))
    cost = one.costs[a] + other.costs[b]
    order = np.argsort(cost, kind="stable")[:20000]
    a, b, cost = a[order], b[order], cost[order]
    heads = np.linalg.norm(one.entries[a] - other.entries[b], axis=1)
    apart = one.type.seat_radius_mm + other.type.seat_radius_mm + 0.6
    cost = cost + _BAD * np.maximum(apart - heads, 0.0) ** 2
    shafts = _shaft_distance(one, a, other, b) - 0.5 * (one.type.diameter_mm + other.type.diameter_mm)
    cost += _BAD * np.maximum(ground.plan.screw_rules.screw_mm + 0.2 - shafts, 0.0) ** 2
    cosine = np.clip(np.einsum("ij,ij->i", one.directions[a], other.directions[b]), -1.0, 1.0)
    angle = np.degrees(np.arccos(cosine))
    low, high = _CONVERGENCE_DEG
    cost += _PER_DEG * (np.maximum(low - angle, 0.0) + np.maximum(angle - high, 0.0))
    order = np.argsort(cost, kind="stable")
    return [(float(cost[k]), (int(a[k]), int(b[k]))) for k in order[:_FLANGES]]


def _shaft_distance(one: Shots, a: np.ndarray, other: Shots, b: np.ndarray) -> np.ndarray:
    """(n,) least distance between the axes of two screws, by samples along both."""
    share = np.linspace(0.0, 1.0, 9)
    p = one.entries[a][:, None] + (share * one.lengths[a][:, None])[..., None] * one.directions[a][:, None]
    q = other.entries[b][:, None] + (share * other.lengths[b][:, None])[..., None] * other.directions[b][:, None]
    return np.sqrt(((p[:, :, None] - q[:, None]) ** 2).sum(axis=-1).min(axis=(1, 2)))


def _flange_for(
    ground: Ground, site: Site, found: Sequence[Shots], chosen: tuple[int, ...], towards_deg: float
) -> tuple[Flange, float]:
    """The smallest flange that carries the chosen screws, and its own cost: rules missed, size, turn from the strut."""
    plate = site.plate
    rims = np.array([0.5 * s.type.head_diameter_mm + _BOSS_WALL_MM for s in found])
    seats = zip(found, chosen)
    ends = np.array([s.entries[k] + under_head_mm(ground.plan, s.type) * s.directions[k] for s, k in seats])
    local = plate.to_local(ends)
    azimuth = np.arctan2(*local[:, :2].sum(axis=0))
    across = local[:, 0] * np.cos(azimuth) - local[:, 1] * np.sin(azimuth)
    # The bosses bring their own metal: the plate only has to reach well into them.
    width = max(2.0 * float((np.abs(across) + _HELD_RIM * rims).max()), _NECK_MM)
    height = max(float((-local[:, 2] + _HELD_RIM * rims).max()), 3.0)
    turn = abs((np.degrees(azimuth) - towards_deg + 180.0) % 360.0 - 180.0)
    oversize = max(width - _WIDEST_FLANGE_MM, 0.0) + max(height - _TALLEST_FLANGE_MM, 0.0)
    cost = 0.05 * turn + oversize + 0.1 * width
    plates = [(_plate_cost(ground, site, azimuth, width, height, mm) + thin, mm) for mm, thin in _FLANGE_MM]
    plate_cost, thickness = min(plates)
    flange = Flange(round(float(np.degrees(azimuth)), 1), round(width, 1), round(height, 1), thickness)
    return flange, float(cost + plate_cost)


def _plate_cost(ground: Ground, site: Site, azimuth: float, width: float, height: float, thickness: float) -> float:
    """Cost of the flange's plate between its screws and the foot against the rules."""
    plate = site.plate
    outward = np.sin(azimuth) * plate.right + np.cos(azimuth) * plate.anterior
    beside = np.cos(azimuth) * plate.right - np.sin(azimuth) * plate.anterior
    rim = float((footprint(plate, site.foot) @ [np.sin(azimuth), np.cos(azimuth)]).max())
    reach = np.arange(rim - FLANGE_OVER_PLATE_MM, rim + 8.0, 0.5)
    u, z = np.meshgrid(np.linspace(-0.5, 0.5, 13) * width, np.linspace(-height, 1.0, 9), indexing="ij")
    start = plate.centre + u.ravel()[:, None] * beside + z.ravel()[:, None] * plate.normal
    rays = start[:, None] + reach[None, :, None] * outward
    distance = ground.docking.distance(rays.reshape(-1, 3)).reshape(rays.shape[:2])
    # Only what is free all the way out: the holes of old screws inside the vertebra are not its surface.
    free = np.minimum.accumulate((distance >= site.foot.fit_gap_mm)[:, ::-1], axis=1)[:, ::-1]
    shell = free & (distance <= site.foot.fit_gap_mm + thickness)
    points = rays[shell]
    if not len(points):
        return 0.0
    room = ground.room
    rules, critical, soft = (float(v.min()) for v in room.samples((room.rules, room.critical, room.soft), points))
    missed = _BAD * _missed(room, points) if min(rules, critical) < _SPARE_MM else 0.0
    return missed + 2.0 * max(-soft, 0.0) ** 2


def _missed(room: Corridor, points: np.ndarray) -> float:
    """mm², the squares by which points (n, 3) miss the rule of each structure: one that cannot hold hides no other."""
    total = 0.0
    for one in room.standoffs:
        if not one.is_bone:
            away, _ = one.nearest(points, max(one.least_mm, 0.0) + _SPARE_MM)
            total += max(_SPARE_MM + one.least_mm - float(away.min()), 0.0) ** 2
    return total
