"""What a drill guide is fitted to: its own frame along its way in, and there the bone swept along that way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.combine import sample
from LatticeGeneratorLib.field.grid import Grid
from scipy.ndimage import minimum_filter1d
from scipy.spatial.transform import Rotation

from ..case.model import Endplate, Structure
from ..errors import GeometryError
from ..plan.plan import Plan
from ..plan.rules import retraction_for, rule_for
from .bone import bone_distance
from .design import Situation
from .sleeves import Sleeve, wall_points

# Sampling of a guide and of what it is fitted to, mm: a guide's surface departs from a sphere of the tightest radius on
# bone, about 4 mm, by step² / (8 r) = 0.01 mm.
STEP_MM = 0.5
_COARSE_MM = 1.0
# A guide is brought in along a straight way from here, mm: past all it is itself.
WAY_MM = 30.0
# Around entries, mm: how far zones and base may lie, past the endplate, and behind the entries.
AROUND_MM, PAST_PLATE_MM, BEHIND_MM = 20.0, 9.0, 14.0
# Distances beyond are alike, mm: more than a guide's base reaches from bone.
_REACH_MM = 16.0
# Ways in that are tried: turned in the endplate's plane and tilted into the span, degrees; and how far a sleeve stays
# off bone on them, mm. Engineering judgement.
_TURNS = (0.0, 10.0, -10.0, 20.0, -20.0)
_TILTS = (0.0, 10.0, 20.0)
_SPARE_MM = 0.7


@dataclass(frozen=True, eq=False)
class Ground:
    """Bone and keep-outs in a guide's own frame. matrix: 4x4, its (across, out of the plate, out of the wound) to RAS.

    Fields [k, j, i] mm on the grid, in that frame: bare, what carries the guide; carrier, the same swept along the way
    in; others: all else of bone, swept; free: how far it is from where a guide must not be (negative: there).
    """

    matrix: np.ndarray
    grid: Grid
    bare: np.ndarray
    carrier: np.ndarray
    others: np.ndarray
    free: np.ndarray

    @property
    def insertion(self) -> np.ndarray:
        """(3,) unit RAS, the way in."""
        inward: np.ndarray = -self.matrix[:3, 2]
        return inward

    def local(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """RAS points (n, 3) in the guide's frame."""
        found: np.ndarray = (np.asarray(points, dtype=float).reshape(-1, 3) - self.matrix[:3, 3]) @ self.matrix[:3, :3]
        return found

    def ras(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) of the guide's frame in RAS."""
        found: np.ndarray = points @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return found

    def turned(self, directions: np.ndarray) -> np.ndarray:
        """RAS directions (n, 3) in the guide's frame."""
        found: np.ndarray = np.asarray(directions, dtype=float).reshape(-1, 3) @ self.matrix[:3, :3]
        return found

    def at(self, values: np.ndarray, local: np.ndarray) -> np.ndarray:
        """(n,) of a field at points (n, 3) of the guide's frame."""
        return sample(values, self.grid, local)


def bone_ground(situation: Situation, plate: Endplate, sleeves: Sequence[Sleeve], matrix: np.ndarray) -> Ground:
    """The ground of a guide that sits on a docking vertebra's bone. matrix: one of `guide_frames`."""
    grid = guide_grid(matrix, plate, sleeves)
    docking = situation.case.structure(plate.level)
    bare, carrier = swept_bone([docking], matrix, grid)
    return ground_on(situation, matrix, grid, bare, carrier, [docking])


def ground_on(
    situation: Situation,
    matrix: np.ndarray,
    grid: Grid,
    bare: np.ndarray,
    carrier: np.ndarray,
    carrying: Sequence[Structure],
    way_mm: float = WAY_MM,
) -> Ground:
    """The ground of a guide on a carrier, as given and swept; carrying: the bones that it is, none for an implant."""
    rest = [bone for bone in situation.case.having("bone") if bone not in carrying]
    # What carries nothing is kept off by more than coarse points leave unseen.
    coarse = Grid.around(grid.lower, grid.upper, _COARSE_MM, pad=1)
    others, free = swept_bone(rest, matrix, coarse, way_mm)[1], free_field(situation, matrix, coarse)
    return Ground(matrix, grid, bare, carrier, _finer(others, coarse, grid), _finer(free, coarse, grid))


def _finer(values: np.ndarray, coarse: Grid, grid: Grid) -> np.ndarray:
    """[k, j, i] trilinear on a finer grid."""
    return sample(values, coarse, grid.points()).reshape(grid.array_shape)


def guide_frames(situation: Situation, plate: Endplate, sleeves: Sequence[Sleeve]) -> tuple[np.ndarray, ...]:
    """4x4 each: frames of a guide to RAS, the best first. Its way in is the screws' mean direction in the plane of the
    endplate, along which it slides, or the first turned from there on which no bone meets a sleeve; then the same
    tilted into the span, on which it comes past the lip of a hollow endplate.

    Raises GeometryError where the screws have no such direction, or bone lies in every way.
    """
    mean = np.mean([sleeve.direction for sleeve in sleeves], axis=0)
    inward = mean - (mean @ plate.normal) * plate.normal
    length = float(np.linalg.norm(inward))
    if length < 0.2:  # steeper than about 80° to the plate
        raise GeometryError(
            f"the screws of {plate.level} run straight up or down, {length:.2f} of their direction along its endplate: "
            'a guide cannot be slid on along it; turn them, or set guides.drill to "implant"'
        )
    walls = np.vstack([wall_points(sleeve) for sleeve in sleeves])
    frames = []
    for tilt in _TILTS:
        for turn in _TURNS:
            frame = _frame(plate, -inward / length, turn, tilt)
            frame[:3, 3] = np.mean([sleeve.entry for sleeve in sleeves], axis=0)
            if least_on_way(situation, walls, frame[:3, 2]) > _SPARE_MM:
                frames.append(frame)
                break
    if frames:
        return tuple(frames)
    raise GeometryError(
        f"bone lies in the way of the sleeves of the guide on {plate.level}, on every way in within 20° of the screws: "
        'shorten guides.sleeve_length_mm, turn a screw, or set guides.drill to "none"'
    )


