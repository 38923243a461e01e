"""The spinal canal as a tube of soft tissue that bone surrounds, found without knowing the vertebrae."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from scipy.interpolate import make_smoothing_spline
from scipy.spatial import cKDTree

from ..errors import CaseError
from .frame import unit
from .labels import block_matrix
from .model import Mask
from .slabs import held_by

# Steps of the grid along the patient's axes on which the course is sought.
_STEP_MM = 1.5
# About the seeds in the bodies: the canal lies 10 to 40 mm behind a body's middle; curves of the spine between two
# seeds reach farther. Engineering judgement.
_SIDE_MM, _AHEAD_MM, _BEHIND_MM, _BEYOND_MM = 60.0, 45.0, 80.0, 60.0
# Half the width of an adult's canal is 7 to 13 mm (15 to 25 mm wide, 12 to 18 mm deep, measured on the test cases): no
# bone so near its middle, and bone at most so far all round, seen up and down by 35 degrees, as laminae overlap.
_NEAREST_MM, _FARTHEST_MM, _STEEP = 4.5, 18.0, 0.7
_LOOKS = 16
# Behind a seed, at its height: where the canal is.
_BEHIND_SEED_MM = (8.0, 45.0)
# Cost of a step sideways, and how much an open place costs. Engineering judgement.
_SIDEWAYS, _OPEN = 0.35, 12.0
# Least share of looks that meet bone for the course to go on beyond the seeds. Engineering judgement.
_LEAST_CLOSED = 0.45
_STATION_MM, _RAYS = 1.5, 36
_LEAST_STATIONS = 7  # of the course: less than a vertebra of the neck is high tells no direction
# Weight of bending against distance: the line follows a spine's curves and not the steps between slices.
_SMOOTHING = 2000.0
# Along the canal, over so much to each side, the nearest third of what is met counts: rings stand 10 to 25 mm apart and
# fill half of that, and the canal is not as narrow everywhere as where it is narrowest. Engineering judgement.
_RINGS_MM, _OF_RINGS = 9.0, 50
_WIDEST_MM, _NARROWEST_MM = 13.0, 5.0


def find_canal_course(bone: Mask, seeds: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, 3) RAS mm: the canal's middle, upwards, about the levels of the seeds, and on while bone surrounds it.

    bone: on the CT's grid or a crop of it; seeds: (3,) RAS points in vertebral bodies by name, one or more of them.
    Raises CaseError where no canal is seen behind a seed, or too little of it.
    """
    points = {name: np.asarray(seed, float) for name, seed in seeds.items()}
    grid = _Upright.about(bone, np.array(list(points.values())))
    closed = grid.closed()
    anchors = [grid.behind(name, seed, closed) for name, seed in points.items()]
    path = _cheapest(closed, anchors)
    path = _shortened(path, closed, anchors)
    if len(path) < _LEAST_STATIONS:
        raise CaseError(
            f"the spinal canal is seen over {len(path) * _STEP_MM:.0f} mm only behind {', '.join(points)}: give a CT "
            "that shows the arches above and below, or a label map"
        )
    return _centred(bone, _smooth(grid.to_ras(path)))


