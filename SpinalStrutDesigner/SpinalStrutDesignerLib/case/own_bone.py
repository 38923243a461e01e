"""A vertebra's own bone on the CT's grid: with its marrow, without discs and metal."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import ndimage

from .bone import ABOUT_EDGE_MM, BLOOMING_MM, CLIPPED_HU, SMOOTHED_MM, BoneAndMetal, within_edges
from .fine_grid import FineGrid
from .marrow import background
from .metal import within
from .model import Mask, Volume
from .parting import STEP_MM, Block, depth_near
from .star import Star
from .stations import Station

_CLOSED_MM = 2.0
# So deep beneath the body's smooth surface all is bone, or a hole in it. Nearer to it the scan decides: the surface
# cuts across the hollows of plates, which are up to about this deep (engineering judgement) and hold disc.
_PLATE_MM = 2.0
# Discs are sought between plates nearer than this, darker than these by as much as marrow than thin cortex, so near to
# the body's surface, and beyond this part of its half height. Engineering judgement.
_GAP_MM, _GAP_HU, _GAP_DEPTH_MM, _WAIST = 4.0, 100.0, 1.0, 0.5
# Shapes finer than a voxel is long are noise, not anatomy. A Gaussian of so many voxels passes half of what is as
# long as three of them.
_SMOOTH_VOXELS = 0.4
# A thoracic transverse process is 8 to 12 mm deep; its shell, thin before the rib's neck, is lost in slices so thick,
# and what is left is open to the front. Beside and behind the body what such a hollow holds is marrow where it is
# brighter than fat and fluid. Engineering judgement.
# The shell towards the rib being the rib's own, such a hollow is the vertebra's if at least that part of its border is.
_THICK_MM, _HOLLOW_MM, _BESIDE_MM, _MARROW_HU, _LEAST_OWN = 2.0, 12.0, 14.0, 40.0, 0.45
# Uncinate processes stand beyond this part of the body's half width; between 0.5 and 0.65 it makes no difference.
_UNCINATES = 0.6
# About the canal's middle nothing is marrow: a canal is 14 mm wide and more (clinical facts).
_CANAL_MM = 4.0
# Marrow is ringed by its shell whichever way it is sliced; the holes for the arteries of the neck one way only. Below
# the neck a vertebra alone rings nothing but its canal, and the shell of its processes may be lost one way in thick
# slices.
_RINGS_OF_NECK, _RINGS = 2, 1


def own_bone(ct: Volume, found: BoneAndMetal, block: Block, labels: np.ndarray, own: Station, soft_hu: float) -> Mask:
    """The first station's bone on the CT's own grid, with its marrow and without metal.

    Bone is what was found in the scan, what is brighter beside it than halfway from soft tissue to this vertebra's
    own marrow, the body within its surface, and what these enclose. It is decided on a grid that divides thick slices
    and goes back to the CT's by what fills a voxel by more than half.
    """
    star = own.star
    assert star is not None
    # A voxel of the CT takes the label that is nearest on the coarser grid.
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels = labels[tuple(nearest)]
    mine = np.argwhere(labels * (block.solid.voxels > 0.1) == 1)
    corners = np.array(list(product(*zip(mine.min(axis=0) - 4, mine.max(axis=0) + 4, strict=True))))[:, ::-1]
    grid = FineGrid.about(ct, corners * STEP_MM + block.solid.ijk_to_ras[:3, 3])
    points = grid.points
    at = np.rint((points - block.solid.ijk_to_ras[:3, 3]) / STEP_MM).astype(int)
    inside = ((at >= 0) & (at < np.array(labels.shape)[::-1])).all(axis=-1)
    at = np.where(inside[..., None], at, 0)
    owned = inside & (labels[at[..., 2], at[..., 1], at[..., 0]] == 1)
    depth = depth_near(star, points, 6.0)
    smooth = ndimage.gaussian_filter(
        np.clip(ct.voxels[grid.box], *CLIPPED_HU).astype(np.float32), SMOOTHED_MM / ct.spacing[::-1]
    )
    gap = grid.divided(_gap(smooth, ct.spacing[::-1])) & _at_plates(own, star, points, depth)
    owned &= ~_reaching(gap, ~owned, grid.step)
    metal = grid.divided(found.metal[grid.box])
    bone = (grid.divided(_bright(ct, found, grid.box, smooth, soft_hu)) | (depth > _PLATE_MM)) & owned
    bone = (bone & ~_outside_body(own, star, points, depth)) | (metal & owned)
    rings = _RINGS_OF_NECK if own.level.startswith("C") else _RINGS
    bone = _with_marrow(bone, _in_canal(own, points) & ~bone, grid, rings)
    if own.level.startswith("T") and ct.spacing.max() >= _THICK_MM:
        others = grid.divided(found.bone[grid.box]) & ~owned
        beside = _beside_canal(own, star, points)
        hollows = _hollows((bone | others) & beside, grid.step) & beside & ~(bone | others | metal)
        bone |= _own_hollows(hollows & grid.divided(smooth > _MARROW_HU), bone, others)
        owned |= bone
    blur = _SMOOTH_VOXELS * ct.spacing.max() / grid.step
    bone = (ndimage.gaussian_filter(bone.astype(np.float32), blur) > 0.5) & owned
    bone = grid.voted(bone & ~metal) & ~found.metal[grid.box]
    return grid.mask(_in_one_piece(bone, grid.voted(metal & owned)))


def _bright(ct: Volume, found: BoneAndMetal, box: tuple[slice, ...], smooth: np.ndarray, soft_hu: float) -> np.ndarray:
    """What was found and, within a voxel of it, what is more than half as bright as this vertebra's marrow or cortex.

    Of the scan's one threshold much of a thin cortex falls short in an osteopenic vertebra.
    """
    bone, metal = found.bone[box], found.metal[box]
    beside = within(bone, float(ct.spacing.max()), ct.spacing) & ~within(metal, BLOOMING_MM, ct.spacing)
    if found.contrast is not None:
        beside &= ~found.contrast[box]
    # Of thick slices one to each side: the edge lies between neighbours.
    bright = within_edges(smooth, soft_hu, [max(1, round(ABOUT_EDGE_MM / step)) for step in ct.spacing[::-1]])
    return bone | (bright & beside) | _beside_metal(ct, found, box)


def _gap(smooth: np.ndarray, step: np.ndarray) -> np.ndarray:
    """What is darker than halfway between the bright sheets to both its sides and its own darkest: a narrow disc.

    Blurred from both sides it may be brighter than any threshold of bone, and what bodies enclose looks like marrow.
    """
    sheets = ndimage.grey_closing(smooth, [2 * round(_GAP_MM / 2.0 / size) + 1 for size in step])
    darkest = ndimage.minimum_filter(smooth, [2 * round(ABOUT_EDGE_MM / size) + 1 for size in step])
    return np.asarray((smooth < (sheets + darkest) / 2.0) & (sheets - darkest > _GAP_HU))


def _reaching(gap: np.ndarray, beyond: np.ndarray, step: np.ndarray) -> np.ndarray:
    """What of a gap goes on beyond what is owned: a disc, owned to its middle, does; marrow between sheets does not."""
    return np.asarray(ndimage.binary_dilation(gap & beyond, iterations=round(_GAP_MM / 2.0 / step.min()), mask=gap))


def _at_plates(own: Station, star: Star, points: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Where the body's plates and what lies beyond them are: not deep in the body, not behind it, not at its waist."""
    local = own.frame.to_local(points.reshape(-1, 3)).reshape(points.shape)
    reach = star.reach
    beside = np.abs(local[..., 0]) < reach[0, 1]
    ends = np.abs(local[..., 2]) > _WAIST * reach[2, 1]
    return np.asarray(beside & ends & (local[..., 1] > reach[1, 0]) & (depth < _GAP_DEPTH_MM))


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


