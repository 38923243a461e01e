"""The case that a parameter node means: its CT and segmentation, and what a second image adds.

`parameters` is the module's wrapped parameter node, of whose fields these are read: volume, segmentation, and those of
`second_image`.
"""

from __future__ import annotations

from typing import Any

from ..case.model import Case
from ..errors import CaseError
from ..plan.plan import Corrections
from .case_nodes import case_from_nodes
from .second_image import registration_of, second_wanted, with_second_image


def ct_case_of(parameters: Any, corrections: Corrections | None = None, before: Case | None = None) -> Case:
    """The case in the CT and its segmentation; before: as of `case_from_nodes`. Raises CaseError with the remedy."""
    for node, words in ((parameters.volume, "CT volume"), (parameters.segmentation, "segmentation")):
        if node is None:
            raise CaseError(f"no {words} is chosen: choose the {words}")
    return case_from_nodes(parameters.volume, parameters.segmentation, corrections=corrections, before=before)


def case_of(parameters: Any, corrections: Corrections | None = None) -> Case:
    """The case with what the second image gives, where one is chosen. Raises CaseError with the remedy."""
    case = ct_case_of(parameters, corrections)
    if not second_wanted(parameters):
        return case
    return with_second_image(case, parameters, registration_of(parameters, case.ct), corrections)
