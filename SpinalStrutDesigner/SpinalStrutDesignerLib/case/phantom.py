"""A procedural cervicothoracic spine: C2 to T4 with C5 to T1 destroyed, made from a seed in seconds.

It is the case that the demonstration runs on. Sizes follow the morphometry table, places are drawn to look like an
adult; it shows no patient, and its exact endplates are known (`phantom_truth`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from . import phantom_tissues as tissues
from .images import Image, hounsfield
from .labels import structures_of_labels
from .model import Case, Face, Role
from .phantom_shapes import Block, Canvas, Points, Ripple, ellipse, in_frame
from .phantom_spine import DESTROYED, LOST_DISCS, RIM, Form, body, spine, vertebra
from .phantom_tissues import Layout, Pieces
from .quality import edge_notes, scan_quality
from .read import case_digest
from .roles import meaning_of

NAME = "phantom"
SPACING = (0.7, 0.7, 1.0)
_NAMES: tuple[tuple[int, str, Role], ...] = (
    (2, "C2", "bone"), (3, "C3", "bone"), (4, "C4", "bone"), (5, "C5", "bone"), (6, "C6", "bone"), (7, "C7", "bone"),
    (8, "T1", "bone"), (9, "T2", "bone"), (10, "T3", "bone"), (11, "T4", "bone"), (30, "other_bone", "bone"),
    (40, "discs", "disc"), (50, "spinal_cord", "keepout_critical"), (51, "dural_sac", "keepout_critical"),
    (52, "trachea_airway", "keepout_critical"), (53, "oesophagus", "keepout_critical"),
    (54, "carotids", "keepout_critical"), (55, "jugulars", "keepout_critical"),
    (56, "vertebral_arteries", "keepout_critical"), (57, "great_vessels", "keepout_critical"),
    (58, "larynx_cartilage", "keepout_soft"), (60, "lungs", "keepout_soft"),
)  # fmt: skip
_VALUE = {name: value for value, name, _ in _NAMES}
# HU, from the table of tissues in radiology texts; bone at the neck is denser than in the chest.
_HU = {
    "discs": 90, "spinal_cord": 38, "dural_sac": 14, "trachea_airway": -1000, "oesophagus": 40, "carotids": 48,
    "jugulars": 46, "vertebral_arteries": 48, "great_vessels": 46, "larynx_cartilage": 160, "lungs": -840,
}  # fmt: skip
_AIR, _FAT, _MUSCLE, _SKIN, _CORTEX, _LYTIC = -1000, -95, 54, 25, 1250, 42
_TRABECULAR = {"C2": 330, "C3": 320, "C4": 310, "C5": 300, "C6": 290, "C7": 260, "T1": 240, "T2": 225, "T3": 220}
_CORTEX_THICKNESS = 0.9
_NOISE_HU = 17.0
_TEXTURE_HU = 45.0
_BLUR_MM = 0.42


@dataclass(frozen=True, eq=False)
class PlateTruth:
    """An endplate as made: the least-squares plane over its footprint, and the footprint's width and depth (mm).

    rim: the middle of the plate at the height of its rim; the plane lies deeper, for the dish.
    """

    centre: np.ndarray
    normal: np.ndarray
    width_mm: float
    depth_mm: float
    rim: np.ndarray


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """What the phantom was made from. endplates: by (level, face); bodies: centres; lines: (n, 3) RAS mm."""

    endplates: dict[tuple[str, Face], PlateTruth]
    bodies: dict[str, np.ndarray]
    posterior_heights_mm: dict[str, float]
    canals_mm: dict[str, tuple[float, float]]
    cord: np.ndarray
    vertebral_arteries: tuple[np.ndarray, np.ndarray]


def phantom_truth(seed: int = 1) -> PhantomTruth:
    """The exact plates, centres and centrelines of make_phantom(seed)."""
    forms = _forms(seed)
    layout = Layout(forms)
    plates: dict[tuple[str, Face], PlateTruth] = {}
    for form in forms:
        plates[form.level, "inferior"] = _plate_truth(form, -1)
        if form.level != "C2":
            plates[form.level, "superior"] = _plate_truth(form, 1)
    return PhantomTruth(
        plates,
        {form.level: form.centre for form in forms},
        {form.level: 2.0 * (form.half_height - form.slope * form.back) for form in forms},
        {form.level: (2.0 * form.canal[0], 2.0 * form.canal[1]) for form in forms},
        tissues.cord_line(layout),
        tissues.vertebral_lines(layout),
    )


def _plate_truth(form: Form, side: int) -> PlateTruth:
    half_width, half_depth = form.upper if side > 0 else form.lower
    dish = form.dish[0 if side > 0 else 1]
    # Mean of the dish D (1 - rho²/R²)² over the superellipse of power 2.5, whose area is 3.381 a b.
    sunk = dish * np.pi * RIM**2 / 3.0 / 3.381
    rim, normal = form.rim_centre(side), form.normal(side)
    return PlateTruth(rim - sunk * normal, normal, 2 * half_width, 2 * half_depth * np.hypot(1.0, form.slope), rim)


def make_phantom(seed: int = 1) -> Case:
    """The phantom as a case: CT, structures with roles, in RAS. The same seed gives the same voxels."""
    canvas, voxels, labels = _draw(seed)
    volume, notes = hounsfield(Image(voxels, canvas.ijk_to_ras, {}), NAME)
    meanings = {value: meaning_of(name, role) for value, name, role in _NAMES}
    structures, unknown = structures_of_labels(Image(labels, canvas.ijk_to_ras, {}), volume, meanings, Path(NAME))
    quality = scan_quality(volume, notes=notes)
    quality = replace(quality, notes=(*quality.notes, *edge_notes(structures, volume)))
    return Case(NAME, volume, structures, quality, unknown, case_digest(volume, structures))


def write_phantom(directory: str | Path, seed: int = 1) -> Path:
    """Write ct.nrrd, labels.nrrd and labels.csv, readable by read_case, and return their folder."""
    import SimpleITK as sitk

    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    canvas, voxels, labels = _draw(seed)
    to_lps = np.diag([-1.0, -1.0, 1.0])
    matrix = canvas.ijk_to_ras
    for name, values in (("ct", voxels), ("labels", labels)):
        image = sitk.GetImageFromArray(values)
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        image.SetSpacing(tuple(spacing))
        image.SetDirection(tuple((to_lps @ matrix[:3, :3] / spacing).ravel()))
        image.SetOrigin(tuple(to_lps @ matrix[:3, 3]))
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"), useCompression=True)
    rows = ["value,name,role", *(f"{value},{name},{role}" for value, name, role in _NAMES)]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def _forms(seed: int) -> tuple[Form, ...]:
    return spine(np.random.default_rng([seed, 0]))


def _canvas() -> Canvas:
    """A cropped field about the spine; columns run to the left and rows to the back, as in most CT."""
    dx, dy, dz = SPACING
    i, j, k = np.arange(215), np.arange(246), np.arange(194)
    return Canvas(75.0 - dx * i, 96.0 - dy * j, -18.0 + dz * k)


def _draw(seed: int) -> tuple[Canvas, np.ndarray, np.ndarray]:
    """The grid, HU (int16) and labels (uint8), indexed [k, j, i]."""
    canvas, forms = _canvas(), _forms(seed)
    layout = Layout(forms)
    labels = np.zeros(canvas.shape, np.uint8)
    bone = np.full(canvas.shape, 10.0, np.float32)
    for n, form in enumerate(forms):
        _set_bone(canvas, form, np.random.default_rng([seed, 1, n]), labels, bone)
    for block, distance in tissues.ribs(layout, canvas):
        _add_bone(labels, bone, block, distance, _VALUE["other_bone"])
    for name, shape in _SOFT:
        if name == "discs":
            _set_discs(canvas, forms, labels, seed)
        else:
            _paint(labels, shape(layout, canvas), _VALUE[name])
    air_gap = bone < 2.0
    for block, distance in tissues.lungs(layout, canvas):
        here = labels[block]
        here[(distance < 0) & (here == 0) & ~air_gap[block]] = _VALUE["lungs"]
    return canvas, _hounsfield(canvas, layout, labels, bone, seed), labels


_SOFT: tuple[tuple[str, Callable[[Layout, Canvas], Pieces]], ...] = (
    ("spinal_cord", tissues.cord), ("dural_sac", tissues.dural_sac), ("vertebral_arteries", tissues.vertebral_arteries),
    ("discs", tissues.cord), ("trachea_airway", tissues.airway), ("oesophagus", tissues.oesophagus),
    ("larynx_cartilage", tissues.larynx_cartilage), ("carotids", tissues.carotids), ("jugulars", tissues.jugulars),
    ("great_vessels", tissues.great_vessels),
)  # fmt: skip


def _paint(labels: np.ndarray, pieces: Pieces, value: int) -> None:
    for block, distance in pieces:
        here = labels[block]
        here[(distance < 0) & (here == 0)] = value


def _set_bone(canvas: Canvas, form: Form, rng: np.random.Generator, labels: np.ndarray, bone: np.ndarray) -> None:
    deep = form.back - 2 * form.canal[1] - 34.0
    corners = np.array([(x, y, z) for x in (-38.0, 38.0) for y in (deep, 14.0) for z in (-33.0, 27.0)])
    corners = form.to_ras(corners)
    block = canvas.block(corners.min(axis=0), corners.max(axis=0))
    local = in_frame(canvas.points(block), form.centre, form.rotation)
    _add_bone(labels, bone, block, vertebra(form, local, rng), _VALUE[form.level])


def _add_bone(labels: np.ndarray, bone: np.ndarray, block: Block, distance: np.ndarray, value: int) -> None:
    """Join a bone to those there are; where two vertebrae come too close a joint space is left between them."""
    here, nearest = labels[block], bone[block]
    joint = (distance < 0.5) & (nearest < 0.5) & (here != value)
    here[(distance < 0) & ~joint] = value
    here[joint] = 0
    np.minimum(nearest, distance, out=nearest)
    nearest[joint] = 0.5


def _set_discs(canvas: Canvas, forms: tuple[Form, ...], labels: np.ndarray, seed: int) -> None:
    """Discs between standing plates; beside a destroyed body only what still hangs on the plate, ragged."""
    ragged = Ripple.drawn(np.random.default_rng([seed, 2]), 6.0)
    for lower, upper in pairwise(forms):
        if upper.level in LOST_DISCS and lower.level in DESTROYED:
            continue
        low, high = lower.rim_centre(1), upper.rim_centre(-1)
        half = float(np.linalg.norm(high - low)) / 2
        centre = (low + high) / 2
        block = canvas.block(centre - 22.0, centre + 22.0)
        x, y, z = in_frame(canvas.points(block), centre, (lower.rotation + upper.rotation) / 2)
        a, b = (lower.upper[0] + upper.lower[0]) / 2 + 0.3, (lower.upper[1] + upper.lower[1]) / 2 + 0.3
        side = ellipse(x, y, np.float32(a), np.float32(b), 2.5)
        rough = ragged.at((x, y, z))
        top = half + 2.0 if upper.level not in DESTROYED else half - 0.8 + 0.8 * rough
        bottom = half + 2.0 if lower.level not in DESTROYED else half - 0.8 + 0.8 * rough
        _paint(labels, [(block, np.maximum(side, np.maximum(z - top, -z - bottom)))], _VALUE["discs"])


def _hounsfield(canvas: Canvas, layout: Layout, labels: np.ndarray, bone: np.ndarray, seed: int) -> np.ndarray:
    """The CT: tissues' HU, cortex and cancellous texture, noise, and the scanner's blur. int16."""
    from scipy.ndimage import gaussian_filter1d

    rng = np.random.default_rng([seed, 3])
    points: Points = canvas.points((slice(None), slice(None), slice(None)))
    depth = tissues.skin(layout, points)
    septa = Ripple.drawn(rng, 34.0).at(points) + 0.5 * Ripple.drawn(rng, 17.0).at(points)
    image = np.full(labels.shape, _AIR, np.float32)
    image[depth < 0] = _SKIN
    image[depth < -1.8] = _FAT
    image[(depth < -7.0) & (np.abs(septa) > 0.03)] = _MUSCLE
    table = np.full(256, np.nan, np.float32)
    for name, value in _VALUE.items():
        table[value] = _HU.get(name, _TRABECULAR.get(name, 215))
    labelled = labels > 0
    values = labels[labelled]
    tissue = table[values]
    is_bone = values <= _VALUE["other_bone"]
    tissue[is_bone & (bone[labelled] > -_CORTEX_THICKNESS)] = _CORTEX
    image[labelled] = tissue
    _darken_lysis(canvas, layout, labels, image)
    # Noise goes in before the blur, so that it is grained as a scanner's is; the factors undo what the blur takes.
    sigma = [_BLUR_MM / s for s in SPACING[::-1]]
    kept = float(np.prod([np.sqrt(_squared_weights(s)) for s in sigma]))
    noise = rng.standard_normal(labels.shape, dtype=np.float32)
    noise *= np.float32(_NOISE_HU / kept)
    cancellous = np.zeros(256, np.float32)
    cancellous[: _VALUE["other_bone"] + 1] = np.hypot(_NOISE_HU, _TEXTURE_HU) / _NOISE_HU
    cancellous[0] = 1.0
    cancellous[_VALUE["other_bone"] + 1 :] = 1.0
    noise *= cancellous[labels]
    image += noise
    for axis, s in enumerate(sigma):
        image = gaussian_filter1d(image, s, axis=axis, truncate=3.0)
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)


def _squared_weights(sigma: float) -> float:
    taps = np.exp(-0.5 * (np.arange(-6, 7) / sigma) ** 2)
    return float(((taps / taps.sum()) ** 2).sum())


def _darken_lysis(canvas: Canvas, layout: Layout, labels: np.ndarray, image: np.ndarray) -> None:
    """Soft tissue where the destroyed bodies were."""
    for level in DESTROYED:
        form = layout.forms[level]
        block = canvas.block(form.centre - 22.0, form.centre + 22.0)
        inside = body(form, in_frame(canvas.points(block), form.centre, form.rotation)) < 2.0
        image[block][inside & (labels[block] == 0)] = _LYTIC
