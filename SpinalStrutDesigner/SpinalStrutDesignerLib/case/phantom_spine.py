"""The phantom's vertebrae: their forms from the morphometry table, their posture, and their bone as distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .morphometry import adult_means
from .phantom_shapes import Points, Ripple, capsule, ellipse, ellipsoid, plate, smooth_maximum, smooth_minimum

DESTROYED = ("C5", "C6", "C7", "T1")
LOST_DISCS = ("C5", "C6", "C7")
RIM = 0.82
CERVICAL = ("C2", "C3", "C4", "C5", "C6", "C7")

# The phantom's own posture, bottom to top: forward tilt of the body's axis from vertical (degrees) and height of the
# disc above (mm; thoracic after Fletcher, the others such as sagittal pictures show).
_POSTURE = {
    "T4": (16.0, 3.2), "T3": (19.5, 3.5), "T2": (22.0, 4.0), "T1": (24.0, 4.6), "C7": (24.0, 5.2),
    "C6": (21.0, 5.2), "C5": (16.5, 5.2), "C4": (12.0, 5.0), "C3": (7.0, 4.8), "C2": (3.0, 0.0),
}  # fmt: skip
# Length and downward slope (degrees) of the spinous process, half the span over the transverse processes (mm).
_PROCESSES = {
    "C2": (17.0, 15.0, 24.0), "C3": (13.0, 15.0, 25.0), "C4": (13.0, 16.0, 26.0), "C5": (15.0, 16.0, 26.5),
    "C6": (20.0, 16.0, 28.0), "C7": (28.0, 18.0, 33.0), "T1": (30.0, 24.0, 35.0), "T2": (29.0, 38.0, 32.0),
    "T3": (29.0, 45.0, 30.0), "T4": (29.0, 50.0, 29.0),
}  # fmt: skip
# What is left of the destroyed bodies: centre as fractions of half width, half depth and half height; half-axes in mm.
_REMNANTS = {
    "C5": (((0.85, -0.55, 0.75), (3.6, 3.4, 3.0)), ((-0.8, -0.5, 0.7), (4.2, 3.6, 3.6)),
           ((0.1, -0.98, 0.55), (5.0, 1.6, 3.2))),
    "C6": (((-0.95, -0.6, 0.1), (2.8, 2.4, 2.2)), ((0.5, -0.8, -0.5), (1.9, 1.7, 2.3))),
    "C7": (((0.95, -0.6, 0.0), (2.6, 3.0, 2.6)),),
    "T1": (((-0.15, -0.97, -0.6), (6.5, 1.7, 3.4)), ((0.85, -0.6, -0.6), (3.6, 3.8, 3.6)),
           ((-0.9, -0.5, -0.7), (3.0, 3.2, 3.0))),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Form:
    """One vertebra. centre: RAS mm of the body's centre; rotation: 3x3, columns right, anterior, superior.

    Half widths and depths of the upper and lower plate, half height at the centre, slope of either plate towards the
    front (positive: the body is lower in front), depth of the dishes, and half the canal's width and depth. mm.
    """

    level: str
    centre: np.ndarray
    rotation: np.ndarray
    upper: tuple[float, float]
    lower: tuple[float, float]
    half_height: float
    slope: float
    dish: tuple[float, float]
    canal: tuple[float, float]
    pitch: float

    @property
    def back(self) -> float:
        """y of the posterior wall in the vertebra's own frame, mm."""
        return -(self.upper[1] + self.lower[1]) / 2.0

    @property
    def canal_centre(self) -> np.ndarray:
        """RAS mm, at the height of the body's centre."""
        return self.to_ras((0.0, self.back - self.canal[1], 0.0))

    def to_ras(self, local: tuple[float, float, float] | np.ndarray) -> np.ndarray:
        """Points (..., 3) of the vertebra's frame to RAS mm."""
        return np.asarray(local, dtype=float) @ self.rotation.T + self.centre

    def rim_centre(self, side: int) -> np.ndarray:
        """RAS mm: the middle of a plate at the height of its rim; side +1 upper, -1 lower."""
        y = (self.upper if side > 0 else self.lower)[1] + self.back
        return self.to_ras((0.0, y, side * (self.half_height - self.slope * y)))

    def normal(self, side: int) -> np.ndarray:
        """Outward unit normal of a plate, RAS."""
        local = np.array([0.0, self.slope, float(side)])
        return self.rotation @ (local / np.linalg.norm(local))


