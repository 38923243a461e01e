"""Keep-outs found in the bare CT, and contrast and old bone of a real CT, against labels."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from row import Row
from scipy import ndimage
from segmentation import dice, surface_error
from SpinalStrutDesignerLib.case.bone import BoneAndMetal, find_bone
from SpinalStrutDesignerLib.case.images import hounsfield, read_image
from SpinalStrutDesignerLib.case.model import Mask, Structure, Volume
from SpinalStrutDesignerLib.case.scan_measures import scan_measures
from SpinalStrutDesignerLib.case.soft import find_keepouts
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course

# Of each synthetic case the two levels that a surgeon would click on.
SEEDS = {"case2_c4_t2": ("C4", "T2"), "intact_c1_t5": ("C3", "T4"), "case1_c6_t11": ("C6", "T11")}
VESSELS = ("heart", "aorta", "pulmonary", "brachio", "subclavian", "carotid", "atrial", "vena_cava", "portal")
# No limits are given for these: our own, below what was reached. A canal that leaves out more than a twentieth of the
# dural sac, or more than 5 mm of it anywhere, is no keep-out; labels of 1.5 mm voxels on slices of 2.5 mm agree with
# the edges of bone to about a voxel, which for a thoracic vertebra is a Dice of 0.8.
LEAST_COVERED, MOST_LEFT_OUT_MM = 0.95, 5.0
LEAST_REAL_DICE, MOST_VESSEL, MOST_CORD = 0.80, 0.02, 0.01
LEAST_AIRWAY, LEAST_LUNGS = 0.90, 0.95


@dataclass(frozen=True, eq=False)
class Labelled:
    """ct; labels: (k, j, i); names: value by name; seeds: (3,) RAS mm by level."""

    ct: Volume
    labels: np.ndarray
    names: Mapping[str, int]
    seeds: Mapping[str, np.ndarray]

    def mask(self, *parts: str) -> np.ndarray:
        """What has any of these parts in its name."""
        return np.isin(
            self.labels, [value for name, value in self.names.items() if any(part in name for part in parts)]
        )


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """The synthetic cases, then the real one."""
    for name in SEEDS:
        case = _synthetic(data / "synthetic" / name, SEEDS[name])
        found = find_bone(case.ct)
        yield from _keepouts(name, case, found, pictures)
    case = _lidc(data / "real")
    start = time.perf_counter()
    found = find_bone(case.ct)
    yield Row("lidc0001", "bone, metal and contrast found in", time.perf_counter() - start, "s")
    yield from _real_bone(case, found)
    yield from _keepouts("lidc0001", case, found, pictures)


def _keepouts(name: str, case: Labelled, found: BoneAndMetal, pictures: Path) -> Iterator[Row]:
    start = time.perf_counter()
    course = find_canal_course(Mask(found.bone, case.ct.ijk_to_ras), case.seeds)
    structures = {s.name: s for s in find_keepouts(case.ct, found, course, case.seeds)}
    seconds = time.perf_counter() - start
    whole = {key: _on_grid(structure, case.ct) for key, structure in structures.items()}
    step = case.ct.spacing[::-1]
    everywhere = np.ones(case.labels.shape, bool)
    if "airway" in whole:
        truth = case.mask("trachea")
        # TotalSegmentator labels the lumen down to the first bronchi; ours ends where the lungs begin.
        limit = LEAST_AIRWAY if name in SEEDS else None
        yield Row(name, "airway with its wall, Dice", dice(whole["airway"], truth, everywhere), least=limit)
        yield Row(name, "airway, share of the true one", float(whole["airway"][truth].mean()), least=LEAST_AIRWAY)
        yield Row(name, "airway, mean distance of the surfaces", surface_error(whole["airway"], truth, step), "mm")
    if "lungs" in whole:
        yield Row(name, "lungs, Dice", dice(whole["lungs"], case.mask("lung"), everywhere), least=LEAST_LUNGS)
    yield from _canal(name, case, whole["spinal_canal"])
    yield Row(name, "keep-outs found in", seconds, "s")
    for measure in scan_measures(case.ct):
        yield Row(name, f"scan: {measure.name}", measure.value, measure.unit)
    _draw(case, found, whole, pictures / f"keepouts_{name}.png")


def _canal(name: str, case: Labelled, canal: np.ndarray) -> Iterator[Row]:
    """Between the levels that were clicked on, which is where a strut and its instruments go."""
    heights = case.ct.to_ijk(np.array(list(case.seeds.values())))[:, 2]
    between = slice(int(heights.min()), int(heights.max()) + 1)
    step = case.ct.spacing[::-1]
    away = ndimage.distance_transform_edt(~canal[between], sampling=step)
    for words, parts in (("spinal cord", ("spinal_cord",)), ("dural sac", ("spinal_cord", "dural_sac"))):
        if not any(parts[-1] in known for known in case.names):
            continue
        truth = case.mask(*parts)[between]
        yield Row(name, f"canal covers of the {words}", float(canal[between][truth].mean()), least=LEAST_COVERED)
        yield Row(name, f"  farthest {words} outside", float(away[truth].max()), "mm", most=MOST_LEFT_OUT_MM)
        yield Row(name, f"  canal's volume over the {words}'s", canal[between].sum() / truth.sum())


def _real_bone(case: Labelled, found: BoneAndMetal) -> Iterator[Row]:
    vertebrae, vessels = case.mask("vertebrae"), case.mask(*VESSELS)
    # Bone beside vertebrae that has no label or another one (ribs) is not counted as wrong.
    step = case.ct.spacing[::-1]
    region = (ndimage.distance_transform_edt(~vertebrae, sampling=step) <= 3.0) & ~case.mask("rib_")
    yield Row(
        "lidc0001", "vertebrae, Dice within 3 mm of them", dice(found.bone, vertebrae, region), least=LEAST_REAL_DICE
    )
    plain = dice(case.ct.voxels > 226, vertebrae, region)
    yield Row("lidc0001", "  of a plain threshold of 226 HU", plain)
    yield Row("lidc0001", "vertebrae, share found", float(found.bone[vertebrae].mean()))
    yield Row("lidc0001", "ribs, share found", float(found.bone[case.mask("rib_")].mean()))
    yield Row("lidc0001", "vessels and heart taken for bone", float(found.bone[vessels].mean()), most=MOST_VESSEL)
    yield Row("lidc0001", "  by a plain threshold of 226 HU", float((case.ct.voxels[vessels] > 226).mean()))
    yield Row("lidc0001", "vessels and heart taken for metal", float(found.metal[vessels].mean()), most=0.001)
    bright = vessels & (case.ct.voxels > found.threshold_hu)
    assert found.contrast is not None
    yield Row(
        "lidc0001",
        "bright vessels and heart found as contrast",
        float(found.contrast[bright].mean()),
        least=LEAST_AIRWAY,
    )
    yield Row("lidc0001", "vertebrae taken for contrast", float(found.contrast[vertebrae].mean()), most=MOST_CORD)
    yield Row("lidc0001", "cord taken for bone", float(found.bone[case.mask("spinal_cord")].mean()), most=MOST_CORD)


def _synthetic(folder: Path, levels: tuple[str, str]) -> Labelled:
    with open(folder / "labels.csv", encoding="utf-8") as file:
        names = {row["name"]: int(row["value"]) for row in csv.DictReader(file)}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["vertebrae"]
    # Truth is in LPS.
    seeds = {level: np.array(truth[level]["body_centre"]) * [-1.0, -1.0, 1.0] for level in levels}
    ct, _ = hounsfield(read_image(folder / "ct.nrrd"), folder.name)
    return Labelled(ct, read_image(folder / "labels.nrrd").voxels, names, seeds)


def _lidc(folder: Path) -> Labelled:
    with open(folder / "lidc0001_label_names.csv", encoding="utf-8") as file:
        names = {row["structure"]: int(row["id"]) for row in csv.DictReader(file)}
    ct, _ = hounsfield(read_image(folder / "lidc0001_spine_ct.nii.gz"), "lidc0001")
    labels = read_image(folder / "lidc0001_spine_totalseg_labels.nii.gz").voxels
    seeds = {}
    for level in ("T5", "T9"):
        # The middle of the largest ball within a vertebra lies in its body.
        depth = ndimage.distance_transform_edt(labels == names[f"vertebrae_{level}"], sampling=ct.spacing[::-1])
        ijk = np.array(np.unravel_index(depth.argmax(), depth.shape))[::-1]
        seeds[level] = ct.ijk_to_ras[:3, :3] @ ijk + ct.ijk_to_ras[:3, 3]
    return Labelled(ct, labels, names, seeds)


def _on_grid(structure: Structure, ct: Volume) -> np.ndarray:
    mask = structure.mask
    corner = np.rint(ct.to_ijk(mask.ijk_to_ras[:3, 3][None])[0]).astype(int)[::-1]
    whole = np.zeros(ct.voxels.shape, bool)
    whole[tuple(slice(a, a + n) for a, n in zip(corner, mask.voxels.shape, strict=True))] = mask.voxels
    return whole


COLOURS = {"bone": (255, 0, 0), "spinal_canal": (255, 220, 0), "airway": (0, 200, 255), "lungs": (0, 90, 255)}
OTHERS = {"contrast_vessels": (255, 0, 255), "metal": (0, 255, 0), "bone_fragments": (255, 140, 0)}


def _draw(case: Labelled, found: BoneAndMetal, whole: Mapping[str, np.ndarray], path: Path) -> None:
    """A sagittal slice through the canal and three across it: bone red, canal yellow, airway cyan, lungs blue, contrast
    magenta, metal green, fragments orange; the true cord and dural sac white."""
    masks = [({**COLOURS, **OTHERS}[key], mask) for key, mask in {"bone": found.bone, **whole}.items()]
    masks.append(((255, 255, 255), case.mask("spinal_cord", "dural_sac")))
    middle = int(np.median(np.argwhere(whole["spinal_canal"])[:, 2]))
    heights = case.ct.to_ijk(np.array(list(case.seeds.values())))[:, 2]
    cuts = [(2, middle), *((0, int(k)) for k in np.linspace(heights.min(), heights.max(), 3))]
    step = case.ct.spacing[::-1]
    panels = []
    for axis, index in cuts:
        plane = [np.take(array, index, axis=axis) for array in (case.ct.voxels, *(mask for _, mask in masks))]
        size = np.maximum(np.rint(2.0 * np.delete(step, axis) / step.min()).astype(int), 1)
        plane = [p[:: -1 if axis else 1].repeat(size[0], axis=0).repeat(size[1], axis=1) for p in plane]
        shade = (np.clip((plane[0] + 400.0) / 1200.0, 0.0, 1.0) * 255.0).astype(np.uint8)
        picture = np.stack([shade] * 3, axis=-1)
        for (colour, _), mask in zip(masks, plane[1:], strict=True):
            picture[mask & ~ndimage.binary_erosion(mask)] = colour
        panels.append(picture)
    height = max(panel.shape[0] for panel in panels)
    sheet = np.concatenate([np.pad(p, ((0, height - p.shape[0]), (0, 8), (0, 0))) for p in panels], axis=1)
    sitk.WriteImage(sitk.GetImageFromArray(sheet, isVector=True), str(path))
