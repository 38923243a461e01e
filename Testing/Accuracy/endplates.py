"""Endplates, axes and angles measured on the labels, and endplates from the bare CT, against the test cases' truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import vtk
from row import Row
from SpinalStrutDesignerLib.case.alignment import cobb, greatest_cobb, kyphosis, restoration
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.images import read_image
from SpinalStrutDesignerLib.case.model import Case, Endplate, Volume
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.uncertainty import PlateUncertainty, plate_uncertainty
from SpinalStrutDesignerLib.errors import CaseError
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

CASES = {"case2_c4_t2": ("C4", "T2"), "intact_c1_t5": ("C4", "T2"), "case1_c6_t11": ("C6", "T11")}
"""By case, the levels that get a seed where its CT alone is given."""
LPS = np.array([-1.0, -1.0, 1.0])
# The limits; what each truth says of its own uncertainty is added.
CENTRE_MM, NORMAL_DEG, EXTENT_MM, ANGLE_DEG = 0.5, 1.5, 1.5, 2.0
SURFACE_MM, SURFACE_95_MM = 0.5, 1.0
# Superior plates of C3 to C7 run into the uncinates: where their width ends is a convention, not tested tightly.
BETWEEN_UNCINATES = tuple(f"C{n}" for n in range(3, 8))
# Of errors within twice what is stated: a standard uncertainty of a normal error would give 0.95.
LEAST_COVERED = 0.9
_GREEN, _RED = (0, 255, 0), (255, 64, 64)


@dataclass(frozen=True, eq=False)
class Compared:
    """An endplate beside its truth. errors, allowed by name; surface_mm: mean and 95th percentile from the label's."""

    plate: Endplate
    known: PlateUncertainty
    true: dict[str, Any]
    surface_mm: tuple[float, float]

    @property
    def name(self) -> str:
        """Level and face."""
        return f"{self.plate.level} {self.plate.face}"

    @property
    def errors(self) -> dict[str, float]:
        """mm, degrees, mm, mm."""
        centre, normal = np.array(self.true["centre"]) * LPS, np.array(self.true["normal"]) * LPS
        # Of the angle's sine: the cosine of a small angle, from a truth of five digits, is too coarse.
        turn = np.degrees(np.arcsin(min(1.0, float(np.linalg.norm(np.cross(self.plate.normal, normal))))))
        return {
            "centre": float(np.linalg.norm(self.plate.centre - centre)),
            "normal": float(turn),
            "width": abs(self.plate.width_mm - self.true["width"]),
            "depth": abs(self.plate.depth_mm - self.true["depth"]),
        }

    @property
    def allowed(self) -> dict[str, float]:
        """The limits with the truth's own uncertainty."""
        extent = EXTENT_MM + self.true["uncertainty_extent_mm"]
        return {
            "centre": CENTRE_MM + self.true["uncertainty_mm"],
            "normal": NORMAL_DEG + self.true["uncertainty_deg"],
            "width": extent,
            "depth": extent,
        }

    @property
    def stated(self) -> dict[str, float]:
        """The uncertainties that go with the plate."""
        extent = self.known.extent_mm
        return {"centre": self.known.centre_mm, "normal": self.known.normal_deg, "width": extent, "depth": extent}


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """The worst of each case's intact endplates, how honest their uncertainties are, and the angles."""
    covered: dict[str, list[bool]] = {}
    for name, levels in CASES.items():
        folder = data / "synthetic" / name
        case = read_case(folder / "ct.nrrd", labels=folder / "labels.nrrd", roles=folder / "labels.csv")
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        found = list(_compared(case, truth, folder))
        yield Row(name, "intact endplates compared", len(found))
        yield from _plates(name, found, truth)
        yield from _angles(name, case, truth)
        seeds = {level: np.array(truth["vertebrae"][level]["body_centre"]) * LPS for level in levels}
        bare = list(_compared(read_case(folder / "ct.nrrd", seeds=seeds), truth, folder))
        yield Row(f"{name[:5]}, bare CT", "intact endplates compared", len(bare))
        yield from _plates(f"{name[:5]}, bare CT", bare, truth)
        for one in found:
            for what, error in one.errors.items():
                covered.setdefault(what, []).append(error <= 2.0 * one.stated[what])
        _write(found, pictures / f"endplates_{name}.csv")
        _draw(case, found, pictures / f"endplates_{name}.png")
    for what, within in covered.items():
        yield Row("all", f"{what}: share within twice what is stated", float(np.mean(within)), least=LEAST_COVERED)


