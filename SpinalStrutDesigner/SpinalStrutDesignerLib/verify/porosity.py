"""The porous interface as made: porosity, pores, thinnest strut, depth."""

from __future__ import annotations

from collections.abc import Iterator

from LatticeGeneratorLib.errors import GeometryError

from ..build.design import Foot
from .finding import Finding
from .lattice import POWDER_MM, lattice_as_made
from .measured import Measured, graded
from .registry import check

_SPREAD = 0.03
_PORE_LOW_MM, _PORE_HIGH_MM = 0.50, 0.60
_STRUT_FAIL_MM, _STRUT_COUPON_MM = 0.20, 0.30
_REACHED_PASS, _REACHED_WARN = 0.98, 0.95
_WHERE = {"endplate": "next to the endplate", "flange": "on the bone side of the flange"}
_PAPER = "pores of 500–600 µm at 70 % porosity (Willemsen 2019)"


@check(order=45)
def porous(measured: Measured) -> Iterator[Finding]:
    """Each foot's lattice, measured within its domain on the finished mesh."""
    for foot in measured.implant.feet:
        if foot.wanted_depth_mm <= 0.0:
            continue
        yield _depth(measured, foot)
        if foot.domain is None:
            continue
        try:
            yield from _lattice(measured, foot)
        except GeometryError as error:
            yield measured.finding(
                f"porous.{foot.end}.porosity",
                f"Porosity of the {foot.end} foot",
                None,
                "%",
                "67–73 %",
                "fail",
                _PAPER,
                foot.endplate.centre,
                detail=str(error),
            )


def _lattice(measured: Measured, foot: Foot) -> Iterator[Finding]:
    assert foot.domain is not None
    place = foot.domain.vertices.mean(axis=0)
    made = lattice_as_made(measured, foot, foot.domain)
    wanted = measured.plan.interface.porosity
    yield measured.finding(
        f"porous.{foot.end}.porosity",
        f"Porosity of the {foot.end} foot's interface",
        100.0 * made.porosity,
        "%",
        f"{100 * (wanted - _SPREAD):.0f}–{100 * (wanted + _SPREAD):.0f} %",
        "pass" if abs(made.porosity - wanted) <= _SPREAD else "fail",
        _PAPER,
        place,
        detail=f"in {foot.domain.volume:.0f} mm³ {_WHERE[foot.porous_face]}",
    )
    good = _PORE_LOW_MM <= made.pores.mean_mm <= _PORE_HIGH_MM
    yield measured.finding(
        f"porous.{foot.end}.pore",
        f"Mean pore of the {foot.end} foot's interface",
        1000.0 * made.pores.mean_mm,
        "µm",
        f"{1000 * _PORE_LOW_MM:.0f}–{1000 * _PORE_HIGH_MM:.0f} µm",
        "pass" if good else "fail",
        _PAPER,
        place,
        detail=(
            f"p5 {1000 * made.pores.p5_mm:.0f}, p95 {1000 * made.pores.p95_mm:.0f}, largest "
            f"{1000 * made.pores.largest_mm:.0f} µm; local thickness of the void in {made.block}; pores print "
            "24–169 µm smaller (gyroid, Materials 15:4729)"
        ),
    )
    yield measured.finding(
        f"porous.{foot.end}.strut",
        f"Thinnest struts of the {foot.end} foot's interface (5th percentile)",
        made.struts.p5_mm,
        "mm",
        f"≥ {_STRUT_COUPON_MM:g} mm passes, ≥ {_STRUT_FAIL_MM:g} mm needs a validated coupon",
        graded(made.struts.p5_mm, _STRUT_COUPON_MM, _STRUT_FAIL_MM),
        "least printable strut 0.2 mm; struts up to 0.3 mm need a validated coupon; verify locally",
        place,
        detail=f"mean {made.struts.mean_mm:.3f} mm, 1st percentile {made.struts.least_mm:.3f} mm, in {made.block}",
    )
    yield measured.finding(
        f"porous.{foot.end}.powder",
        f"Void of the {foot.end} foot's interface that powder can leave",
        100.0 * made.reached,
        "%",
        f"≥ {100 * _REACHED_PASS:g} % passes, ≥ {100 * _REACHED_WARN:g} % warns",
        graded(made.reached, _REACHED_PASS, _REACHED_WARN),
        "a closed cavity or unconnected pore holds powder that heat treatment sinters",
        place,
        detail=f"reached from outside through openings of {1000 * POWDER_MM:.0f} µm, just over the coarsest powder",
    )
    yield _comparator(measured, foot, made.porosity, made.pores.mean_mm)


def _depth(measured: Measured, foot: Foot) -> Finding:
    short = foot.porous_depth_mm < foot.wanted_depth_mm - 0.1
    return measured.finding(
        f"porous.{foot.end}.depth",
        f"Depth of the {foot.end} foot's porous layer",
        foot.porous_depth_mm,
        "mm",
        f"{foot.wanted_depth_mm:g} mm wanted",
        "warn" if short else "pass",
        "porous depth yields to solid thickness in a thin foot",
        foot.endplate.centre,
        detail="; ".join(foot.notes),
    )


def _comparator(measured: Measured, foot: Foot, made: float, pore_mm: float) -> Finding:
    """21 CFR 888.3358 (porous-coated hip cups): a comparator, not a limit for this implant."""
    inside = [
        ("porosity 30–70 %", 0.30 <= round(made, 2) <= 0.70),
        ("pores 100–1000 µm", 0.1 <= pore_mm <= 1.0),
        ("depth 0.5–1.5 mm", 0.5 <= round(foot.porous_depth_mm, 1) <= 1.5),
    ]
    outside = [text for text, within in inside if not within]
    return measured.finding(
        f"porous.{foot.end}.comparator",
        f"The {foot.end} foot's interface beside 21 CFR 888.3358",
        "inside" if not outside else "outside: " + ", ".join(outside),
        "",
        ", ".join(text for text, _ in inside),
        "pass" if not outside else "warn",
        "21 CFR 888.3358 is a rule for hip cups: a comparator, not a limit",
        foot.endplate.centre,
    )
