"""Each screw in its vertebra: what its tip and thread come near to, and how good the bone is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from ..case.model import Structure
from ..errors import CaseError
from ..plan.rules import group_of, rule_for
from .finding import Finding, Verdict
from .measured import Measured, Situated
from .plates import docked_plate, kept_from, plate_distance, plate_of
from .purchase import thread_hu
from .registry import check
from .screwline import Margin, ScrewLine, side_wall, tightest

# HU; women, AUC 0.88; clinical facts, "Purchase".
LOOSENING_HU = 153.5
"""Below this mean along the thread screws loosened."""
# The first millimetres of thread lie under the cortex they enter through.
ENTRY_MM = 3.0
# A bicortical tip stands this far out of the far wall.
BICORTICAL_MM = (1.0, 2.0)
CANAL = ("spinal_cord", "dural_sac")
"""The groups of structures that the spinal canal holds."""
_BUDGET = "placement budget with printed guides: entry 1.4 ± 0.8 mm, angle 6.7 ± 3.8° (Groningen), segmentation 0.8 mm"


@check(order=55, apart=True)
def screws(measured: Measured) -> Iterator[Finding]:
    """Canal, vessels and organs, endplates, walls, tip, metal, other screws, bone density and length of every screw."""
    lines = screw_lines(measured)
    for line in lines:
        yield from screw_in_bone(measured, line)
    for i, line in enumerate(lines):
        for other in lines[i + 1 :]:
            if line.screw.level == other.screw.level:
                yield to_screw(measured, line, other)


def screw_in_bone(measured: Situated, line: ScrewLine) -> Iterator[Finding]:
    """What a screw comes near to in its vertebra, how dense that is, and its length; it may be planned only."""
    yield _canal(measured, line)
    yield from _organs(measured, line)
    yield from _endplates(measured, line)
    yield _walls(measured, line)
    yield _tip(measured, line)
    yield from _metal(measured, line)
    yield _density(measured, line)
    yield _length(measured, line)


def screw_lines(measured: Situated) -> list[ScrewLine]:
    """The planned screws, numbered from 1 in the plan's order."""
    return [
        ScrewLine(screw, number, measured.case.structure(screw.level))
        for number, screw in enumerate(measured.plan.screws, 1)
    ]


def _judged(margin: Margin, limit: float, critical: bool) -> Verdict:
    """pass: the limit holds after the budget. fail: it does not hold as planned, or, where a breach would harm more
    than the hold of the screw (critical), the budget alone leads to contact. warn: between the two."""
    if margin.distance_mm < limit or (critical and margin.left_mm < 0.0):
        return "fail"
    return "pass" if margin.left_mm >= limit else "warn"


def _distance(
    measured: Situated,
    line: ScrewLine,
    key: str,
    what: str,
    margin: Margin | None,
    limit: float,
    critical: bool,
    source: str,
    missing: str,
) -> Finding:
    words = f"≥ {limit:g} mm; passes if that holds after the placement budget"
    if critical:
        words += ", fails if the budget leads to contact"
    if margin is None:
        return measured.finding(
            f"screw.{line.number}.{key}",
            f"{line.name}: distance of its thread to {what}",
            None,
            "mm",
            words,
            "not_evaluated",
            source,
            line.screw.entry,
            critical,
            missing,
        )
    return measured.finding(
        f"screw.{line.number}.{key}",
        f"{line.name}: distance of its thread to {what}",
        margin.distance_mm,
        "mm",
        words,
        _judged(margin, limit, critical),
        f"{source}; {_BUDGET}",
        margin.point,
        critical,
        f"{margin.left_mm:.2f} mm after the budget there",
    )


def _canal(measured: Situated, line: ScrewLine) -> Finding:
    canal = [s for s in measured.case.structures if group_of(s.name) in CANAL]
    budget, every = measured.plan.budget, np.ones(len(line.depths), dtype=bool)
    margin = tightest(line, lambda p: measured.case.distance(canal, p), budget, every) if canal else None
    return _distance(
        measured,
        line,
        "canal",
        "the spinal canal's contents",
        margin,
        measured.plan.screw_rules.canal_mm,
        True,
        "spinal canal ≥ 2 mm; verify locally",
        "neither cord nor dural sac is labelled",
    )


def _organs(measured: Situated, line: ScrewLine) -> Iterator[Finding]:
    """The tightest critical structure beside or beyond the thread within bone; before bone the implant's rule holds."""
    worst: tuple[float, Structure, Margin, float] | None = None
    for structure in measured.case.having("keepout_critical"):
        rule = rule_for(measured.plan, structure.name)
        if rule is None or group_of(structure.name) in CANAL:
            continue
        limit = rule.limit_mm if rule.kind == "clearance" else 0.0
        margin = tightest(line, structure.distance, measured.plan.budget, line.in_bone)
        if margin is not None and (worst is None or margin.left_mm - limit < worst[0]):
            worst = (margin.left_mm - limit, structure, margin, limit)
    if worst is not None:
        _, structure, margin, limit = worst
        yield _distance(
            measured,
            line,
            "organs",
            structure.name.replace("_", " "),
            margin,
            limit,
            True,
            "the structure's own rule, 0 mm where it may be displaced; the tightest of all critical structures",
            "",
        )


