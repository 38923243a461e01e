"""What the patient is: a CT, the structures labelled in it, and what is measured on them. All RAS millimetres, HU."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..errors import CaseError
from ..threads import made_once
from .frame import projected
from .motion import Motion
from .soundness import Soundness, soundness_of

Role = Literal["bone", "disc", "keepout_critical", "keepout_soft", "metal"]
ROLES: tuple[Role, ...] = ("bone", "disc", "keepout_critical", "keepout_soft", "metal")
Face = Literal["superior", "inferior"]
_TICKS = 5  # along each side of a block, by which it is known how far motions carry it
OTHER_VERTEBRAE = "other_vertebrae"
"""The structure that holds vertebrae which are not told apart."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A scalar image. voxels: (k, j, i); ijk_to_ras: 4x4, voxel centre (i, j, k, 1) to RAS mm."""

    voxels: np.ndarray
    ijk_to_ras: np.ndarray

    @property
    def spacing(self) -> np.ndarray:
        """(3,) mm along i, j, k."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)

    def alike(self, other: Volume) -> bool:
        """Whether another image holds the same values of the same kind at the same place, to the nanometre."""
        return _alike(self, other)

    def to_ijk(self, points: np.ndarray) -> np.ndarray:
        """points: (n, 3) RAS mm to continuous (n, 3) voxel coordinates (i, j, k)."""
        inverse = np.linalg.inv(self.ijk_to_ras)
        return np.asarray(points, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3]

    def sample(self, points: np.ndarray) -> np.ndarray:
        """Trilinear values at points: (n, 3) RAS mm; NaN outside the image."""
        from scipy.ndimage import map_coordinates

        kji = self.to_ijk(points)[:, ::-1]
        last = np.array(self.voxels.shape) - 1.0
        # A point on the outermost voxels' centres is in the image whatever the last bit of its place.
        kji = np.where(np.abs(kji - np.clip(kji, 0.0, last)) < 1e-4, np.clip(kji, 0.0, last), kji)
        return map_coordinates(self.voxels, kji.T, output=np.float32, order=1, cval=np.nan)


@dataclass(frozen=True, eq=False)
class Mask:
    """A structure's voxels, cropped. voxels: (k, j, i) bool; ijk_to_ras: 4x4 of the cropped block."""

    voxels: np.ndarray
    ijk_to_ras: np.ndarray

    @made_once
    def field(self) -> DistanceField:
        """Signed distance to the mask's smooth surface, made at first use."""
        from .distance import distance_field

        return distance_field(self)

    @made_once
    def soundness(self) -> Soundness:
        """Whether it is one sound body, measured at first use."""
        return soundness_of(self.voxels)

    def alike(self, other: Mask) -> bool:
        """Whether another mask holds the same voxels at the same place, to the nanometre."""
        return _alike(self, other)

    @property
    def volume(self) -> float:
        """mm³."""
        return float(self.voxels.sum() * abs(np.linalg.det(self.ijk_to_ras[:3, :3])))

    @property
    def points(self) -> np.ndarray:
        """(n, 3) RAS mm, the voxel centres."""
        kji = np.argwhere(self.voxels)
        return kji[:, ::-1] @ self.ijk_to_ras[:3, :3].T + self.ijk_to_ras[:3, 3]


@dataclass(frozen=True, eq=False)
class DistanceField:
    """Signed distance in mm, negative inside, sampled on the mask's voxel block padded by a few millimetres, and more
    coarsely on one padded by 25 mm.

    values, far_values: (k, j, i) float32; core: lowest and highest corner of the mask's voxels in (i, j, k) of values.
    Beyond the padding the distance to the block of the mask is returned: a lower bound of the true one.
    """

    values: np.ndarray
    ijk_to_ras: np.ndarray
    core: tuple[np.ndarray, np.ndarray]
    far_values: np.ndarray
    far_ijk_to_ras: np.ndarray

    @cached_property
    def ras_to_ijk(self) -> np.ndarray:
        """4x4, of values."""
        return np.linalg.inv(self.ijk_to_ras)

    @cached_property
    def far_ras_to_ijk(self) -> np.ndarray:
        """4x4, of far_values."""
        return np.linalg.inv(self.far_ijk_to_ras)

    def at(self, points: np.ndarray) -> np.ndarray:
        """points: (n, 3) RAS mm to (n,) mm."""
        from .distance import sample_distance

        return sample_distance(self, points)


