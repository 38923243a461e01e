"""What a preview stands on: the situation near the span, and a fixed lattice on which bone is measured once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.field.grid import Grid

from ..case.model import Case, Endplate, Mask, Structure
from ..case.motion import Bend
from ..plan.plan import Plan
from .bone import bone_distance, bone_near
from .design import Situation
from .situation import corrected, docking_endplate, pose_matrix, posed, resected

# Sampling of a preview, mm: a flange thinner than a cell's diagonal (1.56 mm) may get holes, and the thinnest that the
# planner makes is 1.6 mm thick. A surface of radius r departs by step² / (8 r): 0.2 mm on rounded edges (0.5 mm), 0.07
# on the strut's corners (1.5 mm). Measured on case 2 against the finished solid: 0.05 mm in the middle, 0.15 at the
# 95th percentile, 0.5 where edges are sharp; the volume falls short by 1.3 %. At 0.7 mm 0.11 mm and 0.7 %, in twice the
# time. On case 1's upper end with such a flange 0.2 mm at the 95th percentile.
STEP_MM = 0.9
# Room around both docking endplates for whatever a person may drag, mm: no strut lies farther from the column's line
# than a cervical or thoracic body is wide; along the spine a flange and its screws.
BESIDE_MM = 45.0
# Bone farther than this from a point is not measured: the largest fit gap (2 mm by the plan's range), and 2 mm more as
# in the final solid.
BONE_REACH_MM = 4.0
# The value of points that are not looked at, mm: more than the widest blend that a plan may ask for (10 mm).
FAR_MM = 11.0


@dataclass(frozen=True, eq=False)
class Lattice:
    """The points step · (i, j, k) of a box; low: (3,) its first (i, j, k); shape: points (nx, ny, nz).

    A point's place does not depend on the box, so that the same point has the same value in every preview.
    """

    low: np.ndarray
    shape: tuple[int, int, int]

    @classmethod
    def around(cls, points: np.ndarray, margin_mm: float) -> Lattice:
        """The box that holds RAS points (n, 3) and a margin around them."""
        low = np.floor((points.min(axis=0) - margin_mm) / STEP_MM).astype(np.int64)
        high = np.ceil((points.max(axis=0) + margin_mm) / STEP_MM).astype(np.int64)
        nx, ny, nz = (int(n) for n in high - low + 1)
        return cls(low, (nx, ny, nz))

    @property
    def size(self) -> int:
        """Number of points."""
        nx, ny, nz = self.shape
        return nx * ny * nz

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(3,) RAS of the first and the last point."""
        return STEP_MM * self.low, STEP_MM * (self.low + np.array(self.shape) - 1)

    def points(self, flat: np.ndarray) -> np.ndarray:
        """(n, 3) RAS mm of points by their number in a flat [k, j, i] array."""
        return STEP_MM * (self.index(flat) + self.low)

    def index(self, flat: np.ndarray) -> np.ndarray:
        """(n, 3) (i, j, k), counted from the box's first point; each of the three lies in one piece of memory."""
        rows, i = np.divmod(flat, self.shape[0])
        k, j = np.divmod(rows, self.shape[1])
        return np.stack([i, j, k]).T

    def within(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """(n,) ascending numbers of the points in the RAS box from low to high, each (3,)."""
        first = np.maximum(np.ceil(np.asarray(low) / STEP_MM).astype(np.int64) - self.low, 0)
        last = np.minimum(np.floor(np.asarray(high) / STEP_MM).astype(np.int64) - self.low, np.array(self.shape) - 1)
        i, j, k = (np.arange(a, b + 1) for a, b in zip(first, last))
        return self.flat(i, j[:, None], k[:, None, None]).ravel()

    def flat(self, i: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
        """The points' numbers in a flat [k, j, i] array."""
        return (k * self.shape[1] + j) * self.shape[0] + i

    def sub(self, low: np.ndarray, high: np.ndarray) -> tuple[Grid, np.ndarray]:
        """The points between two RAS corners as a grid, and (3,) where it begins among the lattice's (i, j, k)."""
        first = np.ceil(low / STEP_MM).astype(np.int64)
        nx, ny, nz = (int(n) for n in np.floor(high / STEP_MM).astype(np.int64) - first + 1)
        return Grid(STEP_MM * first, STEP_MM, (nx, ny, nz)), first - self.low

    def numbers(self, grid: Grid, start: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The lattice's numbers of points (n,) given by their places in a flat array on `sub`'s grid."""
        rows, i = np.divmod(places, grid.shape[0])
        k, j = np.divmod(rows, grid.shape[1])
        return self.flat(i + start[0], j + start[1], k + start[2])

    def block(self, points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, Grid]:
        """A copy of values (size,), as the smallest block [k, j, i] that holds the lattice's points (n, 3), and its
        grid."""
        first, last = (np.rint(end / STEP_MM).astype(np.int64) for end in (points.min(axis=0), points.max(axis=0)))
        nx, ny, nz = (int(n) for n in last - first + 1)
        i, j, k = (slice(int(a), int(a) + n) for a, n in zip(first - self.low, (nx, ny, nz)))
        return values.reshape(self.shape[::-1])[k, j, i].copy(), Grid(STEP_MM * first, STEP_MM, (nx, ny, nz))


@dataclass(frozen=True, eq=False)
class Ground:
    """A situation whose structures are cut to what is near the span, and the lattice there.

    off_bone: (lattice.size,) float32 mm to any bone, up to BONE_REACH_MM; NaN where it was not asked for yet. values:
    (lattice.size,) float32 mm, room for one preview's field; FAR_MM before and after.
    """

    situation: Situation
    lattice: Lattice
    off_bone: np.ndarray
    values: np.ndarray

    def bone(self, flat: np.ndarray) -> np.ndarray:
        """(n,) mm to the nearest bone at points by number; measured at the first time a point is asked for."""
        values = self.off_bone[flat]
        new = np.flatnonzero(np.isnan(values))
        if len(new):
            places = self.lattice.points(flat[new])
            bones = bone_near(self.situation.case, places.min(axis=0), places.max(axis=0))
            values[new] = bone_distance(bones, places, BONE_REACH_MM)
            self.off_bone[flat] = values
        return values


@dataclass(frozen=True, eq=False)
class Survey:
    """A patient before any pose, which takes seconds to look at.

    anatomy: as corrected and resected; near: the same, cut to what is near the span; upper, lower: docking endplates.
    """

    anatomy: Case
    near: Case
    upper: Endplate
    lower: Endplate


def survey_of(case: Case, plan: Plan) -> Generator[tuple[str, float], None, Survey]:
    """Before each step what it does and how far the first preview is, 0 to 1; returns the survey. Raises as `situation`
    does.

    The same steps as `situation`, one after the other: the preview works in Slicer's process, where no threads run.
    """
    anatomy = resected(corrected(case, plan), plan)
    yield f"{plan.upper} endplate", 0.0
    upper = docking_endplate(anatomy, plan, plan.upper, "inferior")
    yield f"{plan.lower} endplate", 0.2
    lower = docking_endplate(anatomy, plan, plan.lower, "superior")
    near = near_box(anatomy, *_lattice(upper, lower).bounds)
    for number, structure in enumerate(near.having("bone")):
        yield f"bone: {structure.level or structure.name}", 0.4 + 0.4 * number / len(near.having("bone"))
        _ = structure.mask.field
    return Survey(anatomy, near, upper, lower)


def ground_on(survey: Survey, plan: Plan) -> Ground:
    """The ground in the plan's posture. Raises as `situation` does.

    What is near is cut before it is moved: what lies about a block goes with it, and all else bends with the span.
    """
    near, upper, lower = survey.near, survey.upper, survey.lower
    pose = pose_matrix(plan, upper)
    if not np.array_equal(pose, np.eye(4)):
        bend = Bend(upper.centre, lower.centre - upper.centre, pose)
        anatomy = posed(survey.anatomy, plan, bend)
        near = posed(near, plan, bend)
        upper = docking_endplate(anatomy, plan, plan.upper, "inferior")
        lower = docking_endplate(anatomy, plan, plan.lower, "superior")
    lattice = _lattice(upper, lower)
    off_bone, values = (np.full(lattice.size, value, np.float32) for value in (np.nan, FAR_MM))
    return Ground(Situation("nominal", 0.0, near, plan, upper, lower), lattice, off_bone, values)


def _lattice(upper: Endplate, lower: Endplate) -> Lattice:
    return Lattice.around(np.vstack([upper.outline, lower.outline]), BESIDE_MM)


def near_box(case: Case, low: np.ndarray, high: np.ndarray) -> Case:
    """The case without bone that is nowhere near the RAS box from low to high, each (3,); what is no vertebra is cut to
    the box, if it reaches into it, so that its distances are quickly made: in the box they are true as far as to its
    border."""
    near = {structure.name for structure in bone_near(case, low, high)}
    kept = [s for s in case.structures if s.role != "bone" or s.name in near]
    return case.with_structures(s if s.level is not None else _cut(s, low, high) for s in kept)


def _cut(structure: Structure, low: np.ndarray, high: np.ndarray) -> Structure:
    """What of a structure lies in the RAS box; the whole where nothing does."""
    mask = structure.mask
    inverse = np.linalg.inv(structure.pose @ mask.ijk_to_ras)
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    index = corners @ inverse[:3, :3].T + inverse[:3, 3]
    first = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, mask.voxels.shape[::-1])
    i, j, k = (slice(int(a), max(int(a), int(b))) for a, b in zip(first, last))
    voxels = mask.voxels[k, j, i]
    if not voxels.any():
        return structure
    place = np.array(mask.ijk_to_ras, dtype=float)
    place[:3, 3] += place[:3, :3] @ first
    return replace(structure, mask=Mask(voxels, place))
