"""How each foot meets its endplate: gap, contact area, its centre, and the pressure on bone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .contact import STRICT_MM, Contact, contact_of
from .finding import Finding
from .loads import axial_share
from .measured import Measured, graded
from .registry import check

# Endplates failed at 3.6 ± 1.3 MPa (clinical facts); half of the mean passes, one deviation under it warns.
_PASS_MPa, _WARN_MPa, _FAILED_MPa = 1.8, 2.3, 3.6
# The mean may lie half the segmentation-to-print budget (0.8 mm, Schulze 2024) from the planned gap, and the 95th
# percentile all of it over the gap, before a person looks.
_MEAN_MM, _P95_MM = 0.4, 0.8
_LOST_SHARE = 0.25


@check(order=40)
def fit(measured: Measured) -> Iterator[Finding]:
    """Gap, area, centre of pressure and pressure of both feet."""
    for end in ("upper", "lower"):
        contact = contact_of(measured, end)
        yield _gap(measured, end, contact)
        yield _area(measured, end, contact)
        if len(contact.points):
            yield _centre(measured, end, contact)
            yield from _pressure(measured, end, contact)
        yield _lost(measured, end, contact)


def _gap(measured: Measured, end: str, contact: Contact) -> Finding:
    plan = measured.plan.upper_foot if end == "upper" else measured.plan.lower_foot
    wanted = plan.fit_gap_mm
    limit = f"mean {wanted:g} ± {_MEAN_MM:g} mm, p95 ≤ {wanted + _P95_MM:g} mm"
    title, basis = f"Fit gap of the {end} foot, mean", "the gap the plan asks for; verify locally"
    if not len(contact.gaps_mm):
        return measured.finding(
            f"fit.{end}.gap",
            title,
            None,
            "mm",
            limit,
            "fail",
            basis,
            measured.foot(end).endplate.centre,
            detail="no surface of the implant faces this endplate",
        )
    mean, p95 = float(contact.gaps_mm.mean()), float(np.percentile(contact.gaps_mm, 95.0))
    good = abs(mean - wanted) <= _MEAN_MM and p95 <= wanted + _P95_MM
    return measured.finding(
        f"fit.{end}.gap",
        title,
        mean,
        "mm",
        limit,
        "pass" if good else "warn",
        basis,
        contact.worst,
        detail=f"p95 {p95:.2f} mm, least {contact.gaps_mm.min():.2f} mm over the face that looks at bone",
    )


def _area(measured: Measured, end: str, contact: Contact) -> Finding:
    share = contact.envelope_mm2 / contact.plate_mm2 if contact.plate_mm2 else 0.0
    return measured.finding(
        f"fit.{end}.contact",
        f"Contact area of the {end} foot (pores counted as closed)",
        contact.envelope_mm2,
        "mm²",
        "> 0 mm²; judged as pressure",
        "pass" if contact.envelope_mm2 > 0.0 else "fail",
        "a bare strut end does not carry the load: the contact area is a safety figure",
        measured.foot(end).endplate.centre,
        detail=(
            f"net {contact.net_mm2:.0f} mm² of metal; {100 * share:.0f} % of the plate's {contact.plate_mm2:.0f} mm²; "
            f"bone within {measured.plan.budget.segmentation_to_print_mm:g} mm over the fit gap, the error budget "
            f"below which contact cannot be told; within {STRICT_MM:g} mm {contact.strict_mm2:.0f} mm²"
        ),
    )


def _centre(measured: Measured, end: str, contact: Contact) -> Finding:
    plate = measured.foot(end).endplate
    centre = contact.points.mean(axis=0)
    right, anterior, _ = plate.to_local(centre[None])[0]
    outline = plate.to_local(plate.outline)[:, :2]
    low, high = outline.min(axis=0), outline.max(axis=0)
    offset = (np.array([right, anterior]) - 0.5 * (low + high)) / (high - low)
    worst = float(np.abs(offset).max())
    return measured.finding(
        f"fit.{end}.centre",
        f"Centre of pressure of the {end} foot, off the endplate's middle",
        worst,
        "of its width or depth",
        "≤ 1/6 (middle third)",
        "pass" if worst <= 1.0 / 6.0 else "warn",
        "middle third: no edge lifts off; engineering judgement, verify locally",
        centre,
        detail=f"{right:+.1f} mm to the right, {anterior:+.1f} mm to the front of the endplate's centre; even pressure",
    )


def _pressure(measured: Measured, end: str, contact: Contact) -> Iterator[Finding]:
    loads, level = measured.plan.loads, measured.foot(end).endplate.level
    pressure = loads.axial_N / contact.envelope_mm2
    yield measured.finding(
        f"fit.{end}.pressure",
        f"Pressure on the {level} endplate at {loads.axial_N:g} N",
        pressure,
        "MPa",
        f"≤ {_PASS_MPa:g} MPa passes ({loads.axial_N / _PASS_MPa:.0f} mm²), ≤ {_WARN_MPa:g} warns "
        f"({loads.axial_N / _WARN_MPa:.0f} mm²)",
        graded(pressure, _PASS_MPa, _WARN_MPa),
        "endplates failed at 3.6 ± 1.3 MPa; engineering judgement, verify locally",
        contact.points.mean(axis=0),
        detail=(
            f"{loads.axial_N / max(contact.net_mm2, 1e-6):.1f} MPa on metal alone{_at_best(loads.axial_N, contact)}"
            f"{_with_lips_off(loads.axial_N, contact, measured.foot(end).contact_lost_mm2)}"
            f"{_with_rods(measured, contact)}"
        ),
    )
    envelope = loads.envelope_N / contact.envelope_mm2
    yield measured.finding(
        f"fit.{end}.pressure_envelope",
        f"Pressure on the {level} endplate at the envelope load {loads.envelope_N:g} N",
        envelope,
        "MPa",
        f"≤ {_FAILED_MPa:g} MPa",
        "pass" if envelope <= _FAILED_MPa else "warn",
        "mean pressure at which endplates failed; above it the posterior rods must share the load",
        contact.points.mean(axis=0),
    )


def _at_best(load_N: float, contact: Contact) -> str:
    """What the endplate itself allows, in words."""
    pressure = load_N / contact.plate_mm2
    words = f"; {pressure:.2f} MPa if all {contact.plate_mm2:.0f} mm² of the endplate carried it"
    if pressure > _WARN_MPa:
        return f"{words}: no foot on it keeps the limit, dock on a larger one"
    return words


def _with_lips_off(load_N: float, contact: Contact, lost_mm2: float) -> str:
    """What a foot that fails would carry if no lip of the endplate stood in its way in, in words; empty where that
    would not help."""
    pressure = load_N / (contact.envelope_mm2 + lost_mm2)
    if load_N / contact.envelope_mm2 <= _WARN_MPa or pressure > _WARN_MPa:
        return ""
    return (
        f"; about {pressure:.1f} MPa with the {lost_mm2:.0f} mm² lost to undercuts: plan a resection (resections) "
        "of the endplate's lip, and propose anew"
    )


def _with_rods(measured: Measured, contact: Contact) -> str:
    """What the pressure would be with the posterior rods that the CT shows, in words."""
    share = axial_share(measured)
    if share is None:
        return "; the CT shows no posterior rods behind the whole span"
    if share >= 1.0:  # the load line lies on the strut's far side from the rods, which pull the other way
        return "; the posterior rods in the CT do not relieve it"
    pressure = share * measured.plan.loads.axial_N / contact.envelope_mm2
    return f"; {pressure:.2f} MPa where the posterior rods in the CT take {100 * (1 - share):.0f} % of the load"


def _lost(measured: Measured, end: str, contact: Contact) -> Finding:
    foot = measured.foot(end)
    whole = contact.envelope_mm2 + foot.contact_lost_mm2
    share = foot.contact_lost_mm2 / whole if whole else 0.0
    return measured.finding(
        f"fit.{end}.lost",
        f"Contact of the {end} foot lost to the removal of undercuts",
        foot.contact_lost_mm2,
        "mm²",
        f"≤ {100 * _LOST_SHARE:g} % of the contact",
        "pass" if share <= _LOST_SHARE else "warn",
        "a dome locks behind a concave endplate's lip: what cannot slide in is removed",
        foot.endplate.centre,
    )
