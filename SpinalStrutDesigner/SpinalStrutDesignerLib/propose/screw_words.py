"""What binds a planned screw, and what rules out every screw, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ..plan.plan import Screw
from ..verify.screws import BICORTICAL_MM
from .screw_end import ScrewEnd
from .screw_judge import Bound, bounds, thread_bounds
from .screw_shots import Fit, Tally

_BINDS = {"mm": 0.3, "°": 1.0, "%": 0.5}  # what is left of a rule that binds
_RULES = {
    "canal": ("canal_mm", "the spinal canal's contents"),
    "metal": ("metal_mm", "metal already there"),
    "wall": ("cortex_mm", "the vertebra's side walls"),
    "superior endplate": ("endplate_mm", "the superior endplate"),
    "inferior endplate": ("endplate_mm", "the inferior endplate"),
}


def binding(end: ScrewEnd, screw: Screw, beside: Sequence[Screw], together: Sequence[Bound] = ()) -> str:
    """What binds a screw, the tightest first, and why it is no longer; together: what binds all of its set."""
    found = sorted([*bounds(end, screw, beside), *together], key=lambda bound: bound.left / _BINDS[bound.unit])
    tight = [bound for bound in found if bound.left < _BINDS[bound.unit]] or found[:1]
    return "; ".join([*dict.fromkeys(bound.words for bound in tight[:3]), _length_words(end, screw, beside)])


def _length_words(end: ScrewEnd, screw: Screw, beside: Sequence[Screw]) -> str:
    made = screw.type.lengths_mm
    longer = [length for length in made if length > screw.length_mm]
    if not longer:
        return f"length: {screw.length_mm:g} mm is the longest made"
    longer_one = screw.with_(length_mm=longer[0])
    missed = _worst(list(thread_bounds(end, longer_one, beside)))
    if missed.left >= 0.0:
        missed = _worst(list(bounds(end, longer_one, beside)))
    if missed.left >= 0.0:
        return f"length: {longer[0]:g} mm would be safe as well"
    return (
        f"length: {screw.length_mm:g} mm is the longest made that holds here, {longer[0]:g} mm would miss "
        f"{missed.what} by {-missed.left:.1f} {missed.unit}"
    )


def _worst(found: Sequence[Bound]) -> Bound:
    return min(found, key=lambda bound: bound.left / _BINDS[bound.unit])


def refusal(end: ScrewEnd, fit: Fit, tally: Tally) -> str:
    """Why no screw of a type has a safe place, and what to change."""
    what, kind, rules = tally.blocked or "edge", fit.kind, end.plan.screw_rules
    missed = tally.missed.get(what, 0.0)
    by = f"nearest miss {missed:.1f} mm"
    flange = f"{end.name}_flange" if end.shape.flange else f"{end.name}_foot"
    place = f"{end.level}, {kind.name}"
    if not tally.came.get("bone"):
        return f"{place}: {flange} is too small for the metal round a head; make {flange}.width_mm or height_mm larger"
    if what == "bone":
        return f"{place}: no straight way from {flange} meets the vertebra; change {flange}.azimuth_deg or height_mm"
    if what == "length":
        shortest = kind.lengths_mm[0]
        return (
            f"no catalogue length fits {place}: the shortest, {shortest:g} mm, needs {missed:.1f} mm more than bone "
            f"leaves with screw_rules.cortex_mm = {rules.cortex_mm:g} mm ahead of its tip; choose a type with shorter "
            "lengths_mm, or lower screw_rules.under_head_mm"
        )
    if what == "tip":
        low, high = BICORTICAL_MM
        return (
            f"{place}: no length made ends {low:g} to {high:g} mm beyond the far wall, as a bicortical screw has to; "
            f"{by}; choose a type with other lengths_mm, change {flange}'s place, or plan it unicortical"
        )
    if what in _RULES:
        field, thing = _RULES[what]
        return (
            f"{place}: no trajectory keeps {getattr(rules, field):g} mm from {thing}; {by}. Change {flange}'s place or "
            f"size, take a thinner or shorter type, or lower screw_rules.{field}"
        )
    if what == "breach":
        return (
            f"{place}: every trajectory reaches the canal with a probability above "
            f"{rules.canal_breach_percent:g} % (screw_rules.canal_breach_percent) at the placement error of budget; "
            f"the nearest is {missed:.1f} percentage points above; move {flange}, or take a shorter type"
        )
    if what == "edge":
        return f"{place}: no safe way lies within {flange}; {by}; make {flange}.width_mm or height_mm larger"
    if what == "seat":
        return (
            f"{place}: bone takes the metal that screw_rules.around_head_mm and under_head_mm ask for; {by}; make "
            f"{flange}.thickness_mm larger, or the rules smaller"
        )
    if what == "head":
        return f"{place}: heads come too near to what rules protects; {by}; move {flange} (azimuth_deg, height_mm)"
    if what == "approach":
        return (
            f"{place}: every safe way is tilted too far for a driver from the approach ({end.name}_foot.approach),"
            f" by {missed:.0f}° at least; change {end.name}_foot.approach or {flange}.azimuth_deg"
        )
    if what.startswith("driver: "):
        thing = what.removeprefix("driver: ").replace("_", " ")
        return (
            f"{place}: approach blocked: a driver of {rules.driver_length_mm:g} × {kind.driver_diameter_mm:g} mm meets "
            f"{thing}; {by}; take a shorter driver (screw_rules.driver_length_mm), change {flange}.azimuth_deg, or, "
            f"if {thing} may be held aside, insertion.retractions"
        )
    return (
        f"{place}: no trajectory keeps clear of {what.replace('_', ' ')}; {by}; change {flange}'s place, take a "
        "thinner or shorter type, or its rule in rules"
    )
