"""The screws of an end found again by brute force: places, directions and lengths strewn densely, each judged plainly.

What a screw must keep is asked of verification's measures one screw at a time; purchase is summed up here again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from brute_whole import Pushing
from scipy.stats import qmc
from SpinalStrutDesignerLib.plan.entries import ScrewType
from SpinalStrutDesignerLib.plan.plan import ErrorBudget, Screw
from SpinalStrutDesignerLib.propose.screw_end import ScrewEnd
from SpinalStrutDesignerLib.propose.screw_heads import ACCESS_DEG, STRUT_WALL_MM, head_room, seat_room, within_edge
from SpinalStrutDesignerLib.verify.access import Driver, driver_room
from SpinalStrutDesignerLib.verify.placement import breach_probability
from SpinalStrutDesignerLib.verify.purchase import shear_MPa
from SpinalStrutDesignerLib.verify.screwline import ScrewLine, least_any_way, side_wall, tightest

_LINES = 1 << 16  # places with directions strewn
_TIMES, _SAFE = 8, 60  # strewn again so often, until so many safe ones and a set of them are found
_CELLS, _JUDGED = 3, 120  # along each side of the flange; of the strongest of each time in each so many are judged
_ROUNDS, _NEAR = 4, 256  # of strewing about the best, ever nearer
_SPREAD = np.array([1.2, 1.2, 0.12, 0.12, 0.6])  # mm, mm, rad, rad, mm in the first of them
_STEP_MM = 0.5
_ENTRY_MM = 3.0
_METAL_MM = 3.0  # beside metal the CT tells nothing
_SURE = ErrorBudget(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Strewn:
    """Screws that may be safe, strongest first, with what they hold, N, and where they were strewn, (n, 5)."""

    screws: list[Screw]
    held: np.ndarray
    at: np.ndarray


def best_by_force(end: ScrewEnd, holes: Sequence[Screw], pushing: Pushing) -> tuple[float, tuple[Screw, ...]] | None:
    """The strongest safe set found, with its sum of pull-out in N; None where no set is safe. pushing: of that end."""
    first_of = {hole.type: hole for hole in reversed(holes)}
    sources = {kind: _safe(end, hole) for kind, hole in first_of.items()}
    alone = _Alone(pushing)
    safe: dict[ScrewType, list[_Found]] = {kind: [] for kind in sources}
    found: list[_Found] | None = None
    for _ in range(_TIMES):
        for kind, source in sources.items():
            safe[kind] = sorted([*safe[kind], *next(source)], key=lambda one: -one[0])
        found = _strongest(end, [safe[hole.type] for hole in holes], alone)
        if found is not None and all(len(some) >= _SAFE for some in safe.values()):
            break
    if found is None:
        return None
    for scale in 0.5 ** np.arange(_ROUNDS):
        for number, hole in enumerate(holes):
            others = [s for k, (_, s, _) in enumerate(found) if k != number]
            near = _near(end, hole, found[number][2], float(scale), number)
            for screw, held, at in zip(near.screws, near.held, near.at):
                if held <= found[number][0]:
                    break
                apart = all(_apart(end, screw, other) for other in others)
                if apart and holds(end, screw) and pushing.holds((screw, *others)):
                    found[number] = (float(held), screw, at)
                    break
    return sum(held for held, _, _ in found), tuple(screw for _, screw, _ in found)


def purchase(end: ScrewEnd, screw: Screw) -> float:
    """Chapman's force in N: π D (0.5 + 0.577 depth / pitch) ∫ S dl over the thread in bone."""
    kind, way = screw.type, np.array(screw.direction)
    depth = np.arange(kind.head_radius_mm, screw.length_mm, 0.1) + 0.05
    axis = np.array(screw.entry) + depth[:, None] * way
    inside = end.docking.distance(axis) < 0.0
    if end.metal:
        inside &= end.where.case.distance(end.metal, axis) >= _METAL_MM
    side = np.cross(way, [0.0, 0.6, 0.8])
    side /= np.linalg.norm(side)
    turns = np.arange(12)[:, None] * 2.0 * np.pi / 12
    ring = 0.25 * (kind.diameter_mm + kind.core_mm) * (np.cos(turns) * side + np.sin(turns) * np.cross(way, side))
    back = np.linalg.inv(end.docking.pose)
    points = (axis[:, None] + ring).reshape(-1, 3) @ back[:3, :3].T + back[:3, 3]
    hu = end.where.case.ct.sample(points).reshape(len(axis), -1).mean(axis=1)
    shape = 0.5 + 0.577 * 0.5 * (kind.diameter_mm - kind.core_mm) / kind.pitch_mm
    return float(np.pi * kind.diameter_mm * shape * 0.1 * shear_MPa(hu)[inside].sum())


