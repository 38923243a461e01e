"""What an implant must not pass on its way in: bone, what may not be moved, and the limits of what is held aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..build.design import Situation
from ..case.model import Structure
from ..plan.rules import retraction_for

_SPACING_MM = 1.5
_FAR_MM = 12.0  # slack beyond this no longer matters
_NEAR_MM = 3.0  # bone nearer than this is measured exactly, not on the grid
_KEPT_MM = 0.5  # from walls, for the grid
_SMALLEST_MM3 = 50.0  # of a mobile structure's pieces: smaller ones are label noise
_AROUND_MM = 150.0  # of the implant; what lies farther off is not looked at

_PUSHED_NODES = 3  # beside where an implant at its place pushes a structure

# Ways in which a structure may be held aside: array axis (up, anterior, right) and sign.
_ASIDE = {"right": (2, 1), "left": (2, -1), "anterior": (1, 1), "down": (0, -1)}


@dataclass(frozen=True, eq=False)
class Walls:
    """Slack in mm around an implant, negative where it must not be.

    frame: (3, 3) unit rows right, anterior, up; low: (3,) the first node in it; slack: on nodes (up, anterior, right),
    of all but bone; bone: distance to that, which is measured exactly where it is small and may be less than nothing by
    give_mm; names, owner: whose slack it is at each node. Beside the grid all is free, above and below it goes on as it
    ends.
    """

    frame: np.ndarray
    low: np.ndarray
    slack: np.ndarray
    bone: np.ndarray
    owner: np.ndarray
    names: tuple[str, ...]
    bones: tuple[Structure, ...]
    give_mm: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) slack in mm at points (n, 3) RAS."""
        index = self._index(points)
        rest = _sampled(self.slack, index)
        return np.minimum(rest, self._bone(points, index) + self.give_mm)

    def coarse(self, points: np.ndarray) -> np.ndarray:
        """The same from the grid alone."""
        index = self._index(points)
        return np.minimum(_sampled(self.slack, index), _sampled(self.bone, index) + self.give_mm)

    def owners(self, points: np.ndarray) -> set[str]:
        """Whose walls have least slack at points (n, 3)."""
        index = self._index(points)
        node = tuple(np.clip(np.rint(row).astype(int), 0, n - 1) for row, n in zip(index, self.slack.shape))
        rest = _sampled(self.slack, index)
        names = [self.names[k] if k >= 0 else "" for k in self.owner[node]]
        least = rest.copy()
        for bone in self.bones:
            distance = bone.distance(points) + self.give_mm
            names = [bone.level or bone.name if d < e else n for d, e, n in zip(distance, least, names)]
            least = np.minimum(least, distance)
        return set(names) - {""}

    def inside(self, points: np.ndarray) -> np.ndarray:
        """(n,) bool: which points the grid covers, or lie above or below it."""
        index = self._index(points)
        last = np.array(self.slack.shape)[:, None] - 1
        return np.asarray(((index >= 0) & (index <= last)).all(axis=0))

    @cached_property
    def _boxes(self) -> list[np.ndarray]:
        return [bone.box for bone in self.bones]

    def _index(self, points: np.ndarray) -> np.ndarray:
        local = points @ self.frame.T
        index: np.ndarray = ((local - self.low) / _SPACING_MM)[:, ::-1].T
        index[0] = np.clip(index[0], 0.0, self.slack.shape[0] - 1.0)
        return index

    def _bone(self, points: np.ndarray, index: np.ndarray) -> np.ndarray:
        distance = _sampled(self.bone, index)
        near = np.flatnonzero(distance < _NEAR_MM)
        if len(near):
            exact = np.full(len(near), _FAR_MM)
            for bone, (low, high) in zip(self.bones, self._boxes):
                beside = np.all((points[near] > low - _NEAR_MM) & (points[near] < high + _NEAR_MM), axis=1)
                exact[beside] = np.minimum(exact[beside], bone.distance(points[near[beside]]))
            distance[near] = exact
        return distance


