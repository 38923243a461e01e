"""Docking endplates found in a bare CT, where a disc is so narrow that it is blurred brighter than bone begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from clicked import RAS, Bare
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.soft import spine_crop

# Asked for endplates; what the truth itself is not sure of is added.
_CENTRE_MM, _NORMAL_DEG = 0.5, 1.5


def test_plates_beside_a_narrow_disc_lie_as_they_do(synthetic) -> None:
    case, truth = synthetic("case1_c6_t11")
    known = truth["vertebrae"]
    seeds = {level: np.array(known[level]["body_centre"]) * RAS for level in ("C6", "C7")}
    bare = Bare.of(spine_crop(case.ct, seeds))
    found = replace(case, ct=bare.ct, structures=bare.separated(seeds).structures)
    for level, face in (("C6", "inferior"), ("C7", "superior")):
        plate, true = find_endplate(found, level, face), known[level]["endplates"][face]
        off = np.degrees(np.arccos(min(1.0, float(plate.normal @ (np.array(true["normal"]) * RAS)))))
        assert off <= _NORMAL_DEG + true["uncertainty_deg"], (level, face)
        away = np.linalg.norm(plate.centre - np.array(true["centre"]) * RAS)
        assert away <= _CENTRE_MM + true["uncertainty_mm"], (level, face)
