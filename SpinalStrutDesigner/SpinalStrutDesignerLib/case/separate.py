"""Vertebrae separated from each other in the bare CT, each from one seed in its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .body_check import check_body, check_cut
from .bone import BoneAndMetal
from .course import Course
from .disc_space import DiscSpace, disc_spaces
from .distance import tightened
from .frame import Frame
from .labels import block_matrix
from .levels import LEVELS
from .model import Mask, Role, Structure, Volume
from .own_bone import own_bone
from .parting import STEP_MM, Block, part
from .seed_check import check_seeds
from .star import Star
from .stations import Spine, Station, along_column, neighbour_of, spine_about, station_at

# About a seed, from right to left, back to front and below to above: a vertebra and what touches it, however it leans.
_BEFORE_MM, _BEYOND_MM = np.array([52.0, 92.0, 62.0]), np.array([52.0, 42.0, 62.0])
_NEIGHBOURS = 2  # up and down: thoracic spinous processes reach past the next vertebra
_MARROW_MM = 5.0
_DISC_HU, _LEAST_SOFT_HU = 70.0, 90.0
_COARSE_MM = 2.0
_MUCH_MM3 = 50.0  # what looks like bone within a disc: a few voxels along the plates are no news
# Bodies' middles lie 13 mm (cervical) and more apart; a seed may lie 6 mm off its body's middle.
_SAME_BODY_MM = 9.0


@dataclass(frozen=True, eq=False)
class _Vertebra:
    """mask: of its own bone; body: its surface; notes: what a person should know; beside: level to (3,) RAS mm of the
    bodies found one after the other from it."""

    mask: Mask
    body: Star
    notes: tuple[str, ...]
    beside: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Separation:
    """structures: the seeded vertebrae, the rest of the bone and the metal, no voxel in two of them; notes: what a
    person should know; neighbours: level to (3,) RAS mm, the middle of each body found beside the seeded ones."""

    structures: tuple[Structure, ...]
    notes: tuple[str, ...]
    neighbours: Mapping[str, np.ndarray]


def separate_vertebrae(
    ct: Volume, found: BoneAndMetal, course: np.ndarray, seeds: Mapping[str, np.ndarray]
) -> Separation:
    """Each vertebra that has a seed (level to (3,) RAS mm in its body), cut from its neighbours, ribs and metal; with
    them those next to a seeded one between the outermost seeds, where their bodies stand.

    Raises CaseError for a seed that is not in a vertebral body.
    """
    points = {level: np.asarray(seed, float).reshape(3) for level, seed in seeds.items()}
    check_seeds(ct, found, points)
    line = Course(course)
    cut = {level: _vertebra(ct, found, line, level, points) for level in points}
    beside = {level: vertebra.beside for level, vertebra in cut.items()}
    neighbours = {k: v for chain in beside.values() for k, v in chain.items() if k not in points}
    for level in _next_within(points, neighbours):
        # What cannot be told apart stays with the other bone.
        with suppress(CaseError):
            cut[level] = _vertebra(ct, found, line, level, {**points, level: neighbours[level]})
    masks = _owned_once(ct, {level: vertebra.mask for level, vertebra in cut.items()})
    rest = found.bone.copy()
    for mask in masks.values():
        rest[_box(ct, mask)] &= ~mask.voxels
    notes = [note for vertebra in cut.values() for note in vertebra.notes]
    for space in disc_spaces(ct, {level: vertebra.body for level, vertebra in cut.items()}):
        notes += _without_disc(rest, ct, space)
        masks.update(_with_rims(rest, ct, space, masks))
    return Separation(_structures(ct, found, masks, rest), (*notes, *_contradictions(beside, points)), neighbours)


def _without_disc(rest: np.ndarray, ct: Volume, space: DiscSpace) -> list[str]:
    """Takes what looks like bone between two bodies out of the rest, and tells where that is much."""
    volume = float((rest[space.block] & space.disc).sum() * np.prod(ct.spacing))
    rest[space.block] &= ~space.disc
    if volume <= _MUCH_MM3:
        return []
    return [
        f"between {space.upper} and {space.lower} {volume / 1000.0:.1f} cm³ are as bright as bone and were taken for "
        "disc: slices too thick to tell them apart, calcified disc, or fused vertebrae; look at it before docking"
    ]


def _with_rims(rest: np.ndarray, ct: Volume, space: DiscSpace, masks: Mapping[str, Mask]) -> dict[str, Mask]:
    """Both vertebrae with what of the rest stands about their disc in front: each takes what is nearer to it."""
    both = (masks[space.upper], masks[space.lower])
    rim = Mask(space.rim & rest[space.block], block_matrix(ct.ijk_to_ras, space.block))
    block, (free, *whole) = _together(ct, (rim, *both))
    away = [ndimage.distance_transform_edt(~mask, sampling=ct.spacing[::-1]) for mask in whole]
    rest[block] &= ~free
    whole[0] |= free & (away[0] <= away[1])
    whole[1] |= free & (away[0] > away[1])
    matrix = block_matrix(ct.ijk_to_ras, block)
    return {level: tightened(Mask(mask, matrix)) for level, mask in zip((space.upper, space.lower), whole, strict=True)}


def _together(ct: Volume, masks: Sequence[Mask]) -> tuple[tuple[slice, slice, slice], list[np.ndarray]]:
    """The block of the CT that holds all the masks, and each of them in it."""
    boxes = [_box(ct, mask) for mask in masks]
    i, j, k = (slice(min(p.start for p in parts), max(p.stop for p in parts)) for parts in zip(*boxes, strict=True))
    block, laid = (i, j, k), []
    for mask, box in zip(masks, boxes, strict=True):
        voxels = np.zeros([part.stop - part.start for part in block], bool)
        voxels[tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(box, block, strict=True))] = mask.voxels
        laid.append(voxels)
    return block, laid


def _next_within(seeds: Mapping[str, np.ndarray], neighbours: Mapping[str, np.ndarray]) -> list[str]:
    """Of the levels between the outermost seeds those found next to a seeded one: a foot has to share their disc."""
    order = sorted(LEVELS.index(level) for level in seeds)
    beside = {number + step for number in order for step in (-1, 1)}
    return [LEVELS[n] for n in sorted(beside) if order[0] < n < order[-1] and LEVELS[n] in neighbours]


def _contradictions(beside: Mapping[str, Mapping[str, np.ndarray]], seeds: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Where counting bodies from two seeds does not lead to the same one."""
    known = {level: {**chain, level: seeds[level]} for level, chain in beside.items()}
    for one, other in combinations(seeds, 2):
        both = known[one].keys() & known[other]
        apart = {level: float(np.linalg.norm(known[one][level] - known[other][level])) for level in both}
        level = max(sorted(apart), key=lambda name: apart[name], default="")
        if level and apart[level] > _SAME_BODY_MM:
            yield (
                f"counted from {one}, {level} lies {apart[level]:.0f} mm from where it lies counted from {other}: a "
                "seed may bear another level's name, or a body between was not seen; count the vertebrae"
            )


