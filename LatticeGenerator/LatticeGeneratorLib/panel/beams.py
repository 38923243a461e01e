"""The struts of the lattice that was just made, offered as a 3MF file of beams."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..files import BEAMS


class Beams:
    """The button that saves them, shown while there are any. told(): tells a person of an error within it."""

    def __init__(self, ui: Any, told: Callable[[], AbstractContextManager[None]]) -> None:
        self._ui, self._told = ui, told
        self._file: Path | None = None
        ui.beamsButton.connect("clicked(bool)", self.on_save)
        self.offer(None)

    def offer(self, output: Path | None) -> None:
        """Offers what a job has written into its folder; nothing where it wrote no beams. None: offers nothing."""
        file = None if output is None else output / BEAMS
        self._file = file if file is not None and file.exists() else None
        self.show()

    def show(self) -> None:
        """Shows the button where there is something to save."""
        self._ui.beamsButton.visible = self._file is not None

    def on_save(self, checked: bool) -> None:
        """Asks where to, and saves."""
        import qt
        import slicer

        with self._told():
            if self._file is None:
                return
            path = qt.QFileDialog.getSaveFileName(
                slicer.util.mainWindow(), _("Save the struts as 3MF beams"), "lattice.3mf", "3MF (*.3mf)"
            )
            if path:
                shutil.copyfile(self._file, path)
