"""The axis made smooth and exact: control points moved until the swept section holds every rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..plan.plan import Axis, Section
from .corridor import Corridor, fields_of
from .judge import KINDS, Judge, Trial
from .moves import moves_in_planes
from .path import EndRegion, cheapest_near, is_round, stations
from .quadratic import least_quadratic

SIDES_DEG = (0.0, 45.0, -45.0, 90.0, -90.0)
"""Sides of the column: front, then right and left."""
_TURNED_DEG = 22.0  # at most from a side: a little less than half way to the next one
_CONTROL_SPACING_MM, _POINTS = 11.0, (5, 9)
MARGIN_MM = 0.1
"""Kept beyond every rule, for what lies between the points that are judged."""
_ROUGH_MARGIN_MM = 0.4  # the same where the room's nodes tell distances
_ROUGH_SPACING_MM, _SPACING_MM = 2.0, 1.0  # between the places along the strut at which it is judged
# Of mm of variable: a case that lies elsewhere is told apart in the last bits, which would grow from round to round.
_DECIMALS = 3
_FIRMNESS = (0.05, 0.3, 1.0)  # the rules harden step by step, so that the curve can still cross a small remnant early
_FIRM = np.array([240.0, 60.0, 60.0])  # weights of a mm missed of what no rule allows, of rules, and at the feet
_DAMPING, _EASED, _TIGHTENED = 1e-3, 0.3, 5.0
_SOFT_ENOUGH, _SOFT_ROUNDS = 1e-3, 80  # relative gain below which it ends
_FIRST_MM, _MOST_MM = 0.5, 2.0  # how far a control point may move at a time, at first and later
_BROKEN, _KEPT, _SHORTER = 0.1, 0.7, 0.4  # shares of a promise; and how the reach is shortened
_ENOUGH_MM = 0.005  # of a step, below which it ends
_ROUNDS, _CORRECTIONS = 120, 2
_MISSED_MM = 1e-3  # more than before, above which a step is corrected
_WORTH = 1e-4  # of the merit: what a step must promise
_FIRMER = 1e-9  # added to the curvature, that it is never flat
# What a mm missed costs, of what no rule allows, of rules, and at the feet: far more than a mm of anything else, so
# that as little is missed as can be before anything else counts.
_MISSED = np.array([2000.0, 200.0, 50.0])


def refined_axis(
    room: Corridor, section: Section, path: np.ndarray, back: np.ndarray, upper: EndRegion, lower: EndRegion
) -> tuple[Axis, float]:
    """The best smooth axis near a path (n, 3), and its cost. back: (3,) roughly the direction towards the column.

    It is refined from the cheapest of all paths near this one, so that it does not hang on where just it lies: first
    among distances that the room's nodes tell, then exactly.
    """
    side = side_of(room, section, back)
    near = cheapest_near(room, section, side, stations(room, section, upper, lower), path)
    rough, _ = rough_axis(room, section, near, side, upper, lower)
    return exact_axis(room, section, rough, upper, lower)


def rough_axis(
    room: Corridor, section: Section, path: np.ndarray, side_deg: float, upper: EndRegion, lower: EndRegion
) -> tuple[Axis, float]:
    """A smooth axis near a path (n, 3) as far as the room's nodes tell, and its cost. side_deg: of the column."""
    judge = _rough_judge(room, section, side_deg, upper, lower)
    x = _rounded(judge.moves.onto(path))
    for firmness in _FIRMNESS:
        x = _softened(judge, x, firmness)
    return judge.moves.axis(x), _softly(judge.trial(x, 0.0), _FIRMNESS[-1])


def exact_axis(room: Corridor, section: Section, rough: Axis, upper: EndRegion, lower: EndRegion) -> tuple[Axis, float]:
    """The best axis near a rough one, and its cost: sequential quadratic programming on the structures themselves
    (Fletcher, Practical Methods of Optimization, ch. 12 and 14).

    In each round distances are taken as straight, and the best step within a small reach is found. A step that does not
    keep its promise shortens the reach; it ends where no step is left.
    """
    judge = _rough_judge(room, section, side_of(room, section, np.array(rough.back)), upper, lower)
    places = int(np.ceil(judge.length_mm / _SPACING_MM)) + 1
    judge = replace(judge, kept=room.standoffs, margin_mm=MARGIN_MM, rows=places)
    x, reach = _rounded(judge.moves.of(rough)), _FIRST_MM
    here = judge.trial(x, _nearby(reach))
    for _ in range(_ROUNDS):
        step, there, promised = _step(judge, x, here, reach)
        won = _merit(here) - _merit(there)
        if won < _BROKEN * promised:
            reach = _SHORTER * min(reach, float(np.abs(step).max()))
        elif won > _KEPT * promised:
            reach = min(2.0 * reach, _MOST_MM)
        if won > 0.0:
            x, here = _rounded(x + step), there
        if reach < _ENOUGH_MM or np.abs(step).max() < _ENOUGH_MM or promised < _WORTH * _merit(here):
            break
    return judge.moves.axis(x), _merit(here)


