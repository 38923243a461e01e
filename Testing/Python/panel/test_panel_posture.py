"""The pose in the panel: sliders that undo takes back, what they do to the cord told at once, refusals in words."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import slicer
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.plan.plan import Pose
from SpinalStrutDesignerLib.verify.posture import posture_in

ROWS = ("posture.cord_length", "posture.canal", "posture.bone")


@pytest.fixture
def previewed(planned: Any) -> Any:
    """The phantom's plan with its preview."""
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    planned.host.process_events()
    return planned


def rows(bench: Any) -> list[list[str]]:
    """The table of the posture's findings."""
    table = bench.ui.postureTable
    return [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)]


def told(bench: Any) -> None:
    """Until the findings are there, which does not wait for the preview."""
    bench.host.wait_for(lambda: bench.ui.postureTable.rowCount == 3, 60.0, "the posture's findings")


def test_what_a_pose_does_to_the_cord_is_told_before_the_preview_is_there(previewed: Any) -> None:
    assert rows(previewed) == [] and "CT is kept" in previewed.ui.postureLabel.text
    assert not previewed.ui.postureTable.visible
    previewed.ui.plan_pose_distraction_mm.value = 6.0
    told(previewed)
    assert not previewed.panel.live.ready  # the implant is still being drawn
    plan = previewed.plan
    assert plan.pose == Pose(distraction_mm=6.0)
    truth = {f.id: f for f in posture_in(situation(previewed.desk.case(), plan))}
    for row, id in zip(rows(previewed), ROWS, strict=True):
        value, unit = row[2].split()
        assert float(value) == pytest.approx(truth[id].value, abs=0.11) and unit == truth[id].unit
        assert row[0] == truth[id].verdict
    assert "corrected posture" in previewed.ui.postureLabel.text
    previewed.wait_for_preview()
    assert len(rows(previewed)) == 3 and previewed.ui.postureTable.item(0, 1).toolTip().count("\n") == 3


def test_the_preview_stands_in_the_corrected_posture(previewed: Any) -> None:
    before = previewed.desk.belongings.get("preview").GetPolyData().GetBounds()
    previewed.ui.plan_pose_distraction_mm.value = 5.0
    previewed.wait_for_preview()
    after = previewed.desk.belongings.get("preview").GetPolyData().GetBounds()
    assert after[5] - before[5] == pytest.approx(5.0, abs=1.5)  # the upper foot went up with its vertebra
    assert after[4] == pytest.approx(before[4], abs=0.9)
    previewed.ui.undoButton.click()
    previewed.wait_for_preview()
    assert previewed.plan.pose == Pose() and rows(previewed) == []
    again = previewed.desk.belongings.get("preview").GetPolyData().GetBounds()
    assert again == pytest.approx(before, abs=1e-6)


def test_a_drag_of_a_slider_is_one_step_and_the_last_pose_counts(previewed: Any) -> None:
    moments = itertools.count(1000.0, 0.1)
    previewed.desk.history.clock = lambda: next(moments)  # a hand that does not rest, whatever else the machine does
    for degrees in (1.0, 2.0, 3.0, 4.0):
        previewed.ui.plan_pose_lordosis_deg.value = degrees
        previewed.host.process_events()
    previewed.wait_for_preview()
    assert previewed.plan.pose.lordosis_deg == 4.0
    truth = next(iter(posture_in(situation(previewed.desk.case(), previewed.plan))))
    assert float(rows(previewed)[0][2].split()[0]) == pytest.approx(truth.value, abs=0.11)
    previewed.ui.undoButton.click()
    assert previewed.plan.pose == Pose()


def test_a_pose_that_is_refused_says_why_and_another_one_goes_on(previewed: Any) -> None:
    previewed.ui.plan_pose_coronal_deg.value = 60.0
    previewed.ui.plan_pose_lordosis_deg.value = 60.0
    previewed.host.wait_for(lambda: "turn less" in previewed.ui.postureLabel.text, 60.0, "the refusal")
    assert "folded" in previewed.ui.postureLabel.text and rows(previewed) == []
    assert previewed.heads()["strut"] == "✗"
    assert previewed.plan.pose == Pose(lordosis_deg=60.0, coronal_deg=60.0)  # a person's to take back
    previewed.ui.plan_pose_coronal_deg.value = 0.0
    previewed.ui.plan_pose_lordosis_deg.value = 2.0
    told(previewed)
    previewed.wait_for_preview()
    assert "corrected posture" in previewed.ui.postureLabel.text and previewed.heads()["strut"] == "✓"


def test_a_row_leads_to_its_place(previewed: Any) -> None:
    previewed.ui.plan_pose_distraction_mm.value = 3.0
    told(previewed)
    table = previewed.ui.postureTable
    table.setCurrentCell(1, 0)
    table.cellClicked.emit(1, 0)
    matrix = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
    place = previewed.panel.live.posture_of(previewed.plan)[1].location
    assert [matrix.GetElement(row, 3) for row in range(3)] == pytest.approx(place, abs=0.1)


def test_without_a_preview_it_says_what_is_missing(planned: Any) -> None:
    planned.ui.plan_pose_distraction_mm.value = 3.0
    planned.host.process_events()
    assert rows(planned) == [] and "preview" in planned.ui.postureLabel.text