def _plates(name: str, found: list[Compared], truth: dict[str, Any]) -> Iterator[Row]:
    unreliable = {f"{entry['level']} {entry['endplate']}" for entry in truth["unreliable"]}
    reliable = [one for one in found if one.name not in unreliable]
    by_convention = [o for o in found if o.plate.face == "superior" and o.plate.level in BETWEEN_UNCINATES]
    for what, unit in (("centre", "mm"), ("normal", "deg"), ("width", "mm"), ("depth", "mm")):
        tested = [one for one in reliable if what != "width" or one not in by_convention]
        worst = max(tested, key=lambda one: one.errors[what] / one.allowed[what])
        yield Row(name, f"{what}, worst: {worst.name}", worst.errors[what], unit, most=worst.allowed[what])
        yield Row(name, "  mean of all", float(np.mean([one.errors[what] for one in tested])), unit)
    if by_convention:
        worst = max(by_convention, key=lambda one: one.errors["width"])
        yield Row(name, f"width between uncinates (convention): {worst.name}", worst.errors["width"], "mm")
    for number, (what, most) in enumerate((("mean", SURFACE_MM), ("95 %", SURFACE_95_MM))):
        worst = max(found, key=lambda one: one.surface_mm[number])
        yield Row(name, f"surface to the label's, {what}: {worst.name}", worst.surface_mm[number], "mm", most=most)


def _angles(name: str, case: Case, truth: dict[str, Any]) -> Iterator[Row]:
    """Those between plates that stand; where they are gone only the coronal ones can be told.

    Between named levels the truth's own uncertainty adds, as for the plates it is an angle between.
    """
    angles = dict(truth["angles"])
    greatest = angles.pop("max_coronal_cobb")
    found = greatest_cobb(case, case.levels)
    title, off = f"greatest Cobb angle, {found.upper}-{found.lower}: off by", abs(found.degrees) - greatest["deg"]
    yield Row(name, title, abs(off), "deg", most=ANGLE_DEG)
    upper, lower = greatest["levels"]
    off = abs(cobb(case, upper, lower).degrees) - greatest["deg"]
    most = ANGLE_DEG + _uncertain(truth, upper, lower)
    yield Row(name, f"Cobb angle {upper}-{lower}: off by", abs(off), "deg", most=most)
    for key, value in angles.items():
        _, upper, lower = key.split("_")
        if max(truth["vertebrae"][level]["destroyed_fraction_of_body"] for level in (upper, lower)) > 0:
            continue
        off = kyphosis(case, upper, lower).degrees - value["deg"]
        most = ANGLE_DEG + _uncertain(truth, upper, lower)
        yield Row(name, f"kyphosis {upper}-{lower}: off by", abs(off), "deg", most=most)
    upper, lower = (truth["docking"][end].split()[0] for end in ("upper", "lower"))
    off = restoration(case, upper, lower).distance_mm - truth["docking"]["distance_mm"]
    # Each of the two centres may be off by its limit; along the chord that adds up at worst.
    yield Row(name, f"distance {upper}-{lower} to restore: off by", abs(off), "mm", most=2 * CENTRE_MM)


def _uncertain(truth: dict[str, Any], upper: str, lower: str) -> float:
    """Degrees: of an angle between two plates whose normals are uncertain."""
    plates = (
        truth["vertebrae"][level]["endplates"][face] for level, face in ((upper, "superior"), (lower, "inferior"))
    )
    return float(np.hypot(*(plate["uncertainty_deg"] for plate in plates)))


def _compared(case: Case, truth: dict[str, Any], folder: Path) -> Iterator[Compared]:
    labels = read_image(folder / "labels.nrrd")
    for level, vertebra in truth["vertebrae"].items():
        if level not in case.levels or vertebra["destroyed_fraction_of_body"] > 0 or not vertebra["endplates"]:
            continue
        surface = _label_surface(labels, vertebra["label"])
        for face, true in vertebra["endplates"].items():
            try:
                plate = find_endplate(case, level, face)
            except CaseError as error:
                if "cut off by the border" not in str(error):
                    raise
                continue
            away = np.abs(_distances(surface, plate.surface))
            known = plate_uncertainty(case, level, face)
            yield Compared(plate, known, true, (float(away.mean()), float(np.percentile(away, 95))))


