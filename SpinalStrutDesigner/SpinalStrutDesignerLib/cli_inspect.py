"""The command that looks into a case: what is found in it, how well that is known, and what a design would need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from LatticeGeneratorLib.progress import Progress

from .case.alignment import Angle, Restoration, greatest_cobb, kyphosis, restoration
from .case.endplate import find_endplate
from .case.levels import LEVELS, is_above
from .case.model import Case, Endplate, Face
from .case.morphometry import morphometry_notes
from .case.scan_measures import docking_measures
from .case.uncertainty import PlateUncertainty, plate_uncertainty
from .case.vertebra import REMEDY
from .errors import CaseError
from .plan.presets import preset, preset_names
from .plan.rules import expected_critical
from .release.records import number

FACES: tuple[Face, Face] = ("superior", "inferior")
KYPHOSES = (("C3", "C7"), ("T1", "T12"), ("T4", "T12"), ("L1", "L5"))
"""Levels between which the sagittal curve is usually told, besides the span's own."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was measured in a case. span: upper and lower docking level, None where the case has no levels.

    plates, known: the endplates and how well each is known; faults: why the others were not found; curve: the greatest
    coronal angle; sagittal: kyphoses; restored: what lies between the docking endplates, if both were found.
    """

    case: Case
    span: tuple[str, str] | None
    plates: tuple[Endplate, ...]
    known: tuple[PlateUncertainty, ...]
    faults: Mapping[tuple[str, Face], str]
    curve: Angle | None
    sagittal: tuple[Angle, ...]
    restored: Restoration | None


def inspect_case(case: Case, span: tuple[str, str] | None, progress: Progress) -> Inspection:
    """Measures what can be measured in a case; a plate that is not found is no error, its reason is kept."""
    found: dict[tuple[str, Face], tuple[Endplate, PlateUncertainty]] = {}
    faults: dict[tuple[str, Face], str] = {}
    for done, level in enumerate(case.levels):
        progress(level, 0.8 * done / len(case.levels))
        for face in FACES:
            try:
                found[level, face] = find_endplate(case, level, face), plate_uncertainty(case, level, face)
            except CaseError as error:
                faults[level, face] = str(error)
    progress("alignment", 0.8)
    pairs = dict.fromkeys(((span,) if span else ()) + KYPHOSES)
    sagittal = [pair for pair in pairs if (pair[0], "superior") in found and (pair[1], "inferior") in found]
    docked = span if span and (span[0], "inferior") in found and (span[1], "superior") in found else None
    return Inspection(
        case,
        span,
        tuple(plate for plate, _ in found.values()),
        tuple(known for _, known in found.values()),
        faults,
        greatest_cobb(case, case.levels) if len({level for level, _ in found}) > 1 else None,
        tuple(kyphosis(case, *pair) for pair in sagittal if is_above(*pair)),
        restoration(case, *docked) if docked and docked[0] != docked[1] else None,
    )


def inspection_lines(inspection: Inspection) -> Iterator[str]:
    """Levels, structures, endplates, alignment, what is missing for the span, and what is not understood."""
    case = inspection.case
    yield (
        f"{case.name}: {' × '.join(str(n) for n in case.ct.voxels.shape[::-1])} voxels of "
        + " × ".join(number(x) for x in case.ct.spacing)
        + " mm"
    )
    for note in case.quality.notes:
        yield f"  note: {note}"
    docked = {f"{plate.level} {plate.face}": plate.centre for plate in _docked(inspection)}
    for measure in (*case.quality.measures, *docking_measures(case.ct, docked)):
        if measure.note not in case.quality.notes:
            yield f"  {measure.note}"
    yield f"levels: {', '.join(case.levels) or 'none'}"
    yield "structures:"
    for structure in case.structures:
        level = f" ({structure.level})" if structure.level and structure.level != structure.name else ""
        yield f"  {structure.name}{level}: {structure.role}, {structure.mask.volume / 1000.0:.1f} cm³"
    for level in inspection.span or ():
        for fault in next((s.mask.soundness.faults for s in case.structures if s.level == level), ()):
            yield f"  note: the label of {level} is not sound: {fault}"
    if inspection.plates:
        yield "endplates, centre in RAS (± one standard uncertainty, twice as much holds nearly always):"
    for plate, known in zip(inspection.plates, inspection.known):
        yield f"  {plate.level} {plate.face}: {_plate(plate, known)}, {_gap(plate)}"
    for note in morphometry_notes(case, inspection.plates):
        yield f"  note: {note}"
    yield from _alignment(inspection)
    yield from _faults(inspection.faults)
    yield from _missing(case, inspection.span)
    if case.unknown:
        yield f"names with no known meaning, used for nothing: {', '.join(case.unknown)}"


def _docked(inspection: Inspection) -> list[Endplate]:
    """The endplates that a strut over the span would rest on, as far as they were found."""
    ends = tuple(zip(inspection.span or (), ("inferior", "superior")))
    return [plate for plate in inspection.plates if (plate.level, plate.face) in ends]


def _plate(plate: Endplate, known: PlateUncertainty) -> str:
    place = "R {:.1f} A {:.1f} S {:.1f}".format(*plate.centre)
    return (
        f"{plate.width_mm:.1f} × {plate.depth_mm:.1f} ± {known.extent_mm:.1f} mm, centre {place} "
        f"± {known.centre_mm:.1f} mm, normal ± {known.normal_deg:.1f}°"
    )


def _alignment(inspection: Inspection) -> Iterator[str]:
    """Curves, and what lies between the docking endplates."""
    if inspection.curve is not None or inspection.sagittal:
        yield "alignment, as the patient lay in the scan:"
    if inspection.curve is not None:
        yield f"  greatest coronal (Cobb) angle: {_curve(inspection.curve)}"
    for angle in inspection.sagittal:
        name = "kyphosis" if angle.degrees >= 0 else "lordosis"
        yield f"  {name} from {angle.upper} to {angle.lower}: {abs(angle.degrees):.1f} ± {angle.uncertain:.1f}°"
    restored = inspection.restored
    if restored is None:
        return
    yield f"between {restored.upper} inferior and {restored.lower} superior, to be restored:"
    yield f"  chord from centre to centre: {restored.distance_mm:.1f} ± {restored.uncertain_mm:.1f} mm"
    yield (
        f"  mechanical axis: {restored.axis_mm:.1f} mm long, at most {restored.off_chord_mm:.1f} mm beside the chord"
    )
    yield (
        f"  the plates stand at {restored.between_deg:.1f}° to each other (sagittal {restored.sagittal_deg:.1f}°, "
        f"coronal {restored.coronal_deg:.1f}°), their normals at {restored.upper_lean_deg:.1f}° and "
        f"{restored.lower_lean_deg:.1f}° to the chord"
    )
    for amount in _variants(restored.upper, restored.lower):
        made = restored.variant(amount)
        yield (
            f"  variant +{amount:g} mm: {made.distance_mm:.1f} mm; where it distracts, {made.stretch_percent:.1f} % "
            f"more along the axis, {made.upper_gap_mm:.1f} mm at {restored.upper}, {made.lower_gap_mm:.1f} mm at "
            f"{restored.lower}, and no angle changes"
        )


def _curve(angle: Angle) -> str:
    text = (
        f"{abs(angle.degrees):.1f} ± {angle.uncertain:.1f}° from {angle.upper} to {angle.lower}, convex to the "
        f"{'right' if angle.degrees >= 0 else 'left'}"
    )
    if angle.by_arch:
        text += f" ({' and '.join(angle.by_arch)} by pedicles and arch: endplates are gone)"
    return text


def _variants(upper: str, lower: str) -> list[float]:
    """The amounts in mm that the presets offer."""
    return sorted({v.amount_mm for name in preset_names() for v in preset(name, upper, lower).variants})


def _faults(faults: Mapping[tuple[str, Face], str]) -> Iterator[str]:
    """A line for each reason why a level's endplates were not found; what holds for both of them is said once."""
    reasons: dict[tuple[str, str], list[Face]] = {}
    for (level, face), fault in faults.items():
        for words in (f"{level} {face} endplate not found: ", f"{level} {face} endplate ", f"{level} "):
            fault = fault.removeprefix(words)
        reasons.setdefault((level, fault.removesuffix(f"; {REMEDY}")), []).append(face)
    if reasons:
        yield "endplates not found (where one stands, correct its label or set it by hand in the plan):"
    for (level, reason), faces in reasons.items():
        yield f"  {level} {' and '.join(faces)}: {reason}"


def _gap(plate: Endplate) -> str:
    if plate.gap_mm is None:
        return "no body stands beside it"
    return f"gap {plate.gap_mm:.1f} mm" + (f" to {plate.neighbour}" if plate.neighbour else "")


def _missing(case: Case, span: tuple[str, str] | None) -> Iterator[str]:
    """Levels and critical structures that a design over the span would need."""
    if not case.levels:
        yield "missing: no vertebra is labelled; name them as C4, vertebrae_C4 or in a role table"
        return
    upper, lower = span or (case.levels[0], case.levels[-1])
    expected = expected_critical(upper, lower)
    between = LEVELS[LEVELS.index(upper) : LEVELS.index(lower) + 1]
    gaps = [level for level in between if level not in case.levels and level not in ("T13", "L6")]
    given = [s.name for s in case.having("keepout_critical", "keepout_soft")]
    wanted = [e.name for e in expected if not e.covered_by(given)]
    if gaps:
        yield f"missing levels from {upper} to {lower}: {', '.join(gaps)}"
    for name in wanted:
        yield f"missing from {upper} to {lower}: {name}; it blocks manufacture until it is labelled or waived by name"
    if not gaps and not wanted:
        yield f"missing from {upper} to {lower}: nothing"