def _rotation(tilt: float, coronal: float, axial: float) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("xyz", [-tilt, coronal, axial], degrees=True).as_matrix()


def spine(rng: np.random.Generator) -> tuple[Form, ...]:
    """The vertebrae C2 to T4, from bottom to top, each a little turned and tipped by chance."""
    table = adult_means()
    forms: list[Form] = []
    for level, (tilt, disc) in _POSTURE.items():
        row = table[level]
        cervical = level in CERVICAL
        chance = rng.uniform(-1.0, 1.0, 3)
        rotation = _rotation(tilt + 0.5 * chance[0], 0.8 * chance[1], 1.2 * chance[2])
        slope = 0.0 if cervical else float(np.tan(np.radians(1.5)))
        upper = row["upper_width"] / 2, row["upper_depth"] / 2
        lower = row["lower_width"] / 2, row["lower_depth"] / 2
        half = (row["posterior_height"] - slope * (row["upper_depth"] + row["lower_depth"]) / 2) / 2
        below = _POSTURE[forms[-1].level][1] if forms else disc
        form = Form(
            level, np.zeros(3), rotation, upper, lower, half, slope,
            (0.7, 1.7) if cervical else (1.1, 1.3),
            (row["canal_width"] / 2, row["canal_depth"] / 2),
            2.0 * half + (below + disc) / 2.0,
        )  # fmt: skip
        if forms:
            under = forms[-1]
            up = under.normal(1) - form.normal(-1)
            place = under.to_ras((0, 0, under.half_height)) + up / np.linalg.norm(up) * below
            form = _moved(form, place - form.to_ras((0, 0, -half)))
        forms.append(form)
    return tuple(forms)


def _moved(form: Form, shift: np.ndarray) -> Form:
    from dataclasses import replace

    return replace(form, centre=form.centre + shift)


def body(form: Form, p: Points) -> np.ndarray:
    """The vertebral body in its own frame: waisted, flat behind, dished plates with a rim, uncinates where due."""
    x, y, z = p
    s = np.clip(z / np.float32(form.half_height), -1.0, 1.0)
    (wu, du), (wl, dl) = form.upper, form.lower
    waist = 1.0 - s * s
    a = (wu + wl) / 2 + s * ((wu - wl) / 2) - waist * (0.10 * wu)
    b = (du + dl) / 2 + s * ((du - dl) / 2) - waist * (0.07 * du)
    forward = y - (b + np.float32(form.back))
    side = ellipse(x, forward, a, b, 2.5)
    rho = (x / a) ** 2 + (forward / b) ** 2
    bowl = np.maximum(1.0 - rho / np.float32(RIM**2), 0.0) ** 2
    drop = np.float32(form.slope) * y
    top = z - (form.half_height - drop - form.dish[0] * bowl)
    bottom = -(form.half_height - drop - form.dish[1] * bowl) - z
    solid = smooth_maximum(side, np.maximum(top, bottom), 0.8).astype(np.float32)
    if form.level in ("C3", "C4", "C5", "C6", "C7"):
        solid = smooth_minimum(solid, _uncinate(form, p), 1.2)
    if form.level == "C2":
        height = form.half_height
        dens = capsule(p, (0.0, 1.0, height - 2.0), (0.0, -0.5, height + 13.0), 5.6, 4.6)
        facet = ellipsoid((np.abs(x), y, z), (form.canal[0] + 2.0, form.back + 5.0, height - 1.0), (8.5, 7.5, 5.5))
        solid = smooth_minimum(smooth_minimum(solid, dens, 4.0), facet, 3.0)
    return solid