def holds(end: ScrewEnd, screw: Screw) -> bool:
    """Whether a screw by itself holds every rule; asked only until one does not hold."""
    return all(left >= 0.0 for left in _left(end, screw))


def _left(end: ScrewEnd, screw: Screw) -> Iterator[float]:
    rules, budget = end.plan.screw_rules, end.plan.budget
    line, every = ScrewLine(screw, 1, end.docking), np.ones(1, dtype=bool)
    every = np.ones(len(line.depths), dtype=bool)
    entry, way = np.array([screw.entry]), line.direction[None]
    yield float(within_edge(end, screw.type, entry, way)[0])
    ahead = line.far_wall()
    yield -1.0 if ahead is None else ahead - rules.cortex_mm
    for _, exact, _ in end.plates:
        yield _least(line, exact, _SURE, line.in_bone) - rules.endplate_mm
    if end.metal:
        yield _least(line, end.metal_distance, _SURE, every) - rules.metal_mm
    wall = side_wall(line, end.plate.normal, _SURE, _ENTRY_MM)
    yield -1.0 if wall is None else wall.distance_mm - rules.cortex_mm
    if end.canal:
        yield _least(line, end.canal_distance, _SURE, every) - rules.canal_mm
        yield _least(line, end.canal_distance, budget, every)
    for organ, limit in end.organs:
        yield _least(line, organ.distance, _SURE, line.in_bone) - limit
        left = least_any_way(line, organ.distance, budget)
        yield -1.0 if left is None else left
    for bone in end.others:
        yield _least(line, bone.distance, _SURE, every)
    yield float(seat_room(end, screw.type, entry, way)[0])
    yield float(head_room(end, screw.type, entry, way)[0])
    yield from _driver_left(end, screw, entry, way)
    if end.canal:
        depths = np.arange(screw.type.head_radius_mm, screw.length_mm + 0.25, 0.5)
        likely = breach_probability(
            entry[0], way[0], depths, line.radius, end.canal_distance, budget, end.plate.normal
        )  # fmt: skip
        yield rules.canal_breach_percent - 100.0 * likely


def _driver_left(end: ScrewEnd, screw: Screw, entry: np.ndarray, way: np.ndarray) -> Iterator[float]:
    driver = Driver.of(end.plan, screw)
    yield float(way[0] @ end.access) - np.cos(np.deg2rad(ACCESS_DEG))
    cut = Driver(screw.type.seat_radius_mm, driver.length_mm)
    yield float(driver_room(end.curve.field, entry, way, cut)[0]) - STRUT_WALL_MM
    for thing in end.in_the_way:
        room = float(driver_room(thing.structure.distance, entry, way, driver)[0])
        if thing.rule is None:
            yield room
        elif room < 0.0 and np.isfinite(thing.allowance_mm):
            needed = float(end.aside(thing).needed_mm(entry, way, driver)[0])
            yield thing.allowance_mm - end.plan.budget.segmentation_to_print_mm - needed


def _least(line: ScrewLine, distance, budget: ErrorBudget, chosen: np.ndarray) -> float:  # type: ignore[no-untyped-def]
    margin = tightest(line, distance, budget, chosen)
    return -1.0 if margin is None else margin.left_mm


