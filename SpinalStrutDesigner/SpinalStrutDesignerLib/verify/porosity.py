"""The porous interface as made: porosity, pores, throat, thinnest strut, surface, depth."""

from __future__ import annotations

from collections.abc import Iterator

from LatticeGeneratorLib.errors import GeometryError

from ..build.design import Foot
from .finding import Finding
from .lattice import POWDER_MM, LatticeAsMade, lattice_as_made
from .measured import Measured, graded
from .registry import check

_SPREAD = 0.03
_PORE_LOW_MM, _PORE_HIGH_MM = 0.50, 0.60
# Below 0.4 mm, the least wall in the catalogue of printers, struts are printable as far as a coupon has shown it.
_STRUT_FAIL_MM, _STRUT_COUPON_MM = 0.20, 0.40
# Engineering judgement: of the printable cells of 0.55 mm pores and 70 % porosity those chosen leave 0.45 mm and more
# between pores. Pores of more than 0.3 mm let vessels follow the bone (Karageorgiou and Kaplan 2005; verify locally).
_THROAT_PASS_MM, _THROAT_WARN_MM = 0.45, 0.30
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
    yield _throat(measured, foot, made)
    yield _strut(measured, foot, made)
    yield measured.finding(
        f"porous.{foot.end}.powder",
        f"Void of the {foot.end} foot's interface that powder can leave",
        100.0 * made.reached,
        "%",
        f"≥ {100 * _REACHED_PASS:g} % passes, ≥ {100 * _REACHED_WARN:g} % warns",
        graded(made.reached, _REACHED_PASS, _REACHED_WARN),
        "a closed cavity or unconnected pore holds powder that heat treatment sinters",
        place,
        detail=(
            f"reached from outside through openings of {1000 * POWDER_MM:.0f} µm, just over the coarsest powder; "
            f"{made.closed} pores closed all round"
        ),
    )
    yield _surface(measured, foot, made)
    yield _comparator(measured, foot, made.porosity, made.pores.mean_mm)


def _throat(measured: Measured, foot: Foot, made: LatticeAsMade) -> Finding:
    assert foot.domain is not None
    return measured.finding(
        f"porous.{foot.end}.throat",
        f"Throat of the {foot.end} foot's interface",
        made.throat_mm,
        "mm",
        f"≥ {_THROAT_PASS_MM:g} mm passes, ≥ {_THROAT_WARN_MM:g} mm warns",
        graded(made.throat_mm, _THROAT_PASS_MM, _THROAT_WARN_MM),
        "engineering judgement: what grows in must pass from pore to pore; pores over 0.3 mm let vessels follow "
        "(Karageorgiou and Kaplan 2005; verify locally)",
        foot.domain.vertices.mean(axis=0),
        detail=f"the largest ball that gets to at least half of the deep places where it fits; in {made.block}",
    )


def _strut(measured: Measured, foot: Foot, made: LatticeAsMade) -> Finding:
    assert foot.domain is not None
    thin = made.struts.p5_mm
    coupon = "; struts this thin need a validated coupon" if _STRUT_FAIL_MM <= thin < _STRUT_COUPON_MM else ""
    return measured.finding(
        f"porous.{foot.end}.strut",
        f"Thinnest struts of the {foot.end} foot's interface (5th percentile)",
        thin,
        "mm",
        f"≥ {_STRUT_COUPON_MM:g} mm passes, ≥ {_STRUT_FAIL_MM:g} mm needs a validated coupon",
        graded(thin, _STRUT_COUPON_MM, _STRUT_FAIL_MM),
        "least printable strut 0.2 mm; catalogue of printers: struts of 0.3 mm need a validated coupon, walls 0.4 mm; "
        "verify locally",
        foot.domain.vertices.mean(axis=0),
        detail=(
            f"mean {made.struts.mean_mm:.3f} mm, 1st percentile {made.struts.least_mm:.3f} mm, in {made.block}{coupon}"
        ),
    )


def _surface(measured: Measured, foot: Foot, made: LatticeAsMade) -> Finding:
    """No limit is known for either: they are told for comparison with other implants."""
    assert foot.domain is not None
    lines = made.intercept
    along = ", ".join(f"{length:.2f}" for length in lines.void_along_mm)
    return measured.finding(
        f"porous.{foot.end}.surface",
        f"Metal surface in the {foot.end} foot's interface",
        made.area_per_mm,
        "mm²/mm³",
        "told, not limited",
        "pass",
        "for comparison; mean intercept lengths as ASTM F1854, over lines in all directions",
        foot.domain.vertices.mean(axis=0),
        detail=(
            f"without cut faces on the layer's border; mean intercept of the void {lines.void_mm:.3f} mm (along x, y, "
            f"z {along}), of the metal {lines.metal_mm:.3f} mm; in {made.block}"
        ),
    )


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
