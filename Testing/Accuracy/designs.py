"""Designs from the bare CT and one seed a docking level, held against all that the case really holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from row import Row
from SpinalStrutDesignerLib.build.design import Design, Implant
from SpinalStrutDesignerLib.build.implant import blank, implant
from SpinalStrutDesignerLib.build.situation import resected, situation
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Face, Role, Structure
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError, GeometryError
from SpinalStrutDesignerLib.plan.plan import Plan, Resection
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.propose.propose import complete_plan
from SpinalStrutDesignerLib.release.images import draw_images, write_images
from SpinalStrutDesignerLib.verify.bone import LIMIT_MM
from SpinalStrutDesignerLib.verify.clearance import clearance
from SpinalStrutDesignerLib.verify.measured import Measured

# A person clicks into the body, not on its centre.
_BESIDE = np.array([2.0, -2.0, 2.0])
# What could be segmented and may not be touched. Lungs and airway may be displaced: their rule is what counts.
_TOUCHED: tuple[Role, ...] = ("bone", "metal", "keepout_critical")
_NEAR_MM = 30.0  # beyond this nothing is told


@dataclass(frozen=True)
class Given:
    """A CT with its truth, and between which levels a strut is designed.

    least_mm: of the implant to true bone; None where the labels are another program's, and no truth. resections: of
    which levels' faces how many mm are taken off.
    """

    name: str
    ct: Path
    labels: Path
    roles: Path
    upper: str
    lower: str
    preset: str
    least_mm: float | None = -LIMIT_MM
    resections: tuple[tuple[str, Face, float], ...] = ()


def cases(data: Path) -> tuple[Given, ...]:
    """Both published cases as made for testing, and a real chest."""
    case2, case1, real = data / "synthetic" / "case2_c4_t2", data / "synthetic" / "case1_c6_t11", data / "real"
    return (
        Given("case 2", case2 / "ct.nrrd", case2 / "labels.nrrd", case2 / "labels.csv", "C4", "T2", "case2"),
        Given("case 1", case1 / "ct.nrrd", case1 / "labels.nrrd", case1 / "labels.csv", "C6", "T11", "case1"),
        Given(
            "real T5-T9", real / "lidc0001_spine_ct.nii.gz", real / "lidc0001_spine_totalseg_labels.nii.gz",
            real / "lidc0001_label_names.csv", "T5", "T9", "case2", None,
        ),
    )  # fmt: skip


# What a surgeon would take off as findings ask for it: in case 1 the lip of the docked endplate, in the real chest more
# than its refusal says off each neighbour of a docking level.
_CUTS: dict[str, tuple[tuple[str, Face, float], ...]] = {
    "case 1": (("C6", "inferior", 1.0),),
    "real T5-T9": (("T6", "superior", 2.0), ("T8", "inferior", 1.0)),
}


def cut(given: Given) -> Given:
    """The same with what has to be taken off; itself where that is nothing."""
    taken = _CUTS.get(given.name)
    return given if taken is None else replace(given, name=f"{given.name} cut", resections=taken)


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """For each case: bone and what could be segmented must not be touched; all true structures beside their rules."""
    given_cases = cases(data)
    for given in (*given_cases, cut(given_cases[-1])):
        truth = read_case(given.ct, given.labels, given.roles)
        seeds = {level: find_body(truth, level).centre + _BESIDE for level in (given.upper, given.lower)}
        start = time.perf_counter()
        try:
            case, made = _designed(given, seeds)
        except (CaseError, GeometryError) as error:
            yield Row(given.name, f"no implant: {error}", 1.0, most=0.0)
            continue
        yield Row(given.name, "bare CT to finished implant", time.perf_counter() - start, "s")
        case, truth = (resected(whole, made.situation.plan) for whole in (case, truth))
        yield from _distances(given, _among(made, case), _among(made, truth))
        folder = pictures / f"design_{given.name.replace(' ', '_')}"
        folder.mkdir(parents=True, exist_ok=True)
        shown = Design((_among(made, truth).implant,), (), "")
        write_images(draw_images(shown), folder, f"{given.name}, with its true structures")


def _designed(given: Given, seeds: dict[str, np.ndarray]) -> tuple[Case, Implant]:
    """What is found in the bare CT, and the nominal implant proposed and made for it."""
    case = read_case(given.ct, seeds=seeds)
    plan = complete_plan(case, started(case, given))
    return case, implant(blank(situation(case, plan)))


def started(case: Case, given: Given) -> Plan:
    """The preset with what is taken off."""
    cuts = tuple(_resection(case, *one) for one in given.resections)
    return preset(given.preset, given.upper, given.lower).with_(resections=cuts)


def _resection(case: Case, level: str, face: Face, off_mm: float) -> Resection:
    """What is taken off a level's face, so deep below its plane."""
    plate = find_endplate(case, level, face)
    x, y, z = (float(v) for v in plate.centre - off_mm * plate.normal)
    right, ahead, up = (float(v) for v in plate.normal)
    return Resection(level, (x, y, z), (right, ahead, up))


def _distances(given: Given, found: Measured, true: Measured) -> Iterator[Row]:
    for structure in found.case.having(*_TOUCHED):
        yield Row(given.name, f"found {structure.name}", _away(found, structure), "mm", least=0.0)
    for structure in true.case.having("bone"):
        if (away := _away(true, structure)) < _NEAR_MM:
            yield Row(given.name, f"true {structure.name}", away, "mm", least=given.least_mm)
    for finding in clearance(true):
        if isinstance(finding.value, float) and finding.value < _NEAR_MM:
            what = f"{finding.title.lower()}: {finding.verdict}, {finding.limit}"
            yield Row(given.name, f"true {what}", finding.value, "mm")


def _among(made: Implant, case: Case) -> Measured:
    """The implant in a case other than the one that it was designed for."""
    return Measured(replace(made, situation=replace(made.situation, case=case)))


def _away(measured: Measured, structure: Structure) -> float:
    return float(measured.nearest(structure).distance_mm)
