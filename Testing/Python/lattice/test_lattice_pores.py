"""Whether void is open: closed pores are counted, and narrow throats hold back what does not pass them."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_shapes import inverted, joined, moved
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.measure.pores import closed_pores, connected_fraction
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere

BLOCK = box([-2] * 3, [2] * 3)
DOMAIN = box([-1.5] * 3, [1.5] * 3)


def chamber(throat_mm: float) -> Mesh:
    """A block with a round chamber of radius 0.8 mm that opens upwards through a bore of the throat's diameter."""
    bore = cylinder(np.zeros(3), np.array([0.0, 0.0, 3.0]), 0.5 * throat_mm, 96)
    return difference(BLOCK, [sphere(np.zeros(3), 0.8, 64), bore])


def test_closed_voids_are_counted_where_the_domain_is():
    body = joined(BLOCK, *(inverted(sphere(np.array([x, 0.0, 0.0]), 0.3, 24)) for x in (-1.0, 0.0, 1.0)))
    assert closed_pores(body, DOMAIN) == 3
    assert closed_pores(body, box([-1.6, -1, -1], [0.1, 1, 1])) == 2
    assert closed_pores(body, moved(DOMAIN, [9, 0, 0])) == 0
    assert closed_pores(BLOCK, DOMAIN) == 0
    assert closed_pores(chamber(0.5), DOMAIN) == 0


def test_a_closed_void_is_not_reached():
    closed = joined(BLOCK, inverted(sphere(np.zeros(3), 0.8, 64)))
    assert connected_fraction(closed, DOMAIN) == 0.0
    # Even where the domain's surroundings end inside it.
    assert connected_fraction(closed, box([-0.3] * 3, [0.3] * 3)) == 0.0


def test_open_and_closed_void_are_weighed_by_volume():
    closed = joined(chamber(0.5), inverted(sphere(np.array([1.2, 1.2, 1.2]), 0.25, 32)))
    share = 1.0 - 0.25**3 / (0.8**3 + 0.25**3)
    # The bore adds a little to what is open.
    assert connected_fraction(closed, DOMAIN) == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(("throat", "ball", "open_to_it"), [(0.6, 0.0, 1), (0.6, 0.4, 1), (0.6, 0.8, 0), (0.3, 0.5, 0)])
def test_a_ball_passes_a_throat_wider_than_itself(throat, ball, open_to_it):
    reached = connected_fraction(chamber(throat), DOMAIN, ball, 0.05)
    if open_to_it:
        assert reached > 0.99
    else:
        # Only the bore's outer part may be reached: 1.5 - 0.8 mm of it lies in the domain.
        bore = np.pi * (0.5 * throat) ** 2 * 0.75
        assert reached < bore / (bore + 4.0 / 3.0 * np.pi * 0.8**3) + 0.01


def test_powder_leaves_a_lattice_on_its_plate():
    domain = box([0] * 3, [3, 3, 1.5])
    body = union([fill(domain, LatticeSpec()).mesh, box([-0.5, -0.5, 1.4], [3.5, 3.5, 2.5])])
    assert connected_fraction(body, domain, 0.06) == 1.0
    assert closed_pores(body, domain) == 0


def test_a_lattice_walled_in_keeps_its_powder():
    domain = box([0] * 3, [2, 2, 1.5])
    case = joined(box([-0.5] * 3, [2.5, 2.5, 2.0]), inverted(box([-0.01] * 3, [2.01, 2.01, 1.51])))
    lattice = fill(domain, LatticeSpec()).mesh
    walled = union([case, moved(lattice, [0, 0, 0.05])])
    assert connected_fraction(walled, domain) == 0.0
    assert closed_pores(walled, domain) >= 1


def test_a_solid_domain_has_no_void_to_judge():
    with pytest.raises(GeometryError, match="no void"):
        connected_fraction(BLOCK, DOMAIN)
