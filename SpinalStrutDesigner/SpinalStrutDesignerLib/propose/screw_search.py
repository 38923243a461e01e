"""Every place on an end's flange or in its foot, every direction, every length: what of it is safe, best first."""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np

from ..plan.entries import ScrewType
from ..threads import kept
from ..verify.placement import breach_probabilities, deviations
from .screw_end import ScrewEnd
from .screw_heads import ACCESS_DEG, HELD_RIM, on_footprint, reachable, rim_mm, seated
from .screw_lines import shafts
from .screw_shots import Fit, Lines, Shots, Tally, nothing
from .screw_whole import Giving, push_left_mm

_PLACE_MM, _TURN_DEG = 1.5, 6.0  # between places and directions that are tried
_LIFT_MM = 0.4  # between heights of a head
_STEP_MM = 1.0  # between places along a line
_FACE_MM2 = 120.0  # of a flange's face that is looked at as closely as that
_HOPELESS_MM = 2.5  # by which all miss a rule, and no place and direction between those tried would hold it
_FEW = 200  # screws, of which less are found anew more densely: between so few the best set is missed
_REACH_MM = 26.0  # from a plate's outline outwards, from where a flange's face is looked for
_WALL_REACH_MM = 4.0  # what stands out farther from the body's outline is a process or a rib
# Screws in the same cell of heads and directions, of which only the best so many are gone on with.
_CELL_MM, _CELL_TURN, _IN_CELL = 2.0, 0.2, 6
_CERTAIN, _HOPELESS = 3.2, 0.7  # standard deviations off the canal: surely far enough; surely not
_ROUGH, _ROUGH_PERCENT = 256, 1.5  # deviations of a first look at the canal, and by how much that may be wrong
_EVERY_MM = 1.0  # along a thread, in which it is looked whether it reaches the canal


def fit_of(end: ScrewEnd, kind: ScrewType, bicortical: bool) -> Fit:
    """How a head of that type may be lifted: as far as its boss still begins within the flange."""
    flange = end.shape.flange
    most = flange.thickness_mm if flange else 0.0
    return Fit(kind, bicortical, tuple(np.linspace(0.0, most, round(most / _LIFT_MM) + 1).tolist()))


def everywhere(end: ScrewEnd, fit: Fit, giving: Giving, tally: Tally) -> Shots:
    """Every safe screw of a type; where hardly any is found, looked for again more densely."""
    shots = found(end, fit, all_lines(end, fit.kind, _PLACE_MM, _TURN_DEG), giving, tally)
    blocked = tally.blocked
    if len(shots) >= _FEW or (blocked is not None and tally.missed[blocked] > _HOPELESS_MM) or not tally.came:
        return shots
    dense = densely(end, fit, giving, tally)
    return dense if len(dense) else shots


def densely(end: ScrewEnd, fit: Fit, giving: Giving, tally: Tally) -> Shots:
    """Every safe screw of a type among places and directions half as far apart; looked for once for an end."""
    return kept(
        end,
        end.judged,
        f"densely {fit}",
        lambda: found(end, fit, all_lines(end, fit.kind, 0.5 * _PLACE_MM, 0.5 * _TURN_DEG), giving, tally),
    )


def all_lines(end: ScrewEnd, kind: ScrewType, place_mm: float, turn_deg: float) -> Lines:
    """Every place with every direction, so far apart."""
    places, ways = _places(end, kind, place_mm), directions(end.access, turn_deg)
    return Lines(np.repeat(places, len(ways), axis=0), np.tile(ways, (len(places), 1)))


def found(end: ScrewEnd, fit: Fit, lines: Lines, giving: Giving, tally: Tally) -> Shots:
    """The safe screws along lines, by purchase, best first; of heads in the same place only the best. giving: what
    heads may push aside."""
    if not len(lines.places):
        return nothing()
    shots = shafts(end, fit, lines, _STEP_MM, tally)
    if not len(shots):
        return shots
    shots = shots.chosen(held_safely(end, fit, lines, shots, tally))
    for ways in giving:
        left = push_left_mm(ways, end, fit.kind, shots.entries, shots.ways)
        shots = shots.chosen(tally.asked("head", left.max(axis=0)))
    order = np.lexsort((shots.lengths, shots.lifts, shots.line, -np.round(shots.purchase, 6)))
    shots = _spread(shots.chosen(order), _IN_CELL)
    return shots.chosen(off_canal(end, fit, shots, _ROUGH, _ROUGH_PERCENT, tally))


def held_safely(end: ScrewEnd, fit: Fit, lines: Lines, shots: Shots, tally: Tally) -> np.ndarray:
    """(n,) bool: whose heads are seated well and are reached."""
    # Heads of the same line and lift are alike, whatever the length.
    lift = np.abs(shots.lifts[:, None] - np.array(fit.lifts)).argmin(axis=1)
    _, first, same = np.unique(shots.line * len(fit.lifts) + lift, return_index=True, return_inverse=True)
    heads = shots.chosen(first)
    good = seated(end, fit.kind, heads, tally)
    kept, row = np.unique(heads.line[good], return_inverse=True)
    if len(kept):
        room = reachable(end, fit, lines.chosen(kept), tally)
        good[good] = room[row.ravel(), lift[first][good]]
    safely: np.ndarray = good[same.ravel()]
    return safely