def _apart(end: ScrewEnd, one: Screw, other: Screw) -> bool:
    """Whether two screws keep from each other, by many points on both."""
    rules = end.plan.screw_rules
    share = np.linspace(0.0, 1.0, 60)[:, None]

    def gap(first: tuple[float, float], second: tuple[float, float]) -> float:
        a, b = (
            np.array(s.entry) + (low + share * (high - low)) * np.array(s.direction)
            for s, (low, high) in ((one, first), (other, second))
        )
        return float(np.linalg.norm(a[:, None] - b, axis=2).min())

    half = 0.5 * np.degrees(np.arccos(np.clip(np.dot(one.direction, other.direction), -1.0, 1.0)))
    if not rules.least_convergence_deg <= half <= rules.most_convergence_deg:
        return False
    kind, second = one.type, other.type
    threads = gap((kind.head_radius_mm, one.length_mm), (second.head_radius_mm, other.length_mm))
    if threads - 0.5 * (kind.diameter_mm + second.diameter_mm) < rules.screw_mm:
        return False
    seats, around = (kind.seat_radius_mm, second.seat_radius_mm), rules.around_head_mm
    return (
        gap((0.0, 0.0), (-30.0, 0.0)) >= sum(seats) + around
        and gap((-30.0, 0.0), (0.0, 0.0)) >= sum(seats) + around
        and gap((0.0, 0.0), (0.0, other.length_mm)) >= seats[0] + 0.5 * second.clearance_hole_mm + around
        and gap((0.0, one.length_mm), (0.0, 0.0)) >= seats[1] + 0.5 * kind.clearance_hole_mm + around
    )


_Found = tuple[float, Screw, np.ndarray]


def _safe(end: ScrewEnd, hole: Screw) -> Iterator[list[_Found]]:
    """Screws that are safe but for what they push aside, the strongest of ever more strewn over the whole end."""
    flange = end.shape.flange
    assert flange is not None, "strewn over flanges only"
    tilt = np.deg2rad(ACCESS_DEG)
    low = np.array([-0.5 * flange.width_mm, -flange.height_mm, -tilt, -tilt, 0.0])
    high = np.array([0.5 * flange.width_mm, 0.0, tilt, tilt, flange.thickness_mm])
    source = qmc.Sobol(5, scramble=False)
    while True:
        at = low + (high - low) * source.random(_LINES)
        strewn = _screws(end, hole, at[np.hypot(at[:, 2], at[:, 3]) <= tilt])
        # Two screws stand apart: the strongest of all may lie all in one place.
        cells = (_CELLS * (strewn.at[:, :2] - low[:2]) / (high - low)[:2]).astype(int) @ [_CELLS + 1, 1]
        judged = np.sort(np.concatenate([np.flatnonzero(cells == cell)[:_JUDGED] for cell in np.unique(cells)]))
        yield [
            (float(strewn.held[k]), strewn.screws[k], strewn.at[k]) for k in judged if holds(end, strewn.screws[k])
        ]


def _near(end: ScrewEnd, hole: Screw, at: np.ndarray, scale: float, seed: int) -> Strewn:
    """Screws strewn about one."""
    away = 2.0 * qmc.Sobol(5, scramble=True, seed=seed).random(_NEAR) - 1.0
    around = at + scale * _SPREAD * away
    around[:, 4] = np.maximum(around[:, 4], 0.0)
    return _screws(end, hole, around)