@dataclass(frozen=True, eq=False)
class Structure:
    """One labelled thing. level is the vertebra's name for a vertebra ("C6"), else None.

    pose moves it from where the CT shows it (4x4, RAS to RAS); cuts are half-spaces that a planned resection removes:
    (point (3,), normal (3,)), bone on the normal's side is gone. motions: how it follows a corrected posture and a
    lengthened span, one after the other, after pose.
    error_mm: how uncertain its place in the CT is beyond the plan's error budget, for one that a second image gave:
    every distance to it is less by that, so that no check can forget it.
    """

    name: str
    role: Role
    mask: Mask
    value: int | None = None
    level: str | None = None
    pose: np.ndarray = field(default_factory=lambda: np.eye(4))
    cuts: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    motions: tuple[Motion, ...] = ()
    error_mm: float = 0.0

    @property
    def of_column(self) -> bool:
        """Whether it is bone of the vertebral column: a vertebra, or what is left of several."""
        return self.level is not None or self.name == OTHER_VERTEBRAE

    @property
    def points(self) -> np.ndarray:
        """(n, 3) RAS mm, the voxel centres where the structure now lies."""
        return self.carried(self.mask.points @ self.pose[:3, :3].T + self.pose[:3, 3])

    @cached_property
    def box(self) -> np.ndarray:
        """(2, 3) RAS mm: lowest and highest of the block of voxels where it now lies."""
        ticks = np.linspace(-0.5, np.array(self.mask.voxels.shape[::-1]) - 0.5, _TICKS).T
        ijk = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)
        matrix = self.pose @ self.mask.ijk_to_ras
        points = self.carried(ijk @ matrix[:3, :3].T + matrix[:3, 3])
        return np.stack([points.min(axis=0), points.max(axis=0)])

    def carried(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the structure in its pose lie after its motions."""
        for motion in self.motions:
            points = motion.moved(points)
        return points

    def brought_back(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) lay before the motions: the inverse of `carried`."""
        for motion in reversed(self.motions):
            points = motion.unmoved(points)
        return points

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance in mm, negative inside, at points: (n, 3) RAS mm, less the uncertainty of its place."""
        points = self.brought_back(np.asarray(points, dtype=float).reshape(-1, 3))
        in_ct = points
        if not np.array_equal(self.pose, np.eye(4)):
            inverse = np.linalg.inv(self.pose)
            in_ct = projected(points, inverse[:3, :3]) + inverse[:3, 3]
        distance = self.mask.field.at(in_ct)
        if self.error_mm:
            distance = distance - self.error_mm
        for point, normal in self.cuts:
            distance = np.maximum(distance, (points - point) @ normal)
        return distance


@dataclass(frozen=True)
class ScanMeasure:
    """One thing measured on a scan: its value, what it means for the design, where the limit comes from.

    limiting: whether it is beyond the limit, so that the design is less sure by it.
    """

    name: str
    value: float
    unit: str
    effect: str
    source: str
    limiting: bool

    @property
    def note(self) -> str:
        """In a sentence."""
        return f"{self.name} {self.value:g} {self.unit}: {self.effect} ({self.source})"


@dataclass(frozen=True)
class ScanQuality:
    """What the scan can and cannot tell; each note says the effect on the design.

    measures: noise and motion, also where they limit nothing; those that do are in the notes too.
    """

    spacing_mm: tuple[float, float, float]
    slice_thickness_mm: float
    metal_fraction: float
    notes: tuple[str, ...] = ()
    measures: tuple[ScanMeasure, ...] = ()


@dataclass(frozen=True, eq=False)
class Endplate:
    """A vertebra's superior or inferior face.

    normal points out of the body; anterior and right are unit vectors in the plate's plane (right = patient's right).
    outline: (m, 3) closed polygon on the plate's plane; surface: (n, 3) points of the bone surface within it.
    neighbour: the level of the body that stands opposite, None where none does (a remnant does not count).
    gap_mm: median distance along the normal to the neighbouring body over the footprint, the disc's height;
    least_gap_mm: the least, between lips and uncinate processes; None where no body stands. by_hand: whether a person
    set the plane because none could be measured.
    """

    level: str
    face: Face
    centre: np.ndarray
    normal: np.ndarray
    anterior: np.ndarray
    right: np.ndarray
    width_mm: float
    depth_mm: float
    outline: np.ndarray
    surface: np.ndarray
    neighbour: str | None = None
    gap_mm: float | None = None
    rms_mm: float = 0.0
    least_gap_mm: float | None = None
    by_hand: bool = False

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """RAS points (n, 3) to (right, anterior, out) mm about the centre."""
        return projected(np.asarray(points, dtype=float) - self.centre, self._axes)

    def to_ras(self, local: np.ndarray) -> np.ndarray:
        """(right, anterior, out) mm to RAS points (n, 3)."""
        return projected(local, self._axes.T) + self.centre

    @property
    def _axes(self) -> np.ndarray:
        return np.stack([self.right, self.anterior, self.normal])


@dataclass(frozen=True, eq=False)
class Body:
    """A vertebral body: centre, unit axes (right, anterior, superior) and the mid-body points of its front and back."""

    level: str
    centre: np.ndarray
    right: np.ndarray
    anterior: np.ndarray
    superior: np.ndarray
    anterior_face: np.ndarray
    posterior_wall: np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """A patient: CT, structures, and what their names could not be matched to.

    seeds: (level, RAS mm) from which the program found structures by itself, which no person has looked at yet.
    """

    name: str
    ct: Volume
    structures: tuple[Structure, ...]
    quality: ScanQuality
    unknown: tuple[str, ...] = ()
    digest: str = ""
    seeds: tuple[tuple[str, tuple[float, float, float]], ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """The vertebrae present, from top to bottom."""
        from .levels import LEVELS

        present = {s.level for s in self.structures if s.level}
        return tuple(level for level in LEVELS if level in present)

    def structure(self, name: str) -> Structure:
        """The structure of that name or level. Raises CaseError with the names there are."""
        for structure in self.structures:
            if name in (structure.name, structure.level):
                return structure
        known = ", ".join(s.level or s.name for s in self.structures)
        raise CaseError(f"the case has no structure '{name}'; it has: {known}")

    def having(self, *roles: Role) -> tuple[Structure, ...]:
        """The structures of these roles."""
        return tuple(s for s in self.structures if s.role in roles)

    def distance(self, structures: Iterable[Structure], points: np.ndarray) -> np.ndarray:
        """Signed distance in mm to the union of structures at points: (n, 3); +inf where there are none."""
        nearest = np.full(len(points), np.inf)
        for structure in structures:
            np.minimum(nearest, structure.distance(points), out=nearest)
        return nearest

    def with_structures(self, structures: Iterable[Structure]) -> Case:
        """The same case with other structures."""
        return replace(self, structures=tuple(structures))


def place_key(ijk_to_ras: np.ndarray) -> bytes:
    """What tells a place from others: its 4x4 matrix to the nanometre."""
    # Adding zero turns -0 into 0: both are the same place.
    return (np.round(np.asarray(ijk_to_ras, dtype=np.float64), 6) + 0.0).tobytes()


def _alike(one: Volume | Mask, other: Volume | Mask) -> bool:
    same = one.voxels.dtype == other.voxels.dtype and place_key(one.ijk_to_ras) == place_key(other.ijk_to_ras)
    return same and np.array_equal(one.voxels, other.voxels)