def _uncinate(form: Form, p: Points) -> np.ndarray:
    x, y, z = p
    (wu, du), h = form.upper, form.half_height
    start, end = (wu + 0.9, 0.25 * du + form.back + du, h - 1.6), (wu + 1.1, form.back + 0.35 * du, h + 1.3)
    return capsule((np.abs(x), y, z), start, end, 1.2, 1.9)


def arch(form: Form, p: Points) -> np.ndarray:
    """Pedicles, articular pillars, laminae and processes in the vertebra's own frame, canal and foramina cut out."""
    mirrored = (np.abs(p[0]), p[1], p[2])
    bone = _cervical_arch(form, mirrored) if form.level in CERVICAL else _thoracic_arch(form, mirrored)
    bone = smooth_minimum(bone, _spinous_process(form, mirrored), 1.5)
    return np.maximum(bone, -canal(form, p))


def canal(form: Form, p: Points) -> np.ndarray:
    """The spinal canal's cross-section, drawn out along the vertebra's axis."""
    a, b = form.canal
    return ellipse(p[0], p[1] - np.float32(form.back - b), np.float32(a), np.float32(b), 2.2)


def foramen(form: Form) -> tuple[float, float, float]:
    """The middle of the right transverse foramen in the vertebra's own frame; the left is its mirror image."""
    wide = (form.upper[0] + form.lower[0]) / 2
    return (wide + _PROCESSES[form.level][2] - 5.0) / 2 + 1.0, form.back + 4.5, 0.0


def _artery_hole(form: Form, p: Points) -> np.ndarray:
    x, y, _ = foramen(form)
    out = (6.0, -5.0, 22.0) if form.level == "C2" else (0.0, 0.0, 15.0)
    above = capsule(p, (x, y, 0.0), (x + out[0], y + out[1], out[2]), 3.0, 3.0)
    return np.minimum(capsule(p, (x, y, -15.0), (x, y, 0.0), 3.0, 3.0), above)


def _cervical_arch(form: Form, p: Points) -> np.ndarray:
    wide, back, (cw, _) = (form.upper[0] + form.lower[0]) / 2, form.back, form.canal
    x, y, z = p
    pillar_x = cw + 6.5
    bone = capsule(p, (wide - 2.0, back + 3.0, 1.0), (cw + 4.5, back - 5.0, 0.0), 2.9, 2.9)
    # Facets face up and back, about 35 degrees from the horizontal plane.
    slant = (y - np.float32(back - 9.0)) * np.float32(-0.574) + (z + 0.5) * np.float32(0.819)
    pillar = ellipse(x - np.float32(pillar_x), y - np.float32(back - 9.0), np.float32(6.0), np.float32(5.2))
    pillar = smooth_maximum(pillar, np.abs(slant) - np.float32(form.pitch * 0.819 / 2 - 0.7), 2.5)
    bone = smooth_minimum(bone, pillar, 2.0)
    bone = smooth_minimum(bone, _lamina(form, p, 4.6), 2.0)
    reach = _PROCESSES[form.level][2]
    if form.level == "C7":
        bar = capsule(p, (cw + 4.0, back - 6.0, 0.0), (reach - 2.6, back - 9.0, 1.5), 3.6, 2.7)
        return smooth_minimum(bone, bar, 2.0)
    front = capsule(p, (wide - 1.5, back + 7.0, 0.0), (reach - 4.5, back + 8.5, -2.0), 1.8, 2.3)
    side = capsule(p, (reach - 4.0, back + 7.5, -2.0), (reach - 3.0, back - 4.0, -2.5), 2.0, 2.4)
    bone = smooth_minimum(smooth_minimum(bone, front, 1.5), side, 1.5)
    return bone