def walls_around(situation: Situation, body: np.ndarray, out: np.ndarray) -> Walls:
    """The walls for an implant whose surface points are body (n, 3) RAS at its place.

    out: (3,) unit, roughly the way out, along which it is tried in which direction each mobile structure is best held
    aside.
    """
    case, plan = situation.case, situation.plan
    frame = _frame(situation)
    low, shape = _block(situation, frame, body)
    slack = np.full(shape, _FAR_MM, dtype=np.float32)
    bone = np.full(shape, _FAR_MM, dtype=np.float32)
    owner = np.full(shape, -1, dtype=np.int16)
    names: list[str] = []

    tube, rest = (_passed(frame, low, shape, body, out, far) for far in (_AROUND_MM, 0.0))

    def put(name: str, at: tuple[slice, ...], values: np.ndarray) -> None:
        # Where the implant at its place already is as near, it may stay so: what is allowed there is not asked here.
        values = values - min(float(values[rest[at]].min(initial=0.0)), 0.0)
        nearer = values < slack[at]
        slack[at][nearer] = values[nearer]
        owner[at][nearer] = len(names)
        names.append(name)

    for structure in case.structures:
        sampled = None if structure.role == "disc" else _on_block(structure, frame, low, shape)
        if sampled is None:
            continue
        at, distance = sampled
        name = structure.level or structure.name
        rule = None if structure.role == "metal" else retraction_for(plan, structure.name)
        if structure.role == "bone":
            np.minimum(bone[at], distance, out=bone[at])
        elif rule is None:
            put(name, at, distance - np.float32(plan.budget.segmentation_to_print_mm + _KEPT_MM))
        elif rule.kind == "aside":
            limit = rule.limit_mm - plan.budget.segmentation_to_print_mm - _SPACING_MM
            for piece in _pieces(distance < 0.0):
                wall = _wall(piece, tube[at], rest[at], limit)
                if wall.any():
                    put(name, *_signed(wall, at))
    return Walls(frame, low, slack, bone, owner, tuple(names), case.having("bone"), 0.0)


def _frame(situation: Situation) -> np.ndarray:
    up = situation.upper.centre - situation.lower.centre
    up = up / np.linalg.norm(up)
    anterior = situation.upper.anterior + situation.lower.anterior
    anterior = anterior - (anterior @ up) * up
    anterior = anterior / np.linalg.norm(anterior)
    return np.stack([np.cross(anterior, up), anterior, up])


def _block(situation: Situation, frame: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """First node and counts (up, anterior, right) of the part of the image around a body."""
    ct = situation.case.ct
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in ct.voxels.shape[::-1]], indexing="ij"), axis=-1)
    image = (corners.reshape(-1, 3) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]) @ frame.T
    place = body @ frame.T
    low = np.maximum(image.min(axis=0), place.min(axis=0) - _AROUND_MM)
    high = np.minimum(image.max(axis=0), place.max(axis=0) + _AROUND_MM)
    right, anterior, up = (np.ceil((high - low) / _SPACING_MM).astype(int) + 1).tolist()
    return low, (up, anterior, right)


def _on_block(
    structure: Structure, frame: np.ndarray, low: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], np.ndarray] | None:
    """A structure's distance on the nodes near it, and which those are; None where there are none."""
    box = structure.box
    corners = np.stack(np.meshgrid(*box.T, indexing="ij"), axis=-1).reshape(-1, 3) @ frame.T
    first = np.floor((corners.min(axis=0) - _FAR_MM - low) / _SPACING_MM).astype(int)[::-1]
    last = np.ceil((corners.max(axis=0) + _FAR_MM - low) / _SPACING_MM).astype(int)[::-1] + 1
    first, last = np.maximum(first, 0), np.minimum(last, shape)
    if (first >= last).any():
        return None
    ticks = [low[2 - k] + _SPACING_MM * np.arange(first[k], last[k]) for k in range(3)]
    up, anterior, right = np.meshgrid(*ticks, indexing="ij")
    points = np.column_stack([right.ravel(), anterior.ravel(), up.ravel()]) @ frame
    distance = structure.distance(points).reshape(up.shape).astype(np.float32)
    return tuple(slice(a, b) for a, b in zip(first, last)), distance


