"""Whether the docking vertebrae's labels are sound bodies."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Finding
from .measured import Measured
from .registry import check


@check(order=91)
def labels(measured: Measured) -> Iterator[Finding]:
    """Loose pieces, closed holes, and parts that hang on by a voxel, of both docking vertebrae as they were given."""
    if measured.prefix:
        return
    for level in (measured.plan.upper, measured.plan.lower):
        bone = measured.case.structure(level)
        if any(cut.level == level for cut in measured.plan.resections):
            continue  # what a resection leaves may be in pieces
        faults = bone.mask.soundness.faults
        yield measured.finding(
            f"labels.{level}",
            f"The label of {level}: one body without holes",
            "sound" if not faults else "; ".join(faults),
            "",
            "sound; a person corrects it or says why it is so",
            "warn" if faults else "pass",
            "everything is measured to this bone's surface; engineering judgement",
            bone.points[len(bone.points) // 2] if faults else None,
            detail="Segment Editor: Islands, and Smoothing with closing" if faults else "",
        )
