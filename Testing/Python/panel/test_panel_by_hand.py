"""A docking endplate that cannot be measured, set by hand in the panel: placed by a click, dragged, taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.situation import docking_endplate
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.endplate_by_hand import usual_size
from SpinalStrutDesignerLib.case.model import Case
from spoilt_vertebra import without_arch
from test_panel_endplates import drag_down, plane, spanned, texts


@pytest.fixture(scope="session")
def spoilt(phantom: Case) -> Case:
    """The phantom's vertebrae, C4 without its arch, so that its endplate cannot be measured."""
    return without_arch(phantom.with_structures(s for s in phantom.structures if s.level), "C4")


@pytest.fixture
def plated(bench: Any, spoilt: Case) -> Any:
    """The panel with the docking levels chosen, and the upper endplate's row."""
    spanned(bench, spoilt)
    bench.ui.endplatesTable.setCurrentCell(0, 0)
    bench.host.process_events()
    return bench


@pytest.fixture
def placed(plated: Any, phantom: Case) -> Any:
    """As `plated`, after a click into the middle of where the endplate truly is."""
    centre = find_endplate(phantom, "C4", "inferior").centre
    plated.panel.jump_to(tuple(float(x) for x in centre))
    plated.host.process_events(0.1)
    plated.ui.byHandButton.click()
    plated.host.slice_view("Yellow").mouse.click(centre)
    plated.host.process_events(0.1)
    return plated


def test_it_is_offered_only_where_nothing_is_measured(plated: Any) -> None:
    assert plane(plated) is None and "no spinal canal" in texts(plated, 0)[1]
    assert plated.ui.byHandButton.enabled
    plated.ui.endplatesTable.setCurrentCell(1, 0)
    plated.host.process_events()
    assert not plated.ui.byHandButton.enabled and plane(plated, "endplateLower") is not None


def test_a_click_places_it_and_the_design_can_use_it(placed: Any, phantom: Case, spoilt: Case) -> None:
    true, given = find_endplate(phantom, "C4", "inferior"), placed.plan.corrections.endplates[0]
    assert given.centre == pytest.approx(tuple(true.centre), abs=0.5)  # a pixel of the view
    assert (given.width_mm, given.depth_mm) == usual_size("C4", "inferior")
    assert plane(placed).GetCenterWorld() == pytest.approx(given.centre, abs=1e-6)
    assert texts(placed, 0)[2] == "by hand, {:.1f} × {:.1f}".format(*usual_size("C4", "inferior"))
    assert not placed.ui.byHandButton.checked and placed.message == ""
    found = docking_endplate(placed.desk.case(), placed.plan, "C4", "inferior")
    assert found.by_hand and found.normal @ true.normal > 0.95


def test_it_is_dragged_and_taken_back(placed: Any) -> None:
    before = placed.plan.corrections.endplates[0]
    drag_down(placed, 3.0)
    after = placed.plan.corrections.endplates[0]
    assert after.centre[2] == pytest.approx(before.centre[2] - 3.0, abs=0.5)
    assert (after.width_mm, after.depth_mm) == pytest.approx((before.width_mm, before.depth_mm), abs=1e-6)
    plane(placed).SetSizeWorld((90.0, 15.0))
    plane(placed).SetNormalWorld((0.0, 0.1, -1.0))
    placed.host.process_events()
    assert "would be 90 mm wide" in placed.message and placed.plan.corrections.endplates[0] == after
    placed.desk.undo()
    placed.host.process_events()
    assert np.allclose(plane(placed).GetCenterWorld(), before.centre)
    placed.ui.asMeasuredButton.click()
    placed.host.process_events()
    assert placed.plan.corrections.endplates == () and plane(placed) is None
    assert texts(placed, 0)[2] == ""
