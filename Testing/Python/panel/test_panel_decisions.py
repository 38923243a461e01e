"""Every decision in the panel is a decision of the plan: it can be undone, redone, locked, saved and restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.defaults import DEFAULT_FIELDS, defaults_to_json, with_defaults
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan


def _press(keys: str) -> None:
    """Presses a key combination in the application's window."""
    import qt

    wanted = qt.QKeySequence(keys).toString()
    shortcuts = slicer.util.findChildren(slicer.util.mainWindow(), className="QShortcut")
    next(s for s in shortcuts if s.key.toString() == wanted).activated.emit()


def test_a_slider_changes_its_field_and_nothing_else(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.plan_section_width_mm.value = 12.0
    assert planned.plan == phantom_plan.with_(section=phantom_plan.section.with_(width_mm=12.0))
    planned.ui.plan_interface_porosity.value = 65.0
    assert planned.plan.interface.porosity == pytest.approx(0.65)
    planned.ui.plan_section_lower_width_mm.value = 9.0
    assert planned.plan.section.lower_width_mm == 9.0
    planned.ui.plan_section_lower_width_mm.value = planned.ui.plan_section_lower_width_mm.minimum
    assert planned.plan.section.lower_width_mm is None


def test_a_slider_shows_range_unit_and_source(planned: Any) -> None:
    slider = planned.ui.plan_section_width_mm
    assert (slider.minimum, slider.maximum, slider.suffix) == (2.0, 40.0, " mm")
    assert "2 to 40 mm" in slider.toolTip and "Willemsen" in slider.toolTip
    assert planned.ui.plan_interface_pore_um.suffix == " µm"
    assert planned.ui.plan_interface_porosity.suffix == " %"


def test_a_flange_comes_and_goes(planned: Any) -> None:
    box, slider = planned.ui.plan_upper_flange, planned.ui.plan_upper_flange_width_mm
    box.checked = True
    assert planned.plan.upper_flange is not None and slider.enabled
    box.checked = False
    assert planned.plan.upper_flange is None and not slider.enabled


def test_a_value_that_does_not_go_with_the_others_is_told_and_taken_back(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.plan_section_corner_radius_mm.value = 9.0
    assert planned.plan == phantom_plan
    assert "section.corner_radius_mm" in planned.message and "9 mm" in planned.message
    assert planned.ui.plan_section_corner_radius_mm.value == pytest.approx(phantom_plan.section.corner_radius_mm)
    planned.ui.plan_section_width_mm.value = 11.0
    assert planned.message == ""


def test_sixty_decisions_are_undone_and_redone(planned: Any, phantom_plan: Plan) -> None:
    moments = iter(range(0, 10_000, 10))
    planned.desk.history.clock = lambda: float(next(moments))  # each decision ten seconds after the last
    plans = [planned.plan]
    for number in range(60):
        planned.ui.plan_section_width_mm.value = 5.0 + 0.5 * number
        plans.append(planned.plan)
    assert len({plan_to_json(plan) for plan in plans}) == 60  # one of the widths is the one there was
    for plan in reversed(plans[:-1]):
        if planned.plan != plan:
            planned.ui.undoButton.click()
        assert planned.plan == plan
    assert planned.plan == phantom_plan and not planned.ui.undoButton.enabled
    while planned.ui.redoButton.enabled:
        planned.ui.redoButton.click()
    assert planned.plan == plans[-1]
    assert planned.ui.plan_section_width_mm.value == pytest.approx(34.5)


def test_a_drag_of_a_slider_is_one_decision(planned: Any, phantom_plan: Plan) -> None:
    planned.desk.history.clock = lambda: 1.0
    for width in (11.0, 11.5, 12.0, 12.5):
        planned.ui.plan_section_width_mm.value = width
    planned.ui.undoButton.click()
    assert planned.plan == phantom_plan


def test_undo_and_redo_by_keyboard_while_the_module_is_open(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.plan_section_width_mm.value = 12.0
    _press("Ctrl+Z")
    assert planned.plan == phantom_plan
    _press("Ctrl+Y")
    assert planned.plan.section.width_mm == 12.0
    planned.host.close_module()
    planned.host.process_events(0.05)
    with pytest.raises(StopIteration):
        _press("Ctrl+Z")


def test_a_new_decision_ends_what_could_be_redone(planned: Any) -> None:
    planned.ui.plan_section_width_mm.value = 12.0
    planned.ui.undoButton.click()
    assert planned.ui.redoButton.enabled
    planned.ui.plan_section_depth_mm.value = 6.0
    assert not planned.ui.redoButton.enabled


def test_a_locked_plan_cannot_be_changed_nor_its_markups(planned: Any) -> None:
    planned.ui.plan_section_width_mm.value = 12.0
    kept = planned.plan
    planned.ui.lockButton.checked = True
    planned.host.process_events()
    assert not planned.ui.plan_section_width_mm.enabled and not planned.ui.undoButton.enabled
    assert not planned.ui.proposeButton.enabled and not planned.ui.placeScrewButton.enabled
    curve, lines = planned.desk.belongings.get("axis"), planned.desk.belongings.all("screw")
    assert curve.GetLocked() and lines and all(line.GetLocked() for line in lines)
    curve.SetNthControlPointPositionWorld(1, 0.0, 0.0, 0.0)  # by a program: by hand it cannot be dragged
    assert planned.plan == kept and "locked" in planned.message
    assert curve.GetNthControlPointPositionWorld(1) == pytest.approx(kept.axis.control_points[1])
    planned.desk.undo()
    assert planned.plan == kept
    planned.ui.lockButton.checked = False
    planned.host.process_events()
    assert not curve.GetLocked() and planned.ui.plan_section_width_mm.enabled


def test_defaults_are_saved_and_restored(planned: Any, tmp_path: Path, phantom_plan: Plan) -> None:
    from slicer_host import dialogs

    file = tmp_path / "defaults.json"
    planned.ui.plan_interface_pore_um.value = 600.0
    planned.ui.plan_upper_foot_fit_gap_mm.value = 0.5
    dialogs.answers.append(str(file))
    planned.panel.menu.on_save_defaults(False)
    planned.desk.undo()
    planned.desk.undo()
    assert planned.plan == phantom_plan
    dialogs.answers.append(str(file))
    planned.panel.menu.on_restore_defaults(False)
    assert planned.plan.interface.pore_um == 600.0 and planned.plan.upper_foot.fit_gap_mm == 0.5
    assert planned.plan.axis == phantom_plan.axis and planned.plan.screws == phantom_plan.screws
    file.write_text('{"schema": 1, "defaults": {"axis": {}}}')
    dialogs.answers.append(str(file))
    planned.panel.menu.on_restore_defaults(False)
    assert "'axis' is no default" in planned.message


def test_defaults_hold_no_patient(phantom_plan: Plan) -> None:
    heavy = phantom_plan.with_(loads=phantom_plan.loads.with_(patient_weight_kg=71.25, axial_N=700.0))
    text = defaults_to_json(heavy)
    assert "71.25" not in text and "axis" not in text
    other = with_defaults(Plan("C6", "T11"), text)
    assert other.loads.axial_N == 700.0 and other.loads.patient_weight_kg is None
    assert all(getattr(other, name) == getattr(heavy, name) for name in DEFAULT_FIELDS if name != "loads")
    assert with_defaults(heavy, text) == heavy


def test_a_plan_is_saved_and_loaded(planned: Any, tmp_path: Path, phantom_plan: Plan) -> None:
    from slicer_host import dialogs

    file = tmp_path / "plan.json"
    dialogs.answers.append(str(file))
    planned.panel.menu.on_save_plan(False)
    assert file.read_text(encoding="utf-8") == plan_to_json(phantom_plan)
    planned.ui.plan_section_width_mm.value = 12.0
    dialogs.answers.append(str(file))
    planned.panel.menu.on_load_plan(False)
    assert planned.plan == phantom_plan
    dialogs.answers.append(str(tmp_path / "nowhere.json"))
    planned.panel.menu.on_load_plan(False)
    assert "nowhere.json" in planned.message and planned.plan == phantom_plan


def test_a_corrected_meaning_is_a_decision(planned: Any) -> None:
    table = planned.ui.rolesTable
    row = next(row for row in range(table.rowCount) if table.item(row, 0).text() == "lungs")
    planned.choose(table.cellWidget(row, 1), "keepout_critical")
    assert planned.plan.corrections.roles == (("lungs", "keepout_critical"),)
    planned.choose(table.cellWidget(row, 1), "keepout_soft")
    assert planned.plan.corrections.roles == ()
    planned.desk.undo()
    assert planned.plan.corrections.roles == (("lungs", "keepout_critical"),)


def test_other_levels_start_a_new_plan_for_the_same_patient(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.plan_case_code.text = "CASE-042"
    planned.ui.plan_case_code.editingFinished.emit()
    planned.choose(planned.ui.lowerLevelComboBox, "T3")
    assert (planned.plan.upper, planned.plan.lower, planned.plan.case_code) == ("C4", "T3", "CASE-042")
    assert planned.plan.axis.control_points == () and planned.plan.screws == ()
    assert planned.heads()["axis"] == "○"
    planned.desk.undo()
    assert planned.plan.screws == phantom_plan.screws


def test_variants_are_written_as_amounts(planned: Any) -> None:
    planned.ui.variantsLineEdit.text = "2, 4"
    planned.ui.variantsLineEdit.editingFinished.emit()
    assert [variant.amount_mm for variant in planned.plan.variants] == [2.0, 4.0]
    planned.choose(planned.ui.variantModeComboBox, "distracts")
    assert {variant.mode for variant in planned.plan.variants} == {"distracts"}
    planned.ui.variantsLineEdit.text = "2, much"
    planned.ui.variantsLineEdit.editingFinished.emit()
    assert "'much'" in planned.message and len(planned.plan.variants) == 2


def test_points_are_added_to_and_taken_from_the_axis(planned: Any, phantom_plan: Plan) -> None:
    before = axis_curve(phantom_plan.axis, phantom_plan.section)
    planned.ui.addPointButton.click()
    assert len(planned.plan.axis.control_points) == len(phantom_plan.axis.control_points) + 1
    after = axis_curve(planned.plan.axis, phantom_plan.section)
    apart = [np.linalg.norm(before.points - point, axis=1).min() for point in after.points]
    assert max(apart) < 0.4  # the curve hardly moves; it is sampled every 0.5 mm
    curve = planned.desk.belongings.get("axis")
    assert curve.GetNumberOfControlPoints() == len(planned.plan.axis.control_points)
    while planned.ui.removePointButton.enabled:
        planned.ui.removePointButton.click()
    assert len(planned.plan.axis.control_points) == 3