def off_canal(
    end: ScrewEnd, fit: Fit, shots: Shots, count: int, slack_percent: float, tally: Tally
) -> np.ndarray:
    """(n,) bool: which reach the canal seldom enough, told by so many deviations with so many percentage points to
    spare."""
    if not end.canal or not len(shots):
        return np.ones(len(shots), dtype=bool)
    limit = end.plan.screw_rules.canal_breach_percent + slack_percent
    likely = np.where(shots.unlikely < _HOPELESS, inf, 0.0)
    unsure = np.flatnonzero((shots.unlikely >= _HOPELESS) & (shots.unlikely < _CERTAIN))
    errors = deviations(end.plan.budget, count)
    for length in np.unique(shots.lengths[unsure]):
        some = unsure[shots.lengths[unsure] == length]
        depths = np.linspace(fit.kind.head_radius_mm, length, int(np.ceil(length / _EVERY_MM)) + 1)
        likely[some] = 100.0 * breach_probabilities(
            shots.entries[some], shots.ways[some], depths, 0.5 * fit.kind.diameter_mm, end.canal_distance, errors,
            end.plate.normal,
        )  # fmt: skip
    return tally.asked("breach", limit - np.minimum(likely, 100.0))


@lru_cache(maxsize=8)
def _tilts(step_deg: float, most_deg: float) -> np.ndarray:
    """(n, 2) degrees, evenly over a disc."""
    rows = np.arange(-int(most_deg / (step_deg * 0.866)), int(most_deg / (step_deg * 0.866)) + 1)
    count = np.arange(-int(most_deg / step_deg) - 1, int(most_deg / step_deg) + 2)
    grid = np.array([(step_deg * (c + 0.5 * (r % 2)), 0.866 * step_deg * r) for r in rows for c in count])
    kept: np.ndarray = grid[np.hypot(*grid.T) <= most_deg + 1e-9]
    return kept


def directions(access: np.ndarray, step_deg: float, most_deg: float = ACCESS_DEG) -> np.ndarray:
    """(n, 3) unit directions about the way of the surgeon, evenly apart, itself among them."""
    across = np.cross(access, np.eye(3)[int(np.argmin(np.abs(access)))])
    across /= np.linalg.norm(across)
    return tilted(access, across, np.cross(access, across), _tilts(step_deg, most_deg))


def tilted(way: np.ndarray, side: np.ndarray, up: np.ndarray, tilts_deg: np.ndarray) -> np.ndarray:
    """(n, 3) a unit direction turned by tilts (n, 2) degrees to a side and up."""
    angle = np.deg2rad(np.hypot(*tilts_deg.T))
    across = np.deg2rad(tilts_deg) * np.sinc(angle / np.pi)[:, None]
    turned: np.ndarray = np.cos(angle)[:, None] * way + across @ np.stack([side, up])
    return turned


def _places(end: ScrewEnd, kind: ScrewType, place_mm: float) -> np.ndarray:
    """(n, 3) where the metal under a head may end: at the fit gap before the bone, seen along the flange's face; in a
    foot anywhere within its edge."""
    flange, foot = end.shape.flange, end.shape.foot
    if flange is None:
        edge = end.shape.footprint.edge()
        sides = [np.arange(low, high, place_mm) for low, high in zip(edge.min(axis=0), edge.max(axis=0))]
        heights = np.arange(0.8, max(foot.height_mm - 3.0, 0.9), 0.8)
        local = np.stack(np.meshgrid(*sides, heights, indexing="ij"), axis=-1).reshape(-1, 3)
        return end.plate.to_ras(local[end.shape.footprint.distance(local[:, :2]) < -1.0])
    held = HELD_RIM * rim_mm(kind)
    half, low = 0.5 * flange.width_mm + 0.05 - held, flange.height_mm + 0.1 - held
    if half < 0.0 or low < 1.0:
        return np.zeros((0, 3))
    # A large face is looked at no more closely than a small one: what is found is bettered afterwards.
    step = place_mm * max(1.0, float(np.sqrt(2.0 * half * (low - 1.0) / _FACE_MM2)))
    across = np.linspace(-half, half, int(np.ceil(2.0 * half / step)) + 1)
    down = np.linspace(-low, -1.0, int(np.ceil((low - 1.0) / step)) + 1)
    u, z = (values.ravel() for values in np.meshgrid(across, down, indexing="ij"))
    return on_face(end, u, z)[0]


def on_face(end: ScrewEnd, across: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, 3) the places at the fit gap before the docking body, (n,) mm across the flange's face and up from the
    plate's plane, as they are first met from outside; and which (m,) of all these were met."""
    start = end.plate.centre + across[:, None] * end.beside + up[:, None] * end.plate.normal
    edge = (end.plate.to_local(end.plate.outline) @ end.plate.to_local((end.plate.centre + end.outward)[None]).T).max()
    out = np.arange(edge + _REACH_MM, -0.5 * edge, -0.5)
    rays = start[:, None] + out[:, None] * end.outward
    gap = end.shape.foot.fit_gap_mm
    distance = end.docking.distance(rays.reshape(-1, 3)).reshape(rays.shape[:2])
    met = distance < gap
    first = met.argmax(axis=1)
    rows = np.flatnonzero(met.any(axis=1) & (first > 0))
    there, before = distance[rows, first[rows]], distance[rows, first[rows] - 1]
    reach = out[first[rows]] + 0.5 * (gap - there) / np.maximum(before - there, 1e-9)
    places = start[rows] + reach[:, None] * end.outward
    near = on_footprint(end, places) > -_WALL_REACH_MM
    return places[near], rows[near]


def _spread(shots: Shots, in_cell: int) -> Shots:
    """Of screws sorted best first, in each cell of heads and directions only the first so many."""
    cells: dict[tuple[int, ...], int] = {}
    kept = []
    places = np.column_stack([np.floor(shots.entries / _CELL_MM), np.floor(shots.ways / _CELL_TURN)]).astype(int)
    for number, place in enumerate(places):
        cell = tuple(place.tolist())
        cells[cell] = cells.get(cell, 0) + 1
        if cells[cell] <= in_cell:
            kept.append(number)
    return shots.chosen(np.array(kept, dtype=int))
