"""What is taken off an implant so that bone lets it pass on its way in: undercuts along the way that the plan gives.

A foot keeps free of undercuts along its own approach (`bone.swept`). Where both ends together, or the strut between
them, leave no such way, the plan's way turns, and what bone would scrape off on it is taken off beforehand (clinical
facts: "undercuts along the insertion direction are removed from the foot; the contact lost is reported"), and half a
step between two poses more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.boolean import Solid, simplified
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.samples import Samples, first_in_cells, surface_points
from scipy import ndimage
from scipy.spatial import cKDTree

from ..case.model import Structure
from ..case.transform import moved_points
from ..plan.way import motion
from .bone import bone_distance
from .design import Implant, Relief, Situation
from .implant import one_body
from .solid import SIMPLIFY_MM, STEP_MM

_POSE_MM = 0.25  # no point of the implant moves farther between two poses
_SPARE_MM = 0.125  # half of that: so much deeper bone may be met between two of them, and so much more is taken off
_POINT_MM = 0.5  # between the points by which it is seen where bone is met
_SEEN_MM = 0.3  # by so much bone may be met deeper between two of them: half a cell's diagonal along a slope of 45°
_PAST_MM = 0.6  # farther than what is cut reaches into the implant, and off it, the cutter's field is made
_APART_MM = 4.0  # cells; places that lie in cells with none between them are cut together
_FAR_MM = 8.0  # distances to bone beyond are alike: farther than cells of points reach (4 mm across)
_TOLD_MM = 0.1  # deeper than the plan allows by no more than this is within what verification tells (`verify.bone`)


@dataclass(frozen=True, eq=False)
class Undercuts:
    """Where a body would come deeper into bone than the plan's give on its way. situation: in which; points: (n, 3) of
    its surface at its place; depth_mm: (n,) what is to be taken off there; cutters: what bone, less that give, passes
    in the body's own frame."""

    situation: Situation
    points: np.ndarray
    depth_mm: np.ndarray
    cutters: tuple[Mesh, ...]


def undercuts(mesh: Mesh, situation: Situation) -> Undercuts | None:
    """Those of a body at its place; None where the plan gives it no way, where there are none, or deeper ones than
    insertion.relief_mm allows: then nothing is to be taken off, and verification tells what bone is in the way."""
    insertion, middle = situation.plan.insertion, situation.middle
    way = insertion.way(situation.amount_mm)
    if way is None:
        return None
    reach = float(np.linalg.norm(mesh.vertices - middle, axis=1).max())
    points = surface_points(mesh, _POINT_MM)
    points = points[first_in_cells(points, _POINT_MM)]
    poses = motion(way.points, middle, reach, _POSE_MM)
    left = insertion.give_mm - _SPARE_MM
    least, met = _least(points, poses, situation, _SEEN_MM - left)
    deepest = -float(least.min(initial=0.0))
    if not insertion.give_mm < deepest <= insertion.give_mm + insertion.relief_mm + _TOLD_MM:
        return None
    # What is cut follows all that is nearly as deep, so that nothing between two points is left standing.
    near = least < _SEEN_MM - left
    about = deepest - left + _PAST_MM
    cutters = tuple(_cutters(points[near], poses[met], situation, left, about))
    return Undercuts(situation, points[near], -left - least[near], cutters)


def relieved(implant: Implant, cuts: Undercuts | None) -> Implant:
    """The implant without its undercuts, the same one without any. Raises GeometryError where an end would go."""
    if cuts is None:
        return implant
    part = relieved_part(implant.part, cuts)
    return replace(implant, part=part, relief=_relief(cuts, implant.part.mesh.volume - part.mesh.volume))


def relieved_part(part: Part, cuts: Undercuts | None) -> Part:
    """The same of a part in an implant's shape."""
    if cuts is None:
        return part
    mesh = one_body(Solid.of(part.mesh).less(cuts.cutters))
    _check_ends(part.mesh, mesh, cuts.situation)
    return replace(part, mesh=mesh)


