"""The milling stock of each screw hole, on the mesh that is printed against the finished one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.intersections import pierced_places, piercings

from ..build.screws import direction_of, finished_hole, printed_hole
from ..plan.plan import Screw
from .finding import Finding, Verdict
from .measured import Measured
from .patches import Patches
from .raster import Rays, cast_at
from .registry import check
from .screwline import ScrewLine
from .screws import screw_lines

_STEP_MM = 0.1
# Stock may differ by this much from what is planned, mm: five times the chord error of both meshes (0.02 mm).
_TOLERANCE_MM = 0.1


@check(order=58)
def stock(measured: Measured) -> Iterator[Finding]:
    """Stock on the seat and the bore as printed, of every screw hole; nothing where nothing is to be milled."""
    printed = measured.implant.printed
    if printed is None:
        return
    patches = Patches.of(printed.mesh)
    for line in screw_lines(measured):
        yield _stock(measured, line, patches)
    edges, faces = piercings(printed.mesh)
    crossings = len(np.unique(edges, axis=0))
    yield measured.finding(
        "printed.self_intersections",
        "Edges that pierce the surface of the implant as printed",
        float(crossings),
        "",
        "0; a slicer has to heal what is more",
        "pass" if crossings == 0 else "warn",
        "a slicer fills or leaves out where a surface passes through itself",
        pierced_places(printed.mesh, edges[:1], faces[:1])[0] if crossings else None,
        detail="the finished implant is judged by itself; let the printer's software heal this file, look at the holes",
    )


def seat_stock_mm(finished: Patches, printed: Patches, screw: Screw) -> float | None:
    """Median metal left on a seat, square to it; None where no ray meets the seat of both meshes."""
    ends = [_seat_at(_rays(patches, screw), screw) for patches in (finished, printed)]
    shared = np.isfinite(ends[0]) & np.isfinite(ends[1])
    if not shared.any():
        return None
    hole = finished_hole(screw.type)
    deep, shallow = ends[0][shared], ends[1][shared]
    if hole.half_angle_deg is not None:
        return float(np.median(deep - shallow) * np.sin(np.deg2rad(hole.half_angle_deg)))
    off = _off_axis(_rays(finished, screw), screw)[shared]
    return float(np.median(np.hypot(off, deep) - np.hypot(off, shallow)))


def bore_radius_mm(printed: Patches, screw: Screw) -> float:
    """Free radius about a screw's axis below its seat."""
    rays = _rays(printed, screw)
    ray, start, end = rays.chords
    blocking = (end > finished_hole(screw.type).seat_depth) & (start < screw.length_mm)
    off = _off_axis(rays, screw)[ray[blocking]]
    return float(off.min()) if len(off) else np.inf


def _stock(measured: Measured, line: ScrewLine, printed: Patches) -> Finding:
    plan, screw = measured.plan, line.screw
    value, wanted = seat_stock_mm(measured.patches, printed, screw), plan.holes.seat_stock_mm
    free, bore = bore_radius_mm(printed, screw), printed_hole(screw.type, plan.holes).bore_radius
    near = value is not None and abs(value - wanted) <= _TOLERANCE_MM
    open_bore = abs(free - bore) <= _TOLERANCE_MM and 2.0 * bore < plan.printer.channel_mm
    verdict: Verdict = "not_evaluated" if value is None else "pass" if near and open_bore else "warn"
    return measured.finding(
        f"screw.{line.number}.stock",
        f"{line.name}: metal left on its seat for the mill",
        value,
        "mm",
        f"{wanted:g} ± {_TOLERANCE_MM:g} mm; bore printed at {2.0 * bore:g} ± {2.0 * _TOLERANCE_MM:g} mm, below "
        f"{plan.printer.channel_mm:g} mm",
        verdict,
        "0.5–1 mm of stock; round holes below the printer's channel print open; verify locally",
        screw.entry,
        detail="no metal around the bore" if not np.isfinite(free) else f"bore as printed {2.0 * free:.2f} mm",
    )


def _rays(patches: Patches, screw: Screw) -> Rays:
    direction = direction_of(screw)
    across = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    across = across / np.linalg.norm(across)
    frame = np.stack([across, np.cross(direction, across), direction])
    reach = np.full(2, screw.type.seat_radius_mm)
    return cast_at(patches, frame, np.asarray(screw.entry, dtype=float), _STEP_MM, -reach, reach)


def _off_axis(rays: Rays, screw: Screw) -> np.ndarray:
    """(n,) distance of every ray from the screw's axis."""
    every = np.arange(int(np.prod(rays.shape)))
    away = rays.points(every, np.zeros(len(every))) - np.asarray(screw.entry, dtype=float)
    return np.linalg.norm(away - (away @ direction_of(screw))[:, None] * direction_of(screw), axis=1)


def _seat_at(rays: Rays, screw: Screw) -> np.ndarray:
    """(n,) depth at which each ray over the seat's ring first meets metal; NaN elsewhere."""
    hole = finished_hole(screw.type)
    off = _off_axis(rays, screw)
    depth = np.full(len(off), np.nan)
    ray, start, _ = rays.chords
    beside = start > -0.2
    first, index = np.unique(ray[beside], return_index=True)
    depth[first] = start[beside][index]
    wide = hole.seat_radius - hole.bore_radius
    depth[(off < hole.bore_radius + 0.1) | (off > hole.bore_radius + 0.5 * wide)] = np.nan
    depth[depth > hole.seat_depth + 0.1] = np.nan
    return depth
