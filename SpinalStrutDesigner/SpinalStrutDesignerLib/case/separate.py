"""Vertebrae separated from each other in the bare CT, each from one seed in its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from ..errors import CaseError
from .bone import BLOOMING_MM, BoneAndMetal
from .frame import Frame
from .labels import block_matrix
from .levels import LEVELS, is_above
from .model import Mask, Structure, Volume
from .star import Star
from .stations import Station, along_column, neighbour_of, ring_points, station_at, usual_size

STEP_MM = 0.8
"""Of the grid that the vertebrae are parted on; about the thinnest gap of a facet joint that a scan shows."""
# About a seed, from right to left, back to front and below to above: a vertebra and what touches it, however it leans.
_BEFORE_MM, _BEYOND_MM = np.array([52.0, 92.0, 62.0]), np.array([52.0, 42.0, 62.0])
_NEIGHBOURS = 2  # up and down: thoracic spinous processes reach past the next vertebra
# Bone farther than this from the midplane is a rib: transverse processes reach 35 mm (T1, L1 40 mm), engineering
# judgement.
_RIB_MM = 43.0
_RIB_OFF_MM, _RIB_BACK_MM = 4.0, 5.0
_CORTEX_HU, _GAP_HU = 1000.0, 200.0
_MARROW_MM = 5.0
_DISC_HU, _LEAST_SOFT_HU = 70.0, 90.0
# Measured on test cases and a real scan: standing bodies 0.28 (osteopenic, 2.5 mm slices) to 0.96.
_LEAST_EDGE = 0.2
_COARSE_MM = 2.0
_LEAST_SEED_HU, _IN_BONE_MM, _FIND_MM = 80.0, 1.5, 40.0
_CLOSED_MM = 2.0
# About a body's smooth surface its corners and pedicles are bone as soon as they are no soft tissue; where marrow is so
# much thinner than the scan's threshold, so is the rim of the arch. Engineering judgement.
_CORNER_MM = 3.0
_OSTEOPENIC, _RIM_MM = 0.75, 1.5


@dataclass(frozen=True, eq=False)
class Separation:
    """structures: the seeded vertebrae, the rest of the bone and the metal; notes: what a person should know."""

    structures: tuple[Structure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Block:
    """About a seed, on a grid of STEP_MM along RAS. hu, solid: Volumes (float32)."""

    hu: Volume
    solid: Volume


def separate_vertebrae(ct: Volume, found: BoneAndMetal, seeds: Mapping[str, np.ndarray]) -> Separation:
    """Each vertebra that has a seed (level to (3,) RAS mm in its body), cut from its neighbours, ribs and metal.

    Raises CaseError for a seed that is not in a vertebral body.
    """
    points = {level: np.asarray(seed, float).reshape(3) for level, seed in seeds.items()}
    _check_seeds(ct, found, points)
    masks: dict[str, Mask] = {}
    notes: list[str] = []
    for level in points:
        masks[level], said = _vertebra(ct, found, level, points)
        notes.extend(said)
    return Separation(_structures(ct, found, masks), tuple(notes))


def _check_seeds(ct: Volume, found: BoneAndMetal, seeds: Mapping[str, np.ndarray]) -> None:
    last = np.array(ct.voxels.shape[::-1]) - 1
    for level, seed in seeds.items():
        ijk = ct.to_ijk(seed[None])[0]
        place = ", ".join(f"{x:.1f}" for x in seed)
        if not ((ijk >= -0.5) & (ijk <= last + 0.5)).all():
            raise CaseError(f"the seed of {level} at ({place}) RAS lies outside the image; click into {level}'s body")
        at = np.clip(np.rint(ijk).astype(int), 0, last)[::-1]
        box = tuple(
            slice(max(0, c - r), c + r + 1) for c, r in zip(at, np.ceil(_FIND_MM / ct.spacing[::-1]).astype(int))
        )
        bone = np.argwhere((found.bone | found.metal)[box])
        steps = (bone + [b.start for b in box] - at)[:, ::-1] @ ct.ijk_to_ras[:3, :3].T
        near = float(np.median(ct.voxels[tuple(slice(max(0, c - 1), c + 2) for c in at)]))
        away = np.linalg.norm(steps, axis=1) if len(steps) else np.array([np.inf])
        if near < _LEAST_SEED_HU and away.min() > _IN_BONE_MM:
            where = (
                f"the nearest bone lies {away.min():.0f} mm away" if len(steps) else f"no bone within {_FIND_MM:g} mm"
            )
            if len(steps):
                spot = ct.ijk_to_ras[:3, :3] @ at[::-1] + ct.ijk_to_ras[:3, 3] + steps[away.argmin()]
                where += " at (" + ", ".join(f"{x:.1f}" for x in spot) + ") RAS"
            raise CaseError(
                f"the seed of {level} at ({place}) RAS is not in bone: {near:.0f} HU there; {where}; click into "
                f"{level}'s body"
            )


def _check_body(own: Station, level: str, seeds: Mapping[str, np.ndarray]) -> None:
    """Raises CaseError where no body stands about the seed, or another seed lies in it, above or below its level."""
    assert own.star is not None
    place = ", ".join(f"{x:.1f}" for x in seeds[level])
    if own.star.depth_of(seeds[level][None])[0] < -1.0:
        raise CaseError(
            f"no vertebral body of {level} was found about its seed at ({place}) RAS: click into the middle of the "
            "body, or choose another docking level if it is destroyed"
        )
    if own.star.edge < _LEAST_EDGE:
        raise CaseError(
            f"{level} is destroyed too far to dock on, or its seed at ({place}) RAS lies in no body: only "
            f"{own.star.edge:.0%} of a body's surface show an edge; choose another docking level or label it by hand"
        )
    for other, seed in seeds.items():
        if other == level:
            continue
        if own.star.depth_of(seed[None])[0] > 0.0:
            raise CaseError(
                f"the seeds of {level} and {other} lie in one vertebra; click into each vertebra's own body"
            )
        up = float((seed - seeds[level]) @ own.frame.out)
        if (up > 0.0) != is_above(other, level):
            where = "above" if up > 0.0 else "below"
            raise CaseError(
                f"the seed of {other} lies {where} that of {level}: the two are swapped, or the image is upside down; "
                "check the levels' names"
            )


def _notes(ct: Volume, own: Station, mask: Mask) -> list[str]:
    """What should be known about a vertebra that was found."""
    notes = []
    first = np.rint(ct.to_ijk(mask.ijk_to_ras[:3, 3][None])[0]).astype(int)
    last = first + np.array(mask.voxels.shape[::-1]) - 1
    if (first <= 0).any() or (last >= np.array(ct.voxels.shape[::-1]) - 1).any():
        notes.append(
            f"{own.level} reaches the border of the image: what lies beyond is missing; scan the whole vertebra"
        )
    if own.canal is None:
        notes.append(f"no canal was found behind {own.level}: its arch may be cut from its neighbours' at wrong places")
    if float(ct.spacing.max()) >= _COARSE_MM:
        notes.append(
            f"{own.level} was found in voxels of {ct.spacing.max():.1f} mm: facet joints do not show in them, and its "
            "arch may be wrong by several mm; check it"
        )
    return notes


def _block(ct: Volume, found: BoneAndMetal, middle: np.ndarray) -> _Block:
    low = middle - _BEFORE_MM
    shape = np.ceil((_BEFORE_MM + _BEYOND_MM) / STEP_MM).astype(int)
    matrix = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    matrix[:3, 3] = low
    inverse = np.linalg.inv(ct.ijk_to_ras)
    turn = (inverse[:3, :3] * STEP_MM)[::-1, ::-1]
    shift = (inverse[:3, :3] @ low + inverse[:3, 3])[::-1]

    def resampled(voxels: np.ndarray, beyond: float) -> Volume:
        values = ndimage.affine_transform(
            voxels, turn, shift, tuple(shape[::-1]), order=1, cval=beyond, output=np.float32, mode="constant"
        )
        return Volume(values, matrix)

    hu = resampled(ct.voxels, np.nan)
    solid = resampled((found.bone).view(np.uint8), 0.0).voxels + resampled(found.metal.view(np.uint8), 0.0).voxels
    return _Block(hu, Volume(solid, matrix))


def _vertebra(ct: Volume, found: BoneAndMetal, level: str, seeds: Mapping[str, np.ndarray]) -> tuple[Mask, list[str]]:
    block = _block(ct, found, seeds[level])
    soft = _soft_hu(block.hu, seeds[level], found.threshold_hu)
    own, *others = _stations(block, level, seeds[level], soft)
    _check_body(own, level, seeds)
    mask = _mask(ct, found, block, _parted(block, [own, *others], soft, found.threshold_hu), own, soft)
    return mask, _notes(ct, own, mask)


def _stations(block: _Block, level: str, seed: np.ndarray, soft: float) -> list[Station]:
    """The seeded vertebra first, then its neighbours."""
    start = Frame.along(seed, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    own = station_at(block.hu, block.solid, level, seed, start, usual_size(level)[0], soft)
    stations = [own]
    for up in (True, False):
        beyond, last = None, own
        for _ in range(_NEIGHBOURS):
            following = neighbour_of(block.hu, block.solid, last, beyond, up, soft)
            if following is None:
                break
            stations.append(following)
            beyond, last = last, following
    ordered = sorted(stations, key=lambda station: LEVELS.index(station.level))
    turned = along_column(ordered, block.solid)
    return sorted(turned, key=lambda station: station.level != level)


def _soft_hu(hu: Volume, seed: np.ndarray, threshold_hu: float) -> float:
    """HU halfway from a disc to the marrow about the seed, if that is less than the threshold of bone."""
    ticks = np.arange(-_MARROW_MM, _MARROW_MM + 0.1, 1.0)
    around = np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)
    around = around[np.linalg.norm(around, axis=1) <= _MARROW_MM]
    marrow = float(np.nanmedian(hu.sample(seed + around)))
    return min(threshold_hu, max(_LEAST_SOFT_HU, (_DISC_HU + marrow) / 2.0))


def _grid(volume: Volume) -> np.ndarray:
    """(k, j, i, 3) RAS mm."""
    k, j, i = (np.arange(n, dtype=np.float32) for n in volume.voxels.shape)
    x, y, z = (axis * STEP_MM + start for axis, start in zip((i, j, k), volume.ijk_to_ras[:3, 3], strict=True))
    return np.stack(np.broadcast_arrays(x[None, None], y[None, :, None], z[:, None, None]), axis=-1)


def _depth(star: Star, points: np.ndarray, margin: float) -> np.ndarray:
    """depth_of for points (k, j, i, 3) near the star, -inf elsewhere."""
    away = np.linalg.norm(points - star.frame.origin, axis=-1)
    near = away < star.radii.max() + margin
    depth = np.full(near.shape, -np.inf, np.float32)
    depth[near] = star.depth_of(points[near])
    return depth


def _parted(block: _Block, stations: list[Station], soft_hu: float, threshold_hu: float) -> np.ndarray:
    """(k, j, i) int16: number of the station + 1 whose bone it is, one more for ribs, 0 for none."""
    points = _grid(block.solid)
    solid = block.solid.voxels > 0.5
    markers = np.zeros(solid.shape, np.int16)
    inverse = np.linalg.inv(block.solid.ijk_to_ras)
    for number, station in enumerate(stations, 1):
        ring = ring_points(block.solid, station)
        ijk = np.rint(ring @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        ijk = ijk[((ijk >= 0) & (ijk < np.array(solid.shape)[::-1])).all(axis=1)]
        markers[tuple(ijk[:, ::-1].T)] = number
    bodies = [(n, _depth(s.star, points, _CORNER_MM)) for n, s in enumerate(stations, 1) if s.star is not None]
    osteopenic = soft_hu < _OSTEOPENIC * threshold_hu
    for number, depth in reversed(bodies):
        solid |= (depth > 0.0) | ((depth > -_CORNER_MM) & (block.hu.voxels > soft_hu) & osteopenic)
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


def _mask(ct: Volume, found: BoneAndMetal, block: _Block, labels: np.ndarray, own: Station, soft_hu: float) -> Mask:
    """The first station's bone on the CT's own grid, with its marrow and without metal."""
    # A voxel of the CT takes the label that is nearest on the coarser grid.
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels = labels[tuple(nearest)]
    mine = np.argwhere(labels * (block.solid.voxels > 0.1) == 1)
    corners = np.array(list(product(*zip(mine.min(axis=0) - 4, mine.max(axis=0) + 4, strict=True))))[:, ::-1]
    ijk = ct.to_ijk(corners * STEP_MM + block.solid.ijk_to_ras[:3, 3])[:, ::-1]
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 1, ct.voxels.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    k, j, i = np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij")
    ras = np.stack([i, j, k], axis=-1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
    at = np.rint((ras - block.solid.ijk_to_ras[:3, 3]) / STEP_MM).astype(int)
    within = ((at >= 0) & (at < np.array(labels.shape)[::-1])).all(axis=-1)
    at = np.where(within[..., None], at, 0)
    owner = np.where(within, labels[at[..., 2], at[..., 1], at[..., 0]], 0)
    depth = _depth(own.star, ras, 6.0)
    bone = (found.bone[box] | (depth > 0.8)) & (owner == 1)
    bone |= _beside_metal(ct, found, box) & (owner == 1)
    if soft_hu < _OSTEOPENIC * found.threshold_hu:
        bone |= (depth > -_CORNER_MM) & (ct.voxels[box] > soft_hu) & (owner == 1)
        near = ndimage.distance_transform_edt(~found.bone[box], sampling=ct.spacing[::-1]) <= _RIM_MM
        bone |= near & (ct.voxels[box] > soft_hu) & (owner == 1)
    bone &= ~_outside_body(own, ras, depth)
    metal = found.metal[box]
    bone = _filled(bone | (metal & (owner == 1))) & ~metal
    bone = _in_one_piece(bone, metal & (owner == 1))
    tight = ndimage.find_objects(bone.astype(np.uint8))[0]
    whole = tuple(slice(b.start + t.start, b.start + t.stop) for b, t in zip(box, tight, strict=True))
    return Mask(bone[tight], block_matrix(ct.ijk_to_ras, whole))


def _beside_metal(ct: Volume, found: BoneAndMetal, box: tuple[slice, ...]) -> np.ndarray:
    """Bone between metal and the bone about it, where the metal's brightness hides the edge."""
    bone, metal = found.bone[box], found.metal[box]
    if not metal.any():
        return np.zeros_like(bone)
    step, wide = ct.spacing[::-1], [(round(2.0 * _CLOSED_MM / size) + 1,) * 2 for size in ct.spacing[::-1]]
    apart = np.pad(~(bone | metal), wide, constant_values=True)
    grown = ndimage.distance_transform_edt(apart, sampling=step) <= _CLOSED_MM
    closed = ndimage.distance_transform_edt(grown, sampling=step) > _CLOSED_MM
    inner = tuple(slice(pad, -pad) for pad, _ in wide)
    about = ndimage.distance_transform_edt(~metal, sampling=step) <= BLOOMING_MM
    return closed[inner] & about & (ct.voxels[box] > found.threshold_hu) & ~metal


