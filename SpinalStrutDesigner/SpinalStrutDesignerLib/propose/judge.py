"""What a trial axis costs and misses, and how that changes when its control points move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..build.outline import polygon_distance
from ..plan.plan import Section
from .corridor import Corridor
from .moves import TURN_MM, Moves
from .path import EndRegion, Probe, end_sizes, section_probe
from .standoff import Kept
from .sweep import Curves, bends, curves

_SPARED_MM = 0.5  # wanted distance to what may be pushed aside
_LEAST_RADIUS_MM = 22.0  # of the axis; far above half a section, so that the sweep stays smooth
_SHARPEST = 1.6  # least radius of the axis as a multiple of the section's larger size: far from a sweep that folds
_BENT_MM = 20.0  # missed, for an axis that bends twice as sharply as that
_STEP_MM = 0.02  # of variable, for the derivatives of curves
_ROUGH_MM = 1.5  # by how much the room's nodes may tell distances too large
_EVERY = 4  # of an outline's points one is enough to tell where an axis may end
KINDS = 3
"""What may be missed, if need be: what no rule allows, rules, and rules at the feet, whose margins may still hold them.
"""
_FIRM = 0.1  # weight of a mm missed of the axis' own limits
_BRIDGE_POINTS = 4.0  # as many of a foot's points weigh as much as a mm of strut
# Weights of what an axis costs, for each mm of its length: mm off the column, its bend in 1/mm, bending more sharply
# than is wanted, mm of what is spared; at its ends mm off the plates' centres; and its turn, 10 mm for a radian.
_ECCENTRIC, _CURVE, _BEND, _SPARED, _END, _BACK = 0.06, 8.0, 25.0, 1.0, 0.3, 1.0


@dataclass(frozen=True, eq=False)
class Trial:
    """An axis judged. cost, with its slope (k,) and curvature (k, k) over the variables.

    missed_mm: (3,) the most by which it misses what no rule allows, rules, and rules at its feet; lines (m, k + 3) ·
    (step, missed) >= least (m,): what a step holds, and weights (m,) of a mm that is missed there.
    """

    cost: float
    slope: np.ndarray
    curvature: np.ndarray
    missed_mm: np.ndarray
    lines: np.ndarray
    least: np.ndarray
    weights: np.ndarray

    @property
    def kinds(self) -> np.ndarray:
        """(m,) numbers of what may be missed there."""
        kinds: np.ndarray = self.lines[:, -KINDS:].argmax(axis=1)
        return kinds


@dataclass(frozen=True, eq=False)
class _Points:
    """Points (n, 3) of a strut, or of its feet, each with a ball of radius needs (n,) about it; carried: (k, n, 3) how
    they move with the variables; weights: (n,) of what is spared there."""

    points: np.ndarray
    needs: np.ndarray
    carried: np.ndarray
    weights: np.ndarray
    kind: int


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges axes of one section in one room, at so many places along them, by what is kept, and a margin beyond it.

    turned: by how much the back may turn either way, in radians; length_mm: about the axis' length.
    """

    room: Corridor
    kept: Sequence[Kept]
    margin_mm: float
    section: Section
    ends: tuple[EndRegion, EndRegion]
    moves: Moves
    turned: float
    rows: int
    length_mm: float

    def trial(self, x: np.ndarray, nearby_mm: float) -> Trial:
        """The axis of variables x (k,) judged; what is left of by more than nearby_mm is no limit to a step."""
        trials = np.concatenate([x[None], x + _STEP_MM * np.eye(len(x))])
        made = curves(self.moves.control(trials), self.moves.backs(trials), self.rows)
        rest, change = _with_slope(self._shape(made, trials))
        rows = _Rows(len(x), self.margin_mm, nearby_mm)
        strut, feet = self._strut(made, nearby_mm), [self._foot(made, at) for at in (0, 1)]
        spared = [(rest, change)]
        for one in self.kept:
            spared.append(rows.add(one, strut))
            if not one.is_bone:
                spared.extend(rows.add(one, foot) for foot in feet)
        rows.firm(*_with_slope(self._bent(trials)), _FIRM)
        for end, at in zip(self.ends, (0, -1)):
            rows.firm(*_with_slope(_inside(end, made.points[:, at])), _FIRM)
        rows.firm(*self._turned(x), _FIRM)
        rest, change = (np.concatenate(parts) for parts in zip(*spared))
        return Trial(
            cost=np.inf if self._folds(made) else 0.5 * float(rest @ rest),
            slope=np.einsum("mi,m->i", change, rest),
            curvature=np.einsum("mi,mj->ij", change, change),
            missed_mm=rows.missed_mm,
            lines=np.concatenate(rows.lines),
            least=np.concatenate(rows.least),
            weights=np.concatenate(rows.weights),
        )

    def _strut(self, made: Curves, nearby_mm: float) -> _Points:
        """The points of the sweep that may leave less than nearby_mm of anything, as the room's nodes tell."""
        offsets, needs = self._offsets[0].reshape(-1, 2), self._offsets[1].ravel()
        place = np.repeat(np.arange(self.rows), len(needs) // self.rows)
        across, towards = offsets[:, :1], offsets[:, 1:]
        points = made.points[0, place] + across * made.rights[0, place] + towards * made.backs[0, place]
        room = self.room
        rough = np.min(room.samples((room.never, room.rules, room.soft), points), axis=0) - needs
        near = np.flatnonzero(rough < max(nearby_mm, _SPARED_MM) + _ROUGH_MM)
        at = place[near]
        carried = [
            (values[1:, at] - values[0, at]) * share
            for values, share in ((made.points, 1.0), (made.rights, across[near]), (made.backs, towards[near]))
        ]
        weights = np.full(len(near), np.sqrt(self.length_mm / len(points)))
        return _Points(points[near], needs[near], sum(carried) / _STEP_MM, weights, 1)

    def _foot(self, made: Curves, which: int) -> _Points:
        end, place = self.ends[which], (0, -1)[which]
        across, towards = self._offsets[0][place, self._probe.inner :: 2].T[..., None]
        middle, right, back = (values[:, None, place] for values in (made.points, made.rights, made.backs))
        edges = middle + across * right + towards * back
        points = end.bridge(edges[0])
        carried = np.stack([end.bridge_moves(move) for move in (edges[1:] - edges[0]) / _STEP_MM])
        weight = 1.0 / np.sqrt(len(points) / _BRIDGE_POINTS)
        return _Points(points, np.zeros(len(points)), carried, np.full(len(points), weight), 2)

    def _shape(self, made: Curves, x: np.ndarray) -> np.ndarray:
        """(n, k) residuals of the curves themselves: off the column, bent, off the plates' centres, turned."""
        count, along = len(x), np.sqrt(self.length_mm / self.rows)
        aside = self.room.frame.to_corridor(made.points.reshape(-1, 3))[:, :2].reshape(count, -1)
        # A bend has a direction: its size alone would have no slope where a curve is straight.
        control = self.moves.control(x)
        bend = bends(control).reshape(count, -1) * np.sqrt(self.length_mm / control.shape[1])
        parts = [_ECCENTRIC * along * aside, _CURVE * bend]
        parts.append(_BEND * along * np.maximum(made.curvature * _LEAST_RADIUS_MM - 1.0, 0.0))
        for end, place in zip(self.ends, (0, -1)):
            parts.append(_END * end.plate.to_local(made.points[:, place])[:, :2])
        return np.concatenate([*parts, _BACK * x[:, -1:]], axis=1)

    def _bent(self, x: np.ndarray) -> np.ndarray:
        """(n, m) mm left until curves bend too sharply at their control points."""
        largest = max(max(size) for size in end_sizes(self.section))
        sharpness = np.linalg.norm(bends(self.moves.control(x)), axis=2) * _SHARPEST * largest
        left: np.ndarray = _BENT_MM * (1.0 - sharpness)
        return left

    def _folds(self, made: Curves) -> bool:
        """Whether the first of curves bends so sharply that its sweep would fold: simply the worst of trials."""
        largest = [max(sizes) for sizes in zip(*end_sizes(self.section))]
        return not float(made.curvature[0].max()) * 0.5 * float(np.hypot(largest[0], largest[1])) < 1.0

    def _turned(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """mm of variable left until the back has turned too far, either way, and how that changes."""
        way = np.zeros((2, len(x)))
        way[:, -1] = -1.0, 1.0
        return TURN_MM * self.turned + way[:, -1] * x[-1], way

    @cached_property
    def _probe(self) -> Probe:
        return section_probe(self.section)

    @cached_property
    def _offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """Section points (rows, k, 2) and their needs (rows, k) along the strut."""
        return self._probe.at(np.linspace(0.0, 1.0, self.rows))


class _Rows:
    """What a step must keep, gathered: rows that may be missed by what no rule allows, or by rules."""

    def __init__(self, size: int, margin_mm: float, nearby_mm: float) -> None:
        self._size, self._margin_mm, self._nearby_mm = size, margin_mm, nearby_mm
        self.missed_mm = np.zeros(KINDS)
        self.lines = [np.zeros((0, size + KINDS))]
        self.least, self.weights = [np.zeros(0)], [np.zeros(0)]

    def firm(self, left: np.ndarray, change: np.ndarray, weight: float) -> None:
        """left: (m,) what must not fall below zero, and change (m, k)."""
        self._row(left, change, 0, np.full(len(left), weight))

    def add(self, one: Kept, judged: _Points) -> tuple[np.ndarray, np.ndarray]:
        """What points leave of something. Returns residuals (r,) of what is spared, and their change."""
        nothing = np.zeros(0), np.zeros((0, self._size))
        least = max(one.need_mm, one.never_mm) + self._margin_mm
        least = max(least, _SPARED_MM) if one.spared else least
        reach = max(least + self._nearby_mm + float(judged.needs.max(initial=0.0)), 0.0)
        away, places = one.nearest(judged.points, reach)
        away = away - judged.needs
        close = np.flatnonzero(away < least + self._nearby_mm)
        if not len(close):
            return nothing
        away = away[close]
        change = np.einsum("pk,xpk->px", one.slopes(places[close]), judged.carried[:, close])
        for kind, wanted in ((0, one.never_mm + one.stairs_mm), (judged.kind, one.need_mm)):
            if np.isfinite(wanted) and (kind == 0 or wanted > one.never_mm):
                self._row(away - wanted - self._margin_mm, change, kind, judged.weights[close])
        if not one.spared:
            return nothing
        short = np.flatnonzero(away < _SPARED_MM)
        weights = _SPARED * judged.weights[close[short]]
        return weights * (_SPARED_MM - away[short]), -weights[:, None] * change[short]

    def _row(self, left: np.ndarray, change: np.ndarray, kind: int, weights: np.ndarray) -> None:
        self.missed_mm[kind] = max(self.missed_mm[kind], -float(left.min(initial=0.0)))
        near = left < self._nearby_mm
        extra = np.zeros((int(near.sum()), KINDS))
        extra[:, kind] = 1.0
        self.lines.append(np.column_stack([change[near], extra]))
        self.least.append(-left[near])
        self.weights.append(weights[near])


def _inside(end: EndRegion, places: np.ndarray) -> np.ndarray:
    """(n, 2) mm left until places (n, 3) RAS are neither over the plate nor near its centre; and until too far back."""
    local = end.plate.to_local(places)
    over = -polygon_distance(end.plate.to_local(end.plate.outline[::_EVERY])[:, :2], local[:, :2])
    return np.column_stack([
        np.maximum(over, end.reach_mm - np.hypot(local[:, 0], local[:, 1])), local[:, 1] - end.behind_mm
    ])  # fmt: skip


def _with_slope(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first (m,) of values (1 + k, m), of a trial and after a step of each variable, and how it changes (m, k)."""
    return values[0], ((values[1:] - values[0]) / _STEP_MM).T