class _Upright:
    """Bone on a grid along the patient's axes. bone: (z, y, x) bool; corner: (3,) RAS of its first voxel."""

    def __init__(self, bone: np.ndarray, corner: np.ndarray) -> None:
        self.bone, self.corner = bone, corner

    @classmethod
    def about(cls, bone: Mask, seeds: np.ndarray) -> _Upright:
        """The grid about seeds (n, 3) RAS mm, as far as the image reaches."""
        size = np.array(bone.voxels.shape[::-1]) - 1.0
        i, j, k = size
        corners = np.array([[a, b, c] for a in (0, i) for b in (0, j) for c in (0, k)])
        image = corners @ bone.ijk_to_ras[:3, :3].T + bone.ijk_to_ras[:3, 3]
        low = np.maximum(image.min(axis=0), seeds.min(axis=0) - np.array([_SIDE_MM, _BEHIND_MM, _BEYOND_MM]))
        high = np.minimum(image.max(axis=0), seeds.max(axis=0) + np.array([_SIDE_MM, _AHEAD_MM, _BEYOND_MM]))
        if (high - low < 4.0 * _STEP_MM).any():
            raise CaseError("the points given in the vertebrae lie outside the scan; set them inside vertebral bodies")
        shape = np.floor((high - low) / _STEP_MM).astype(int) + 1
        inverse = np.linalg.inv(bone.ijk_to_ras)
        # zyx of the grid to kji of the image.
        matrix = (inverse[:3, :3] * _STEP_MM)[::-1, ::-1]
        offset = (inverse[:3, :3] @ low + inverse[:3, 3])[::-1]
        sampled = ndimage.affine_transform(
            bone.voxels.astype(np.uint8) * np.uint8(200), matrix, offset, tuple(shape[::-1]), order=1
        )
        return cls(sampled >= 80, low)

    def to_ras(self, zyx: np.ndarray) -> np.ndarray:
        return np.asarray(zyx, float)[:, ::-1] * _STEP_MM + self.corner

    def closed(self) -> np.ndarray:
        """(z, y, x) float32, 0 to 1: the share of looks around that meet bone near by; 0 in bone and beside it."""
        hits = np.zeros((_LOOKS, *self.bone.shape), bool)
        for step in range(2, int(_FARTHEST_MM / _STEP_MM) + 1):
            tall = ndimage.maximum_filter1d(self.bone, 2 * round(_STEEP * step) + 1, axis=0)
            for look in range(_LOOKS):
                angle = 2.0 * np.pi * look / _LOOKS
                hits[look] |= _shifted(tall, round(step * np.sin(angle)), round(step * np.cos(angle)))
        met = hits.sum(axis=0, dtype=np.uint8)
        share = met.astype(np.float32) / _LOOKS
        # Narrow gaps between processes and beside facets are no canal.
        free = ndimage.distance_transform_edt(~self.bone) * _STEP_MM
        return share * np.clip((free - 2.0) / (_NEAREST_MM - 2.0), 0.0, 1.0).astype(np.float32)

    def behind(self, name: str, seed: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """(3,) zyx: the place behind a seed that is best surrounded."""
        z, y, x = np.indices(closed.shape, np.float32)
        right, ahead, up = ((a * _STEP_MM + c - s) for a, c, s in zip((x, y, z), self.corner, seed, strict=True))
        near, far = _BEHIND_SEED_MM
        # A tilted body's canal lies higher behind it, or lower.
        allowed = (ahead < -near) & (ahead > -far) & (np.abs(right) < 0.5 * -ahead) & (np.abs(up) < 4.0 - 0.3 * ahead)
        score = np.where(allowed, ndimage.gaussian_filter(closed, 1.5), 0.0)
        best = np.array(np.unravel_index(score.argmax(), score.shape))
        if closed[tuple(best)] < _LEAST_CLOSED:
            raise CaseError(
                f"no spinal canal is seen behind the point of {name} at {np.round(seed, 1).tolist()} RAS: set it in "
                "the middle of a vertebral body whose arch stands, or give the canal as a structure"
            )
        return best


def _shifted(mask: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """What lies so many rows and columns away; outside the image nothing is bone."""
    out = np.zeros_like(mask)
    _, height, width = mask.shape
    if abs(rows) < height and abs(columns) < width:
        here = (slice(max(-rows, 0), height - max(rows, 0)), slice(max(-columns, 0), width - max(columns, 0)))
        there = (slice(max(rows, 0), height + min(rows, 0)), slice(max(columns, 0), width + min(columns, 0)))
        out[:, here[0], here[1]] = mask[:, there[0], there[1]]
    return out


def _cheapest(closed: np.ndarray, anchors: list[np.ndarray]) -> np.ndarray:
    """(nz, 3) zyx: one place for each slice, through the anchors, where open places and sideways steps cost."""
    cost = 1.0 + _OPEN * (1.0 - closed) ** 2
    for z, y, x in anchors:
        rows, columns = np.indices(closed.shape[1:])
        cost[z] = np.where(np.hypot(rows - y, columns - x) < 2.0, cost[z], np.inf)
    moves = [(dy, dx) for dy in (-2, -1, 0, 1, 2) for dx in (-2, -1, 0, 1, 2) if abs(dy) + abs(dx) < 4]
    total = cost[0]
    came = np.zeros(closed.shape, np.uint8)
    for z in range(1, len(closed)):
        options = np.stack([_moved(total, dy, dx) + _SIDEWAYS * np.hypot(dy, dx) for dy, dx in moves])
        came[z] = options.argmin(axis=0)
        total = options.min(axis=0) + cost[z]
    place = np.array(np.unravel_index(total.argmin(), total.shape))
    path = np.zeros((len(closed), 3), int)
    for z in range(len(closed) - 1, -1, -1):
        path[z] = (z, *place)
        if z:
            place = place + moves[came[z][tuple(place)]]
    return path


def _moved(total: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """The cost at (dy, dx) from each place."""
    padded = np.pad(total, 2, constant_values=np.inf)
    height, width = total.shape
    return padded[2 + dy : 2 + dy + height, 2 + dx : 2 + dx + width]


def _shortened(path: np.ndarray, closed: np.ndarray, anchors: list[np.ndarray]) -> np.ndarray:
    """The path between the anchors, and beyond them while bone surrounds it."""
    shares = ndimage.uniform_filter1d(closed[tuple(path.T)], 9, mode="nearest")
    first, last = min(a[0] for a in anchors), max(a[0] for a in anchors)
    open_places = np.flatnonzero(shares < _LEAST_CLOSED)
    start = max(open_places[open_places < first], default=-1) + 1
    stop = min(open_places[open_places > last], default=len(path))
    return path[start:stop]


def _smooth(points: np.ndarray) -> np.ndarray:
    """Stations at even steps along a smoothed line."""
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    if len(points) < 5:
        return points
    at = np.arange(0.0, along[-1] + 1e-9, _STATION_MM)
    return np.stack([make_smoothing_spline(along, points[:, k], lam=_SMOOTHING)(at) for k in range(3)], axis=1)


def canal_block(bone: Mask, course: np.ndarray) -> Mask:
    """The canal about its course: as far as bone on every side, the nearest of a ring's height counting.

    Where a ring is open the free side is as far as on the neighbouring rings, and never more than 13 mm.
    """
    frames = _frames(course)
    return _filled_tube(bone, course, _radii(bone, course, frames), frames)


def _centred(bone: Mask, course: np.ndarray) -> np.ndarray:
    """The course moved to the middle of what bone leaves free around it."""
    for _ in range(2):
        frames = _frames(course)
        radii = _radii(bone, course, frames)
        angles = 2.0 * np.pi * np.arange(_RAYS) / _RAYS
        # The centroid of a star-shaped outline: radius cubed over radius squared.
        area = (radii**2).sum(axis=1)
        right = 2.0 / 3.0 * (radii**3 * np.cos(angles)).sum(axis=1) / area
        ahead = 2.0 / 3.0 * (radii**3 * np.sin(angles)).sum(axis=1) / area
        course = _smooth(course + right[:, None] * frames[0] + ahead[:, None] * frames[1])
    return course


def _frames(course: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) unit vectors to the right and ahead, across the course."""
    along = np.gradient(course, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    right = np.array([unit(np.cross(t, [0.0, 1.0, 0.0])) for t in along])
    right *= np.sign(right[:, :1])
    ahead = np.cross(right, along)
    return right, ahead * np.sign(ahead[:, 1:2])


def _radii(bone: Mask, course: np.ndarray, frames: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(n, rays) mm from the course to bone around it."""
    angles = 2.0 * np.pi * np.arange(_RAYS) / _RAYS
    step = 0.5
    reach = np.arange(0.0, _WIDEST_MM + 4.0 + step, step)
    directions = np.cos(angles)[:, None, None] * frames[0] + np.sin(angles)[:, None, None] * frames[1]
    inverse = np.linalg.inv(bone.ijk_to_ras)
    met = np.full((len(course), _RAYS), np.inf)
    last = np.array(bone.voxels.shape) - 1
    for distance in reach[::-1]:
        points = (course + distance * directions).reshape(-1, 3)
        kji = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)[:, ::-1]
        inside = ((kji >= 0) & (kji <= last)).all(axis=1)
        hit = inside & bone.voxels[tuple(np.clip(kji, 0, last).T)]
        met[hit.reshape(_RAYS, -1).T] = distance
    size = 2 * round(_RINGS_MM / _STATION_MM) + 1
    nearest = ndimage.percentile_filter(met, _OF_RINGS, size=(size, 1), mode="nearest")
    known = np.isfinite(nearest) & (nearest <= _WIDEST_MM)
    stations = np.arange(len(course))
    for ray in range(_RAYS):
        here = known[:, ray]
        nearest[:, ray] = np.interp(stations, stations[here], nearest[here, ray]) if here.any() else _WIDEST_MM
    # Single rays that meet a spur, or pass between rings, follow their neighbours.
    around = np.pad(nearest, ((0, 0), (1, 1)), mode="wrap")
    nearest = ndimage.median_filter(around, (5, 3), mode="nearest")[:, 1:-1]
    return np.clip(nearest, _NARROWEST_MM, _WIDEST_MM)


def _filled_tube(bone: Mask, course: np.ndarray, radii: np.ndarray, frames: tuple[np.ndarray, np.ndarray]) -> Mask:
    """The voxels whose centre lies nearer to the course than its outline, and which are not bone."""
    inverse = np.linalg.inv(bone.ijk_to_ras)
    around = np.concatenate([course + o for o in _WIDEST_MM * np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T])
    ijk = around @ inverse[:3, :3].T + inverse[:3, 3]
    shape = np.array(bone.voxels.shape[::-1])
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, shape - 1)
    high = np.clip(np.ceil(ijk.max(axis=0)).astype(int), 0, shape - 1) + 1
    (i0, j0, k0), (i1, j1, k1) = low, high
    block = slice(int(k0), int(k1)), slice(int(j0), int(j1)), slice(int(i0), int(i1))
    matrix = block_matrix(bone.ijk_to_ras, block)
    tree = cKDTree(course)
    voxels = np.zeros(tuple(b.stop - b.start for b in block), bool)
    for kji, points in held_by(~bone.voxels[block], matrix):
        away, station = tree.query(points, distance_upper_bound=_WIDEST_MM + _STATION_MM)
        near = np.isfinite(away)
        inside = _within_outline(points[near], station[near], course, radii, frames)
        voxels[tuple(kji[near][inside].T)] = True
    return Mask(voxels, matrix)


def _within_outline(
    points: np.ndarray,
    station: np.ndarray,
    course: np.ndarray,
    radii: np.ndarray,
    frames: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """(n,) bool: which points (n, 3) RAS mm lie within the outline at their nearest station (n,) of the course."""
    offset = points - course[station]
    right, ahead = ((offset * frame[station]).sum(axis=1) for frame in frames)
    ray = np.arctan2(ahead, right) / (2.0 * np.pi) * _RAYS
    below = np.floor(ray).astype(int)
    part = ray - below
    limit = radii[station, below % _RAYS] * (1.0 - part) + radii[station, (below + 1) % _RAYS] * part
    # Past the ends of the course nothing is known.
    along = np.abs((offset * np.cross(frames[0], frames[1])[station]).sum(axis=1))
    return (np.hypot(right, ahead) <= limit) & (along <= _STATION_MM)
