"""The room a strut may use: what every rule leaves free, sampled once on a grid that follows the column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from ..case.column import column_axes
from ..case.model import Case, Endplate, Structure
from ..plan.plan import Plan, Section
from ..plan.rules import rule_for
from .nodes import Frame, Wanted, least_over, nodes_along
from .standoff import Standoff

_FAR_MM = 9.0  # distances beyond this no longer matter
_APART_MM = 0.5  # never nearer than this to what must not be touched, whatever its rule allows
# A structure moves aside as a whole, which asks for more than the depth at which it is met: half a voxel, and a way out
# that is not straight away from the strut.
_SHIFT_MM = 0.7
_ON_NODE = 1e-7  # cells; a point on a node belongs to the cell beyond it, whatever the last bit of its place


@dataclass(frozen=True, eq=False)
class Corridor:
    """Signed slack in mm on a regular grid of corridor coordinates; arrays are indexed [down, anterior, right].

    never: distance to what may not be touched at all (remaining bone with its fit gap, critical structures), with bone
    also blocking what lies behind it, because a strut cannot pass through bone on its way in.
    rules: distance left over after every keep-out rule and its error budget.
    critical: distance to critical structures that must not be touched.
    soft: distance to critical structures that a rule allows to be displaced, spent last.
    bone: plain distance to remaining bone.
    standoffs: the same rules of each structure, for what is to be measured exactly.
    """

    frame: Frame
    start: np.ndarray
    spacing: float
    never: np.ndarray
    critical: np.ndarray
    rules: np.ndarray
    soft: np.ndarray
    bone: np.ndarray
    standoffs: tuple[Standoff, ...] = ()

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Grid coordinates (right, anterior, down) in mm."""
        counts = self.never.shape[::-1]
        right, anterior, down = (self.start[k] + self.spacing * np.arange(counts[k]) for k in range(3))
        return right, anterior, down

    def sample(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Trilinear values at points (n, 3) RAS; the border's value outside."""
        return self.samples((values,), points)[0]

    def samples(self, fields: Sequence[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
        """The same for several fields at once."""
        index = self._index(points)
        return [map_coordinates(values, index, order=1, mode="nearest") for values in fields]

    def gradient(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(n, 3) RAS gradient of the trilinear values at points (n, 3); zero across the border."""
        index = self._index(points)
        last = np.array(values.shape)[:, None] - 1
        inside = (index >= 0) & (index <= last)
        low = np.clip(np.floor(index + _ON_NODE).astype(int), 0, last - 1)
        share = np.clip(index - low, 0.0, 1.0)
        corner = np.stack([values[tuple(low + np.array(step)[:, None])] for step in np.ndindex(2, 2, 2)])
        corner = corner.reshape(2, 2, 2, -1)
        weights = np.stack([1.0 - share, share])
        slopes = []
        for axis in range(3):
            one, other = (k for k in range(3) if k != axis)
            change = np.diff(corner, axis=axis).squeeze(axis)
            slopes.append(np.einsum("abn,an,bn->n", change, weights[:, one], weights[:, other]) * inside[axis])
        down, anterior, right = slopes
        local = self.frame.axes[2] @ (points - self.frame.origin).T
        shear = self.frame.slope(local)
        down = down - right * shear[:, 0] - anterior * shear[:, 1]
        return np.column_stack([right, anterior, down]) @ self.frame.axes / self.spacing

    def _index(self, points: np.ndarray) -> np.ndarray:
        """(3, n) continuous indices (down, anterior, right)."""
        return ((self.frame.to_corridor(points) - self.start) / self.spacing)[:, ::-1].T


@dataclass(frozen=True, eq=False)
class RoomField:
    """One of a room's fields as something to keep from: roughly, and fast."""

    room: Corridor
    values: np.ndarray
    need_mm: float
    never_mm: float
    spared: bool
    is_bone: bool
    stairs_mm: float = 0.2  # of voxels up to a millimetre; coarser ones are told apart on the structures themselves

    def nearest(self, points: np.ndarray, reach_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distances of points (n, 3) RAS, and the points."""
        return self.room.sample(self.values, points), points

    def slopes(self, places: np.ndarray) -> np.ndarray:
        """(n, 3) by how much the distance grows at places (n, 3) for a mm along each axis."""
        return self.room.gradient(self.values, places)


def fields_of(room: Corridor) -> tuple[RoomField, ...]:
    """What a strut keeps in a room, as its nodes tell it."""
    return (
        RoomField(room, room.never, 0.0, 0.0, False, True),
        RoomField(room, room.rules, 0.0, -np.inf, False, False),
        RoomField(room, room.soft, -np.inf, -np.inf, True, False),
    )


def demand(plan: Plan, structure: Structure) -> float | None:
    """The least signed distance in mm at which a structure's rule passes with its error budget; None without a rule.

    A clearance counts from the structure's surface outwards; a displacement lets the implant in by what is allowed.
    """
    rule = rule_for(plan, "metal" if structure.role == "metal" else structure.name)
    if rule is None:
        return None
    budget = plan.budget.segmentation_to_print_mm
    if rule.kind == "clearance":
        return max(rule.limit_mm, rule.warn_mm) + budget
    return budget + _SHIFT_MM - min(rule.limit_mm, rule.warn_mm)


def least_mm(plan: Plan, structure: Structure, fit_gap_mm: float) -> float | None:
    """The distance to a structure below which a strut is too near; None where nothing says so."""
    if structure.role == "bone":
        return fit_gap_mm
    need = demand(plan, structure)
    if need is None or not _apart(structure, need):
        return need
    return max(need, _APART_MM)


def standoffs(case: Case, plan: Plan, axes: np.ndarray, fit_gap_mm: float) -> tuple[Standoff, ...]:
    """What a strut keeps from each structure that a rule names, and from bone. axes: the column's, see Frame."""
    found = []
    for structure in case.structures:
        need = demand(plan, structure)
        if structure.role == "bone":
            front = axes[1] if structure.of_column else None
            found.append(Standoff(structure, fit_gap_mm, fit_gap_mm, front, False, axes))
        elif need is not None:
            never = _APART_MM if _apart(structure, need) else -np.inf
            found.append(Standoff(structure, need, never, None, _spared(structure, need), axes))
    return tuple(found)


def column_frame(upper: Endplate, lower: Endplate, line: np.ndarray) -> Frame:
    """The corridor's coordinates about the column line (n, 3) RAS between two docking endplates."""
    axes = column_axes(upper, lower)
    local = (line - upper.centre) @ axes.T
    local[:, 2] = np.maximum.accumulate(local[:, 2])
    return Frame(upper.centre, axes, local)


def corridor(case: Case, plan: Plan, frame: Frame, fit_gap_mm: float) -> Corridor:
    """Sample every rule on the grid. case: posed and resected."""
    nodes = nodes_along(frame)
    bones = case.having("bone")
    ruled = [(s, need) for s in case.structures if s.role != "bone" and (need := demand(plan, s)) is not None]
    critical = [(s, need) for s, need in ruled if s.role in ("keepout_critical", "metal")]
    touchable = [s for s, need in critical if _spared(s, need)]
    apart = [s for s, need in critical if _apart(s, need)]
    asked: dict[str, list[Wanted]] = {
        "column": [(s, 0.0) for s in bones if s.of_column],
        "beside": [(s, 0.0) for s in bones if not s.of_column],
        "hard": [(s, _APART_MM) for s in apart],
        "rules": ruled,
        "soft": [(s, 0.0) for s in touchable],
    }
    found = least_over(nodes, asked, far_mm(plan.section))
    bone = np.minimum(found["column"], found["beside"])
    blocked = np.minimum(bone, _behind(found["column"])) - fit_gap_mm
    return Corridor(
        frame=frame,
        start=nodes.start,
        spacing=nodes.spacing,
        never=np.minimum(blocked, found["hard"]).astype(np.float32),
        critical=found["hard"],
        rules=found["rules"],
        soft=found["soft"],
        bone=bone,
        standoffs=standoffs(case, plan, frame.axes, fit_gap_mm),
    )


def far_mm(section: Section) -> float:
    """The distance beyond which nothing matters to a strut of this section, nor to a screw's head."""
    largest = max(section.width_mm, section.lower_width_mm or 0.0, section.depth_mm, section.lower_depth_mm or 0.0)
    return max(_FAR_MM, 0.5 * largest + 1.0)


def _apart(structure: Structure, need: float) -> bool:
    """Whether a structure with a rule must not be touched, whatever that rule allows."""
    if structure.role == "metal":
        return True
    return structure.role == "keepout_critical" and (need >= 0.0 or _hollow(structure))


def _spared(structure: Structure, need: float) -> bool:
    """Whether a structure may be pushed aside, but only where nothing else helps."""
    return structure.role == "keepout_critical" and need < 0.0


def _hollow(structure: Structure) -> bool:
    """True for the airway, which a rule lets a strut lean on but never enter."""
    return any(word in structure.name.lower() for word in ("airway", "trachea", "bronch"))


def _behind(bone: np.ndarray) -> np.ndarray:
    """Distance to bone and to all that lies behind it, seen from the front: the least value met on the way in."""
    return np.minimum.accumulate(bone[:, ::-1, :], axis=1)[:, ::-1, :]
