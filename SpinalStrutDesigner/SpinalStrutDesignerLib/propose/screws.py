"""Where screws can go: entries, directions and catalogue lengths tried in bulk against what each must stay clear of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..case.model import Case, Endplate, Structure, Volume
from ..plan.plan import ErrorBudget, Plan, Screw, ScrewType
from ..plan.rules import group_of, rule_for
from .corridor import Corridor
from .moves import as_vec

_STEP_MM = 1.0
_LONGEST_MM = 42.0
_FOLLOWED, _KEPT = 3000, 1500  # candidates followed along their whole shaft, and kept
_TILT_DEG, _SHIFT_MM = 4.0, 0.6  # by which a good one is varied
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_DEEP_MM = 9.0  # this far under an endplate and farther it is no concern
_CHANNEL_MM = (2.0, 26.0)  # of the driver's way, from the head outwards, that must be free of bone
_BOSS_WALL_MM = 1.2
_ACCESS_DEG = 45.0
_PER_DEG_BEYOND = 1.0  # cost of each degree a driver is tilted further from the surgeon's way
_MARGIN_MM = 0.2  # kept beyond every rule
_BAD = 100.0  # cost per mm² of a rule missed
_TIGHT = 2.0  # cost per mm² of a rule that only the placement budget breaks
_CUT, _UNSEATED = 5.0, 20.0  # cost per mm² of bone in the driver's way, and of metal that bone takes from a seat
_HOLD_MM, _SHORT = 10.0, 2.0  # thread in bone below which a screw hardly holds, and the cost per mm² of less
_MM_IN_BONE, _PER_HU, _PER_DEG = 1.0, 0.01, 0.02  # what a screw's purchase and awkwardness are worth


@dataclass(frozen=True, eq=False)
class Surface:
    """An endplate's measured surface, to tell how deep in the body a point lies under it."""

    plate: Endplate

    @cached_property
    def _points(self) -> np.ndarray:
        return self.plate.to_local(self.plate.surface)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self._points)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm from points (n, 3) RAS to the surface, negative beyond it; capped where it no longer matters."""
        local = self.plate.to_local(points)
        deep = np.full(len(points), _DEEP_MM)
        near = np.flatnonzero(local[:, 2] > -_DEEP_MM)
        away, nearest = self._tree.query(local[near])
        beyond = local[near, 2] > self._points[nearest, 2]
        deep[near] = np.where(beyond, -away, np.minimum(away, _DEEP_MM))
        return deep


@dataclass(frozen=True, eq=False)
class Ground:
    """What one end's screws meet.

    organs: critical structures with their least clearance; near, far: the vertebra's docked and its other endplate;
    docked_free: whether screws may cross the docked one; access: (3,) unit, the way the surgeon looks.
    """

    plan: Plan
    plate: Endplate
    near: Surface
    far: Surface | None
    ct: Volume
    docking: Structure
    others: tuple[Structure, ...]
    canal: tuple[Structure, ...]
    metal: tuple[Structure, ...]
    organs: tuple[tuple[Structure, float], ...]
    room: Corridor
    access: np.ndarray
    fit_gap_mm: float
    docked_free: bool = False


@dataclass(frozen=True, eq=False)
class Shots:
    """Screws of one type that were tried, best first. entries, directions: (n, 3); lengths, costs: (n,)."""

    type: ScrewType
    entries: np.ndarray
    directions: np.ndarray
    lengths: np.ndarray
    costs: np.ndarray

    def screw(self, index: int, level: str) -> Screw:
        """One of them as a plan's screw."""
        return Screw(
            self.type,
            level,
            as_vec(self.entries[index]),
            as_vec(self.directions[index]),
            float(self.lengths[index]),
        )


