"""How hard each screw is pulled out, and how likely it leaves its vertebra at the placement error that was measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..case.metal import BLOOMING_MM
from ..errors import CaseError
from ..plan.rules import group_of, rule_for
from .finding import Finding, Verdict
from .measured import Measured, Situated
from .placement import Deviations, breach_probabilities, deviations, points_along, thread_margin
from .plates import docked_plate, kept_from, plate_distance, plate_of
from .purchase import pullout_N, thread_hu, thread_shape_factor
from .registry import check
from .screwline import ScrewLine
from .screws import CANAL, ENTRY_MM, screw_lines

_STEP_MM = 0.5  # between places along a thread that is moved
_AT_ONCE = 4096  # moved screws whose walls are looked for at once
_GRADIENT_MM = 0.5
_DIAGONAL = float(np.sqrt(0.5))  # a wall is one of three kinds where it is turned from it by less than 45°
_LEAST = 0.001  # organs that are less likely reached are not told
_TOLD = "reported; its distance is judged by itself"
_MISSED = "the screw does not reach bone"
_PULLOUT = (
    "Chapman 1996, with bone's shear strength from HU (density: Rho 1995, strength: Stone 1983); an estimate, never "
    "measured on these screws; verify locally"
)


@check(order=56, apart=True)
def screw_risk(measured: Measured) -> Iterator[Finding]:
    """Pull-out force, and the probability of a breach through each wall, of every screw."""
    for line in screw_lines(measured):
        errors = deviations(measured.plan.budget)
        yield pullout(measured, line)
        yield canal_breach(measured, line, errors)
        yield from _endplates(measured, line, errors)
        yield from _walls(measured, line, errors)
        yield from _organs(measured, line, errors)


def pullout(measured: Situated, line: ScrewLine) -> Finding:
    """The force that pulls a screw out, by the bone that the CT shows."""
    inside = line.vertebra.distance(line.points) < 0.0
    beside = inside & (measured.case.distance(measured.case.having("metal"), line.points) < BLOOMING_MM)
    hu = thread_hu(measured.case, line).mean(axis=1)
    held, step = inside & ~beside & np.isfinite(hu), float(line.depths[1] - line.depths[0])
    known = bool(held.any())
    force = float(pullout_N(line.screw.type, hu[None], held[None], step)[0])
    detail = (
        f"{step * held.sum():.1f} mm of thread in bone, mean {hu[held].mean():.0f} HU, "
        f"thread shape factor {thread_shape_factor(line.screw.type):.2f}"
        if known
        else "no part of the thread lies in bone that the image shows"
    )
    if beside.any():
        detail += f"; {step * beside.sum():.1f} mm beside metal, where the CT tells nothing, are not counted"
    return measured.finding(
        f"screw.{line.number}.pullout",
        f"{line.name}: force that pulls it out",
        force if known else None,
        "N",
        "reported",
        "pass" if known else "not_evaluated",
        _PULLOUT,
        line.tip,
        detail=detail,
    )


def canal_breach(measured: Situated, line: ScrewLine, errors: Deviations) -> Finding:
    """How likely a screw reaches the spinal canal at the placement error."""
    canal = [s for s in measured.case.structures if group_of(s.name) in CANAL]
    every, limit = np.ones(len(line.depths), dtype=bool), measured.plan.screw_rules.canal_breach_percent
    share = _reached(measured, line, errors, lambda p: measured.case.distance(canal, p), every) if canal else None
    return _likely(
        measured,
        line,
        "canal",
        "the spinal canal",
        share,
        f"≤ {limit:g} %",
        "fail" if share is not None and 100.0 * share > limit else "pass",
        "neither cord nor dural sac is labelled",
        critical=True,
    )


def _endplates(measured: Situated, line: ScrewLine, errors: Deviations) -> Iterator[Finding]:
    """Both endplates, the docked one exempt where screws cross it."""
    for face in kept_from(measured.plan, line.screw.level):
        share, missing = None, _MISSED
        try:
            plate = plate_of(measured.situation, line.screw.level, face)
            share = _reached(measured, line, errors, plate_distance(plate), line.in_bone)
        except CaseError as error:
            missing = str(error)
        yield _likely(measured, line, face, f"the {face} endplate", share, _TOLD, "pass", missing)


def _walls(measured: Situated, line: ScrewLine, errors: Deviations) -> Iterator[Finding]:
    side, far = wall_breaches(line, errors, docked_plate(measured.situation, line.screw.level).normal)
    reaches = bool(line.in_bone.any())
    planned = "planned: a bicortical tip stands out" if line.screw.bicortical else _TOLD
    for key, what, share, limit in (("wall", "a side wall", side, _TOLD), ("far_wall", "the far wall", far, planned)):
        yield _likely(measured, line, key, what, share if reaches else None, limit, "pass", _MISSED)


def _organs(measured: Situated, line: ScrewLine, errors: Deviations) -> Iterator[Finding]:
    """Each critical structure with a rule that is reached at all, in bone; before it the implant's rules hold."""
    limit = measured.plan.screw_rules.canal_breach_percent
    for structure in measured.case.having("keepout_critical"):
        if group_of(structure.name) in CANAL or rule_for(measured.plan, structure.name) is None:
            continue
        share = _reached(measured, line, errors, structure.distance, line.in_bone)
        if share is not None and share >= _LEAST:
            key = structure.name.replace(" ", "_")
            verdict: Verdict = "warn" if 100.0 * share > limit else "pass"
            words = f"reported; warns above {limit:g} %, as the canal fails"
            yield _likely(measured, line, key, structure.name.replace("_", " "), share, words, verdict, "")


