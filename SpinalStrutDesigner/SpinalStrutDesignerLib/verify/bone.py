"""Overlap with the bone that remains, and the bone that the plan removes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.samples import INTERIOR_STEP_MM

from ..build.bone import bone_distance
from .finding import Finding
from .measured import Measured
from .registry import check

# Above the distance field's own error (0.05 mm) and below what seating smooths away.
LIMIT_MM = 0.1


@check(order=30, apart=True)
def bone(measured: Measured) -> Iterator[Finding]:
    """Deepest overlap of the finished implant with remaining bone, where and in which vertebra; and its volume."""
    worst, name = None, ""
    for structure in measured.case.having("bone"):
        nearest = measured.nearest(structure)
        if worst is None or nearest.distance_mm < worst.distance_mm:
            worst, name = nearest, structure.level or structure.name
    if worst is None:
        yield measured.finding(
            "bone.overlap",
            "Overlap with remaining bone",
            None,
            "mm",
            f"≤ {LIMIT_MM:g} mm",
            "not_evaluated",
            "the case has no bone structure",
            critical=True,
        )
        return
    depth = max(0.0, -worst.distance_mm)
    overlap = _shared_volume(measured) if depth > 0.0 else 0.0
    yield measured.finding(
        "bone.overlap",
        "Overlap with remaining bone",
        depth,
        "mm",
        f"≤ {LIMIT_MM:g} mm",
        "pass" if depth <= LIMIT_MM else "fail",
        "an implant that presses into bone does not seat where planned; below 0.1 mm lies inside the measuring error",
        worst.point,
        detail=f"nearest bone {name}, least distance {worst.distance_mm:.3f} mm, shared volume {overlap:.1f} mm³",
    )


@check(order=31, apart=True)
def resection(measured: Measured) -> Iterator[Finding]:
    """Bone volume that the plan's resections remove, level by level."""
    if measured.prefix:
        return
    for level in sorted({r.level for r in measured.plan.resections}):
        structure = measured.case.structure(level)
        points = structure.points
        kept = np.ones(len(points), dtype=bool)
        for point, normal in structure.cuts:
            kept &= (points - point) @ normal <= 0.0
        removed = structure.mask.volume * (1.0 - float(kept.mean()))
        yield measured.finding(
            f"bone.resected.{level}",
            f"Bone of {level} that the plan removes",
            removed,
            "mm³",
            "> 0 mm³",
            "pass" if removed > 0.0 else "fail",
            "a planned resection is the surgeon's decision; one that removes nothing is misplaced",
            points[~kept].mean(axis=0) if removed > 0.0 else None,
            detail=f"of {structure.mask.volume:.0f} mm³ labelled",
        )


def _shared_volume(measured: Measured) -> float:
    """mm³ that implant and bone share, on the grid of the implant's inside."""
    shared = bone_distance(measured.case.having("bone"), measured.inside, 1.0) < 0.0
    return float(shared.sum()) * INTERIOR_STEP_MM**3
