"""Drill guides as made: whether they lead the drill as planned, and stay off what they must not touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import Samples, surface_points

from ..build.design import Design, DrillGuide
from ..build.guide_ground import least_distance_mm
from ..build.sleeves import Sleeve
from ..case.model import Structure
from .finding import Finding
from .guide_way import SLIDE_ERROR_MM
from .measured import finding_in
from .registry import design_check

# A drill must be led as planned within this, mm and degrees: the project's own rule for guides.
AXIS_MM, AXIS_DEG = 0.05, 0.05
_POINT_MM = 1.0  # between points of a guide's surface whose margins are measured
# A vertex is on a bore's wall within so much of its radius, mm: about the planned axis, then about the fitted one.
_WALLS_MM = (0.3, 0.1, 0.03, 0.01)
_FAR_MM = 8.0  # past its foot a bore's wall is looked for so far, mm
_SOURCE = "a drill guide must reproduce the planned axis within 0.05 mm and 0.05°; engineering judgement"


@design_check(order=70)
def made(design: Design) -> Iterator[Finding]:
    """Whether every guide that the plan asks for could be made."""
    situation = design.implants[0].situation
    for name, told in (*((guide.part.name, "") for guide in design.guides), *design.unmade):
        yield finding_in(
            situation,
            f"guide.{name}.made",
            f"{_spoken(name)} made",
            "not made" if told else "made",
            "",
            "made, as the plan asks",
            "fail" if told else "pass",
            "without a guide screws are placed by eye: ask for none in guides.drill, or waive this by name",
            detail=told,
        )


@design_check(order=71)
def guide_closed(design: Design) -> Iterator[Finding]:
    """Each guide is one closed body without closed cavities, also after rounding to STL."""
    for guide in design.guides:
        fault = closed_manifold_fault(guide.part.mesh) or stl_fault(guide.part.mesh)
        pieces = components(guide.part.mesh)
        fault = fault or (f"{len(pieces)} closed surfaces: loose pieces or cavities" if len(pieces) > 1 else None)
        yield _finding(
            design,
            guide,
            "closed",
            "one closed body",
            "closed" if fault is None else "not closed",
            "",
            "one closed, oriented surface",
            fault is None,
            "a slicer needs one closed surface; powder cannot leave a closed cavity",
            detail=fault or f"{len(guide.part.mesh.faces)} triangles",
        )


@design_check(order=73)
def leads_drill(design: Design) -> Iterator[Finding]:
    """The axis of each sleeve's bore, fitted to the finished mesh's own vertices, against the planned screw."""
    screws = design.implants[0].situation.plan.screws
    for guide in design.guides:
        for sleeve in guide.sleeves:
            screw = screws[sleeve.screw - 1]
            off, turned, radius = bore_axis(guide.part.mesh, sleeve, np.array(screw.entry), np.array(screw.direction))
            yield _finding(
                design,
                guide,
                f"axis.{sleeve.screw}",
                f"its drill's axis off screw {sleeve.screw}",
                off,
                "mm",
                f"≤ {AXIS_MM:g} mm at entry and tip, and ≤ {AXIS_DEG:g}°",
                off <= AXIS_MM and turned <= AXIS_DEG,
                _SOURCE,
                sleeve.entry,
                f"{turned:.4f}° off; bore {2.0 * radius:.2f} mm; {sleeve.words}",
            )


@design_check(order=74)
def guide_clearance(design: Design) -> Iterator[Finding]:
    """Each guide's least margin to what it keeps off: keep-outs by their retraction or rule, and metal."""
    situation = design.implants[0].situation
    for guide in design.guides:
        samples = Samples(surface_points(guide.part.mesh, _POINT_MM))
        worst: tuple[float, Structure, float] | None = None
        for structure in situation.case.having("keepout_critical", "keepout_soft", "metal"):
            least = least_distance_mm(situation.plan, structure)
            if least is None or least < -0.5 * float(np.ptp(structure.box, axis=0).min()):
                continue
            distance = samples.least(structure.distance).distance_mm
            if worst is None or distance - least < worst[0]:
                worst = (distance - least, structure, distance)
        if worst is not None:
            margin, structure, distance = worst
            yield _finding(
                design,
                guide,
                "clearance",
                "tightest margin to what it must keep off",
                margin,
                "mm",
                f"≥ 0 mm within {SLIDE_ERROR_MM:g} mm of sampling error",
                margin >= -SLIDE_ERROR_MM,
                "a keep-out's retraction in the plan, else its rule with the error budget",
                detail=f"{structure.name.replace('_', ' ')}, {distance:.2f} mm away (negative: inside its place)",
            )