def _in_one_piece(bone: np.ndarray, metal: np.ndarray) -> np.ndarray:
    """The bone that hangs together, be it through its screws."""
    pieces, count = ndimage.label(bone | metal, ndimage.generate_binary_structure(3, 3))
    if count < 2:
        return bone
    sizes = np.bincount(pieces.ravel(), weights=bone.ravel())
    return bone & (pieces == int(sizes[1:].argmax()) + 1)


def _outside_body(own: Station, ras: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """What lies in front of the canal and off the body: discs, vessels, the neighbours' osteophytes."""
    local = own.frame.to_local(ras.reshape(-1, 3)).reshape(ras.shape)
    reach = own.star.reach
    ahead = (local[..., 1] - reach[1, 0]) / (reach[1, 1] - reach[1, 0])
    within = (np.abs(local[..., 0]) < reach[0, 1]) & (np.abs(local[..., 2]) > 0.6 * reach[2, 1])
    # Transverse processes of cervical vertebrae stand beside the front half of the body too.
    front = 0.6 if own.level.startswith("C") else 0.15
    far = (ahead > front) & (depth < -2.5)
    return far | (within & (ahead > 0.15) & (depth < -1.2))


def _filled(bone: np.ndarray) -> np.ndarray:
    """With the marrow, also where its shell has pinholes."""
    around = ndimage.generate_binary_structure(3, 3)
    padded = np.pad(bone, 3)
    closed = ndimage.binary_closing(padded, around, iterations=2) | padded
    enclosed = ndimage.binary_fill_holes(closed) & ~closed
    grown = ndimage.binary_dilation(enclosed, around, iterations=2) & closed
    return (padded | enclosed | grown)[3:-3, 3:-3, 3:-3] | ndimage.binary_fill_holes(bone)


def _structures(ct: Volume, found: BoneAndMetal, masks: Mapping[str, Mask]) -> tuple[Structure, ...]:
    structures = [Structure(level, "bone", mask, level=level) for level, mask in masks.items()]
    rest = found.bone.copy()
    for mask in masks.values():
        start = np.rint(ct.to_ijk(mask.ijk_to_ras[:3, 3][None])[0]).astype(int)[::-1]
        box = tuple(slice(a, a + n) for a, n in zip(start, mask.voxels.shape, strict=True))
        rest[box] &= ~mask.voxels
    for name, role, voxels in (("other_bone", "bone", rest), ("metal", "metal", found.metal)):
        blocks = ndimage.find_objects(voxels.view(np.uint8))
        if blocks and blocks[0] is not None:
            structures.append(Structure(name, role, Mask(voxels[blocks[0]], block_matrix(ct.ijk_to_ras, blocks[0]))))
    return tuple(structures)
