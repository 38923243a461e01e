"""Clearances while an implant is dragged: measured on the preview, judged by the plan's rules as `clearance` does.

A preview departs from the finished implant by a tenth of a millimetre: where a verdict hangs on that, the finished
design decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance, Nearest, Samples
from scipy import ndimage

from ..build.design import Situation
from ..build.preview import Shown
from ..build.preview_ground import BESIDE_MM
from ..case.model import Mask, Structure
from ..case.motion import Motion
from ..plan.curve import AxisCurve
from ..plan.plan import ErrorBudget, KeepoutRule, Plan
from .along import Profile, room_along, rule_of
from .displacement import displacement_needed
from .finding import Verdict
from .ruling import displacement_verdict, distance_verdict, needed_displacement_mm

# Cells in which distances are known beforehand, mm: their reach (2.6 mm) is near to the size of what has to be told
# apart, and a column of cells takes no longer to look up than its points to measure.
_CELL_MM = 3.0
_REACH_MM = 0.5 * _CELL_MM * np.sqrt(3.0)
# A sampled distance may change a little faster than the way walked (as in `nearest`), mm.
_SLACK_MM = 0.5
SLACK_SHOWN_MM = 2.0
"""What is left beyond a rule from which on there is room enough: colours tell no more apart."""


@dataclass(frozen=True)
class Clearance:
    """What one keep-out structure leaves of room, or has to give way.

    id: that of the finding that the finished design will have; kind: of its rule, None where the plan has none;
    measured_mm: distance, negative inside, or displacement at rest with the error budget, None without a rule;
    limit_mm, warn_mm: the rule's; place: RAS mm of the nearest point; critical: blocks manufacture without a verdict.
    """

    id: str
    structure: str
    kind: Literal["clearance", "displacement"] | None
    measured_mm: float | None
    limit_mm: float | None
    warn_mm: float | None
    verdict: Verdict
    place: tuple[float, float, float]
    critical: bool


class _Rim(Structure):
    """A structure of which only the voxels at its border are told: how far it reaches is seen on them."""

    @cached_property
    def points(self) -> np.ndarray:  # type: ignore[override]
        """(n, 3) RAS mm."""
        rim = self.mask.voxels & ~ndimage.binary_erosion(self.mask.voxels)
        whole = {field.name: getattr(self, field.name) for field in fields(self)}
        return Structure(**{**whole, "mask": Mask(rim, self.mask.ijk_to_ras)}).points


@dataclass(frozen=True, eq=False)
class _Touching(Samples):
    """A body's points, of which it is known which lie in the structure asked for. inside: (m,) their numbers."""

    inside: np.ndarray

    def below(self, distance: Distance, limit: float) -> tuple[np.ndarray, np.ndarray]:
        return self.inside, np.zeros(len(self.inside))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cubes of _CELL_MM over a box. low: (3,) RAS mm; shape: cubes along right, front and up."""

    low: np.ndarray
    shape: tuple[int, int, int]

    def centres(self) -> np.ndarray:
        """(n, 3) RAS mm."""
        x, y, z = (a + _CELL_MM * (np.arange(n) + 0.5) for a, n in zip(self.low, self.shape))
        grid = np.meshgrid(x, y, z, indexing="ij")
        return np.stack([along.ravel() for along in grid]).T

    def of(self, points: np.ndarray) -> np.ndarray:
        """(n,) numbers of the cells that hold points (n, 3); what lies outside the box counts to its border."""
        i, j, k = (
            np.clip((along - a) / _CELL_MM, 0, n - 1).astype(np.int64)
            for along, a, n in zip(points.T, self.low, self.shape)
        )
        return (i * self.shape[1] + j) * self.shape[2] + k


class Clearances:
    """Measures previews in one situation. Distances in cells about the span are made once: seconds; `prepare` does it
    in steps, the first measurement otherwise."""

    def __init__(self, situation: Situation) -> None:
        outlines = np.vstack([situation.upper.outline, situation.lower.outline])
        low, high = outlines.min(axis=0) - BESIDE_MM, outlines.max(axis=0) + BESIDE_MM
        nx, ny, nz = (int(n) for n in np.ceil((high - low) / _CELL_MM))
        run = situation.lower.centre - situation.upper.centre
        self._run = run / np.linalg.norm(run)
        self._cells = _Cells(low, (nx, ny, nz))
        keepouts = situation.case.having("keepout_critical", "keepout_soft", "metal")
        self._structures = tuple(_Rim(**{f.name: getattr(s, f.name) for f in fields(s)}) for s in keepouts)
        self._along: tuple[tuple[AxisCurve, tuple[KeepoutRule, ...], ErrorBudget], Profile] | None = None
        self._tables: dict[str, np.ndarray] = {}
        self._places: dict[tuple[Motion, ...], np.ndarray] = {}

    def prepare(self) -> Iterator[tuple[str, float]]:
        """Makes the distances; before each structure what is done and how far it is, 0 to 1."""
        for number, structure in enumerate(self._structures):
            if structure.name not in self._tables:
                yield f"clearances: {structure.name.replace('_', ' ')}", number / len(self._structures)
                _ = self._table(structure)

    def of(self, plan: Plan, shown: Shown) -> tuple[Clearance, ...]:
        """Every keep-out structure and metal of the case, in its order."""
        body = _Body(shown, self._cells)
        return tuple(self._measured(plan, structure, body) for structure in self._structures)

    def along(self, plan: Plan, curve: AxisCurve) -> Profile:
        """What the strut's section leaves of room along its axis."""
        key = curve, plan.rules, plan.budget
        if self._along is None or self._along[0] != key:
            self._along = key, room_along(plan, curve, self._structures)
        return self._along[1]

    def slack_at(self, profile: Profile, curve: AxisCurve, points: np.ndarray) -> np.ndarray:
        """(n,) mm: how much farther than it must each point (n, 3) of an implant lies from the structure that asks for
        most, and SLACK_SHOWN_MM where that is more; negative where a rule fails.

        profile: of the implant's strut; past its ends its rules ask for what they do there.
        """
        named = {structure.name: structure for structure in self._structures}
        cells = self._cells.of(points)
        slack = np.full(len(points), SLACK_SHOWN_MM)
        for trace in profile.traces:
            # No point of a cell lies nearer than its centre less this.
            least = self._table(named[trace.structure])[cells] - _REACH_MM - _SLACK_MM
            near = np.flatnonzero(least - trace.asked_mm.max() < SLACK_SHOWN_MM)
            if len(near):
                even = np.ptp(trace.asked_mm) == 0.0
                arc = 0.0 if even else curve.local(points[near])[0]
                asked = np.interp(arc, profile.arc_mm, trace.asked_mm)
                slack[near] = np.minimum(slack[near], named[trace.structure].distance(points[near]) - asked)
        return slack

    def _table(self, structure: Structure) -> np.ndarray:
        """(cells,) float32 mm, the distance to a structure at the cells' centres."""
        if structure.name not in self._tables:
            # All that follows a posture follows it alike, and to bring places back takes longer than to look them up.
            if structure.motions not in self._places:
                self._places[structure.motions] = structure.brought_back(self._cells.centres())
            before = replace(structure, motions=())
            self._tables[structure.name] = before.distance(self._places[structure.motions]).astype(np.float32)
        return self._tables[structure.name]

    def _measured(self, plan: Plan, structure: Structure, body: _Body) -> Clearance:
        nearest, touching = body.nearest(structure, self._table(structure))
        rule, budget = rule_of(plan, structure), plan.budget.segmentation_to_print_mm
        value: float | None = None
        verdict: Verdict = "not_evaluated"
        if rule is not None and rule.kind == "clearance":
            value = nearest.distance_mm
            verdict = distance_verdict(rule, value - budget)
        elif rule is not None:
            pushed = displacement_needed(structure, touching, nearest, self._run)
            value = needed_displacement_mm(pushed, nearest.distance_mm, budget)
            verdict = displacement_verdict(rule, value)
        return Clearance(
            id=f"clearance.{structure.name.replace(' ', '_')}",
            structure=structure.name,
            kind=None if rule is None else rule.kind,
            measured_mm=value,
            limit_mm=None if rule is None else rule.limit_mm,
            warn_mm=None if rule is None else rule.warn_mm,
            verdict=verdict,
            place=nearest.point,
            critical=structure.role == "keepout_critical",
        )


