"""Strength by beam theory: factor against yield in every load case, buckling, and the comparison with a rod."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Finding
from .loads import ROD_MM, LoadTable, buckling, load_tables
from .measured import Measured, graded
from .registry import check
from .rods import posterior_rods, rod_diameter_mm

# Factors against yield. The design load is met again and again for a lifetime: 2 leaves the fatigue strength of printed
# and HIPed Ti6Al4V ELI (480-820 MPa, Kelly 2019 and others) above a cycled 500 N. The envelope is the greatest load
# seen in daily life (Dreischarf 2015): it must not yield the implant. Engineering judgement; verify locally.
_LIMITS = {"axial": (2.0, 1.5), "envelope": (1.2, 1.0)}
_MOMENT_LIMITS = (1.5, 1.2)
_BUCKLING = (3.0, 2.0)
_BASIS = "engineering judgement; verify locally. Beam theory on the finished mesh, porous zones counted as no strength"


@check(order=50)
def strength(measured: Measured) -> Iterator[Finding]:
    """One finding per load case with its place, one per ratio to the rod, and the Euler load."""
    material = measured.plan.material
    for table in load_tables(measured):
        passes, warns = _LIMITS.get(table.id, _MOMENT_LIMITS)
        yield measured.finding(
            f"strength.{table.id}",
            f"{table.title}: factor against yield",
            table.worst.factor,
            "×",
            f"≥ {passes:g} passes, ≥ {warns:g} warns",
            graded(table.worst.factor, passes, warns),
            _BASIS,
            table.worst.location,
            detail=(
                f"{table.load}: {table.worst.equivalent_MPa:.0f} MPa at the {table.worst.place}; strut alone "
                f"{table.strut_worst.equivalent_MPa:.0f} MPa; yield {material.yield_MPa:g} MPa ({material.name}); "
                "the implant alone; " + _with_rods(measured, table)
            ),
        )
        if table.id != "envelope":  # the same line as the axial load, the same ratios
            yield _against_rod(measured, table)
    yield _buckling(measured)


def _with_rods(measured: Measured, table: LoadTable) -> str:
    rods = posterior_rods(measured)
    if not rods or table.shared_factor is None:
        return "the CT shows no posterior rods behind the whole span"
    size = " and ".join(f"{rod_diameter_mm(rod):.1f}" for rod in rods)
    return (
        f"with the posterior rods in the CT (Ø {size} mm, held at both docking levels) the strut carries "
        f"{table.shared_MPa:.0f} MPa, factor {table.shared_factor:.2f}"
    )


def _against_rod(measured: Measured, table: LoadTable) -> Finding:
    return measured.finding(
        f"strength.{table.id}.rod",
        f"{table.title}: strut against a {ROD_MM:g} mm titanium rod on the same axis",
        f"{table.stiffness_ratio:.2f} × stiffness, {table.strength_ratio:.2f} × strength",
        "",
        "reported",
        "pass" if min(table.stiffness_ratio, table.strength_ratio) >= 1.0 else "warn",
        "an off-the-shelf rod must not be equal or better (Willemsen 2019, risk table: alternatives)",
        detail=(
            f"stiffness {table.stiffness:.4g} against {table.rod_stiffness:.4g} {table.stiffness_unit}; "
            f"stress {table.strut_worst.equivalent_MPa:.0f} against {table.rod_stress_MPa:.0f} MPa"
        ),
    )


def _buckling(measured: Measured) -> Finding:
    euler, loads = buckling(measured), measured.plan.loads
    factor = euler.fixed_free_N / loads.axial_N
    passes, warns = _BUCKLING
    return measured.finding(
        "strength.buckling",
        "Euler load, foot fixed and top free, over the axial load",
        factor,
        "×",
        f"≥ {passes:g} passes, ≥ {warns:g} warns",
        graded(factor, passes, warns),
        _BASIS,
        detail=(
            f"{euler.fixed_free_N:.0f} N fixed–free ({euler.fixed_free_N / euler.rod_fixed_free_N:.2f} × a "
            f"{ROD_MM:g} mm rod), {euler.pinned_N:.0f} N pinned "
            f"({euler.pinned_N / euler.rod_pinned_N:.2f} ×), about the weakest axis; "
            f"{euler.fixed_free_N / loads.envelope_N:.2f} and {euler.pinned_N / loads.envelope_N:.2f} × the envelope "
            f"{loads.envelope_N:g} N"
        ),
    )
