"""What an implant must not pass on its way in: bone, what may not be moved, and the limits of what is held aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..build.design import Situation
from ..case.model import Structure, Volume
from ..plan.rules import retraction_for
from .bones import Bones, bones_about, on_nodes

_SPACING_MM = 1.5
_FAR_MM = 12.0  # slack beyond this no longer matters
_NEAR_MM = 2.0  # bone nearer than this is measured exactly, not on the grid
_KEPT_MM = 0.5  # from walls, for the grid
_SMALLEST_MM3 = 50.0  # of a mobile structure's pieces: smaller ones are label noise
_FROM_BORDER_MM = 3.0  # deeper into bone nothing may come: distances in what the image cuts off are not more than that
_AROUND_MM = 150.0  # of the implant; what lies farther off is not looked at

# Ways in which a structure may be held aside: up, anterior, right; never towards the spine.
_ASIDE = np.array(
    [(0, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1), (-1, 0, 0), (0, 1, 1), (0, 1, -1), (-1, 1, 0)], dtype=np.float64
)


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the image ends above and below. along: (3,) unit; low, high: mm along it, a little way inside the image."""

    along: np.ndarray
    low: float
    high: float

    @classmethod
    def of(cls, ct: Volume, up: np.ndarray) -> Ends:
        """Those of an image, along its axis that runs up most."""
        axis = int(np.abs(up @ (ct.ijk_to_ras[:3, :3] / ct.spacing)).argmax())
        along = ct.ijk_to_ras[:3, axis] / ct.spacing[axis]
        first = float(along @ ct.ijk_to_ras[:3, 3])
        last = first + ct.spacing[axis] * (ct.voxels.shape[::-1][axis] - 1)
        kept = min(_FROM_BORDER_MM, 0.5 * (last - first))
        return cls(along, first + kept, last - kept)

    def brought_in(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3), those beyond straight back to the ends: there all is taken to go on as it ends."""
        at = points @ self.along
        return points + (np.clip(at, self.low, self.high) - at)[:, None] * self.along


@dataclass(frozen=True, eq=False)
class Walls:
    """Slack in mm around an implant, negative where it must not be.

    frame: (3, 3) unit rows right, anterior, up; low: (3,) the first node in it; slack: on nodes (up, anterior, right),
    of all but bone; bone: distance to that, which is measured exactly where it is small and may be less than nothing by
    give_mm; names, owner: whose slack it is at each node. Beside the grid all is free, above and below the image (ends)
    all goes on as it ends.
    """

    frame: np.ndarray
    low: np.ndarray
    slack: np.ndarray
    bone: np.ndarray
    owner: np.ndarray
    names: tuple[str, ...]
    bones: Bones
    ends: Ends
    give_mm: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) slack in mm at points (n, 3) RAS."""
        points = self.ends.brought_in(points)
        index = self._index(points)
        rest = _sampled(self.slack, index)
        return np.minimum(rest, self._bone(points, index) + self.give_mm)

    def coarse(self, points: np.ndarray) -> np.ndarray:
        """The same from the grid alone."""
        return _sampled(self._least, self._index(self.ends.brought_in(points)))

    def least_within(self, centres: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """(n,) mm: what is not more than the slack on the grid anywhere within reach (n,) mm of centres (n, 3)."""
        index = self._index(self.ends.brought_in(centres))
        last = np.array(self.slack.shape)[:, None] - 1.0
        return _sampled(self._least, np.clip(index, 0.0, last)) - reach

    def owners(self, points: np.ndarray) -> set[str]:
        """Whose walls have least slack at points (n, 3)."""
        points = self.ends.brought_in(points)
        index = self._index(points)
        node = tuple(np.clip(np.rint(row).astype(int), 0, n - 1) for row, n in zip(index, self.slack.shape))
        rest = _sampled(self.slack, index)
        names = [self.names[k] if k >= 0 else "" for k in self.owner[node]]
        least = rest.copy()
        for bone in self.bones.structures:
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
    def _least(self) -> np.ndarray:
        return np.minimum(self.slack, self.bone + np.float32(self.give_mm))

    def _index(self, points: np.ndarray) -> np.ndarray:
        local = points @ self.frame.T
        index: np.ndarray = ((local - self.low) / _SPACING_MM)[:, ::-1].T
        index[0] = np.clip(index[0], 0.0, self.slack.shape[0] - 1.0)
        return index

    def _bone(self, points: np.ndarray, index: np.ndarray) -> np.ndarray:
        distance = _sampled(self.bone, index)
        near = np.flatnonzero(distance < _NEAR_MM)
        if len(near):
            distance[near] = self.bones.distance(points[near])
        return distance


def walls_around(situation: Situation, body: np.ndarray, ways: np.ndarray) -> Walls:
    """The walls for an implant whose surface points are body (n, 3) RAS at its place.

    ways: (m, 3) unit, roughly ways out, along which it is tried in which direction each mobile structure is best held
    aside.
    """
    case, plan = situation.case, situation.plan
    frame = frame_of(situation)
    low, shape = _block(situation, frame, body)
    slack = np.full(shape, _FAR_MM, dtype=np.float32)
    bone = np.full(shape, _FAR_MM, dtype=np.float32)
    owner = np.full(shape, -1, dtype=np.int16)
    names: list[str] = []
    rest = _passed(frame, low, shape, body, ways[0], 0.0)
    passed = [_passed(frame, low, shape, body, way, _AROUND_MM) for way in ways]

    def put(name: str, at: tuple[slice, ...], values: np.ndarray) -> None:
        # Where the implant at its place already is as near, it may stay so: what is allowed there is not asked here.
        values = values - min(float(values[rest[at]].min(initial=0.0)), 0.0)
        nearer = values < slack[at]
        slack[at][nearer] = values[nearer]
        owner[at][nearer] = len(names)
        names.append(name)

    for structure in case.structures:
        rule = None if structure.role == "metal" else retraction_for(plan, structure.name)
        gives_way = structure.role == "disc" or (rule is not None and rule.kind == "collapsed")
        sampled = None if gives_way else _on_block(structure, frame, low, shape)
        if sampled is None:
            continue
        at, distance = sampled
        name = structure.level or structure.name
        if structure.role == "bone":
            np.minimum(bone[at], distance, out=bone[at])
        elif rule is None:
            put(name, at, distance - np.float32(plan.budget.segmentation_to_print_mm + _KEPT_MM))
        elif rule.kind == "aside":
            limit = rule.limit_mm - plan.budget.segmentation_to_print_mm - _SPACING_MM
            for piece in _pieces(distance < 0.0, at):
                put(name, *_signed(_held_aside(piece, passed, rest, limit), shape))
    ends = Ends.of(case.ct, frame[2])
    return Walls(frame, low, slack, bone, owner, tuple(names), bones_about(case, body), ends, 0.0)


def frame_of(situation: Situation) -> np.ndarray:
    """(3, 3) unit rows right, anterior, up of the span."""
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
    to_ras = np.eye(4)
    to_ras[:3, :3], to_ras[:3, 3] = _SPACING_MM * frame.T, frame.T @ low
    distance = on_nodes(structure, to_ras, first, last)
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


def _pieces(inside: np.ndarray, at: tuple[slice, ...]) -> Iterator[np.ndarray]:
    """(n, 3) nodes of each connected part of a structure, which lies at a place of the block: vessels of either side
    are held aside each by itself."""
    numbers, _ = ndimage.label(inside)
    first = np.array([one.start for one in at])
    for number, place in enumerate(ndimage.find_objects(numbers), start=1):
        nodes = np.argwhere(numbers[place] == number)
        if len(nodes) * _SPACING_MM**3 >= _SMALLEST_MM3:
            yield nodes + first + [one.start for one in place]


def _held_aside(piece: np.ndarray, passed: list[np.ndarray], rest: np.ndarray, limit_mm: float) -> np.ndarray:
    """(n, 3) where a structure's nodes are while it is held aside by limit_mm at most: as a whole, in the direction in
    which it is least in the way, above all of the implant at its place.

    It is there before the implant comes, so that this may also pass on the side to which it is held.
    """

    def met(block: np.ndarray, nodes: np.ndarray) -> int:
        within = nodes[((nodes >= 0) & (nodes < block.shape)).all(axis=1)]
        return int(block[tuple(within.T)].sum())

    reach = max(limit_mm, 0.0) / _SPACING_MM
    aside = np.fix(reach * _ASIDE / np.maximum(np.linalg.norm(_ASIDE, axis=1, keepdims=True), 1.0)).astype(int)
    places = [piece + shift for shift in aside]
    return min(places, key=lambda nodes: (met(rest, nodes), sum(met(block, nodes) for block in passed)))


def _signed(nodes: np.ndarray, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], np.ndarray]:
    """The part of a block near nodes (n, 3), and the signed distance to them there less what is kept from walls."""
    edge = int(_FAR_MM / _SPACING_MM) + 1
    first = np.clip(nodes.min(axis=0) - edge, 0, shape)
    last = np.clip(nodes.max(axis=0) + edge + 1, 0, shape)
    wall = np.zeros(np.maximum(last - first, 0), dtype=bool)
    nodes = nodes[((nodes >= first) & (nodes < last)).all(axis=1)] - first
    wall[tuple(nodes.T)] = True
    place = tuple(slice(a, max(a, b)) for a, b in zip(first, last))
    if not wall.any():
        return place, np.full(wall.shape, _FAR_MM, dtype=np.float32)
    steps = ndimage.distance_transform_edt(~wall) - ndimage.distance_transform_edt(wall)
    signed = _SPACING_MM * (steps + np.where(wall, 0.5, -0.5)) - _KEPT_MM
    return place, signed.astype(np.float32)


def _sampled(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(values, index, order=1, mode="constant", cval=_FAR_MM)