def _likely(
    measured: Situated,
    line: ScrewLine,
    key: str,
    what: str,
    share: float | None,
    limit: str,
    verdict: Verdict,
    missing: str,
    critical: bool = False,
) -> Finding:
    """The finding of a probability (0 to 1), or of none and why."""
    budget = measured.plan.budget
    return measured.finding(
        f"screw.{line.number}.breach.{key}",
        f"{line.name}: probability that its thread reaches {what}",
        None if share is None else 100.0 * share,
        "%",
        limit,
        "not_evaluated" if share is None else verdict,
        f"placement error with printed guides: entry {budget.screw_entry_mm:g} ± {budget.screw_entry_sd_mm:g} mm, "
        f"angle {budget.screw_angle_deg:g} ± {budget.screw_angle_sd_deg:g}°; right to 0.3 percentage points",
        line.tip,
        critical,
        missing if share is None else "",
    )


def _reached(
    measured: Situated, line: ScrewLine, errors: Deviations, distance: Distance, chosen: np.ndarray
) -> float | None:
    """How likely (0 to 1) the thread at its chosen stations (n,) bool reaches something; None where there are none."""
    depths = _stations(line, chosen)
    if depths is None:
        return None
    upright = docked_plate(measured.situation, line.screw.level).normal
    entry = np.asarray(line.screw.entry, dtype=float)
    found = breach_probabilities(entry[None], line.direction[None], depths, line.radius, distance, errors, upright)
    return float(found[0])


def _stations(line: ScrewLine, chosen: np.ndarray) -> np.ndarray | None:
    """(k,) mm, evenly from the first chosen station to the tip; None where none is chosen."""
    if not chosen.any():
        return None
    first, last = float(line.depths[np.argmax(chosen)]), float(line.depths[-1])
    first = min(first, last - _STEP_MM)
    return np.linspace(first, last, max(int(np.ceil((last - first) / _STEP_MM)), 1) + 1)


def wall_breaches(line: ScrewLine, errors: Deviations, plate_normal: np.ndarray) -> tuple[float, float]:
    """How likely (0 to 1) a thread passes a side wall of its vertebra, and the far one.

    Endplates have findings of their own, and where it enters a screw has to pass a wall: what is looked at begins a
    thread's diameter behind, where a wall that is entered at up to 60° from straight is a radius away. A screw that
    misses the bone passes a side wall.
    """
    depths = np.linspace(line.depths[0], line.depths[-1], int(np.ceil(np.ptp(line.depths) / _STEP_MM)) + 1)
    starts, ways = errors.moved(np.asarray(line.screw.entry, dtype=float), line.direction, plate_normal)
    side, far = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    for first in range(0, len(starts), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        side[some], far[some] = _passed(line, depths, starts[some], ways[some], plate_normal)
    return float(errors.weights @ side), float(errors.weights @ far)


def _passed(
    line: ScrewLine, depths: np.ndarray, starts: np.ndarray, ways: np.ndarray, normal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool, (n,) bool: which threads pass a side wall, and which the far one."""
    points = points_along(starts, ways, depths)
    away = -line.vertebra.distance(points.reshape(-1, 3)).reshape(points.shape[:2])
    inside = away > 0.0
    enters = depths[np.argmax(inside, axis=1)]
    behind = depths >= enters[:, None] + max(ENTRY_MM, 2.0 * line.radius)
    # A tip that has just come in is not looked at, but one that never does has missed.
    missed = np.logical_not(inside.any(axis=1))
    passes = (thread_margin(away, depths, line.radius) < 0.0) & behind
    screw, station = np.nonzero(passes & np.logical_not(missed)[:, None])
    there = points[screw, station]
    bone, steps = line.vertebra.distance, _GRADIENT_MM * np.eye(3)
    out = np.stack([bone(there + step) - bone(there - step) for step in steps], axis=1)
    out = out / np.maximum(np.linalg.norm(out, axis=1), 1e-9)[:, None]
    along: np.ndarray = np.einsum("ij,ij->i", out, ways[screw])
    level = np.abs(out @ normal) <= _DIAGONAL
    side, far = missed.copy(), np.zeros(len(starts), dtype=bool)
    side[screw[level & (np.abs(along) <= _DIAGONAL)]] = True
    far[screw[level & (along > _DIAGONAL)]] = True
    return side, far