def _endplates(measured: Situated, line: ScrewLine) -> Iterator[Finding]:
    """Both endplates of the vertebra, the docked one exempt where the screw has no flange and crosses it."""
    plan = measured.plan
    for face in kept_from(plan, line.screw.level):
        missing = "the screw does not reach bone"
        try:
            plate = plate_of(measured.situation, line.screw.level, face)
            margin = tightest(line, plate_distance(plate), plan.budget, line.in_bone)
        except CaseError as error:
            margin, missing = None, str(error)
        yield _distance(
            measured,
            line,
            face,
            f"the {face} endplate",
            margin,
            plan.screw_rules.endplate_mm,
            False,
            "endplate ≥ 2 mm; verify locally",
            missing,
        )


def _walls(measured: Situated, line: ScrewLine) -> Finding:
    plate = docked_plate(measured.situation, line.screw.level)
    margin = side_wall(line, plate.normal, measured.plan.budget, ENTRY_MM)
    return _distance(
        measured,
        line,
        "wall",
        "the vertebra's side walls",
        margin,
        measured.plan.screw_rules.cortex_mm,
        False,
        "lateral cortex ≥ 1–2 mm; verify locally",
        "the screw does not reach bone",
    )


def _tip(measured: Situated, line: ScrewLine) -> Finding:
    left = line.far_wall()
    limit = measured.plan.screw_rules.cortex_mm
    title = f"{line.name}: bone left beyond its tip (negative: it stands out)"
    if left is None:
        return measured.finding(
            f"screw.{line.number}.tip",
            title,
            None,
            "mm",
            "in bone",
            "fail",
            "a screw holds in bone",
            line.tip,
            detail="the screw does not reach bone",
        )
    low, high = BICORTICAL_MM
    if line.screw.bicortical:
        verdict: Verdict = "pass" if low <= -left <= high else "warn" if 0.0 <= -left <= high + 1.0 else "fail"
        words = f"stands {low:g}–{high:g} mm out of the far wall (bicortical)"
    else:
        after = left - measured.plan.budget.segmentation_to_print_mm
        verdict = "fail" if left < 0.0 else "pass" if after >= limit else "warn"
        words = (
            f"≥ {limit:g} mm after {measured.plan.budget.segmentation_to_print_mm:g} mm budget; never out (unicortical)"
        )
    in_bone = line.depths[line.in_bone]
    return measured.finding(
        f"screw.{line.number}.tip",
        title,
        left,
        "mm",
        words,
        verdict,
        "far cortex; verify locally",
        line.tip,
        detail=f"{in_bone[-1] - in_bone[0]:.1f} mm of the screw from bone entry to tip",
    )


def _metal(measured: Situated, line: ScrewLine) -> Iterator[Finding]:
    metal = measured.case.having("metal")
    if metal:
        every = np.ones(len(line.depths), dtype=bool)
        margin = tightest(line, lambda p: measured.case.distance(metal, p), measured.plan.budget, every)
        yield _distance(
            measured,
            line,
            "metal",
            "metal already there",
            margin,
            measured.plan.screw_rules.metal_mm,
            False,
            "metal ≥ 2 mm; engineering judgement, verify locally",
            "",
        )


def to_screw(measured: Situated, line: ScrewLine, other: ScrewLine) -> Finding:
    """The distance between two screws of a level."""
    tree = cKDTree(other.points)
    radius = other.radius
    margin = tightest(line, lambda p: tree.query(p)[0] - radius, measured.plan.budget, line.depths > 0.0)
    return _distance(
        measured,
        line,
        f"to_{other.number}",
        f"screw {other.number}",
        margin,
        measured.plan.screw_rules.screw_mm,
        False,
        "screw to screw ≥ 2 mm; verify locally",
        "",
    )


def _density(measured: Situated, line: ScrewLine) -> Finding:
    """Mean HU on the mid-depth cylinder of the thread, from bone entry to tip."""
    values = thread_hu(measured.case, line)[line.in_bone]
    values = values[np.isfinite(values)]
    mean = float(values.mean()) if len(values) else None
    verdict: Verdict = "not_evaluated" if mean is None else "pass" if mean >= LOOSENING_HU else "warn"
    return measured.finding(
        f"screw.{line.number}.density",
        f"{line.name}: mean HU along the thread",
        mean,
        "HU",
        f"≥ {LOOSENING_HU:g} HU",
        verdict,
        "cut-off for loosening in women, AUC 0.88; metal nearby falsifies it",
        line.tip,
        detail="" if mean is None else f"from {values.min():.0f} to {values.max():.0f} HU",
    )


def _length(measured: Situated, line: ScrewLine) -> Finding:
    lengths, length = sorted(line.screw.type.lengths_mm), line.screw.length_mm
    known = any(abs(length - x) < 1e-6 for x in lengths)
    shorter = [x for x in lengths if x < length - 1e-6]
    longer = [x for x in lengths if x > length + 1e-6]
    left = line.far_wall()
    near = [*shorter[-1:], *longer[:1]]
    beside = "; ".join(
        f"{x:g} mm" + ("" if left is None else f" would leave {left + length - x:.1f} mm to the far wall") for x in near
    )
    return measured.finding(
        f"screw.{line.number}.length",
        f"{line.name}: length",
        length,
        "mm",
        "a size of the catalogue",
        "pass" if known else "fail",
        "catalogue in the plan; verify against the hospital's set",
        line.screw.entry,
        detail=f"neighbouring sizes: {beside}" if beside else "",
    )
