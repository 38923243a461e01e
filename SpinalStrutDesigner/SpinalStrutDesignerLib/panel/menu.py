"""The panel's first row: undo, redo, the lock, and the files of plans and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.defaults import defaults_to_json, with_defaults
from ..plan.json import plan_from_json, plan_to_json
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel


class Menu:
    """Buttons and keys that belong to no step."""

    def __init__(self, panel: Panel) -> None:
        import qt

        self._panel, self.ui = panel, panel.ui
        self._shortcuts: list[Any] = []
        self.ui.undoButton.connect("clicked(bool)", self.on_undo)
        self.ui.redoButton.connect("clicked(bool)", self.on_redo)
        self.ui.lockButton.connect("toggled(bool)", self.on_lock)
        self.ui.startAnewButton.connect("clicked(bool)", self.on_start_anew)
        self.actions = qt.QMenu(self.ui.moreButton)
        for words, slot in (
            (_("Save the plan…"), self.on_save_plan), (_("Load a plan…"), self.on_load_plan),
            (_("Save as defaults…"), self.on_save_defaults), (_("Restore defaults…"), self.on_restore_defaults),
        ):  # fmt: skip
            self.actions.addAction(words).connect("triggered(bool)", slot)
        self.ui.moreButton.setMenu(self.actions)

    def add_shortcuts(self) -> None:
        """Undo and redo by keyboard, while the module is open."""
        import qt
        import slicer

        for keys, slot in (("Ctrl+Z", self.undo), ("Ctrl+Shift+Z", self.redo), ("Ctrl+Y", self.redo)):
            shortcut = qt.QShortcut(qt.QKeySequence(keys), slicer.util.mainWindow())
            shortcut.connect("activated()", slot)
            self._shortcuts.append(shortcut)

    def remove_shortcuts(self) -> None:
        """Gives the keys back to the application."""
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def show(self, desk: Desk | None) -> None:
        """Shows what can be undone, whether the plan is locked, and a plan that cannot be read."""
        ui = self.ui
        free = desk is not None and not desk.locked
        undo = desk.history.undo_words if desk is not None else ""
        redo = desk.history.redo_words if desk is not None else ""
        ui.undoButton.enabled, ui.redoButton.enabled = free and bool(undo), free and bool(redo)
        ui.undoButton.toolTip = _("Undo: {words} (Ctrl+Z)").format(words=undo) if undo else _("Nothing to undo")
        ui.redoButton.toolTip = _("Redo: {words} (Ctrl+Y)").format(words=redo) if redo else _("Nothing to redo")
        ui.lockButton.enabled = ui.moreButton.enabled = desk is not None
        was = ui.lockButton.blockSignals(True)
        ui.lockButton.checked = desk is not None and desk.locked
        ui.lockButton.text = _("Locked") if desk is not None and desk.locked else _("Lock")
        ui.lockButton.blockSignals(was)
        fault = desk.plan_fault if desk is not None else ""
        ui.startAnewButton.visible = bool(fault)
        if fault:
            self._panel.tell(_("The plan in this scene cannot be read: {fault}").format(fault=fault))

    def undo(self) -> None:
        """Takes the last decision back."""
        if self._panel.desk is not None:
            self._panel.desk.undo()
            self._panel.tell("")

    def redo(self) -> None:
        """Brings the last decision taken back again."""
        if self._panel.desk is not None:
            self._panel.desk.redo()
            self._panel.tell("")

    def on_undo(self, checked: bool) -> None:
        """The button for undo."""
        self.undo()

    def on_redo(self, checked: bool) -> None:
        """The button for redo."""
        self.redo()

    def on_lock(self, locked: bool) -> None:
        """A person closes the plan, or opens it again."""
        if self._panel.desk is not None:
            self._panel.desk.parameters.locked = locked

    def on_start_anew(self, checked: bool) -> None:
        """A plan that cannot be read is kept as text, and a new one can be made."""
        if self._panel.desk is not None:
            self._panel.desk.set_aside_unreadable_plan()
            self._panel.tell("")

    def on_save_plan(self, checked: bool) -> None:
        """Writes the plan to a file."""
        self._save(_("Save the plan"), "plan.json", plan_to_json)

    def on_save_defaults(self, checked: bool) -> None:
        """Writes the decisions that other patients can share to a file."""
        self._save(_("Save as defaults"), "strut_defaults.json", defaults_to_json)

    def on_load_plan(self, checked: bool) -> None:
        """Takes a plan from a file."""
        self._load(_("Load a plan"), lambda desk, text: plan_from_json(text))

    def on_restore_defaults(self, checked: bool) -> None:
        """Takes the shared decisions from a file."""
        self._load(_("Restore defaults"), lambda desk, text: with_defaults(desk.needed_plan(), text))

    def _save(self, words: str, name: str, written: Any) -> None:
        import qt
        import slicer

        with self._panel.told():
            text = written(self._panel.desk.needed_plan()) if self._panel.desk is not None else ""
            path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), words, name, "JSON (*.json)")
            if path:
                try:
                    Path(path).write_text(text, encoding="utf-8", newline="\n")
                except OSError as error:
                    raise PlanError(f"'{path}' cannot be written: {error.strerror}; choose another place") from error

    def _load(self, words: str, read: Any) -> None:
        import qt
        import slicer

        if self._panel.desk is None:
            return
        with self._panel.told():
            path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), words, "", "JSON (*.json)")
            if path:
                try:
                    text = Path(path).read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise PlanError(f"'{path}' cannot be read: {error}; choose a JSON file") from error
                self._panel.decide(read(self._panel.desk, text), words)
