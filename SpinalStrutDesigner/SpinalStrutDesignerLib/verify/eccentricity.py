"""How far the strut runs beside the line that the load follows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..case.column import mechanical_axis
from .finding import Finding
from .measured import Measured
from .registry import check


@check(order=60)
def eccentricity(measured: Measured) -> Iterator[Finding]:
    """Greatest distance of the centreline from the chord between the docking endplates, which carries the load, and
    from the mechanical axis; with the bending moment M = F e."""
    situation, axis = measured.implant.situation, measured.implant.axis
    top, bottom = situation.upper.centre, situation.lower.centre
    offset = _from_line(axis.points, top, bottom)
    worst = int(np.argmax(offset))
    loads = measured.plan.loads
    yield measured.finding(
        "eccentricity.chord",
        "Eccentricity of the centreline from the load line between the docking endplates",
        offset[worst],
        "mm",
        "reported; its effect is judged by the strength tables",
        "pass",
        "the strength tables use this line; the published cases follow the mechanical axis near the spine",
        axis.points[worst],
        detail=(
            f"mean {offset.mean():.1f} mm; M = F e = {loads.axial_N * offset[worst]:.0f} Nmm at {loads.axial_N:g} N, "
            f"{loads.envelope_N * offset[worst]:.0f} Nmm at {loads.envelope_N:g} N"
        ),
    )
    line = mechanical_axis(situation.case, situation.upper, situation.lower)
    offset = _from_polyline(axis.points, line)
    worst = int(np.argmax(offset))
    yield measured.finding(
        "eccentricity.column",
        "Eccentricity of the centreline from the mechanical axis of the column",
        offset[worst],
        "mm",
        "reported; its effect is judged by the strength tables",
        "pass",
        "line through the vertebral bodies' centres, over destroyed levels along the canal",
        axis.points[worst],
        detail=f"mean {offset.mean():.1f} mm; M = F e = {loads.axial_N * offset[worst]:.0f} Nmm at {loads.axial_N:g} N",
    )


def _from_line(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = (b - a) / np.linalg.norm(b - a)
    away = points - a
    return np.linalg.norm(away - (away @ along)[:, None] * along, axis=1)


def _from_polyline(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Distance of points (n, 3) to the segments of a line (m, 3)."""
    start, run = line[:-1], np.diff(line, axis=0)
    away = points[:, None] - start
    share = np.clip((away * run).sum(axis=2) / (run * run).sum(axis=1), 0.0, 1.0)
    return np.linalg.norm(away - share[:, :, None] * run, axis=2).min(axis=1)
