"""The room a strut may use: what every rule leaves free, sampled once on a grid that follows the column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from ..case.model import Case, Endplate, Structure
from ..plan.plan import Plan
from ..plan.rules import rule_for

REACH_MM = 32.0  # half width of the corridor across the column
_BEYOND_MM = 22.0  # how far it extends past both docking endplates
_FINE_MM, _COARSE_MM, _LONG_MM = 0.8, 1.0, 120.0  # grid spacing for short spans and for those from here on
_FAR_MM = 15.0  # distances beyond this no longer matter
_APART_MM = 0.5  # never nearer than this to what must not be touched, whatever its rule allows
# A structure moves aside as a whole, which asks for more than the depth at which it is met: half a voxel, and a way out
# that is not straight away from the strut.
_SHIFT_MM = 0.7


@dataclass(frozen=True, eq=False)
class Frame:
    """Corridor coordinates: (right, anterior, down) mm about a centreline that is a function of down.

    axes: (3, 3) unit rows right, anterior, down; down is the chord from the upper to the lower docking endplate.
    line: (n, 3) corridor coordinates of the column line before it is straightened, with down increasing.
    """

    origin: np.ndarray
    axes: np.ndarray
    line: np.ndarray

    def to_corridor(self, points: np.ndarray) -> np.ndarray:
        """RAS (n, 3) to corridor coordinates (n, 3)."""
        local = (np.asarray(points, dtype=float) - self.origin) @ self.axes.T
        local[:, :2] -= self.centre(local[:, 2])
        return local

    def to_ras(self, local: np.ndarray) -> np.ndarray:
        """Corridor coordinates (n, 3) to RAS (n, 3)."""
        straight = np.array(local, dtype=float)
        straight[:, :2] += self.centre(straight[:, 2])
        return straight @ self.axes + self.origin

    def centre(self, down: np.ndarray) -> np.ndarray:
        """(n, 2) right and anterior of the column line, constant beyond its ends."""
        return np.stack([np.interp(down, self.line[:, 2], self.line[:, k]) for k in (0, 1)], axis=-1)


@dataclass(frozen=True, eq=False)
class Corridor:
    """Signed slack in mm on a regular grid of corridor coordinates; arrays are indexed [down, anterior, right].

    never: distance to what may not be touched at all (remaining bone with its fit gap, critical structures), with bone
    also blocking what lies behind it, because a strut cannot pass through bone on its way in.
    rules: distance left over after every keep-out rule and its error budget.
    critical: distance to critical structures that must not be touched.
    soft: distance to critical structures that a rule allows to be displaced, spent last.
    bone: plain distance to remaining bone.
    """

    frame: Frame
    start: np.ndarray
    spacing: float
    never: np.ndarray
    critical: np.ndarray
    rules: np.ndarray
    soft: np.ndarray
    bone: np.ndarray

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
        index = ((self.frame.to_corridor(points) - self.start) / self.spacing)[:, ::-1].T
        return [map_coordinates(values, index, order=1, mode="nearest") for values in fields]


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


def column_frame(upper: Endplate, lower: Endplate, line: np.ndarray) -> Frame:
    """The corridor's coordinates about the column line (n, 3) RAS between two docking endplates."""
    chord = lower.centre - upper.centre
    down = chord / np.linalg.norm(chord)
    anterior = upper.anterior + lower.anterior
    anterior = anterior - (anterior @ down) * down
    anterior /= np.linalg.norm(anterior)
    right = np.cross(anterior, -down)
    axes = np.stack([right, anterior, down])
    local = (line - upper.centre) @ axes.T
    local[:, 2] = np.maximum.accumulate(local[:, 2])
    return Frame(upper.centre, axes, local)


def corridor(case: Case, plan: Plan, frame: Frame, fit_gap_mm: float) -> Corridor:
    """Sample every rule on the grid. case: posed and resected."""
    length = float(frame.line[-1, 2])
    spacing = _FINE_MM if length < _LONG_MM else _COARSE_MM
    reach = np.floor(REACH_MM / spacing) * spacing
    start = np.array([-reach, -reach, -np.floor(_BEYOND_MM / spacing) * spacing])
    counts = (int(2 * reach / spacing) + 1,) * 2 + (int(np.ceil((length + 2 * _BEYOND_MM) / spacing)) + 1,)
    nodes = _nodes(start, counts, spacing)
    points = frame.to_ras(nodes)
    shape = counts[::-1]

    bones = case.having("bone")
    none = {s.name: 0.0 for s in bones}
    column = _least([s for s in bones if s.level], points, none).reshape(shape)
    bone = np.minimum(column, _least([s for s in bones if not s.level], points, none).reshape(shape))
    blocked = np.minimum(bone, _behind(column)) - fit_gap_mm
    ruled = [(s, need) for s in case.structures if s.role != "bone" and (need := demand(plan, s)) is not None]
    critical = [s for s, _ in ruled if s.role in ("keepout_critical", "metal")]
    touchable = [s for s, need in ruled if need < 0.0 and s.role == "keepout_critical"]
    apart = [s for s in critical if s not in touchable or _hollow(s)]
    hard = _least(apart, points, {s.name: _APART_MM for s in apart}).reshape(shape)
    return Corridor(
        frame=frame,
        start=start,
        spacing=spacing,
        never=np.minimum(blocked, hard).astype(np.float32),
        critical=hard,
        rules=_least([s for s, _ in ruled], points, {s.name: need for s, need in ruled}).reshape(shape),
        soft=_least(touchable, points, {s.name: 0.0 for s in touchable}).reshape(shape),
        bone=bone,
    )


def _hollow(structure: Structure) -> bool:
    """True for the airway, which a rule lets a strut lean on but never enter."""
    return any(word in structure.name.lower() for word in ("airway", "trachea", "bronch"))


def _nodes(start: np.ndarray, counts: tuple[int, ...], spacing: float) -> np.ndarray:
    down, anterior, right = np.meshgrid(
        *[start[k] + spacing * np.arange(counts[k]) for k in (2, 1, 0)], indexing="ij", sparse=False
    )
    return np.column_stack([right.ravel(), anterior.ravel(), down.ravel()])


def _least(structures: Iterable[Structure], points: np.ndarray, needs: dict[str, float]) -> np.ndarray:
    """(n,) least distance less each structure's need, capped where it no longer matters. float32."""
    nearest = np.full(len(points), _FAR_MM, dtype=np.float32)
    for structure in structures:
        near = np.flatnonzero(_within(structure, points, _FAR_MM + needs[structure.name]))
        if len(near):
            values = structure.distance(points[near]) - needs[structure.name]
            nearest[near] = np.minimum(nearest[near], values)
    return nearest


def _within(structure: Structure, points: np.ndarray, reach: float) -> np.ndarray:
    """Whether each point lies within reach of the structure's box."""
    shape = np.array(structure.mask.voxels.shape[::-1])
    affine = structure.pose @ structure.mask.ijk_to_ras
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    box = corners @ affine[:3, :3].T + affine[:3, 3]
    return ((points >= box.min(axis=0) - reach) & (points <= box.max(axis=0) + reach)).all(axis=1)


def _behind(bone: np.ndarray) -> np.ndarray:
    """Distance to bone and to all that lies behind it, seen from the front: the least value met on the way in."""
    return np.minimum.accumulate(bone[:, ::-1, :], axis=1)[:, ::-1, :]
