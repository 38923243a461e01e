"""Step 9, release: one button that writes the folder for the printer, the hospital and the file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..plan.plan import Plan
from .check import findings
from .desk import Desk
from .section import Section, Standing, State


class ReleaseStep(Section):
    """What leaves the house."""

    button = "releaseButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        ui = self.ui
        ui.outputFolderButton.connect("directoryChanged(QString)", self.on_folder)
        ui.releaseRunButton.connect("clicked(bool)", self.on_release)
        ui.openFolderButton.connect("clicked(bool)", self.on_open)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Release")

    def standing(self, desk: Desk) -> Standing:
        """Out of date where what was released is not what the panel shows; failed where it must not be manufactured."""
        parameters = desk.parameters
        if not parameters.released:
            return Standing(State.NOTHING, _("nothing yet"))
        if parameters.releasedOf != self.panel.full_digest(desk):
            return Standing(State.STALE, _("out of date: release again"))
        if any(row.blocks for row in findings(desk)):
            return Standing(State.FAILED, _("written, not for manufacture"))
        return Standing(State.READY, _("written"))

    def show(self, desk: Desk) -> None:
        """Shows where the release goes and what it will be called."""
        ui, plan, folder = self.ui, desk.plan, desk.parameters.outputFolder
        if folder:
            was = ui.outputFolderButton.blockSignals(True)
            ui.outputFolderButton.directory = folder
            ui.outputFolderButton.blockSignals(was)
        there = plan is not None and bool(plan.axis.control_points)
        missing = "" if there else _("Propose a plan first.")
        missing = missing or ("" if folder else _("Choose the folder."))
        ui.releaseRunButton.enabled = not missing and not self.panel.work.busy
        ui.releaseRunButton.toolTip = missing or _("Writes STL files, documents, findings and pictures.")
        ui.releaseNameLabel.text = release_name(plan, datetime.date.today()) if plan is not None else ""
        ui.openFolderButton.enabled = bool(desk.parameters.released) and Path(desk.parameters.released).is_dir()

    def on_folder(self, folder: str) -> None:
        """A person chose where releases go."""
        if self.panel.desk is not None:
            self.desk.parameters.outputFolder = folder

    def on_release(self, checked: bool) -> None:
        """Writes the release."""
        self.panel.release()

    def on_open(self, checked: bool) -> None:
        """Shows the release in the file browser."""
        import qt

        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(self.desk.parameters.released))


def release_name(plan: Plan, day: datetime.date) -> str:
    """The folder's name: the case's code, the levels and the date."""
    return f"{plan.case_code}_{plan.upper}-{plan.lower}_{day.isoformat()}"
