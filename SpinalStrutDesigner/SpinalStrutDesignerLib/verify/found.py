"""What the program found in the CT by itself and no person has accepted yet."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Finding
from .measured import Measured
from .registry import check


@check(order=91)
def found(measured: Measured) -> Iterator[Finding]:
    """Structures found from seeds: everything measured to them is no better than they are."""
    if measured.prefix or not measured.case.seeds:
        return
    levels = ", ".join(level for level, _ in measured.case.seeds)
    yield measured.finding(
        "labels.found_by_program",
        f"Structures found in the bare CT, from seeds in {levels}",
        None,
        "",
        "a person has compared them with the CT; waive by name to say so",
        "not_evaluated",
        "segmentation is where half of the error from scan to print comes from (Schulze 2024); nobody has looked yet",
        measured.case.seeds[0][1],
        critical=True,
        detail=", ".join(s.name for s in measured.case.structures),
    )
