"""How an implant comes to its place: drawn out of it among walls, every way a surgeon might, until nothing is in front.

What is found is checked on the finished geometry by verify/insertion; here it is only found.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product

import numpy as np
from LatticeGeneratorLib.mesh.samples import first_in_cells, surface_points
from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design, Implant, Situation
from ..build.relief import relieved, undercuts
from ..case.transform import moved_points
from ..plan.insertion import Way
from ..plan.plan import Plan
from ..plan.rules import group_of
from ..plan.way import motion, waypoint_of
from ..threads import side_by_side
from ..verify.finding import Finding
from ..verify.insertion import insertion
from ..verify.measured import Measured
from .pull import Body, Pull, pulled
from .walls import Walls, frame_of, walls_around

_CELL_MM = 0.8  # of the implant's surface one point in each such cell is looked at
_ROUGH_MM = 2.5  # the same where it is drawn straight out
_GIVE_KEPT_MM = 0.1  # of what bone may give way, for what lies between the points that are looked at
_STEPS = 40  # of a pull before other pulls are tried
_MOST_STEPS = 800  # of all pulls together, before a way is given up: about 8 s
# Steps of all pulls together without coming farther by so much, mm, after which it is given up too: nearly twice
# what any way out of the two test cases needed (69).
_PATIENCE = 130
_FARTHER_MM = 0.5
_SPARED = "great_vessels"  # the group that is held aside only where nothing else leads out
_TOLD = 4  # of those that held it
_TRIED = 0.8  # of how far a pose has come still counts once a pull was tried at it
_LIKE_MM = 2.0  # poses at which no point is farther from where it was at another are one
_OUT_STEP_MM = 1.5
_FARTHEST_MM = 250.0  # drawn straight out: farther than necks and chests are deep (clinical facts: widths to 43 mm)
_TILTS_DEG = (0.0, -20.0, 20.0, -40.0, 40.0)  # of the straight way out
_LESS = 0.7  # so much of the way ahead is tried next where it is not free
_NEARLY_MM = 1.0  # slack on the grid beyond which a point is free
_CHECKED_MM = 0.7  # between poses that are looked at on a detour's short cut
_STRAIGHT_MM = 0.05  # by so much waypoints may leave the way that was found


REMEDY = (
    "plan a resection there, allow more in insertion.give_mm, insertion.relief_mm or insertion.retractions, let both "
    "feet come from one side (foot.approach), or bridge another span"
)
"""What helps where no way is found."""


@dataclass(frozen=True)
class Search:
    """What a search for an implant's way ended with: the way, or None, and then whose walls held it, most often first,
    and how far it came (mm from its place, both ends on average); allowance: the first of what may give way, in order,
    with which there is one, or the last."""

    name: str
    way: Way | None
    held_by: tuple[str, ...] = ()
    come_mm: float = 0.0
    allowance: int = 0


@dataclass(frozen=True)
class Ways:
    """A plan with the ways that were found, and what the search for each implant ended with."""

    plan: Plan
    searches: tuple[Search, ...]

    @property
    def complete(self) -> bool:
        """Whether every implant has a way."""
        return all(search.way is not None for search in self.searches)


def plan_with_ways(plan: Plan, design: Design, progress: Progress = silent) -> Ways:
    """The plan with a way for the nominal implant and each variant, as far as there are."""
    searches: list[Search] = []
    for number, implant in enumerate(design.implants):
        progress(f"way of the {implant.situation.name} implant", number / len(design.implants))
        # A variant is no easier to bring in than the nominal implant, which comes first.
        searches.append(find_way(implant, searches[0].allowance if searches else 0))
    ways = tuple(search.way for search in searches if search.way is not None)
    return Ways(plan.with_(insertion=plan.insertion.with_(ways=ways)), tuple(searches))


def insertion_findings(ways: Ways, design: Design) -> tuple[Finding, ...]:
    """What verification says of the ways, each on the implant it is for, less what is taken off that for it."""
    made = (brought_in(implant, ways.plan) for implant in design.implants)
    return tuple(finding for implant in made for finding in insertion(Measured(implant)))


def brought_in(implant: Implant, plan: Plan) -> Implant:
    """The implant as it is built for the ways of a plan: with them, and less what is taken off it for its own."""
    held = implant.situation.plan.insertion.with_(ways=plan.insertion.ways)
    situation = replace(implant.situation, plan=implant.situation.plan.with_(insertion=held))
    return relieved(replace(implant, situation=situation), undercuts(implant.part.mesh, situation))


def insertion_lines(ways: Ways, findings: tuple[Finding, ...]) -> Iterator[str]:
    """Both in words."""
    for search in ways.searches:
        if search.way is None:
            held = f"held by {', '.join(search.held_by)}" if search.held_by else "the search was given up"
            yield (
                f"{search.name}: no way found; it came {search.come_mm:.0f} mm out of its place, {held}. "
                f"{REMEDY[:1].upper()}{REMEDY[1:]}"
            )
        else:
            yield f"{search.name}: a way of {len(search.way.points)} waypoints"
    for one in findings:
        value = f"{one.value:.2f}" if isinstance(one.value, float) else one.value or ""
        yield f"  {one.verdict}: {one.title}: {value} {one.unit} ({one.limit}){f', {one.detail}' if one.detail else ''}"


def find_way(implant: Implant, begin: int = 0) -> Search:
    """A way for an implant from outside the patient to its place, or what holds it.

    begin: the allowance with which it is first tried. Bone and then metal are taken off only where there is no way
    without, and vessels are moved only where that does not help either.
    """
    body, situation = body_of(implant), implant.situation
    straight, pulls = tuple(_straight_ways(situation, way_out(implant))), tuple(_pulls(implant))
    # Lengthwise first, or each foot along its own way out first: of what is found what moves least is taken.
    orders = pulls, pulls[1:] + pulls[:1]
    depths = _depths_mm(situation.plan)
    spared = _vessels_spared(situation.plan)
    for turn, plan in enumerate((spared, situation.plan) if spared != situation.plan else (spared,)):
        numbers = range(max(begin, turn * len(depths)), (turn + 1) * len(depths))
        if not numbers:
            continue
        walls = walls_around(replace(situation, plan=plan), body.points, ways_out(implant))

        def tried(number: int, walls: Walls = walls) -> _Tried:
            given = replace(walls, give_mm=depths[number % len(depths)])
            tries = side_by_side([partial(_drawn_out, given, body, order, straight) for order in orders])
            found = [poses for poses, _, _ in tries if poses is not None]
            _, held, come = max(tries, key=lambda one: one[2])
            return _Tried(number, given, min(found, key=lambda one: _travel(body, one)) if found else None, held, come)

        best = _least_allowance(tried, numbers)
        if best.poses is not None:
            poses = _thinned(_shortened(best.walls, body, best.poses), body)
            points = tuple(waypoint_of(pose, body.middle) for pose in reversed(poses))
            return Search(situation.name, Way(situation.amount_mm, points), allowance=best.number)
    return Search(situation.name, None, best.held_by, best.come_mm, best.number)


@dataclass(frozen=True, eq=False)
class _Tried:
    """What came of a search with an allowance: poses from the place to outside, or what held it and how far it came."""

    number: int
    walls: Walls
    poses: list[np.ndarray] | None
    held_by: tuple[str, ...]
    come_mm: float


def _least_allowance(tried: Callable[[int], _Tried], numbers: range) -> _Tried:
    """The first of the allowances that finds a way, or the last. A search that fails costs most: what lies between is
    left out where the last fails as well."""
    first = tried(numbers[0])
    if first.poses is not None or len(numbers) == 1:
        return first
    most = tried(numbers[-1])
    if most.poses is None:
        return most
    between = (tried(number) for number in numbers[1:-1])
    return next((one for one in between if one.poses is not None), most)


def _depths_mm(plan: Plan) -> list[float]:
    """By how much bone may be met: not at all, by what may be taken off it, and off the implant as well; ascending."""
    give, relief = plan.insertion.give_mm, plan.insertion.relief_mm
    return sorted({0.0, *(max(give + share * relief - _GIVE_KEPT_MM, 0.0) for share in (0.0, 0.5, 1.0))})


def _vessels_spared(plan: Plan) -> Plan:
    """The plan in which great vessels stay where they are."""
    kept = tuple(rule for rule in plan.insertion.retractions if group_of(rule.structure) != _SPARED)
    return plan.with_(insertion=plan.insertion.with_(retractions=kept))


def body_of(implant: Implant) -> Body:
    """The implant as a rigid body."""
    mesh, situation = implant.part.mesh, implant.situation
    middle = situation.middle
    points = surface_points(mesh, _CELL_MM)
    points = points[first_in_cells(points, _CELL_MM)]
    reach = float(np.linalg.norm(mesh.vertices - middle, axis=1).max())
    return Body(points, middle, reach, np.stack([situation.upper.centre, situation.lower.centre]))


def way_out(implant: Implant) -> np.ndarray:
    """(3,) unit: between the ways out of both feet."""
    out = -sum(foot.insertion for foot in implant.feet)
    unit: np.ndarray = out / np.linalg.norm(out)
    return unit


def ways_out(implant: Implant) -> np.ndarray:
    """(m, 3) unit: each foot's way out, and what lies between them."""
    own = [-foot.insertion for foot in implant.feet]
    return np.unique(np.round([*own, way_out(implant)], 6), axis=0)


