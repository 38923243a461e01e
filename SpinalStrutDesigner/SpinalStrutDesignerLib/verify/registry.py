"""The checks there are. A check is one file in this folder: a function from a Measured implant to its findings, marked
with `@check(order)`, or from a Design, with `@design_check(order)`; nothing else has to be told about it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..build.design import Design
from .finding import Finding
from .measured import Measured

Measure = Callable[[Measured], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """A check by name, in its place in the report. apart: it shares no costly measurement with checks that are not, so
    that another thread may take it meanwhile."""

    order: int
    name: str
    measure: Measure
    apart: bool = False


MeasureDesign = Callable[[Design], Iterable[Finding]]


@dataclass(frozen=True)
class DesignCheck:
    """A check of what a design has besides its implants."""

    order: int
    name: str
    measure: MeasureDesign


_CHECKS: dict[str, Check] = {}
_DESIGN_CHECKS: dict[str, DesignCheck] = {}


def check(order: int, apart: bool = False) -> Callable[[Measure], Measure]:
    """Marks a function as a check; order is its place in the report, apart as in `Check`."""

    def enter(measure: Measure) -> Measure:
        _CHECKS[measure.__name__] = Check(order, measure.__name__, measure, apart)
        return measure

    return enter


def design_check(order: int) -> Callable[[MeasureDesign], MeasureDesign]:
    """Marks a function from a Design to findings as a check of guides and other parts; order as in `check`."""

    def enter(measure: MeasureDesign) -> MeasureDesign:
        _DESIGN_CHECKS[measure.__name__] = DesignCheck(order, measure.__name__, measure)
        return measure

    return enter


def checks() -> tuple[Check, ...]:
    """All checks of this folder on implants, in the report's order."""
    _read_all()
    return tuple(sorted(_CHECKS.values(), key=lambda c: (c.order, c.name)))


def design_checks() -> tuple[DesignCheck, ...]:
    """All checks of this folder on the rest of a design, in the report's order."""
    _read_all()
    return tuple(sorted(_DESIGN_CHECKS.values(), key=lambda c: (c.order, c.name)))


def _read_all() -> None:
    package = __name__.rpartition(".")[0]
    for module in sorted(found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)])):
        importlib.import_module(f"{package}.{module}")