def ground(
    case: Case, plan: Plan, plate: Endplate, far: Endplate | None, room: Corridor, access: np.ndarray, fit_gap_mm: float
) -> Ground:
    """What the screws into a plate's vertebra meet. case: posed and resected."""
    docking = case.structure(plate.level)
    near = [s for s in case.having("bone") if s.of_column and s.name != docking.name and _close(s, docking)]
    canal = [s for s in case.structures if group_of(s.name) in ("dural_sac", "spinal_cord")]
    return Ground(
        plan=plan,
        plate=plate,
        near=Surface(plate),
        far=None if far is None else Surface(far),
        ct=case.ct,
        docking=docking,
        others=tuple(near),
        canal=tuple(canal),
        metal=case.having("metal"),
        organs=tuple((s, _clearance(plan, s)) for s in case.having("keepout_critical") if s not in canal),
        room=room,
        access=access / np.linalg.norm(access),
        fit_gap_mm=fit_gap_mm,
    )


def under_head_mm(plan: Plan, kind: ScrewType) -> float:
    """From the head's flat top to the end of the metal under its seat, along the screw."""
    return kind.head_radius_mm + plan.screw_rules.under_head_mm


def tried(ground: Ground, kind: ScrewType, targets: np.ndarray, directions: np.ndarray) -> Shots:
    """Every target (n, 3), where the metal under a head ends, with every direction (m, 3), each at its best length."""
    place = np.repeat(targets, len(directions), axis=0)
    way = np.tile(directions, (len(targets), 1))
    return _judged(ground, kind, place, way)


def varied(ground: Ground, shots: Shots, index: int, gap_mm: float | None) -> Shots:
    """One shot with its place and direction varied a little, itself among them.

    gap_mm keeps places at that distance from the docking bone, None leaves them free.
    """
    way = shots.directions[[index]]
    place = shots.entries[[index]] + under_head_mm(ground.plan, shots.type) * way
    side, up = _across(way)
    tilt = np.tan(np.deg2rad(_TILT_DEG))
    ways = np.concatenate([way, *(way + tilt * (a * side + b * up) for a, b in _AROUND)])
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    places = np.concatenate([place, *(place + _SHIFT_MM * (a * side + b * up) for a, b in _AROUND)])
    if gap_mm is not None:
        places = places + (ground.docking.distance(places) - gap_mm)[:, None] * way
    found = _judged(ground, shots.type, *(np.repeat(places, len(ways), axis=0), np.tile(ways, (len(places), 1))))
    names = ("entries", "directions", "lengths", "costs")
    return Shots(shots.type, *(np.concatenate([getattr(shots, n)[[index]], getattr(found, n)]) for n in names))


def _judged(ground: Ground, kind: ScrewType, place: np.ndarray, way: np.ndarray) -> Shots:
    entry = place - under_head_mm(ground.plan, kind) * way
    cost = _head_cost(ground, kind, entry, way) + _awkwardness(ground, way)
    # The head and three places on the way decide first, cheaply: only what is not hopeless is followed into the bone.
    order = np.argsort(cost + _glimpse(ground, kind, entry, way), kind="stable")[:_FOLLOWED]
    entry, way, cost = entry[order], way[order], cost[order]
    lengths, shaft = _best_lengths(ground, kind, entry, way)
    total = cost + shaft
    order = np.argsort(total, kind="stable")[:_KEPT]
    return Shots(kind, entry[order], way[order], lengths[order], total[order])