def _passed(
    frame: np.ndarray, low: np.ndarray, shape: tuple[int, ...], body: np.ndarray, out: np.ndarray, far_mm: float
) -> np.ndarray:
    """Nodes that a body passes when it is drawn straight out so far."""
    passed = np.zeros(shape, dtype=bool)
    local, way = body @ frame.T, frame @ out
    for far in np.arange(0.0, far_mm + 0.5 * _SPACING_MM, _SPACING_MM):
        node = np.rint((local + far * way - low) / _SPACING_MM).astype(int)[:, ::-1]
        within = ((node >= 0) & (node < shape)).all(axis=1)
        passed[tuple(node[within].T)] = True
    return passed


def _pieces(inside: np.ndarray) -> Iterator[np.ndarray]:
    """The connected parts of a structure: vessels of either side are held aside each by itself."""
    numbers, count = ndimage.label(inside)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    for number in range(1, count + 1):
        if sizes[number] * _SPACING_MM**3 >= _SMALLEST_MM3:
            yield numbers == number


def _wall(piece: np.ndarray, tube: np.ndarray, rest: np.ndarray, limit_mm: float) -> np.ndarray:
    """Nodes that a structure blocks though it is held aside by limit_mm, in the direction that frees the tube most."""
    if not (piece & tube).any():
        return piece
    moved = [_held_aside(piece, rest, axis, sign) for axis, sign in _ASIDE.values()]
    need, fixed = min(moved, key=lambda one: float(one[0][tube].max(initial=0.0)))
    wall: np.ndarray = (need > limit_mm) | fixed
    return wall


def _held_aside(piece: np.ndarray, rest: np.ndarray, axis: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """By how many mm a structure must be moved along an axis so that each node is clear of it; and the nodes of it
    that cannot be moved so, because the implant at its place lies beyond them."""
    if sign < 0:
        need, fixed = _held_aside(np.flip(piece, axis), np.flip(rest, axis), axis, 1)
        return np.flip(need, axis), np.flip(fixed, axis)
    passed = np.maximum.accumulate(piece, axis=axis)
    # Where the implant pushes a structure it moves as a whole, also a little beside that.
    pushed = ndimage.binary_dilation((piece & rest).any(axis=axis, keepdims=True), iterations=_PUSHED_NODES)
    beyond = (passed & rest).any(axis=axis, keepdims=True) & ~pushed
    need = (passed & ~beyond).cumsum(axis=axis, dtype=np.float32) * np.float32(_SPACING_MM)
    return need, piece & beyond


def _signed(wall: np.ndarray, at: tuple[slice, ...]) -> tuple[tuple[slice, ...], np.ndarray]:
    """The nodes near a wall on a block, and the signed distance to it there less what is kept from walls."""
    edge = int(_FAR_MM / _SPACING_MM) + 1
    near = tuple(
        slice(max(filled[0] - edge, 0), filled[-1] + edge + 1)
        for filled in (np.flatnonzero(wall.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3))
    )
    wall = wall[near]
    steps = ndimage.distance_transform_edt(~wall) - ndimage.distance_transform_edt(wall)
    signed = _SPACING_MM * (steps + np.where(wall, 0.5, -0.5)) - _KEPT_MM
    place = tuple(slice(a.start + b.start, min(a.start + b.stop, a.stop)) for a, b in zip(at, near))
    return place, signed.astype(np.float32)


def _sampled(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(values, index, order=1, mode="constant", cval=_FAR_MM)
