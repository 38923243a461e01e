"""Whose bone is whose: bone about a vertebra parted between it, its neighbours and ribs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from .model import Volume
from .processes import process_points
from .spinous import spinous_points
from .star import Star
from .stations import Station, ring_points

STEP_MM = 0.8
"""Of the grid that the vertebrae are parted on; about the thinnest gap of a facet joint that a scan shows."""
# Bone farther than this from the midplane is a rib: transverse processes reach 35 mm (T1, L1 40 mm), engineering
# judgement.
_RIB_MM = 43.0
_RIB_OFF_MM, _RIB_BACK_MM = 4.0, 5.0
_CORTEX_HU, _GAP_HU = 1000.0, 200.0
# About a body's smooth surface its corners and pedicles are bone as soon as they are no soft tissue; where marrow is so
# much thinner than the scan's threshold, so is the rim of the arch. Engineering judgement.
CORNER_MM = 3.0
OSTEOPENIC, RIM_MM = 0.75, 1.5


@dataclass(frozen=True, eq=False)
class Block:
    """About a seed, on a grid of STEP_MM along RAS. hu, solid: Volumes (float32)."""

    hu: Volume
    solid: Volume


def part(block: Block, stations: list[Station], soft_hu: float, threshold_hu: float) -> np.ndarray:
    """(k, j, i) int16: number of the station + 1 whose bone it is, one more for ribs, 0 for none."""
    points = _grid(block.solid)
    solid = block.solid.voxels > 0.5
    markers = np.zeros(solid.shape, np.int16)
    inverse = np.linalg.inv(block.solid.ijk_to_ras)
    spines = spinous_points(block.solid, stations)
    for number, station in enumerate(stations, 1):
        ring = np.concatenate(
            [
                ring_points(block.solid, station),
                spines[number - 1],
                process_points(block.hu, block.solid, station),
            ]
        )
        ijk = np.rint(ring @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        ijk = ijk[((ijk >= 0) & (ijk < np.array(solid.shape)[::-1])).all(axis=1)]
        markers[tuple(ijk[:, ::-1].T)] = number
    bodies = [(n, depth_near(s.star, points, CORNER_MM)) for n, s in enumerate(stations, 1) if s.star is not None]
    osteopenic = soft_hu < OSTEOPENIC * threshold_hu
    for number, depth in reversed(bodies):
        solid |= (depth > 0.0) | ((depth > -CORNER_MM) & (block.hu.voxels > soft_hu) & osteopenic)
        markers[depth > 1.5] = number
    markers[solid & _beside(stations, points)] = len(stations) + 1
    frame = stations[0].frame
    markers[solid & (np.abs((points - frame.origin) @ frame.right) > _RIB_MM)] = len(stations) + 1
    thickness = np.maximum(ndimage.distance_transform_edt(solid) * STEP_MM, 0.4)
    hu = np.clip(np.nan_to_num(block.hu.voxels), 0.0, _CORTEX_HU)
    gap = 1.0 + (ndimage.grey_closing(hu, size=3) - hu) / _GAP_HU
    return _nearest(solid, np.where(solid, markers, 0), (gap / thickness) ** 2)


def _beside(stations: list[Station], points: np.ndarray) -> np.ndarray:
    """Where ribs run, in front of the transverse processes and beside the bodies of thoracic vertebrae."""
    beside = np.zeros(points.shape[:3], bool)
    for station in stations:
        if not station.level.startswith("T") or station.star is None:
            continue
        width, _, height = station.size
        offset = points - station.frame.origin
        right, ahead, up = (offset @ axis for axis in (station.frame.right, station.frame.anterior, station.frame.out))
        wall = station.star.reach[1, 0]
        beside |= (
            (np.abs(up) < 0.75 * height) & (np.abs(right) > width / 2.0 + _RIB_OFF_MM) & (ahead > wall - _RIB_BACK_MM)
        )
    return beside


def _nearest(solid: np.ndarray, markers: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Each solid voxel's marker along the way that costs least."""
    number = np.full(solid.shape, -1, np.int32)
    count = int(solid.sum())
    number[solid] = np.arange(count)
    rows, columns, prices = [], [], []
    for offset in product((-1, 0, 1), repeat=3):
        if offset <= (0, 0, 0):
            continue
        here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in zip(offset, solid.shape, strict=True))
        there = tuple(slice(max(0, d), n - max(0, -d)) for d, n in zip(offset, solid.shape, strict=True))
        both = solid[here] & solid[there]
        rows.append(number[here][both])
        columns.append(number[there][both])
        prices.append(np.linalg.norm(offset) * 0.5 * (cost[here][both] + cost[there][both]))
    graph = coo_array((np.concatenate(prices), (np.concatenate(rows), np.concatenate(columns))), (count, count))
    marked = markers[solid]
    _, _, source = dijkstra(
        graph.tocsr(), directed=False, indices=np.flatnonzero(marked), min_only=True, return_predecessors=True
    )
    labels = np.zeros(solid.shape, np.int16)
    labels[solid] = np.where(source >= 0, marked[np.maximum(source, 0)], 0)
    return labels


def _grid(volume: Volume) -> np.ndarray:
    """(k, j, i, 3) RAS mm."""
    k, j, i = (np.arange(n, dtype=np.float32) for n in volume.voxels.shape)
    x, y, z = (axis * STEP_MM + start for axis, start in zip((i, j, k), volume.ijk_to_ras[:3, 3], strict=True))
    return np.stack(np.broadcast_arrays(x[None, None], y[None, :, None], z[:, None, None]), axis=-1)


def depth_near(star: Star, points: np.ndarray, margin: float) -> np.ndarray:
    """depth_of for points (k, j, i, 3) near the star, -inf elsewhere."""
    away = np.linalg.norm(points - star.frame.origin, axis=-1)
    near = away < star.radii.max() + margin
    depth = np.full(near.shape, -np.inf, np.float32)
    depth[near] = star.depth_of(points[near])
    return depth
