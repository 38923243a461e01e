"""Room along the strut: at each station of its axis the distance to every structure with a rule, and what limits there.

Measured on the swept section, without feet, flanges and screws; judged as `clearance` judges the finished implant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..case.model import Structure
from ..plan.curve import AxisCurve
from ..plan.plan import KeepoutRule, Plan
from ..plan.rules import rule_for
from ..plan.section import section_polygon
from .displacement import sideways_shifts

# Points on the section's edge, and on a ring half as wide within it: 1.2 mm apart on a section of 10 × 5 mm. A
# structure of radius r is missed by at most spacing² / (6 r).
_EDGE, _RING = 24, 8
# On the edge where columns of a millimetre are told apart: at least one point in each on the widest section (40 mm).
_FINE_EDGE = 160
# Of a structure that is pushed aside, what is farther than this from the axis is not looked at (as in `displacement`).
_NEAR_MM = 25.0
TOLD_MM = 10.0
"""Room beyond a rule that is told at most: where there is more, this is told."""
# A sampled distance may change a little faster than the way walked (as in `nearest`), mm.
_FASTER_MM = 0.5
_ROUNDING_MM = 1e-6


@dataclass(frozen=True, eq=False)
class Trace:
    """One structure along the strut; all arrays are (n,) mm, one number a station.

    distance_mm: from the section to the structure, negative inside, at most TOLD_MM beyond the rule or, where that
    lets the section in, beyond the surface. asked_mm: how far away the rule wants it there, error budget included; for
    one that may be pushed aside this is negative where it is met, by what the push may be, less what a push past the
    section asks for beyond the depth.
    """

    structure: str
    kind: Literal["clearance", "displacement"]
    distance_mm: np.ndarray
    asked_mm: np.ndarray

    @property
    def slack_mm(self) -> np.ndarray:
        """(n,) what is left beyond the rule, negative where it fails."""
        return self.distance_mm - self.asked_mm

    @property
    def near(self) -> bool:
        """Whether the structure leaves less than TOLD_MM anywhere."""
        return bool(self.slack_mm.min() < TOLD_MM - _ROUNDING_MM)


@dataclass(frozen=True)
class Limit:
    """Where and by what the strut is limited: least slack, negative where a rule fails, on a stretch of the axis.

    from_mm, to_mm: the stretch, at_mm: its tightest station, all of arc from the upper end.
    """

    structure: str
    slack_mm: float
    from_mm: float
    to_mm: float
    at_mm: float

    @property
    def near(self) -> bool:
        """Whether it leaves less than TOLD_MM."""
        return self.slack_mm < TOLD_MM - _ROUNDING_MM


@dataclass(frozen=True, eq=False)
class Profile:
    """All structures along one strut. arc_mm: (n,) of the stations, from the upper end; traces: in the case's order."""

    arc_mm: np.ndarray
    traces: tuple[Trace, ...]

    @cached_property
    def least_mm(self) -> np.ndarray:
        """(n,) the least slack at each station, inf without any rule."""
        return np.min([np.full(len(self.arc_mm), np.inf), *(trace.slack_mm for trace in self.traces)], axis=0)

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """What limits where, from above to below: a stretch for each run of stations with one tightest structure."""
        if not self.traces:
            return ()
        tightest = np.argmin([trace.slack_mm for trace in self.traces], axis=0)
        first = [int(n) for n in np.flatnonzero(np.diff(tightest, prepend=-1))]
        return tuple(self._limit(a, b, self.traces[tightest[a]]) for a, b in zip(first, [*first[1:], len(tightest)]))

    @property
    def tightest(self) -> Limit | None:
        """The stretch with the least slack of all; None without any rule."""
        return min(self.limits, key=lambda limit: limit.slack_mm, default=None)

    def _limit(self, first: int, end: int, trace: Trace) -> Limit:
        slack = trace.slack_mm[first:end]
        at = first + int(slack.argmin())
        return Limit(
            trace.structure, float(slack.min()), float(self.arc_mm[first]), float(self.arc_mm[end - 1]),
            float(self.arc_mm[at]),
        )  # fmt: skip


def room_along(plan: Plan, curve: AxisCurve, structures: Iterable[Structure]) -> Profile:
    """The profile of a strut at its curve's samples. structures: keep-outs and metal of the case as posed and resected;
    those without a rule in the plan are left out."""
    edge, inner = _placed(curve, _outlines(curve, _EDGE)), _inner_points(curve)
    traces = []
    for structure in structures:
        rule = rule_of(plan, structure)
        if rule is not None:
            asked = _at_rest(plan, rule)
            distance = _distance(structure, curve, edge, inner, max(asked, 0.0) + TOLD_MM)
            pushed = np.zeros(len(distance))
            if rule.kind == "displacement":
                pushed = np.maximum(_pushed(structure, curve, distance < 0.0) - np.maximum(0.0, -distance), 0.0)
            traces.append(Trace(structure.name, rule.kind, distance, asked + pushed))
    return Profile(curve.arc, tuple(traces))


