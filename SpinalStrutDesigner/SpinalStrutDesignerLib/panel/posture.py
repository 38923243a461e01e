"""The part of the anatomy for a corrected posture: what the pose does to the cord, while its sliders are moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from LatticeGeneratorLib.panel.tables import dress_table, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS, verdict_words
from slicer.i18n import tr as _

from ..plan.plan import Plan, Pose
from ..verify.finding import Finding
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel


class Posture:
    """Findings of the pose beside its sliders, which the binder connects."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._rows: tuple[Finding, ...] = ()
        self._posed = False
        dress_table(self.ui.postureTable, 1)
        self.ui.poseGroupBox.connect("toggled(bool)", self.on_opened)
        self.ui.postureTable.connect("cellClicked(int,int)", self.on_row_clicked)

    def show(self, desk: Desk) -> None:
        """Shows what is known of the plan's pose, or why nothing is."""
        plan, found = desk.plan, None
        posed = plan is not None and plan.pose != Pose()
        if posed and not self._posed:
            self.ui.poseGroupBox.collapsed = False
        self._posed = posed
        if plan is not None and posed and desk.parameters.previewVisible:
            found = self.panel.live.posture_of(plan)
        self.ui.postureLabel.text = self._words(desk, plan, found)
        self._rows = found or ()
        table, words = self.ui.postureTable, verdict_words()
        self.on_opened(not self.ui.poseGroupBox.collapsed)
        table.setRowCount(len(self._rows))
        for number, row in enumerate(self._rows):
            texts = [words[row.verdict], titles().get(row.id, row.title), measured(row)]
            fill_row(table, number, texts, VERDICT_COLORS[row.verdict])
            for column in range(3):
                table.item(number, column).setToolTip("\n".join((row.title, row.limit, row.detail, row.basis)))

    def on_opened(self, opened: bool) -> None:
        """A box that is opened shows all it holds, also what has nothing to tell."""
        self.ui.postureTable.visible = opened and bool(self._rows)

    def on_row_clicked(self, row: int, column: int) -> None:
        """The slice views go to the finding's place."""
        place = self._rows[row].location if row < len(self._rows) else None
        if place is not None:
            self.panel.jump_to(place)

    def _words(self, desk: Desk, plan: Plan | None, found: tuple[Finding, ...] | None) -> str:
        if plan is None or plan.pose == Pose():
            return _("The posture of the CT is kept.")
        fault = self.panel.live.fault_of(plan)
        if fault:
            return fault
        if found is not None:
            return _(
                "The preview shows the corrected posture, with bone and soft tissue moved; the segmentation stays "
                "where the CT shows it. Propose anew to fit the strut to it."
            )
        if not plan.axis.control_points or not desk.parameters.previewVisible:
            return _("What it does to the cord is measured once a plan is proposed and its preview shown.")
        return _("measuring …")


def titles() -> dict[str, str]:
    """The findings' titles, short enough for a row."""
    return {
        "posture.cord_length": _("Cord is longer by"), "posture.canal": _("Cord off the straight line"),
        "posture.bone": _("Bone to the cord"),
    }  # fmt: skip


def measured(row: Finding) -> str:
    """A finding's value as a cell."""
    return f"{row.value:.1f} {row.unit}" if isinstance(row.value, float) else str(row.value or "")
