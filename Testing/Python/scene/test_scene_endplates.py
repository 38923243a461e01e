"""Planes of docking endplates: shown as they are, silent about it, and read back as corrections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Endplate
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import EndplateOverride
from SpinalStrutDesignerLib.scene.belongings import Belongings
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.endplate_planes import ROLES, EndplatePlanes, override_of
from SpinalStrutDesignerLib.scene.level_labels import ROLE as LEVELS
from SpinalStrutDesignerLib.scene.level_labels import show_levels


def plate(level: str, face: str, z: float, down: bool) -> Endplate:
    """A plate 20 mm wide and 15 mm deep, tilted by 20° to the front."""
    tilt = np.radians(20.0)
    normal = np.array([0.0, np.sin(tilt), np.cos(tilt)]) * (-1.0 if down else 1.0)
    anterior = np.array([0.0, np.cos(tilt), -np.sin(tilt)])
    right = np.array([1.0, 0.0, 0.0])
    turn = np.arange(8) * np.pi / 4
    centre = np.array([1.0, 2.0, z])
    outline = centre + 10.0 * np.cos(turn)[:, None] * right + 7.5 * np.sin(turn)[:, None] * anterior
    return Endplate(level, face, centre, normal, anterior, right, 20.0, 15.0, outline, outline)  # type: ignore[arg-type]


UPPER, LOWER = plate("C4", "inferior", 60.0, True), plate("T2", "superior", 0.0, False)


SIDEWAYS = np.array([1.0, 0.0, 0.0])


class Heard:
    """What the planes said."""

    def __init__(self) -> None:
        self.drops: list[str] = []
        self.removed = 0

    def gone(self) -> None:
        self.removed += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def planes(owner: Any, heard: Heard) -> EndplatePlanes:
    made = EndplatePlanes(owner, heard.drops.append, heard.gone)
    made.show({"upper": UPPER, "lower": LOWER}, case_folder(owner, None, "Strut"), False)
    return made


def lying(planes: EndplatePlanes) -> Any:
    found = planes.plate_of("upper")
    assert found is not None
    return found


def test_planes_lie_where_the_endplates_are_and_say_nothing_of_it(planes: Any, owner: Any, heard: Heard) -> None:
    for end, wanted in (("upper", UPPER), ("lower", LOWER)):
        centre, normal, size = planes.plate_of(end)
        np.testing.assert_allclose(centre, wanted.centre, atol=1e-12)
        np.testing.assert_allclose(normal, wanted.normal, atol=1e-12)
        assert size == pytest.approx((20.0, 15.0))
        node = Belongings(owner).get(ROLES[end])
        axes = np.zeros((3, 3))
        node.GetAxesWorld(*axes)
        assert np.linalg.det(axes) == pytest.approx(1.0)
        assert abs(axes[0] @ wanted.right) == pytest.approx(1.0)  # the width runs from right to left
    assert heard.drops == [] and heard.removed == 0
    assert override_of(lying(planes), UPPER, UPPER, None) is None


def test_what_is_shown_again_keeps_its_node_and_is_silent(planes: Any, owner: Any, heard: Heard) -> None:
    node = Belongings(owner).get(ROLES["upper"])
    moved = replace(UPPER, centre=UPPER.centre + 1.0, width_mm=18.0)
    planes.show({"upper": moved}, case_folder(owner, None, "Strut"), True)
    assert Belongings(owner).get(ROLES["upper"]) is node and node.GetLocked()
    assert node.GetCenterWorld() == pytest.approx(tuple(moved.centre)) and node.GetSizeWorld()[0] == 18.0
    assert Belongings(owner).get(ROLES["lower"]) is None
    assert heard.drops == [] and heard.removed == 0


def test_a_drag_drops_once_and_a_program_at_once(planes: Any, owner: Any, heard: Heard) -> None:
    node = Belongings(owner).get(ROLES["lower"])
    node.InvokeEvent(node.PointStartInteractionEvent)
    node.SetCenterWorld(LOWER.centre + 1.0)
    node.SetCenterWorld(LOWER.centre + 2.0)
    assert heard.drops == []
    node.InvokeEvent(node.PointEndInteractionEvent)
    assert heard.drops == ["lower"]
    Belongings(owner).get(ROLES["upper"]).SetCenterWorld(UPPER.centre + 1.0)
    assert set(heard.drops[1:]) == {"upper"}


def test_a_deleted_plane_is_told_and_a_closing_scene_is_not(scene: Any, planes: Any, owner: Any, heard: Heard) -> None:
    scene.RemoveNode(Belongings(owner).get(ROLES["upper"]))
    assert heard.removed == 1
    scene.Clear(False)
    assert heard.removed == 1 and heard.drops == []


def test_released_planes_are_silent(planes: Any, owner: Any, heard: Heard) -> None:
    planes.release()
    Belongings(owner).get(ROLES["upper"]).SetCenterWorld(UPPER.centre + 1.0)
    assert heard.drops == []


def test_a_correction_holds_what_was_changed_and_no_more() -> None:
    moved = UPPER.centre + SIDEWAYS
    override = override_of((moved, UPPER.normal, (20.0, 15.0)), UPPER, UPPER, None)
    assert override == EndplateOverride("C4", "inferior", tuple(moved), tuple(UPPER.normal))
    wider = override_of((UPPER.centre, UPPER.normal, (22.0, 15.0)), UPPER, UPPER, None)
    assert wider is not None and (wider.width_mm, wider.depth_mm) == (22.0, None)
    # What was corrected before stays when another part of it is.
    shown = replace(UPPER, width_mm=22.0)
    again = override_of((moved, UPPER.normal, (22.0, 15.0)), shown, UPPER, wider)
    assert again is not None and again.centre == tuple(moved) and again.width_mm == 22.0
    assert override_of((UPPER.centre, UPPER.normal, (22.0, 15.0)), shown, UPPER, wider) is wider


@pytest.mark.parametrize("turned_deg, refused", [(44.0, False), (46.0, True), (180.0, True)])
def test_a_correction_is_of_the_endplate_that_was_measured(turned_deg: float, refused: bool) -> None:
    turn = np.radians(turned_deg)
    normal = np.cos(turn) * UPPER.normal + np.sin(turn) * UPPER.right
    if refused:
        with pytest.raises(PlanError, match=f"inferior endplate of C4 would be turned by {turned_deg:.0f}°"):
            override_of((UPPER.centre, normal, (20.0, 15.0)), UPPER, UPPER, None)
    else:
        assert override_of((UPPER.centre, normal, (20.0, 15.0)), UPPER, UPPER, None) is not None


@pytest.mark.parametrize("far_mm, refused", [(14.9, False), (15.1, True)])
def test_a_correction_lies_within_the_plate_s_depth(far_mm: float, refused: bool) -> None:
    # A plate shown where it was corrected to is judged against the measured one.
    centre, shown = UPPER.centre + far_mm * SIDEWAYS, replace(UPPER, centre=UPPER.centre + 10.0 * SIDEWAYS)
    if refused:
        with pytest.raises(PlanError, match="15 mm from the measured one"):
            override_of((centre, UPPER.normal, (20.0, 15.0)), shown, UPPER, None)
    else:
        assert override_of((centre, UPPER.normal, (20.0, 15.0)), shown, UPPER, None) is not None


@pytest.mark.parametrize("size, words", [
    ((9.9, 15.0), "10 mm wide"), ((30.1, 15.0), "30 mm wide"), ((20.0, 22.6), "23 mm deep"), ((10.1, 22.4), ""),
])  # fmt: skip
def test_a_size_is_within_half_of_the_measured_one(size: tuple[float, float], words: str) -> None:
    if words:
        with pytest.raises(PlanError, match=words):
            override_of((UPPER.centre, UPPER.normal, size), UPPER, UPPER, None)
    else:
        override = override_of((UPPER.centre, UPPER.normal, size), UPPER, UPPER, None)
        assert override is not None and (override.width_mm, override.depth_mm) == size


def test_names_of_levels_stand_at_their_places_and_are_replaced(owner: Any) -> None:
    folder = case_folder(owner, None, "Strut")
    node = show_levels(owner, folder, {"C4": np.array([1.0, 2.0, 3.0]), "T2": np.array([1.0, 2.0, -30.0])})
    assert show_levels(owner, folder, {"C5": np.array([0.0, 1.0, 2.0])}) is node is Belongings(owner).get(LEVELS)
    assert node.GetNumberOfControlPoints() == 1 and node.GetNthControlPointLabel(0) == "C5"
    assert node.GetNthControlPointPositionWorld(0) == pytest.approx((0.0, 1.0, 2.0)) and node.GetLocked()