def _least(
    points: np.ndarray, poses: np.ndarray, situation: Situation, limit_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the least distance to bone of each point on the way, or limit_mm where it stays beyond; (m,) bool, at which
    poses any does not."""
    bones = situation.case.having("bone")
    samples, least, met = Samples(points), np.full(len(points), limit_mm), np.zeros(len(poses), dtype=bool)
    for number, pose in enumerate(poses):
        index, values = samples.below(lambda p, t=pose: _to_bone(bones, moved_points(t, p)), limit_mm)  # type: ignore[misc]
        least[index] = np.minimum(least[index], values)
        met[number] = len(index) > 0
    return least, met


def _to_bone(bones: tuple[Structure, ...], points: np.ndarray) -> np.ndarray:
    return bone_distance(bones, points, _FAR_MM)


def _cutters(
    points: np.ndarray, poses: np.ndarray, situation: Situation, left_mm: float, about_mm: float
) -> Iterator[Mesh]:
    """What bone less left_mm of it passes, in the body's own frame, up to about_mm from points (n, 3) where it is
    met."""
    blocks = [_block(some, about_mm) for some in _together(points)]
    nodes = np.concatenate([grid.points()[near] for grid, near in blocks])
    least, _ = _least(nodes, poses, situation, about_mm - left_mm)
    ends = np.cumsum([len(near) for _, near in blocks])[:-1]
    for (grid, near), values in zip(blocks, np.split(least + left_mm, ends)):
        if values.min() < 0.0:
            field = np.full(grid.array_shape, about_mm)
            field.reshape(-1)[near] = values
            yield simplified(isosurface(field, grid), SIMPLIFY_MM)


def _block(points: np.ndarray, about_mm: float) -> tuple[Grid, np.ndarray]:
    """A grid around points (n, 3), and which of its nodes lie about them."""
    grid = Grid.around(points.min(axis=0) - about_mm, points.max(axis=0) + about_mm, STEP_MM)
    away = cKDTree(points).query(grid.points(), distance_upper_bound=about_mm)[0]
    return grid, np.flatnonzero(away < np.inf)


def _together(points: np.ndarray) -> Iterator[np.ndarray]:
    """The points (n, 3) in groups that lie apart."""
    cells = np.floor(points / _APART_MM).astype(int)
    cells -= cells.min(axis=0)
    held = np.zeros(cells.max(axis=0) + 1, dtype=bool)
    held[tuple(cells.T)] = True
    number = ndimage.label(held, np.ones((3, 3, 3)))[0][tuple(cells.T)]
    return (points[number == k] for k in range(1, number.max() + 1))


def _check_ends(before: Mesh, after: Mesh, situation: Situation) -> None:
    """Raise where an end is no longer there: what is left must reach as far along the span as before, but for what is
    taken off."""
    for plate in (situation.upper, situation.lower):
        old, new = (plate.to_local(mesh.vertices)[:, 2].min() for mesh in (before, after))
        if new > old + 2.0 * situation.plan.insertion.relief_mm:
            raise GeometryError(
                f"the way of the {situation.name} implant leaves nothing of its foot at {plate.level} {plate.face}: "
                "search another way, lower insertion.relief_mm, or allow more bone in insertion.give_mm"
            )


def _relief(cuts: Undercuts, volume_mm3: float) -> Relief:
    """The record of what was taken off."""
    deepest = int(cuts.depth_mm.argmax())
    x, y, z = (float(v) for v in cuts.points[deepest])
    contact = _contact_mm2(cuts.points[cuts.depth_mm > 0.0], cuts.situation)
    return Relief(float(cuts.depth_mm[deepest]), float(volume_mm3), contact, (x, y, z))


def _contact_mm2(points: np.ndarray, situation: Situation) -> float:
    """Plate area under points (n, 3) that rest on a docking vertebra at the fit gap."""
    area = 0.0
    for plate, foot in ((situation.upper, situation.plan.upper_foot), (situation.lower, situation.plan.lower_foot)):
        distance = situation.case.structure(plate.level).distance(points)
        resting = points[distance < foot.fit_gap_mm + _POINT_MM]
        if len(resting):
            flat = plate.to_local(resting) * (1.0, 1.0, 0.0)
            area += len(first_in_cells(flat, _POINT_MM)) * _POINT_MM**2
    return area
