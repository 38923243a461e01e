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


@dataclass(frozen=True, eq=False)
class Trace:
    """One structure along the strut; all arrays are (n,) mm, one number a station.

    distance_mm: from the section to the structure, negative inside; beyond about 25 mm a lower bound. asked_mm: how far
    away the rule wants it there, error budget included; for one that may be pushed aside this is negative where it is
    met, by what the push may be, less what a push past the section asks for beyond the depth.
    """

    structure: str
    kind: Literal["clearance", "displacement"]
    distance_mm: np.ndarray
    asked_mm: np.ndarray

    @property
    def slack_mm(self) -> np.ndarray:
        """(n,) what is left beyond the rule, negative where it fails."""
        return self.distance_mm - self.asked_mm


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
    largest = 0.5 * np.maximum(curve.widths, curve.depths)
    traces = []
    for structure in structures:
        rule = rule_of(plan, structure)
        if rule is not None:
            distance = structure.distance(edge.reshape(-1, 3)).reshape(len(edge), -1).min(axis=1)
            # Only what is as near as this may reach into the section, or lie in it unseen from its edge.
            met = np.flatnonzero(distance < largest)
            within = structure.distance(inner[met].reshape(-1, 3)).reshape(len(met), inner.shape[1])
            distance[met] = np.minimum(distance[met], within.min(axis=1))
            traces.append(Trace(structure.name, rule.kind, distance, _asked(plan, rule, structure, curve, distance)))
    return Profile(curve.arc, tuple(traces))


def rule_of(plan: Plan, structure: Structure) -> KeepoutRule | None:
    """The plan's rule for a structure, metal by what it is; None where it has none."""
    return rule_for(plan, "metal" if structure.role == "metal" else structure.name)


def _asked(plan: Plan, rule: KeepoutRule, structure: Structure, curve: AxisCurve, distance: np.ndarray) -> np.ndarray:
    """(n,) mm, as `Trace.asked_mm`."""
    budget = plan.budget.segmentation_to_print_mm
    if rule.kind == "clearance":
        return np.full(len(distance), budget + rule.limit_mm)
    depth = np.maximum(0.0, -distance)
    return budget - rule.limit_mm + np.maximum(_pushed(structure, curve, distance < 0.0) - depth, 0.0)


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
