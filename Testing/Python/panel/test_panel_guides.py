"""What is decided about guides, holes, marks and limits of screws goes into the plan; what is shown stays a view."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from SpinalStrutDesignerLib.plan.guides import GuidePlan, HolePlan, MarkPlan
from SpinalStrutDesignerLib.plan.plan import Plan, ScrewRules


def test_every_number_of_guides_holes_marks_and_rules_has_a_widget(planned: Any, phantom_plan: Plan) -> None:
    bound = {field.field.path for field in planned.panel._fields}
    for name, kind in (("guides", GuidePlan), ("holes", HolePlan), ("marks", MarkPlan), ("screw_rules", ScrewRules)):
        assert {f"{name}.{field}" for field in (f.name for f in fields(kind))} <= bound
    assert {f"budget.screw_{what}" for what in ("entry_mm", "entry_sd_mm", "angle_deg", "angle_sd_deg")} <= bound
    assert "design_version" in bound


@pytest.mark.parametrize("name, value", [
    ("fit_gap_mm", 0.15), ("tool_clearance_mm", 0.4), ("print_tolerance_mm", 0.25), ("sleeve_length_mm", 12.0),
    ("sleeve_wall_mm", 2.5), ("window_mm", 0.0), ("grip_mm", 60.0),
])  # fmt: skip
def test_a_number_goes_into_its_own_field(planned: Any, phantom_plan: Plan, name: str, value: float) -> None:
    getattr(planned.ui, f"plan_guides_{name}").value = value
    assert planned.plan == phantom_plan.with_(guides=phantom_plan.guides.with_(**{name: value}))


def test_a_metal_insert_comes_and_goes(planned: Any) -> None:
    box = planned.ui.plan_guides_insert_diameter_mm
    assert box.text == "none"
    box.value = 6.0
    assert planned.plan.guides.insert_diameter_mm == 6.0
    box.value = box.minimum
    assert planned.plan.guides.insert_diameter_mm is None and box.text == "none"


def test_guides_and_marks_are_chosen(planned: Any, phantom_plan: Plan) -> None:
    ui = planned.ui
    assert ui.plan_guides_drill.currentText == "sit on the bone"
    planned.choose(ui.plan_guides_drill, "implant")
    planned.choose(ui.plan_guides_docking, "none")
    planned.choose(ui.plan_marks_style, "embossed")
    ui.plan_design_version.text = "2b"
    ui.plan_design_version.editingFinished.emit()
    assert planned.plan == phantom_plan.with_(
        guides=phantom_plan.guides.with_(drill="implant", docking="none"),
        marks=phantom_plan.marks.with_(style="embossed"),
        design_version="2b",
    )
    ui.plan_design_version.text = "the last one"
    ui.plan_design_version.editingFinished.emit()
    assert "design_version" in planned.message and planned.plan.design_version == "2b"


def test_limits_of_convergence_do_not_cross(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.plan_screw_rules_least_convergence_deg.value = 30.0
    assert planned.plan == phantom_plan and "most_convergence_deg" in planned.message
    assert planned.ui.plan_screw_rules_canal_breach_percent.suffix == " %"


def test_drill_guides_are_shown_and_hidden(planned: Any) -> None:
    from LatticeGeneratorLib.mesh.solids import box
    from LatticeGeneratorLib.scene.models import show_mesh
    from SpinalStrutDesignerLib.scene.part_nodes import PART, ROLE

    nodes = []
    for name in ("drill_proximal", "drill_distal", "docking_proximal"):
        node = show_mesh(planned.desk.owner.GetScene(), box([0.0] * 3, [4.0] * 3), name, (1.0, 1.0, 1.0))
        node.SetAttribute(PART, name)
        nodes.append(node)
    planned.desk.belongings.put(ROLE, *nodes)
    planned.panel.refresh()
    assert planned.ui.showDrillGuidesCheckBox.checked and planned.ui.showDrillGuidesCheckBox.enabled
    planned.ui.showDrillGuidesCheckBox.checked = False
    assert [node.GetDisplayNode().GetVisibility() for node in nodes] == [0, 0, 1]