def _label_surface(labels: Volume, value: int) -> vtk.vtkPolyData:
    """The label's surface by marching cubes, RAS mm: half way between voxel centres in and out, nothing smoothed."""
    where = np.argwhere(labels.voxels == value)
    low, high = where.min(axis=0) - 1, where.max(axis=0) + 2
    low = np.maximum(low, 0)
    block = labels.voxels[tuple(slice(a, b) for a, b in zip(low, high))] == value
    image = vtk.vtkImageData()
    image.SetDimensions(*block.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(block.astype(np.float32).ravel(), deep=True))
    cubes = vtk.vtkFlyingEdges3D()
    cubes.SetInputData(image)
    cubes.SetValue(0, 0.5)
    cubes.Update()
    mesh = cubes.GetOutput()
    ijk = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float) + low[::-1]
    ras = ijk @ labels.ijk_to_ras[:3, :3].T + labels.ijk_to_ras[:3, 3]
    mesh.GetPoints().SetData(numpy_to_vtk(ras, deep=True))
    return mesh


def _distances(surface: vtk.vtkPolyData, points: np.ndarray) -> np.ndarray:
    measure = vtk.vtkImplicitPolyDataDistance()
    measure.SetInput(surface)
    return np.array([measure.EvaluateFunction(point) for point in points])


def _write(found: Iterable[Compared], path: Path) -> None:
    """Every endplate: what it is off by, what is allowed, and what it says of itself."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        names = ("centre_mm", "normal_deg", "width_mm", "depth_mm")
        kinds = ("error", "allowed", "stated")
        table.writerow(["endplate", *(f"{n}_{k}" for n in names for k in kinds), "surface_mean_mm", "surface_95_mm"])
        for one in found:
            figures = [f"{values[what]:.2f}" for what in one.errors for values in (one.errors, one.allowed, one.stated)]
            table.writerow([one.name, *figures, *(f"{away:.2f}" for away in one.surface_mm)])


def _draw(case: Case, found: Iterable[Compared], path: Path) -> None:
    """The vertebrae seen from the left and from the front, plates found in red, true ones in green, with normals."""
    scale, ras = 4, np.concatenate([s.mask.points for s in case.structures if s.level])
    low, high = ras.min(axis=0) - 5, ras.max(axis=0) + 5
    views = []
    for across in (1, 0):
        # Anterior to the left; the patient's right to the left.
        sign = -1.0
        size = (np.array([high[2] - low[2], high[across] - low[across]]) * scale).astype(int)
        picture = np.zeros((*size, 3))

        def place(points: np.ndarray, across: int = across, sign: float = sign) -> np.ndarray:
            start = high[across] if sign < 0 else low[across]
            return np.stack([high[2] - points[..., 2], sign * (points[..., across] - start)], axis=-1) * scale

        coarse = np.zeros((size // scale) + 1)
        np.add.at(coarse, tuple((place(ras) / scale).astype(int).T), 1.0)
        grey = np.kron(np.minimum(coarse / np.percentile(coarse[coarse > 0], 90), 1.0), np.ones((scale, scale)))
        picture += 130.0 * grey[: size[0], : size[1], None]
        for one in found:
            plate, true = one.plate, one.true
            along = plate.anterior if across == 1 else plate.right
            half = (plate.depth_mm if across == 1 else plate.width_mm) / 2
            for centre, normal, colour in (
                (np.array(true["centre"]) * LPS, np.array(true["normal"]) * LPS, _GREEN),
                (plate.centre, plate.normal, _RED),
            ):
                flat = along - normal * (along @ normal)
                for start, end in ((centre - half * flat, centre + half * flat), (centre, centre + 4.0 * normal)):
                    line = place(start + np.linspace(0, 1, 400)[:, None] * (end - start)).astype(int)
                    inside = ((line >= 0) & (line < size)).all(axis=1)
                    picture[tuple(line[inside].T)] = colour
        views.append(picture.astype(np.uint8))
    sheet = np.concatenate(views, axis=1)
    sitk.WriteImage(sitk.GetImageFromArray(np.ascontiguousarray(sheet), isVector=True), str(path))
