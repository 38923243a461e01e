"""What verification says of the docking vertebrae's labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Mask
from SpinalStrutDesignerLib.plan.plan import Resection
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.labels import labels
from SpinalStrutDesignerLib.verify.measured import Measured
from verify_toy import LOW, SPACING, column_mesh, design_of, toy_case, toy_plan


def found(spoilt: tuple[slice, slice, slice] | None = None, **changes: object) -> dict[str, Finding]:
    """The findings where some of C4's voxels [k, j, i] are not there."""
    case = toy_case()
    if spoilt is not None:
        bone = case.structure("C4")
        voxels = bone.mask.voxels.copy()
        voxels[spoilt] = False
        case = replace(
            case,
            structures=tuple(
                replace(s, mask=Mask(voxels, s.mask.ijk_to_ras)) if s.name == bone.name else s for s in case.structures
            ),
        )
    measured = Measured(design_of(case, toy_plan(**changes), column_mesh()).implants[0])
    return {finding.id: finding for finding in labels(measured)}


def at(low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[slice, slice, slice]:
    """The voxels of a box, RAS mm."""
    first, last = (np.rint((np.array(corner) - LOW) / SPACING).astype(int) for corner in (low, high))
    i, j, k = (slice(a, b) for a, b in zip(first, last))
    return k, j, i


def test_whole_blocks_are_sound() -> None:
    told = found()
    assert {key: (one.verdict, one.value) for key, one in told.items()} == {
        "labels.C4": ("pass", "sound"),
        "labels.T2": ("pass", "sound"),
    }


@pytest.mark.parametrize(
    ("hole", "words"),
    [
        (at((-5.0, -4.0, 34.0), (5.0, 4.0, 40.0)), "closed holes of 12 %"),  # 480 of 4480 mm³, of 4000 left
        (at((-10.0, -8.0, 42.0), (10.0, 8.0, 43.0)), "8 % of it is loose"),  # 320 of 4160 mm³
    ],
    ids=["hollow", "in two"],
)
def test_a_label_with_a_fault_warns_with_its_share(hole: tuple[slice, slice, slice], words: str) -> None:
    told = found(hole)
    assert told["labels.C4"].verdict == "warn" and words in str(told["labels.C4"].value)
    assert told["labels.T2"].verdict == "pass"


def test_what_a_resection_leaves_is_not_judged() -> None:
    cut = Resection("C4", (0.0, 0.0, 43.0), (0.0, 0.0, 1.0))
    assert set(found(at((-10.0, -8.0, 42.0), (10.0, 8.0, 43.0)), resections=(cut,))) == {"labels.T2"}