def _box(ct: Volume, mask: Mask) -> tuple[slice, ...]:
    start = np.rint(ct.to_ijk(mask.ijk_to_ras[:3, 3][None])[0]).astype(int)[::-1]
    return tuple(slice(a, a + n) for a, n in zip(start, mask.voxels.shape, strict=True))


def _owned_once(ct: Volume, masks: Mapping[str, Mask]) -> dict[str, Mask]:
    """The masks, where two claim a voxel only that which the nearest undisputed voxel belongs to."""
    owned = dict(masks)
    for one, other in combinations(masks, 2):
        boxes = [_box(ct, owned[level]) for level in (one, other)]
        if any(max(a.start, b.start) >= min(a.stop, b.stop) for a, b in zip(*boxes, strict=True)):
            continue
        block, both = _together(ct, (owned[one], owned[other]))
        disputed = both[0] & both[1]
        if not disputed.any():
            continue
        away = [ndimage.distance_transform_edt(~(mine & ~disputed), sampling=ct.spacing[::-1]) for mine in both]
        both[0] &= ~disputed | (away[0] <= away[1])
        both[1] &= ~disputed | (away[0] > away[1])
        matrix = block_matrix(ct.ijk_to_ras, block)
        owned[one], owned[other] = (tightened(Mask(mine, matrix)) for mine in both)
    return owned


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
            f"{own.level} was found in voxels of {ct.spacing.max():.1f} mm: facet joints do not show in them; "
            "processes of a neighbour may be taken with its arch, or parts of its own be missing: check it"
        )
    return notes


