"""The gap to a standing neighbour, and the space to be prepared, on blocks whose distances can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.verify.disc import disc
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.measured import Measured
from verify_toy import block, column_mesh, design_of, toy_case, toy_plan

DISC_MM = 5.0


def standing(low: np.ndarray | None = None):
    """T1, five millimetres above T2."""
    first = np.array([-10.0, -8.0, -30.0 + DISC_MM]) if low is None else low
    return block("T1", "bone", first, np.array([10.0, 8.0, -12.0]), "T1")


def tongue(height: float, back: float = -4.0) -> Mesh:
    """A bar in front of the column with a tongue over T2, 12 mm wide, that reaches back so far."""
    bar = box(np.array([-5.0, 9.0, -29.7]), np.array([5.0, 14.0, 27.0]))
    return union([bar, box(np.array([-6.0, back, -29.7]), np.array([6.0, 12.0, -29.7 + height]))])


def findings(mesh: Mesh, *others) -> dict[str, Finding]:
    return {f.id: f for f in disc(Measured(design_of(toy_case(*others), toy_plan(front=11.5), mesh).implants[0]))}


@pytest.mark.parametrize("height, verdict", [(3.0, "pass"), (4.2, "pass"), (4.6, "warn")])
def test_a_tongue_leaves_what_it_does_not_fill(height: float, verdict: str) -> None:
    found = findings(tongue(height), standing())
    assert set(found) == {"fit.lower.disc"}
    lower = found["fit.lower.disc"]
    assert lower.value == pytest.approx(DISC_MM - 0.3 - height, abs=0.06)
    assert lower.verdict == verdict and "T1" in lower.title


def test_what_of_the_disc_has_to_go_is_what_the_tongue_takes_up() -> None:
    detail = findings(tongue(3.0), standing())["fit.lower.disc"].detail
    told = [float(word) for word in detail.replace(",", "").split() if word.replace(".", "").isdigit()]
    # From the front rim at 8 mm back to -4; as wide and high as it was made.
    assert told == pytest.approx([DISC_MM, 12.0, 12.0, 3.0], abs=0.11)


def test_over_an_open_span_there_is_no_disc() -> None:
    assert findings(column_mesh()) == {}


def test_a_remnant_over_a_part_of_the_plate_is_no_standing_neighbour() -> None:
    assert findings(tongue(3.0), standing(np.array([4.0, -8.0, -25.0]))) == {}
