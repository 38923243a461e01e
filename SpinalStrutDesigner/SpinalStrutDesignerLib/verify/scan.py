"""What the scan can and cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

from ..case.scan_measures import docking_measures
from .finding import Finding
from .measured import Measured, graded
from .registry import check

# Willemsen et al. 2019 planned on 1 mm slices; TotalSegmentator and VerSe work at 1 to 1.5 mm; beyond 3 mm an endplate
# (0.4-0.9 mm thick) and a disc space (3 mm) are no longer separate.
_GOOD_SLICE_MM, _WORST_SLICE_MM = 1.25, 3.0
# A streak near titanium was measured at -848 HU (BMC Med Imaging 2021): segmentation beside metal needs a person.
_METAL_SHARE = 0.0005


@check(order=90)
def scan(measured: Measured) -> Iterator[Finding]:
    """Slice thickness, voxel size, metal, noise, motion, what is in view, and the reader's own notes."""
    if measured.prefix:
        return
    quality, situation = measured.case.quality, measured.implant.situation
    i, j, k = quality.spacing_mm
    thickness = max(quality.slice_thickness_mm, k)
    yield measured.finding(
        "scan.slice_thickness",
        "Slice thickness of the CT",
        thickness,
        "mm",
        f"≤ {_GOOD_SLICE_MM:g} mm passes, ≤ {_WORST_SLICE_MM:g} mm warns",
        graded(thickness, _GOOD_SLICE_MM, _WORST_SLICE_MM),
        "1 mm slices in Willemsen 2019; engineering judgement beyond, verify locally",
        detail=f"voxels {i:.2f} × {j:.2f} × {k:.2f} mm",
    )
    yield measured.finding(
        "scan.metal",
        "Share of the scan that is metal",
        100.0 * quality.metal_fraction,
        "%",
        f"> {100 * _METAL_SHARE:g} %: a person checks the segmentation beside metal",
        "warn" if quality.metal_fraction > _METAL_SHARE else "pass",
        "streaks near titanium reach −848 HU (BMC Med Imaging 2021)",
    )
    plates = {f"{plate.level} {plate.face}": plate.centre for plate in (situation.upper, situation.lower)}
    measures = (*quality.measures, *docking_measures(measured.case.ct, plates))
    for measure in measures:
        yield measured.finding(
            f"scan.{measure.name.replace(' ', '_')}",
            f"The scan: {measure.name}",
            measure.value,
            measure.unit,
            measure.source,
            "warn" if measure.limiting else "pass",
            measure.source,
            plates.get(measure.name.partition(" at ")[2] or measure.name.partition(" near ")[2]),
            detail=measure.effect,
        )
    told = {measure.note for measure in measures}
    for number, note in enumerate((note for note in quality.notes if note not in told), 1):
        yield measured.finding(
            f"scan.note.{number}",
            "What the scan cannot tell",
            note,
            "",
            "a person reads it",
            "warn",
            "reader of the CT",
        )
