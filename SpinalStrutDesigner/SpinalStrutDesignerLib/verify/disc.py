"""A foot in a disc space: what is left between it and the standing neighbour, and what of the disc has to make way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..build.design import Foot
from ..build.neighbour import disc_space_mm
from ..build.outline import polygon_distance
from ..case.model import Structure
from .finding import Finding
from .measured import Measured
from .registry import check

# The least that the printer's median error leaves of a gap (Schulze 2024): less may touch.
_LEAST_MM = 0.26
_BEYOND_MM = 3.0  # a neighbour farther than this beyond the foot does not make a disc space of the span


@check(order=41)
def disc(measured: Measured) -> Iterator[Finding]:
    """Gap to the neighbour and the space to be prepared, for each foot whose neighbour stands."""
    for end in ("upper", "lower"):
        foot = measured.foot(end)
        metal = _over_plate(measured, foot)
        if not len(metal):
            continue
        top = float(foot.endplate.to_local(metal)[:, 2].max())
        height = disc_space_mm(measured.case, foot.endplate, top + _BEYOND_MM)
        if height is not None:
            yield _finding(measured, foot, metal, height)


def _over_plate(measured: Measured, foot: Foot) -> np.ndarray:
    """(n, 3) RAS mm of the finished implant over an endplate, up to the foot's height."""
    plan = measured.plan.upper_foot if foot.end == "upper" else measured.plan.lower_foot
    points, plate = measured.samples.points, foot.endplate
    local = plate.to_local(points)
    near = (np.abs(local[:, 2]) < plan.height_mm + _BEYOND_MM).nonzero()[0]
    outline = plate.to_local(plate.outline)[:, :2]
    return points[near[polygon_distance(outline, local[near, :2]) < 0.0]]


def _finding(measured: Measured, foot: Foot, metal: np.ndarray, height_mm: float) -> Finding:
    plate = foot.endplate
    gaps = [(s.distance(metal), s) for s in measured.case.having("bone") if _beyond(s, plate.level)]
    distance, neighbour = min(gaps, key=lambda one: float(one[0].min()))
    worst, least = int(distance.argmin()), float(distance.min())
    # Seen along the way in: how deep from the rim, how wide across, how high.
    way = foot.insertion - (foot.insertion @ plate.normal) * plate.normal
    way = way / np.linalg.norm(way)
    deep = float((metal @ way).max() - (plate.outline @ way).min())
    wide, high = (float(np.ptp(metal @ along)) for along in (np.cross(plate.normal, way), plate.normal))
    return measured.finding(
        f"fit.{foot.end}.disc",
        f"Gap between the {foot.end} foot and {neighbour.level}, which stands",
        least,
        "mm",
        f"≥ {_LEAST_MM:g} mm",
        "pass" if least >= _LEAST_MM else "warn",
        "the median error of print and of what is seen (Schulze 2024); nearer, the neighbour has to be trimmed",
        metal[worst],
        detail=(
            f"the disc space is {height_mm:.1f} mm high (median); prepare it {deep:.1f} mm deep from the rim where the "
            f"foot comes in, {wide:.1f} mm wide and {high:.1f} mm high"
        ),
    )


def _beyond(structure: Structure, level: str) -> bool:
    return structure.of_column and structure.level != level
