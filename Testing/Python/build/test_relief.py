"""What is taken off an implant for its way in: as much as bone would scrape off it, there and nowhere else."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.boolean import common_volume
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.build.design import Implant
from SpinalStrutDesignerLib.build.relief import relieved, relieved_part, undercuts
from SpinalStrutDesignerLib.plan.insertion import Insertion, Way, Waypoint

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "propose"))
from insertion_toy import GAP, SPACING, filled, toy

_FRONT = Way(0.0, (Waypoint((0.0, 60.0, 0.0)), Waypoint()))
_RIGHT = Way(0.0, (Waypoint((60.0, 0.0, 0.0)), Waypoint()))
_SPARE = 0.125  # mm more are taken off: half a step between poses (the module's docstring)
_TOP = 20.0 - GAP  # of the toy's bar, mm; it is 8 mm wide and deep


def lipped(way: Way | None, give_mm: float, relief_mm: float) -> Implant:
    """Both blocks of bone have a front edge that hangs before the bar, which comes from the front."""
    ways = () if way is None else (way,)
    return toy(lip_mm=1.6, insertion=Insertion(give_mm=give_mm, relief_mm=relief_mm, ways=ways))


def cut_back(implant: Implant) -> Implant:
    """The implant without its own undercuts."""
    return relieved(implant, undercuts(implant.part.mesh, implant.situation))


def lip_mm(implant: Implant, level: str) -> float:
    """How far a block's voxels before the bar reach beyond the bar's end."""
    mask = implant.situation.case.structure(level).mask
    k, j, i = np.argwhere(mask.voxels).T
    places = np.column_stack([i, j, k]) @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3]
    return _TOP + 0.5 * SPACING - float(np.abs(places[places[:, 1] > 6.0][:, 2]).min())


def test_what_would_scrape_is_taken_off_and_no_more() -> None:
    implant = lipped(_FRONT, 0.4, 1.2)
    made = cut_back(implant)
    upper, lower = (lip_mm(implant, level) - 0.4 + _SPARE for level in ("C4", "T2"))
    assert 0.6 < min(upper, lower) < max(upper, lower) < 1.3
    # The smooth surface of bone lies up to 0.1 mm off its voxels' faces here.
    heights = made.part.mesh.vertices[:, 2]
    assert heights.max() == pytest.approx(_TOP - upper, abs=0.12)
    assert heights.min() == pytest.approx(lower - _TOP, abs=0.12)
    assert made.relief is not None and made.relief.depth_mm == pytest.approx(max(upper, lower), abs=0.12)
    # Both ends of 8 x 8 mm pass their lip whole.
    assert made.relief.volume_mm3 == pytest.approx(64.0 * (upper + lower), abs=2 * 64.0 * 0.1)
    # Counted in cells of half a millimetre, of which those at the border may count whole.
    assert made.relief.contact_mm2 + 2.0 >= 2 * 64.0 and made.relief.contact_mm2 <= 2 * 9.0**2
    assert implant.part.mesh.volume - made.part.mesh.volume == pytest.approx(made.relief.volume_mm3)
    # What does not pass the lips stays as it is.
    middle = box(np.array([-9.0, -9.0, -16.0]), np.array([9.0, 9.0, 16.0]))
    assert common_volume(made.part.mesh, middle) == pytest.approx(common_volume(implant.part.mesh, middle), rel=1e-4)


def test_more_bone_may_be_taken_off_instead() -> None:
    little, much = (cut_back(lipped(_FRONT, give, 1.5)).relief for give in (0.9, 0.2))
    assert little is not None and much is not None
    assert much.depth_mm - little.depth_mm == pytest.approx(0.7, abs=0.01)
    assert much.volume_mm3 - little.volume_mm3 == pytest.approx(2 * 64.0 * 0.7, rel=0.12)


@pytest.mark.parametrize(
    ("way", "give_mm", "relief_mm"),
    [(None, 0.0, 2.0), (_FRONT, 2.0, 2.0), (_FRONT, 0.4, 0.5), (_RIGHT, 0.0, 2.0)],
    ids=["no way", "bone gives way", "deeper than allowed", "past the lips"],
)
def test_nothing_is_taken_off_without_need_or_beyond_what_is_allowed(
    way: Way | None, give_mm: float, relief_mm: float
) -> None:
    implant = lipped(way, give_mm, relief_mm)
    cuts = undercuts(implant.part.mesh, implant.situation)
    assert cuts is None
    assert relieved(implant, cuts) is implant and relieved_part(implant.part, cuts) is implant.part


def test_an_end_that_would_be_cut_off_is_refused() -> None:
    """A slab beside a plate of 2 mm passes right through its upper end on the way out to the right."""
    slab = filled("other_bone", "bone", (6.0, -9.0, 13.0), (12.0, 9.0, 15.0))
    implant = toy(slab, insertion=Insertion(give_mm=0.0, relief_mm=2.0, ways=(_RIGHT,)))
    plate = box(np.array([-4.0, -1.0, -_TOP]), np.array([4.0, 1.0, _TOP]))
    with pytest.raises(GeometryError, match=r"nothing of its foot at C4 inferior.*insertion\.relief_mm"):
        cut_back(replace(implant, part=replace(implant.part, mesh=plate)))