def _rough_judge(room: Corridor, section: Section, side_deg: float, upper: EndRegion, lower: EndRegion) -> Judge:
    """Judges axes on one side of the column by what the room's nodes tell."""
    length = float(room.frame.line[-1, 2])
    count = int(np.clip(round(length / _CONTROL_SPACING_MM) + 1, *_POINTS))
    moves = moves_in_planes(room.frame, facing(room, side_deg), upper, lower, count)
    turned = 0.0 if is_round(section) else float(np.deg2rad(_TURNED_DEG))
    rows = int(np.ceil(length / _ROUGH_SPACING_MM)) + 1
    return Judge(room, fields_of(room), _ROUGH_MARGIN_MM, section, (upper, lower), moves, turned, rows, length)


def _step(judge: Judge, x: np.ndarray, here: Trial, reach: float) -> tuple[np.ndarray, Trial, float]:
    """The best step within reach, where it leads, and by how much it should have lessened the merit.

    What curves is met again where the step ends, and the step corrected by that (second-order correction; Fletcher, ch.
    14.4): else every step along a curved limit would seem to miss it.
    """
    step, promised = _best_step(here, here, np.zeros(len(x)), reach)
    step = _rounded(x + step) - x
    there = judge.trial(x + step, _nearby(reach))
    for _ in range(_CORRECTIONS):
        if there.missed_mm.max() <= here.missed_mm.max() + _MISSED_MM and _merit(there) < _merit(here):
            break
        mended, _ = _best_step(here, there, step, reach)
        mended = _rounded(x + mended) - x
        other = judge.trial(x + mended, _nearby(reach))
        if _merit(other) >= _merit(there):
            break
        step, there = mended, other
    return step, there, promised


def _softened(judge: Judge, x: np.ndarray, firmness: float) -> np.ndarray:
    """The axis near x for which what it costs and the squares of all it misses, weighed by firmness, are least.

    Levenberg and Marquardt's method (Marquardt, J Soc Ind Appl Math 1963;11:431), not worked out to the end.
    """
    damping = _DAMPING
    here = judge.trial(x, 0.0)
    cost = _softly(here, firmness)
    for _ in range(_SOFT_ROUNDS):
        short = np.flatnonzero(here.least > 0.0)
        lines = (firmness * _FIRM[here.kinds[short]] * here.weights[short])[:, None] * here.lines[short, : len(x)]
        rest = firmness * _FIRM[here.kinds[short]] * here.weights[short] * here.least[short]
        curvature = here.curvature + np.einsum("mi,mj->ij", lines, lines)
        downhill = np.einsum("mi,m->i", lines, rest) - here.slope
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), downhill)
        trial = _rounded(x + step)
        there = judge.trial(trial, 0.0)
        found = _softly(there, firmness)
        if found < cost:
            enough = cost - found < _SOFT_ENOUGH * cost
            x, here, cost, damping = trial, there, found, _EASED * damping
            if enough:
                break
        else:
            damping *= _TIGHTENED
    return x


def _rounded(x: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = np.round(x, _DECIMALS)
    return rounded


def _softly(trial: Trial, firmness: float) -> float:
    """What an axis costs, with the squares of all that it misses."""
    missed = firmness * _FIRM[trial.kinds] * trial.weights * np.maximum(trial.least, 0.0)
    return trial.cost + 0.5 * float(missed @ missed)


def _nearby(reach: float) -> float:
    """mm left of a rule beyond which it is no limit to a step: a section's edge moves more than the control points."""
    return 2.0 * reach + 0.5


def facing(room: Corridor, side_deg: float) -> np.ndarray:
    """(3,) where the back of a section faces that stands on that side of the column."""
    turn = np.deg2rad(side_deg)
    return -np.sin(turn) * room.frame.axes[0] - np.cos(turn) * room.frame.axes[1]


def side_of(room: Corridor, section: Section, back: np.ndarray) -> float:
    """The side of the column, in degrees, from which the back faces most nearly so; the front for a round section."""
    if is_round(section):
        return 0.0
    right, anterior = -(room.frame.axes[:2] @ back)
    return 45.0 * float(np.rint(np.degrees(np.arctan2(right, anterior)) / 45.0))


def _merit(trial: Trial) -> float:
    return trial.cost + float(_MISSED @ trial.missed_mm)


def _best_step(here: Trial, met: Trial, at: np.ndarray, reach: float) -> tuple[np.ndarray, float]:
    """The step (k,) of the variables that promises most within reach, and by how much it should lessen the merit.

    met: what limits it, as found after a step at (k,).
    """
    size = len(here.slope)
    # Unknowns: the step, and the most that is then missed of each kind.
    curvature = np.diag(np.concatenate([np.full(size, _FIRMER), _MISSED]))
    curvature[:size, :size] += here.curvature
    edge = np.column_stack([np.concatenate([np.eye(size), -np.eye(size)]), np.zeros((2 * size, KINDS))])
    lines = np.concatenate([met.lines, edge, np.eye(KINDS, size + KINDS, size)])
    least = np.concatenate([met.least + met.lines[:, :size] @ at, np.full(2 * size, -reach), np.zeros(KINDS)])
    found = least_quadratic(curvature, np.concatenate([here.slope, _MISSED]), lines, least)
    step = np.clip(found[:size], -reach, reach)
    change = here.slope @ step + 0.5 * step @ here.curvature @ step
    left = np.maximum(found[size:], 0.0)
    return step, float(_MISSED @ (here.missed_mm - left) - change)