def bore_axis(mesh: Mesh, sleeve: Sleeve, entry: np.ndarray, along: np.ndarray) -> tuple[float, float, float]:
    """How far a sleeve's bore, as made, is off a screw: mm (the most of at the bone and at the tip), degrees; and its
    radius, mm. A cylinder fitted by least squares to the mesh's vertices on the bore's wall.

    infinite where too few vertices lie there.
    """
    along = along / np.linalg.norm(along)
    u = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    u /= np.linalg.norm(u)
    v = np.cross(along, u)
    local = (mesh.vertices - entry) @ np.stack([u, v, along], axis=1)
    foot, top = ((np.asarray(p) - entry) @ along for p in (sleeve.foot, sleeve.top))
    held = local[(local[:, 2] > top - 0.1) & (local[:, 2] < foot + _FAR_MM)]
    axis, radius = np.zeros(4), 0.5 * sleeve.bore_mm
    # First what lies about where the wall should be, then what lies on the wall that is found.
    for width in _WALLS_MM:
        points = held[np.abs(_from_axis(held, axis) - radius) < width]
        if len(points) < 12 or np.ptp(points[:, 2]) < 0.5 * sleeve.length_mm:
            return np.inf, np.inf, np.nan
        axis, radius = _fitted(points)
    x, y, sx, sy = axis
    depths = np.array([float((np.asarray(p) - entry) @ along) for p in (sleeve.entry, sleeve.tip)])
    off = float(np.hypot(x + sx * depths, y + sy * depths).max())
    return off, float(np.degrees(np.arctan(np.hypot(sx, sy)))), radius


def _from_axis(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(n,) mm of points (n, 3) from an axis (x, y, slope of x, slope of y), nearly along the third direction."""
    found: np.ndarray = np.hypot(*(points[:, i] - axis[i] - axis[i + 2] * points[:, 2] for i in (0, 1)))
    return found


def _fitted(points: np.ndarray) -> tuple[np.ndarray, float]:
    """(x, y, slope of x, slope of y) of the axis of the cylinder nearest to points (n, 3) about the third axis, and its
    radius: Gauss-Newton on the distances from the axis."""
    axis, radius = np.zeros(4), float(np.hypot(points[:, 0], points[:, 1]).mean())
    z = points[:, 2]
    for _ in range(20):
        dx, dy = points[:, 0] - axis[0] - axis[2] * z, points[:, 1] - axis[1] - axis[3] * z
        away = np.hypot(dx, dy)
        slope = np.stack([-dx / away, -dy / away, -dx * z / away, -dy * z / away, -np.ones(len(z))], axis=1)
        step = np.linalg.lstsq(slope, radius - away, rcond=None)[0]
        axis, radius = axis + step[:4], radius + float(step[4])
        if np.abs(step).max() < 1e-10:
            break
    return axis, radius


def _finding(
    design: Design,
    guide: DrillGuide,
    key: str,
    what: str,
    value: float | str,
    unit: str,
    limit: str,
    passes: bool,
    basis: str,
    place: Sequence[float] | np.ndarray | None = None,
    detail: str = "",
) -> Finding:
    return finding_in(
        design.implants[0].situation,
        f"guide.{guide.part.name}.{key}",
        f"{_spoken(guide.part.name)}: {what}",
        None if isinstance(value, float) and not np.isfinite(value) else value,
        unit,
        limit,
        "pass" if passes else "fail",
        basis,
        None if place is None else np.asarray(place),
        detail=detail,
    )


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
