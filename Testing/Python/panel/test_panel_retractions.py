"""What may give way, in the panel: a table to edit, whose every change is a decision."""

from __future__ import annotations

from typing import Any

import pytest
from SpinalStrutDesignerLib.plan.entries import RetractionRule
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.plan.rules import retraction_for


def cell(bench: Any, row: int, column: int) -> str:
    return bench.ui.retractionsTable.item(row, column).text()


def write(bench: Any, row: int, column: int, text: str) -> None:
    """A person types into a cell."""
    bench.ui.retractionsTable.item(row, column).setText(text)
    bench.host.process_events()


def rules(bench: Any) -> tuple[RetractionRule, ...]:
    return bench.plan.insertion.retractions


def test_the_table_is_the_plan_s(planned: Any, phantom_plan: Plan) -> None:
    table = planned.ui.retractionsTable
    assert table.rowCount == len(phantom_plan.insertion.retractions)
    for row, rule in enumerate(phantom_plan.insertion.retractions):
        assert [cell(planned, row, column) for column in (0, 2, 3)] == [
            rule.structure, f"{rule.limit_mm:g}", rule.source,
        ]  # fmt: skip
        box = table.cellWidget(row, 1)
        assert box.itemData(box.currentIndex) == rule.kind
    assert planned.plan == phantom_plan  # filling it decides nothing


def test_every_cell_is_a_decision_that_undo_takes_back(planned: Any, phantom_plan: Plan) -> None:
    write(planned, 0, 2, "22.5 mm")
    assert rules(planned)[0].limit_mm == 22.5 and cell(planned, 0, 2) == "22.5"
    write(planned, 0, 3, "as at the last operation, A. Surgeon")
    assert rules(planned)[0].source == "as at the last operation, A. Surgeon"
    planned.choose(planned.ui.retractionsTable.cellWidget(0, 1), "collapsed")
    assert rules(planned)[0].kind == "collapsed" and rules(planned)[1:] == phantom_plan.insertion.retractions[1:]
    for _ in range(3):
        planned.ui.undoButton.click()
    assert planned.plan == phantom_plan and cell(planned, 0, 2) == "30"
    box = planned.ui.retractionsTable.cellWidget(0, 1)
    assert box.itemData(box.currentIndex) == "aside"


@pytest.mark.parametrize("column, text, words", [
    (2, "far", "'far' is not a number"), (2, "500", "limit_mm"), (2, "-1", "limit_mm"), (3, "", "source"),
    (0, "airway", "airway"),
])  # fmt: skip
def test_what_the_plan_refuses_is_told_and_the_cell_goes_back(
    planned: Any, phantom_plan: Plan, column: int, text: str, words: str
) -> None:
    before = cell(planned, 0, column)
    write(planned, 0, column, text)
    assert words in planned.message and planned.plan == phantom_plan
    assert cell(planned, 0, column) == before


def test_a_structure_can_be_added_by_no_more_than_is_said_and_removed_again(planned: Any) -> None:
    box, count = planned.ui.retractionComboBox, len(rules(planned))
    names = [box.itemData(n) for n in range(box.count)]
    assert "spinal_cord" in names and "oesophagus" not in names
    assert all(retraction_for(planned.plan, name) is None for name in names)
    planned.choose(box, "vertebral_arteries")
    planned.ui.addRetractionButton.click()
    planned.host.process_events()
    added = rules(planned)[-1]
    assert (added.structure, added.kind, added.limit_mm) == ("vertebral_arteries", "aside", 0.0)
    assert planned.ui.retractionsTable.rowCount == count + 1
    assert "vertebral_arteries" not in [box.itemData(n) for n in range(box.count)]
    planned.ui.retractionsTable.setCurrentCell(count, 0)
    planned.ui.removeRetractionButton.click()
    planned.host.process_events()
    assert len(rules(planned)) == count and planned.ui.retractionsTable.rowCount == count
    assert "vertebral_arteries" in [box.itemData(n) for n in range(box.count)]


def test_bone_that_may_give_way_is_a_slider_of_the_plan(planned: Any) -> None:
    slider = planned.ui.plan_insertion_give_mm
    assert slider.value == planned.plan.insertion.give_mm and (slider.minimum, slider.maximum) == (0.0, 3.0)
    assert "Default: " in slider.toolTip and "mm" in slider.suffix
    slider.value = 1.2
    assert planned.plan.insertion.give_mm == pytest.approx(1.2)
    planned.ui.undoButton.click()
    assert slider.value == planned.plan.insertion.give_mm == 0.5