def _outside_body(own: Station, star: Star, ras: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """What lies in front of the canal and off the body: discs, vessels, the neighbours' osteophytes."""
    local = own.frame.to_local(ras.reshape(-1, 3)).reshape(ras.shape)
    reach = star.reach
    ahead = (local[..., 1] - reach[1, 0]) / (reach[1, 1] - reach[1, 0])
    within = (np.abs(local[..., 0]) < reach[0, 1]) & (np.abs(local[..., 2]) > 0.6 * reach[2, 1])
    if own.level.startswith("C"):
        # Uncinate processes stand on the sides of the upper plate.
        within &= (np.abs(local[..., 0]) < _UNCINATES * reach[0, 1]) | (local[..., 2] < 0.0)
    # Transverse processes of cervical vertebrae stand beside the front half of the body too.
    front = 0.8 if own.level.startswith("C") else 0.15
    far = (ahead > front) & (depth < -2.5)
    return far | (within & (ahead > 0.15) & (depth < -1.2))


def _in_canal(own: Station, points: np.ndarray) -> np.ndarray:
    """The middle of the canal along the vertebra."""
    if own.canal is None:
        return np.zeros(points.shape[:-1], bool)
    offset = points - own.canal
    return np.hypot(offset @ own.frame.right, offset @ own.frame.anterior) < _CANAL_MM


def _beside_canal(own: Station, star: Star, points: np.ndarray) -> np.ndarray:
    """Where transverse processes are: beside the canal and behind the body."""
    local = own.frame.to_local(points.reshape(-1, 3)).reshape(points.shape)
    return np.asarray((np.abs(local[..., 0]) > _BESIDE_MM) & (local[..., 1] < star.reach[1, 0]))


def _hollows(bone: np.ndarray, step: np.ndarray) -> np.ndarray:
    """What a disc of the hollows' width, laid in the slices, does not reach without touching bone."""
    found, radius = np.zeros_like(bone), _HOLLOW_MM / 2.0
    wide = [int(np.ceil(radius / size)) + 1 for size in step[1:]]
    for k in np.flatnonzero(bone.any(axis=(1, 2))):
        away = ndimage.distance_transform_edt(np.pad(~bone[k], [(n, n) for n in wide], constant_values=True), step[1:])
        reached = ndimage.distance_transform_edt(away <= radius, step[1:]) <= radius
        found[k] = ~reached[wide[0] : -wide[0], wide[1] : -wide[1]] & ~bone[k]
    return found


def _own_hollows(hollows: np.ndarray, bone: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The hollows, slice by slice, that enough own bone borders on; short of the others' bone by the joint's width."""
    own = np.zeros_like(hollows)
    for k in np.flatnonzero(hollows.any(axis=(1, 2))):
        pieces, count = ndimage.label(hollows[k])
        borders = np.zeros((2, count + 1))
        for shift, axis in product((-1, 1), (0, 1)):
            moved = np.where(hollows[k], 0, np.roll(pieces, shift, axis))
            borders += [np.bincount(moved[mask[k]], minlength=count + 1) for mask in (bone, others)]
        enough = borders[0] >= _LEAST_OWN * borders.sum(axis=0)
        enough[0] = False
        own[k] = enough[pieces] & ~ndimage.binary_dilation(others[k])
    return own


def _with_marrow(bone: np.ndarray, canal: np.ndarray, grid: FineGrid, least: int) -> np.ndarray:
    """Bone with what it rings in the slices across so many axes at least.

    A shell thinner than a voxel has gaps of up to a voxel: half of one is closed from each side, for finding the rings.
    """
    gap = np.maximum(np.rint(0.5 * grid.ct.spacing.max() / grid.step), 1).astype(int)
    bone, canal = (np.pad(mask, [(n + 1, n + 1) for n in gap]) for mask in (bone, canal))
    cross = ndimage.generate_binary_structure(3, 1)
    closed = (ndimage.binary_closing(bone, cross, iterations=int(gap.max())) | bone) & ~canal
    rings = np.zeros(bone.shape, np.uint8)
    for across in range(3):
        labels, outer = background(closed, tuple(axis for axis in range(3) if axis != across))
        outer[np.unique(labels[canal])] = True
        rings += ~outer[labels]
    ringed = (rings >= least) & ~bone
    # What was closed beside marrow is shell or marrow too.
    ringed |= ndimage.binary_dilation(ringed, ndimage.generate_binary_structure(3, 3), int(gap.max())) & closed
    return (bone | ringed)[tuple(slice(n + 1, -n - 1) for n in gap)]