def _frame(plate: Endplate, outward: np.ndarray, turn_deg: float, tilt_deg: float) -> np.ndarray:
    """4x4 rotation: out of the wound turned in the plate's plane, and tilted away from the docking vertebra."""
    turn = Rotation.from_rotvec(np.deg2rad(turn_deg) * plate.normal).apply(outward)
    across = np.cross(plate.normal, turn)
    frame = np.eye(4)
    frame[:3, 2] = Rotation.from_rotvec(-np.deg2rad(tilt_deg) * across).apply(turn)
    frame[:3, 0] = np.cross(plate.normal, frame[:3, 2]) / np.linalg.norm(np.cross(plate.normal, frame[:3, 2]))
    frame[:3, 1] = np.cross(frame[:3, 2], frame[:3, 0])
    if frame[:3, 2] @ plate.normal < -1e-9:
        frame = _frame(plate, outward, turn_deg, -tilt_deg)
    return frame


def least_on_way(situation: Situation, points: np.ndarray, outward: np.ndarray) -> float:
    """mm: the least distance to bone of points (n, 3) RAS as they come in."""
    shifts = np.arange(0.0, WAY_MM + 1.0)
    places = (points[None] + shifts[:, None, None] * outward).reshape(-1, 3)
    return float(bone_distance(situation.case.having("bone"), places, 2.0).min())


def guide_grid(matrix: np.ndarray, plate: Endplate, sleeves: Sequence[Sleeve]) -> Grid:
    """Over the entries and what lies around them, and the sleeves."""

    def local(points: Iterable[Sequence[float]]) -> np.ndarray:
        moved: np.ndarray = (np.asarray(list(points)) - matrix[:3, 3]) @ matrix[:3, :3]
        return moved

    entries, rim = local(s.entry for s in sleeves), local(plate.outline)
    tops = local(s.top for s in sleeves)
    wall = 0.5 * max(s.outer_mm for s in sleeves) + 2.0
    low = np.minimum(entries.min(axis=0) - [AROUND_MM, AROUND_MM, BEHIND_MM], tops.min(axis=0) - wall)
    high = np.maximum(entries.max(axis=0) + np.array([AROUND_MM, 0.0, 6.0]), tops.max(axis=0) + wall)
    high[1] = max(high[1], rim[:, 1].max() + PAST_PLATE_MM)
    high[2] = max(high[2], rim[:, 2].max() + 6.0)
    return Grid.around(low, high, STEP_MM)


def swept_bone(
    bones: Iterable[Structure], matrix: np.ndarray, grid: Grid, way_mm: float = WAY_MM
) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance [k, j, i] to these bones, cut off at a reach, and the least met on the way out along the third
    axis: a body kept out of that has no undercut on its way in."""
    farther = round(way_mm / grid.spacing)
    long = grid.part((0, 0, 0), (*grid.shape[:2], grid.shape[2] + farther))
    points = long.points() @ matrix[:3, :3].T + matrix[:3, 3]
    values = bone_distance(bones, points, _REACH_MM).reshape(long.array_shape)
    return values[: grid.shape[2]], swept(values, farther)[: grid.shape[2]]


def swept(values: np.ndarray, farther: int) -> np.ndarray:
    """Of each [k, j, i] the least of itself and so many that follow it along k."""
    size = farther + 1
    least: np.ndarray = minimum_filter1d(values, size, axis=0, mode="nearest", origin=-(size // 2))
    return least


def free_field(situation: Situation, matrix: np.ndarray, grid: Grid) -> np.ndarray:
    """[k, j, i] mm: how far each place is from where a guide must not be, negative there."""
    values = np.full(int(np.prod(grid.shape)), _REACH_MM)
    points = grid.points() @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    for structure, least in kept_off(situation):
        first, last = structure.box
        if (first - least < high + 1.0).all() and (last + least > low - 1.0).all():
            values = np.minimum(values, structure.distance(points) - least)
    return values.reshape(grid.array_shape)


def kept_off(situation: Situation) -> Iterator[tuple[Structure, float]]:
    """What a guide keeps off, and the least distance in mm, negative where it may be pushed or held aside.

    A guide comes through the same wound as the implant: what is held aside for that is held aside for it.
    """
    for structure in situation.case.having("keepout_critical", "keepout_soft", "metal"):
        least = least_distance_mm(situation.plan, structure)
        # No place lies deeper in a structure than half its least extent.
        if least is not None and least > -0.5 * float(np.ptp(structure.box, axis=0).min()):
            yield structure, least


def least_distance_mm(plan: Plan, structure: Structure) -> float | None:
    """How near a guide may come to a structure, negative: how deep into its place; None: it leaves its place.

    By its retraction, else by its rule with the error budget, else it is not touched.
    """
    budget = plan.budget.segmentation_to_print_mm
    retraction = retraction_for(plan, structure.name)
    if retraction is not None:
        return None if retraction.kind == "collapsed" else -retraction.limit_mm
    rule = rule_for(plan, "metal" if structure.role == "metal" else structure.name)
    if rule is None:
        return budget
    return rule.limit_mm + budget if rule.kind == "clearance" else budget - rule.limit_mm