def _distance(
    structure: Structure, curve: AxisCurve, edge: np.ndarray, inner: np.ndarray, told_mm: float
) -> np.ndarray:
    """(n,) mm from the section at each sample to a structure, told_mm at most.

    edge, inner: (n, m, 3) RAS mm, points on the section's edge and within it.
    """
    middle = structure.distance(curve.points)
    distance = middle - 0.5 * np.hypot(curve.widths, curve.depths) - _FASTER_MM
    near = np.flatnonzero(distance < told_mm)
    distance[near] = structure.distance(edge[near].reshape(-1, 3)).reshape(len(near), edge.shape[1]).min(axis=1)
    # Only what is as near as this may reach into the section, or lie in it unseen from its edge.
    met = near[distance[near] < 0.5 * np.maximum(curve.widths, curve.depths)[near]]
    within = structure.distance(inner[met].reshape(-1, 3)).reshape(len(met), inner.shape[1])
    distance[met] = np.minimum(distance[met], within.min(axis=1))
    return np.minimum(distance, told_mm)


def rule_of(plan: Plan, structure: Structure) -> KeepoutRule | None:
    """The plan's rule for a structure, metal by what it is; None where it has none."""
    return rule_for(plan, "metal" if structure.role == "metal" else structure.name)


def _at_rest(plan: Plan, rule: KeepoutRule) -> float:
    """How far away in mm a rule wants a structure; less than nothing for one that may be pushed aside."""
    limit = rule.limit_mm if rule.kind == "clearance" else -rule.limit_mm
    return plan.budget.segmentation_to_print_mm + limit


def _pushed(structure: Structure, curve: AxisCurve, met: np.ndarray) -> np.ndarray:
    """(n,) mm by which a structure has to move aside, across the axis, to free each station's section; 0 elsewhere.

    met: (n,) bool, where the section lies in it. As `displacement_needed` for a slice of the body.
    """
    pushed = np.zeros(len(met))
    if not met.any():
        return pushed
    station, over, beside = _by_station(structure, curve, met)
    numbers = np.cumsum(met) - 1
    rows = np.flatnonzero(met)
    edge = _outlines(curve, _FINE_EDGE)[rows]
    half = 0.5 * float(np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0).min())
    shifts = sideways_shifts(
        np.concatenate([over, edge[:, :, 0].ravel()]),
        np.concatenate([beside, edge[:, :, 1].ravel()]),
        np.concatenate([numbers[station], np.repeat(np.arange(len(rows)), _FINE_EDGE)]),
        len(over),
    )
    pushed[rows] = shifts.min(axis=1) + half
    return pushed


def _by_station(structure: Structure, curve: AxisCurve, met: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A structure's points about the stations where it is met: station (m,), and mm across and towards the column (m,).

    A voxel counts for every station that its block reaches to along the axis.
    """
    near = curve.points[met]
    points = structure.points
    within = ((points > near.min(axis=0) - _NEAR_MM) & (points < near.max(axis=0) + _NEAR_MM)).all(axis=1)
    arc, over, beside = curve.local(points[within])
    step = float(curve.arc[1])
    thickness = float(np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0).max())
    reach = int(0.5 * thickness / step)
    stations = np.rint(arc / step).astype(np.int64) + np.arange(-reach, reach + 1)[:, None]
    clipped = np.clip(stations, 0, len(met) - 1)
    number, point = np.nonzero((stations == clipped) & met[clipped])
    return stations[number, point], over[point], beside[point]


def _inner_points(curve: AxisCurve) -> np.ndarray:
    """(n, points, 3) RAS mm in the section at every sample of a curve: a ring half as wide, and its middle."""
    ring = 0.5 * _outlines(curve, _RING)
    return _placed(curve, np.concatenate([ring, np.zeros((len(ring), 1, 2))], axis=1))


def _placed(curve: AxisCurve, flat: np.ndarray) -> np.ndarray:
    """(n, m, 3) RAS mm of points (n, m, 2) across and towards the column at every sample of a curve."""
    across, back = curve.rights[:, None], curve.backs[:, None]
    return np.asarray(curve.points[:, None] + flat[:, :, :1] * across + flat[:, :, 1:] * back)


def _outlines(curve: AxisCurve, count: int) -> np.ndarray:
    """(n, count, 2) mm, across and towards the column: points on the section's edge at every sample, with its taper."""
    first, last = (section_polygon(curve.section, curve.widths[n], curve.depths[n], count) for n in (0, -1))
    share = np.linspace(0.0, 1.0, len(curve.points))[:, None, None]
    return np.asarray((1.0 - share) * first + share * last)