def _pulls(implant: Implant) -> Iterator[Pull]:
    """How it is drawn: each foot along its own way out, and both, or one before the other, along others."""
    right, anterior, up = frame_of(implant.situation)
    own = np.stack([-foot.insertion for foot in implant.feet])
    along = _tangents(implant)
    # A long strut that lies behind vessels comes out along itself, with the least turning.
    yield Pull(np.zeros((2, 3)), along)
    yield Pull(own)
    yield Pull(np.zeros((2, 3)), -along)
    yield Pull(own, together=True)
    side = right if np.sum(own @ right) >= 0.0 else -right
    ways = [anterior, anterior + side, side, anterior + up, anterior - up, up, -up, anterior - side]
    for way, weights in product(ways, ((1.0, 1.0), (1.0, 0.1), (0.1, 1.0))):
        yield Pull(np.outer(weights, way / np.linalg.norm(way)))


def _tangents(implant: Implant) -> np.ndarray:
    """(2, 3) unit: which way the strut runs down at its upper and at its lower end."""
    points = implant.axis.points
    reach = max(len(points) // 10, 1)
    runs = np.stack([points[reach] - points[0], points[-1] - points[-1 - reach]])
    unit: np.ndarray = runs / np.linalg.norm(runs, axis=1, keepdims=True)
    return unit


def _straight_ways(situation: Situation, out: np.ndarray) -> Iterator[np.ndarray]:
    """Directions about the way out, nearest first."""
    up = frame_of(situation)[2]
    level = out - (out @ up) * up
    level = level / np.linalg.norm(level)
    across = np.cross(up, level)
    for rise, turn in sorted(product(np.deg2rad(_TILTS_DEG), repeat=2), key=lambda tilt: float(np.hypot(*tilt))):
        yield np.cos(rise) * (np.cos(turn) * level + np.sin(turn) * across) + np.sin(rise) * up


def _drawn_out(
    walls: Walls, body: Body, pulls: tuple[Pull, ...], straight: tuple[np.ndarray, ...]
) -> tuple[list[np.ndarray] | None, tuple[str, ...], float]:
    """Poses from the place to outside, or None and what held the implant most often, and how far it came."""
    rough = replace(body, points=body.points[first_in_cells(body.points, _ROUGH_MM)])
    ways: list[list[np.ndarray]] = [[np.eye(4)]]
    # The pose that has come farthest is pulled at next; each pull that was tried there makes it less promising.
    queue, holders, farthest, done, last = [(-1.0, 0, 0)], Counter[str](), 0.0, 0, _PATIENCE
    while queue and done < min(last, _MOST_STEPS):
        rank, number, tried = heapq.heappop(queue)
        way = ways[number]
        end = _straight_out(walls, body, rough, way[-1], straight) if tried == 0 else None
        if end is not None:
            return [*way, end], (), _FARTHEST_MM
        if tried + 1 < len(pulls):
            heapq.heappush(queue, (_TRIED * rank, number, tried + 1))
        poses, held = pulled(walls, body, way[-1], pulls[tried], _STEPS)
        done += len(poses) + 1
        holders.update(held)
        if not poses or any(_alike(body, poses[-1], other[-1]) for other in ways):
            continue
        come = float(np.linalg.norm(moved_points(poses[-1], body.holds) - body.holds, axis=1).mean())
        if come > farthest + _FARTHER_MM:
            farthest, last = come, done + _PATIENCE
        ways.append([*way, *poses])
        heapq.heappush(queue, (-come - 1.0, len(ways) - 1, 0))
    return None, tuple(name for name, _ in holders.most_common(_TOLD)), farthest


def _straight_out(
    walls: Walls, body: Body, rough: Body, pose: np.ndarray, ways: tuple[np.ndarray, ...]
) -> np.ndarray | None:
    """The pose outside that is reached straight from here, None where every way is blocked; rough: fewer of the body's
    points, which tell most ways."""
    points = rough.placed(pose)
    for way in ways:
        for far in np.arange(_OUT_STEP_MM, _FARTHEST_MM, _OUT_STEP_MM):
            drawn = points + far * way
            if float(walls.coarse(drawn).min()) < 0.0:
                break
            if not walls.inside(drawn).any():
                outside = np.eye(4)
                outside[:3, 3] = far * way
                if _free_between(walls, body, pose, outside @ pose):
                    return outside @ pose
                break
    return None


def _shortened(walls: Walls, body: Body, poses: list[np.ndarray]) -> list[np.ndarray]:
    """The way without detours: from each pose straight to the farthest of the later ones that can be reached so."""
    kept, at = [poses[0]], 0
    while at < len(poses) - 1:
        ahead = len(poses) - 1 - at
        while ahead > 1 and not _free_between(walls, body, poses[at], poses[at + ahead]):
            ahead = int(ahead * _LESS)
        at += max(ahead, 1)
        kept.append(poses[at])
    return kept


def _free_between(walls: Walls, body: Body, one: np.ndarray, other: np.ndarray) -> bool:
    ends = tuple(waypoint_of(pose, body.middle) for pose in (one, other))
    between = motion(ends, body.middle, body.reach_mm, _CHECKED_MM)[1:-1]
    return all(_free(walls, body, pose) for pose in between)


def _free(walls: Walls, body: Body, pose: np.ndarray) -> bool:
    points, _ = body.near(walls, pose, _NEARLY_MM)
    return not len(points) or float(walls.at(points).min()) >= 0.0


def _travel(body: Body, poses: list[np.ndarray]) -> float:
    """mm that its farthest parts move on the way, but for the straight part at its end."""
    return sum(_apart(body, one, other) for one, other in pairwise(poses[:-1]))


def _alike(body: Body, one: np.ndarray, other: np.ndarray) -> bool:
    return _apart(body, one, other) < _LIKE_MM


def _apart(body: Body, one: np.ndarray, other: np.ndarray) -> float:
    turn = np.linalg.norm(one[:3, :3] - other[:3, :3]) * body.reach_mm
    shift = np.linalg.norm(moved_points(one, body.middle[None]) - moved_points(other, body.middle[None]))
    return float(turn + shift)


def _thinned(poses: list[np.ndarray], body: Body) -> list[np.ndarray]:
    """The poses that are needed: what lies between two of them is as near to the straight motion as is said above
    (Ramer 1972, Douglas and Peucker 1973, with poses for points)."""
    corners = body.middle + body.reach_mm * np.vstack([np.eye(3), -np.eye(3)])
    places = np.stack([moved_points(pose, corners) for pose in poses])
    kept = {0, len(poses) - 1}
    spans = [(0, len(poses) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        share = np.linspace(0.0, 1.0, last - first + 1)[1:-1]
        between = places[first] + share[:, None, None] * (places[last] - places[first])
        off = np.linalg.norm(places[first + 1 : last] - between, axis=2).max(axis=1)
        worst = int(np.argmax(off))
        if off[worst] > _STRAIGHT_MM:
            kept.add(first + 1 + worst)
            spans += [(first, first + 1 + worst), (first + 1 + worst, last)]
    return [poses[k] for k in sorted(kept)]