def _thoracic_arch(form: Form, p: Points) -> np.ndarray:
    h, back, (cw, _) = form.half_height, form.back, form.canal
    reach = _PROCESSES[form.level][2]
    pillar_x = cw + 3.0
    bone = plate(p, (form.lower[0] - 5.0, back + 2.0, 0.25 * h), (pillar_x, back - 8.0, 0.2 * h), 2.4, 2.4, 2.2)
    pieces = (
        (capsule(p, (pillar_x, back - 8.5, 0.2 * h), (pillar_x - 0.5, back - 10.5, h + 4.0), 3.2, 2.3), 2.0),
        (capsule(p, (pillar_x, back - 12.0, 0.0), (pillar_x - 1.5, back - 14.5, -h - 3.5), 3.0, 2.2), 2.0),
        (_lamina(form, p, 0.40 * form.pitch), 2.0),
        (capsule(p, (pillar_x, back - 10.0, 1.0), (reach - 3.5, back - 19.0, 4.5), 3.3, 3.8), 2.0),
    )
    for piece, radius in pieces:
        bone = smooth_minimum(bone, piece, radius)
    return bone


def _lamina(form: Form, p: Points, half_height: float) -> np.ndarray:
    """The back half of a shell about the canal, sloping down and back as roof tiles do."""
    x, y, z = p
    behind = y - np.float32(form.back - form.canal[1] - 1.0)
    level = z + 2.0 - 0.35 * (behind + np.float32(form.canal[1]))
    around = canal(form, p)
    shell = np.maximum(np.abs(around - 2.3) - 2.0, behind)
    return smooth_maximum(shell, np.abs(level) - np.float32(half_height) + 0.15 * np.abs(x), 1.5)


def _spinous_process(form: Form, p: Points) -> np.ndarray:
    length, slope, _ = _PROCESSES[form.level]
    start = form.back - 2 * form.canal[1] - 2.5
    tip_y = start - length * float(np.cos(np.radians(slope)))
    tip_z = -3.5 - length * float(np.sin(np.radians(slope)))
    tall = 3.4 if form.level in CERVICAL else 4.6
    bone = plate(p, (0.0, start + 1.0, -4.0), (0.0, tip_y, tip_z), 2.2, 2.7, tall)
    knob = capsule(p, (0.0, tip_y + 1.0, tip_z + 1.0), (0.0, tip_y, tip_z - 2.0), 3.1, 3.1)
    bone = smooth_minimum(bone, knob, 2.0)
    if form.level in ("C2", "C3", "C4", "C5", "C6"):
        horn = capsule(p, (0.0, tip_y + 1.5, tip_z - 1.0), (4.2, tip_y - 3.0, tip_z - 2.5), 2.2, 1.9)
        bone = smooth_minimum(bone, horn, 1.5)
    return bone


def remnants(form: Form, p: Points, rng: np.random.Generator) -> np.ndarray:
    """What is left of a destroyed body: a few ragged pieces, within the body that was there."""
    wide = (form.upper[0] + form.lower[0]) / 2
    left = np.full(np.broadcast_shapes(*(q.shape for q in p)), 10.0, np.float32)
    for place, semi in _REMNANTS[form.level]:
        jitter = rng.uniform(-0.4, 0.4, 3)
        centre = np.array([place[0] * wide, -place[1] * form.back, place[2] * form.half_height]) + jitter
        left = np.minimum(left, ellipsoid(p, centre, semi))
    ragged = Ripple.drawn(rng, 4.5).at(p) + 0.6 * Ripple.drawn(rng, 2.3).at(p)
    return np.maximum(left + np.float32(0.9) * ragged, body(form, p))


def vertebra(form: Form, p: Points, rng: np.random.Generator) -> np.ndarray:
    """All bone of a vertebra as the CT shows it, in its own frame."""
    bone = arch(form, p)
    if form.level not in DESTROYED:
        bone = np.maximum(smooth_minimum(bone, body(form, p), 1.5), -canal(form, p))
    if form.level in CERVICAL and form.level != "C7":
        bone = np.maximum(bone, -_artery_hole(form, (np.abs(p[0]), p[1], p[2])))
    if form.level not in DESTROYED:
        return bone
    ragged = Ripple.drawn(rng, 5.0).at(p)
    stump = np.maximum(bone, p[1] - np.float32(form.back - 1.0) - 1.5 * ragged)
    lateral = np.maximum(bone, np.float32(form.lower[0] + 3.0) - np.abs(p[0]) + 1.5 * ragged)
    return np.minimum(np.minimum(stump, lateral), remnants(form, p, rng))