def _head_cost(ground: Ground, kind: ScrewType, entry: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Cost of the boss against every rule and of the driver's way against bone."""
    length, radius = under_head_mm(ground.plan, kind), 0.5 * kind.head_diameter_mm + _BOSS_WALL_MM
    side, up = _across(way)
    angle = np.arange(8) * (2.0 * np.pi / 8)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    boss = np.concatenate(
        [entry[:, None] + radius * ring, (entry + 0.5 * length * way)[:, None] + radius * ring, entry[:, None]], axis=1
    )
    room = ground.room
    rules, critical, soft = _least(room, (room.rules, room.critical, room.soft), boss)
    cost = _BAD * np.maximum(_MARGIN_MM - np.minimum(rules, critical), 0.0) ** 2
    cost += 2.0 * np.maximum(0.3 - soft, 0.0) ** 2
    along = np.arange(*_CHANNEL_MM, 3.0)
    channel = _least(room, (room.bone,), entry[:, None] - along[None, :, None] * way[:, None])[0] - kind.seat_radius_mm
    # A head that lies in bone is not seated in metal, and bone under the seat takes the metal there away; bone in the
    # driver's way has to be cut.
    head = _least(room, (room.bone,), boss[:, : len(angle)])[0] - ground.fit_gap_mm
    under = (entry + length * way)[:, None] + 0.8 * kind.head_radius_mm * ring
    seat = _least(room, (room.bone,), under)[0] - ground.fit_gap_mm
    for free, weight in ((channel, _CUT), (head, _UNSEATED), (seat, _UNSEATED)):
        cost += weight * np.maximum(-free, 0.0) ** 2
    return cost


def _glimpse(ground: Ground, kind: ScrewType, entry: np.ndarray, way: np.ndarray) -> np.ndarray:
    """A first guess at a shaft's cost from three places on it."""
    radius, start = 0.5 * kind.diameter_mm, under_head_mm(ground.plan, kind)
    cost = np.zeros(len(entry))
    for depth in (5.0, 9.0, 13.0):
        points = entry + (start + depth) * way
        away = ground.docking.distance(points)
        planned, _ = _missing(ground, points, np.full(len(points), start + depth), away < 0.0, radius)
        cost += 20.0 * planned**2 + 5.0 * (away > -radius)
    return cost


def _awkwardness(ground: Ground, way: np.ndarray) -> np.ndarray:
    angle = np.degrees(np.arccos(np.clip(way @ ground.access, -1.0, 1.0)))
    return _PER_DEG_BEYOND * np.maximum(angle - _ACCESS_DEG, 0.0) + _PER_DEG * angle


def _best_lengths(ground: Ground, kind: ScrewType, entry: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The catalogue length that costs least for each candidate, and that cost."""
    start = under_head_mm(ground.plan, kind)
    at = np.arange(start, _LONGEST_MM + 2.0 * _STEP_MM, _STEP_MM)
    points = (entry[:, None] + at[None, :, None] * way[:, None]).reshape(-1, 3)
    shape = (len(entry), len(at))
    radius = 0.5 * kind.diameter_mm
    depth = -ground.docking.distance(points).reshape(shape)
    in_bone = np.logical_or.accumulate(depth > 0.0, axis=1).ravel()
    planned, placed = _missing(ground, points, np.tile(at, len(entry)), in_bone, radius)
    planned, placed = (np.maximum.accumulate(values.reshape(shape), axis=1) for values in (planned, placed))
    wall = np.maximum.accumulate(_wall_missing(ground, depth, radius), axis=1)
    inside = np.cumsum(depth > 0.0, axis=1) * _STEP_MM
    density = np.cumsum(np.where(depth > 0.0, _hu(ground.ct, points).reshape(shape), 0.0), axis=1)
    best = np.full(len(entry), np.inf)
    lengths = np.zeros(len(entry))
    for length in kind.lengths_mm:
        if length <= start + _STEP_MM or length > _LONGEST_MM:
            continue
        tip = int(np.ceil((length - start) / _STEP_MM))
        short = np.maximum(ground.plan.screw_rules.cortex_mm + _MARGIN_MM - depth[:, tip], 0.0)
        cost = _BAD * (planned[:, tip] ** 2 + wall[:, tip] ** 2 + short**2) + _TIGHT * placed[:, tip] ** 2
        cost -= _MM_IN_BONE * inside[:, tip] + _PER_HU * density[:, tip] / np.maximum(inside[:, tip], 1.0)
        cost += _SHORT * np.maximum(_HOLD_MM - inside[:, tip], 0.0) ** 2
        better = cost < best
        best[better], lengths[better] = cost[better], length
    return lengths, best


def _missing(
    ground: Ground, points: np.ndarray, depths: np.ndarray, in_bone: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """By how much a shaft's axis points come too near to canal, organs, metal, endplates and other bones, mm: as
    planned, and with the placement budget at their depths (n,) under the head. in_bone: (n,) bool, from where it
    enters bone on."""
    rules, budget = ground.plan.screw_rules, placement_mm(ground.plan.budget, depths)
    planned = [_too_near(ground.others, points, radius)]
    placed = []
    for structures, limit in ((ground.canal, rules.canal_mm), (ground.metal, rules.metal_mm)):
        away = radius + _MARGIN_MM - _nearest(structures, points)
        # The canal must not even be touched by a screw as badly placed as the budget says.
        planned.append(away + (np.maximum(limit, budget) if structures is ground.canal else limit))
        placed.append(away + limit + budget)
    # Nor may an organ, where bone guides the screw; before it the implant stands between them, by its own rules.
    astray = np.where(in_bone, budget, 0.0)
    for organ, clearance in ground.organs:
        planned.append(_too_near((organ,), points, radius + np.maximum(clearance, astray)))
    for surface in (ground.far, None if ground.docked_free else ground.near):
        if surface is not None:
            away = radius + rules.endplate_mm + _MARGIN_MM - surface.depth(points)
            planned.append(away)
            placed.append(away + budget)
    return np.maximum(np.max(planned, axis=0), 0.0), np.maximum(np.max(placed, axis=0), 0.0)


def _clearance(plan: Plan, structure: Structure) -> float:
    """How far a shaft must stay from a critical structure: its rule's clearance, or outside what may be displaced."""
    rule = rule_for(plan, structure.name)
    return rule.limit_mm if rule is not None and rule.kind == "clearance" else 0.0


def placement_mm(budget: ErrorBudget, depths: np.ndarray) -> np.ndarray:
    """How far sideways a screw may come to lie from its plan at depths (n,) mm under its head: entry, angle and
    segmentation are independent, so their squares add up."""
    sideways = budget.screw_entry_mm**2 + (depths * np.tan(np.deg2rad(budget.screw_angle_deg))) ** 2
    return np.sqrt(budget.segmentation_to_print_mm**2 + sideways)


def _nearest(structures: tuple[Structure, ...], points: np.ndarray) -> np.ndarray:
    nearest = np.full(len(points), np.inf)
    for structure in structures:
        np.minimum(nearest, structure.distance(points), out=nearest)
    return nearest


def _too_near(structures: tuple[Structure, ...], points: np.ndarray, need: float | np.ndarray) -> np.ndarray:
    return need + _MARGIN_MM - _nearest(structures, points)


def _wall_missing(ground: Ground, depth: np.ndarray, radius: float) -> np.ndarray:
    """By how much a shaft inside its vertebra is too near its outer wall; where it enters it has to be."""
    wanted = radius + ground.plan.screw_rules.cortex_mm + _MARGIN_MM
    first = np.argmax(depth > 0.0, axis=1)
    deep = np.arange(depth.shape[1])[None, :] - first[:, None] >= np.ceil(2.0 * wanted / _STEP_MM)
    enters: np.ndarray = np.any(depth > 0.0, axis=1)
    return np.where(deep & enters[:, None], np.maximum(wanted - depth, 0.0), 0.0)


def _hu(ct: Volume, points: np.ndarray) -> np.ndarray:
    values = ct.sample(points)
    # Metal in view would count as the best of bone.
    return np.clip(np.nan_to_num(values), -200.0, 1200.0)


def _least(room: Corridor, fields: Sequence[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
    """(n,) least value of each field over points (n, m, 3)."""
    return [v.reshape(points.shape[:2]).min(axis=1) for v in room.samples(fields, points.reshape(-1, 3))]


def _across(way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors across each direction (n, 3)."""
    helper = np.eye(3)[np.argmin(np.abs(way), axis=1)]
    side = np.cross(way, helper)
    side /= np.linalg.norm(side, axis=1)[:, None]
    return side, np.cross(way, side)


def _close(one: Structure, other: Structure) -> bool:
    """Whether two vertebrae are so near that a screw into one can reach the other."""
    (low, high), (least, most) = one.box, other.box
    return bool((low <= most + 10.0).all() and (high >= least - 10.0).all())