def _screws(end: ScrewEnd, hole: Screw, at: np.ndarray) -> Strewn:
    """Of each place and direction (mm across and up the flange's face, tilts in rad, mm lifted) the longest screw that
    ends in bone and may hold the rules, told by points on its thread."""
    kind, rules = hole.type, end.plan.screw_rules
    met, places = _on_bone(end, at)
    at = at[met]
    across = np.cross(end.access, end.plate.normal)
    across /= np.linalg.norm(across)
    angle = np.hypot(at[:, 2], at[:, 3])[:, None]
    aside = at[:, 2:3] * across + at[:, 3:4] * np.cross(across, end.access)
    ways = np.cos(angle) * end.access + np.sinc(angle / np.pi) * aside
    entries = places - (end.under_mm(kind) + at[:, 4])[:, None] * ways
    for measure in (within_edge, seat_room, head_room):
        good = measure(end, kind, entries, ways) >= 0.0
        at, ways, entries = at[good], ways[good], entries[good]
    depth = np.arange(end.under_mm(kind), 60.0, _STEP_MM)
    points = entries[:, None] + depth[:, None] * ways[:, None]
    shape = points.shape[:2]
    inside = end.docking.distance(points.reshape(-1, 3)).reshape(shape) < 0.0
    begun = np.cumsum(inside, axis=1) > 0
    good = np.cumsum(begun & ~inside, axis=1) == 0
    # Points on the thread, and its axis where what lies ahead counts.
    side = np.cross(ways, end.plate.normal)
    side /= np.linalg.norm(side, axis=1)[:, None]
    turns = np.arange(8) * 2.0 * np.pi / 8
    ring = [0.5 * kind.diameter_mm * (np.cos(t) * side + np.sin(t) * np.cross(ways, side)) for t in turns]
    for distance, limit, where in _thread_rules(end, begun):
        left = np.full(shape, np.inf)
        rows, cols = np.nonzero(good & where)
        for out in ring:
            away = distance(points[rows, cols] + out[rows])
            left[rows, cols] = np.minimum(left[rows, cols], away)
        good &= np.cumsum(left < limit, axis=1) == 0
    reach = depth[0] + _STEP_MM * good.sum(axis=1)
    made = np.array(kind.lengths_mm)
    fits = made[None] <= (reach - rules.cortex_mm + _STEP_MM)[:, None]
    rows = np.flatnonzero(fits.any(axis=1) & begun[:, : int(20.0 / _STEP_MM)].any(axis=1))
    # The longest that may fit, and the next shorter one: walls to the sides are not told yet.
    screws, where = [], []
    for row, shorter in product(rows, (0, 1)):
        number = int(fits[row].sum()) - 1 - shorter
        if number >= 0:
            entry, way = tuple(entries[row].tolist()), tuple(ways[row].tolist())
            screws.append(hole.with_(entry=entry, direction=way, length_mm=float(made[number])))
            where.append(at[row])
    held = np.array([purchase(end, screw) for screw in screws])
    order = np.argsort(-held, kind="stable")
    return Strewn([screws[k] for k in order], held[order], np.array(where).reshape(-1, 5)[order])


def _thread_rules(end: ScrewEnd, begun: np.ndarray):  # type: ignore[no-untyped-def]
    """(distance, limit, where it counts): what points on the thread keep at least."""
    rules, everywhere = end.plan.screw_rules, np.ones_like(begun)
    for _, _, near in end.plates:
        yield near.at, rules.endplate_mm - 0.1, begun
    if end.metal:
        yield end.metal_distance, rules.metal_mm, everywhere
    if end.canal:
        yield end.canal_distance, rules.canal_mm, everywhere
    for organ, limit in end.organs:
        yield organ.distance, limit, begun


def _on_bone(end: ScrewEnd, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which places (n, 2) of the flange's face lie before bone, and the points at the fit gap before it."""
    start = end.plate.centre + at[:, :1] * end.beside + at[:, 1:2] * end.plate.normal
    out = np.arange(45.0, -10.0, -0.25)
    met, places = [], []
    for first in range(0, len(at), 4096):
        rays = start[first : first + 4096, None] + out[:, None] * end.outward
        near = end.docking.distance(rays.reshape(-1, 3)).reshape(rays.shape[:2]) < end.shape.foot.fit_gap_mm
        hit = np.flatnonzero(near.any(axis=1))
        met.append(first + hit)
        places.append(rays[hit, near[hit].argmax(axis=1) - 1])
    return np.concatenate(met), np.concatenate(places)


class _Alone:
    """Which screws push nothing too far by themselves, each looked at once; and sets of them."""

    def __init__(self, pushing: Pushing) -> None:
        self._pushing = pushing
        self._told: dict[int, bool] = {}

    def hold(self, *screws: Screw) -> bool:
        """Whether screws hold each alone, and together."""
        return all(self._one(screw) for screw in screws) and (len(screws) == 1 or self._pushing.holds(screws))

    def _one(self, screw: Screw) -> bool:
        if id(screw) not in self._told:
            self._told[id(screw)] = self._pushing.holds((screw,))
        return self._told[id(screw)]


def _strongest(end: ScrewEnd, safe: Sequence[list[_Found]], alone: _Alone) -> list[_Found] | None:
    """The strongest set of one or two safe screws."""
    if len(safe) == 1:
        return next(([one] for one in safe[0] if alone.hold(one[1])), None)
    best: list[_Found] | None = None
    for one in safe[0]:
        for other in safe[1]:
            if best is not None and one[0] + other[0] <= best[0][0] + best[1][0]:
                break
            if _apart(end, one[1], other[1]) and alone.hold(one[1], other[1]):
                best = [one, other]
    return best
