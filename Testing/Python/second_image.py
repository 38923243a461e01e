"""A made-up second image of a case, moved by a known rigid transform: MRI, or another CT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.case.model import Case, Mask, Structure, Volume

# Grey levels of T1-weighted spin echo, roughly: fat and marrow bright, liquor dark, cortex, air and metal void.
_AIR, _FAT, _MUSCLE, _CORTEX, _MARROW, _DISC, _CORD, _LIQUOR = 5.0, 220.0, 90.0, 15.0, 170.0, 110.0, 130.0, 40.0
_SOFT = {"spinal_cord": _CORD, "dural_sac": _LIQUOR, "trachea_airway": 3.0, "lungs": 10.0}


def motion(degrees: tuple[float, float, float], shift: tuple[float, float, float], about: np.ndarray) -> np.ndarray:
    """4x4 that turns about a point (x, then y, then z) and shifts."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix[:3, 3] = about - matrix[:3, :3] @ about + shift
    return matrix


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """points (n, 3) under a 4x4."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def middle(case: Case) -> np.ndarray:
    """The middle of the vertebrae."""
    return np.concatenate([s.points[::50] for s in case.structures if s.level]).mean(axis=0)


def as_mri(case: Case) -> np.ndarray:
    """Grey levels on the CT's grid by tissue, without any of the CT's own in bone and soft tissue."""
    hu = case.ct.voxels
    grey = np.where(hu < -300, _AIR, np.where(hu < -30, _FAT, _MUSCLE)).astype(np.float32)
    for structure in sorted(case.structures, key=lambda s: s.name == "spinal_cord"):
        place = place_of(case, structure)
        inside = structure.mask.voxels
        if structure.role == "bone":
            value = np.where(hu[place] > 600, _CORTEX, _MARROW)[inside]
        else:
            value = _DISC if structure.role == "disc" else _SOFT.get(structure.name, 60.0)
        grey[place][inside] = 0.0 if structure.role == "metal" else value
    return grey


def scan(
    grey: np.ndarray,
    ct: Volume,
    ct_to_second: np.ndarray,
    half: tuple[float, float, float],
    about: np.ndarray,
    spacing: tuple[float, float, float],
    thick: tuple[int, int, int] = (1, 1, 1),
    bent: Callable[[np.ndarray], np.ndarray] = lambda points: points,
) -> Volume:
    """grey (on the CT's grid) as another scanner sees it: on an upright grid of its own that reaches half (mm) to each
    side of `about` (CT, RAS), a voxel being the mean of thick samples along each axis; bent: from where in the CT comes
    what would lie at points of it."""
    low = moved(ct_to_second, about[None])[0] - half
    count = np.ceil(2 * np.array(half) / spacing).astype(int)
    k, j, i = np.meshgrid(*[np.arange(n) for n in count[::-1]], indexing="ij")
    index = np.stack([i, j, k], axis=-1).reshape(-1, 3)
    back = np.linalg.inv(ct_to_second)
    total = np.zeros(len(index), dtype=np.float32)
    parts = [(np.arange(n) + 0.5) / n - 0.5 for n in thick]
    offsets = np.stack(np.meshgrid(*parts, indexing="ij"), axis=-1).reshape(-1, 3)
    for offset in offsets:
        points = bent(moved(back, (index + offset) * spacing + low))
        total += ndimage.map_coordinates(grey, ct.to_ijk(points)[:, ::-1].T, order=1, cval=float(grey.min()))
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = low
    return Volume((total / len(offsets)).reshape(count[::-1]), matrix)


def spoilt(volume: Volume, noise: float = 12.0) -> Volume:
    """With the coil's uneven brightness (±75 % from end to end) and Rician noise, always the same."""
    drawn = np.random.default_rng(5)
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in volume.voxels.shape], indexing="ij")
    grey = volume.voxels * (1 + 0.3 * x - 0.35 * y + 0.2 * z + 0.2 * y * z)
    grey = np.hypot(grey + drawn.normal(0, noise, grey.shape), drawn.normal(0, noise, grey.shape))
    return Volume(grey.astype(np.float32), volume.ijk_to_ras)


def mri(case: Case, ct_to_second: np.ndarray, bent: Callable[[np.ndarray], np.ndarray] = lambda p: p) -> Volume:
    """A sagittal series, slices of 3 mm."""
    return spoilt(
        scan(as_mri(case), case.ct, ct_to_second, (36, 60, 90), middle(case), (3.0, 1.0, 1.0), (3, 1, 1), bent)
    )


def drawn_on(case: Case, ct_to_second: np.ndarray, image: Volume, name: str) -> np.ndarray:
    """(k, j, i) bool: a structure's voxels as a person would draw it on a second image that `mri` made."""
    labels = np.zeros(case.ct.voxels.shape, np.float32)
    labels[place_of(case, case.structure(name))] = case.structure(name).mask.voxels
    half = tuple(float(x) for x in np.array(image.voxels.shape[::-1]) * image.spacing / 2)
    spacing = tuple(float(s) for s in image.spacing)
    return scan(labels, case.ct, ct_to_second, half, middle(case), spacing).voxels > 0.5


def as_case(case: Case, ct_to_second: np.ndarray, image: Volume, names: tuple[str, ...]) -> Case:
    """The second image with structures of these names drawn on it."""
    structures = tuple(
        replace(case.structure(name), mask=Mask(drawn_on(case, ct_to_second, image, name), image.ijk_to_ras))
        for name in names
    )
    return replace(case, ct=image, structures=structures)


def rescanned(case: Case, ct_to_second: np.ndarray, bent: Callable[[np.ndarray], np.ndarray]) -> Case:
    """The patient in a later CT, labelled again (each voxel as the nearest one): another grid, place and posture."""
    half, spacing = (40.0, 60.0, 90.0), np.array([0.8, 0.8, 1.0])
    low = moved(ct_to_second, middle(case)[None])[0] - half
    count = np.ceil(2 * np.array(half) / spacing).astype(int)
    k, j, i = np.meshgrid(*[np.arange(n) for n in count[::-1]], indexing="ij")
    there = np.stack([i, j, k], axis=-1).reshape(-1, 3) * spacing + low
    kji = case.ct.to_ijk(bent(moved(np.linalg.inv(ct_to_second), there)))[:, ::-1].T
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = low
    labels = np.zeros(case.ct.voxels.shape, np.uint8)
    for value, structure in enumerate(case.structures, start=1):
        labels[place_of(case, structure)][structure.mask.voxels] = value
    hu = ndimage.map_coordinates(case.ct.voxels, kji, output=np.float32, order=1, cval=-1000.0).reshape(count[::-1])
    nearest = ndimage.map_coordinates(labels, kji, order=0).reshape(count[::-1])
    structures = tuple(
        replace(structure, mask=Mask(nearest == value, matrix))
        for value, structure in enumerate(case.structures, start=1)
        if (nearest == value).any()
    )
    return replace(case, ct=Volume(np.rint(hu).astype(np.int16), matrix), structures=structures)


def place_of(case: Case, structure: Structure) -> tuple[slice, ...]:
    """The block of the CT's voxels that a structure's mask is of."""
    start = np.rint(case.ct.to_ijk(structure.mask.ijk_to_ras[:3, 3][None])[0]).astype(int)[::-1]
    return tuple(slice(a, a + n) for a, n in zip(start, structure.mask.voxels.shape))