def _block(ct: Volume, found: BoneAndMetal, middle: np.ndarray) -> Block:
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
    return Block(hu, Volume(solid, matrix))


def _vertebra(
    ct: Volume, found: BoneAndMetal, course: Course, level: str, seeds: Mapping[str, np.ndarray]
) -> _Vertebra:
    block = _block(ct, found, seeds[level])
    soft = _soft_hu(block.hu, seeds[level], found.threshold_hu)
    spine = spine_about(block.solid, course, level, seeds[level])
    own, *others = _stations(block, course, spine, seeds[level], soft)
    check_body(block.hu, soft, own, spine, seeds)
    mask = own_bone(ct, found, block, part(block, [own, *others], soft), own, soft)
    assert own.star is not None
    check_cut(own.star, mask, level)
    return _Vertebra(mask, own.star, tuple(_notes(ct, own, mask)), _found_beside(own, others))


def _found_beside(own: Station, others: list[Station]) -> dict[str, np.ndarray]:
    """Level to the body's middle, of the vertebrae found one after the other from the seeded one."""
    stations = {LEVELS.index(station.level): station for station in others}
    beside = {}
    for step in (-1, 1):
        number = LEVELS.index(own.level) + step
        while number in stations and stations[number].star is not None:
            beside[stations[number].level] = stations[number].frame.origin
            number += step
    return beside


def _stations(block: Block, course: Course, spine: Spine, seed: np.ndarray, soft: float) -> list[Station]:
    """The seeded vertebra first, then its neighbours."""
    start = Frame.along(seed, course.up(seed), np.array([0.0, 1.0, 0.0]))
    own = station_at(block.hu, block.solid, spine.level, seed, start, spine.body, soft)
    stations = [own]
    for up in (True, False):
        last = own
        for _ in range(_NEIGHBOURS):
            following = neighbour_of(block.hu, block.solid, last, course, up, soft)
            if following is None:
                break
            stations.append(following)
            last = following
    ordered = sorted(stations, key=lambda station: LEVELS.index(station.level))
    turned = along_column(ordered, block.solid)
    return sorted(turned, key=lambda station: station.level != spine.level)


def _soft_hu(hu: Volume, seed: np.ndarray, threshold_hu: float) -> float:
    """HU halfway from a disc to the marrow about the seed, if that is less than the threshold of bone."""
    ticks = np.arange(-_MARROW_MM, _MARROW_MM + 0.1, 1.0)
    around = np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)
    around = around[np.linalg.norm(around, axis=1) <= _MARROW_MM]
    marrow = float(np.nanmedian(hu.sample(seed + around)))
    return min(threshold_hu, max(_LEAST_SOFT_HU, (_DISC_HU + marrow) / 2.0))


def _structures(ct: Volume, found: BoneAndMetal, masks: Mapping[str, Mask], rest: np.ndarray) -> tuple[Structure, ...]:
    structures = [Structure(level, "bone", mask, level=level) for level, mask in masks.items()]
    others: tuple[tuple[str, Role, np.ndarray], ...] = (
        ("other_bone", "bone", rest),
        ("metal", "metal", found.metal),
    )
    for name, role, voxels in others:
        blocks = ndimage.find_objects(voxels.view(np.uint8))
        if blocks and blocks[0] is not None:
            structures.append(Structure(name, role, Mask(voxels[blocks[0]], block_matrix(ct.ijk_to_ras, blocks[0]))))
    return tuple(structures)