class _Body:
    """A previewed implant's points, by the cells that hold them."""

    def __init__(self, shown: Shown, cells: _Cells) -> None:
        self._surface, self._inside = shown.solid.vertices, shown.inside
        self._of_surface, self._of_inside = cells.of(self._surface), cells.of(self._inside)
        self._chosen = np.zeros(int(np.prod(cells.shape)), dtype=bool)
        self._chosen[self._of_surface] = True
        self._held = np.flatnonzero(self._chosen)

    def nearest(self, structure: Structure, table: np.ndarray) -> tuple[Nearest, _Touching]:
        """The least distance to a structure, negative inside it, and where; and the surface with what lies in the
        structure. table: (cells,) mm at the cells' centres."""
        middle = table[self._held]
        first = np.flatnonzero(self._of_surface == self._held[np.argmin(middle)])
        # What the points of the most promising cell leave to be found bounds all others.
        most = float(structure.distance(self._surface[first]).min())
        self._chosen[self._held] = middle <= most + _REACH_MM + _SLACK_MM
        points = self._surface[self._chosen[self._of_surface]]
        distance = structure.distance(points)
        if distance.min() < 0.0:
            # What the implant swallows lies deepest inside it.
            inside = self._inside[table[self._of_inside] < _REACH_MM + _SLACK_MM]
            points = np.concatenate([points, inside])
            distance = np.concatenate([distance, structure.distance(inside)])
        best = int(np.argmin(distance))
        x, y, z = (float(v) for v in points[best])
        within = points[distance < 0.0]
        first_within = len(self._surface)
        body = _Touching(np.concatenate([self._surface, within]), first_within + np.arange(len(within)))
        return Nearest(float(distance[best]), (x, y, z)), body
