"""The part of the anatomy that segments the CT: a seed a vertebra, the job, a person's word that it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_choices, fill_row
from LatticeGeneratorLib.scene.watch import Watch
from slicer.i18n import tr as _

from ..case.levels import LEVELS
from ..errors import CaseError
from ..scene.seeds import new_seeds, put_seed, seeds_in, take_seed
from .desk import Desk
from .placing import Placing

if TYPE_CHECKING:
    from .panel import Panel


class Segmenting:
    """Seeds, the button that segments, and the one that accepts."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._placing = Placing("New seed", self.on_placed, self.on_placing_ended)
        self._watch = Watch(self.show_seeds)
        self._had_segmentation: bool | None = None
        ui = self.ui
        fill_choices(ui.seedLevelComboBox, [(_("choose its level"), ""), *((level, level) for level in LEVELS)], "")
        dress_table(ui.seedsTable, 0)
        ui.seedLevelComboBox.connect("currentIndexChanged(int)", self.on_level_chosen)
        ui.placeSeedButton.connect("clicked(bool)", self.on_place)
        ui.seedsTable.connect("itemSelectionChanged()", self.offer_removal)
        ui.seedsTable.connect("cellClicked(int,int)", self.on_seed_clicked)
        ui.removeSeedButton.connect("clicked(bool)", self.on_remove)
        ui.segmentButton.connect("clicked(bool)", self.on_segment)
        ui.correctButton.connect("clicked(bool)", self.on_correct)
        ui.acceptButton.connect("clicked(bool)", self.on_accept)

    def show(self, desk: Desk) -> None:
        """Shows the seeds, and what is to be done with a segmentation."""
        ui, segmentation = self.ui, desk.parameters.segmentation
        self._watch.watch((desk.parameters.seeds,))
        self.show_seeds()
        if (segmentation is not None) != self._had_segmentation:
            self._had_segmentation = segmentation is not None
            ui.segmentGroupBox.collapsed = self._had_segmentation  # who has a segmentation seldom wants another
        ui.segmentButton.enabled = not self.panel.work.busy
        ui.correctButton.enabled = segmentation is not None
        waiting = self.to_be_accepted(desk)
        ui.segmentedLabel.visible = ui.acceptButton.visible = waiting

    def to_be_accepted(self, desk: Desk) -> bool:
        """Whether the segmentation was made by the program and no person has said yet that it is right as it is."""
        case = desk.case_if_ready()
        return case is not None and bool(case.seeds)

    def put_away(self) -> None:
        """No click is waited for any more, and no seed watched."""
        self._placing.stop()
        self._watch.release()

    def show_seeds(self) -> None:
        """Fills the table of seeds: they may be dragged, renamed or deleted in the scene."""
        table, desk = self.ui.seedsTable, self.panel.desk
        seeds = seeds_in(desk.parameters.seeds) if desk is not None else ()
        table.setRowCount(len(seeds))
        for number, seed in enumerate(seeds):
            name = seed.level or _("'{label}': no level").format(label=seed.label)
            fill_row(table, number, [name, *(f"{round(x, 1) + 0.0:.1f}" for x in seed.place)])
        self.ui.placeSeedButton.enabled = desk is not None and bool(self._level)
        self.offer_removal()

    def offer_removal(self) -> None:
        """A chosen seed can be removed."""
        self.ui.removeSeedButton.enabled = chosen_row(self.ui.seedsTable) is not None

    # What a person does

    def on_level_chosen(self, index: int) -> None:
        """Another level for the next seed."""
        self.ui.placeSeedButton.enabled = self.panel.desk is not None and bool(self._level)

    def on_place(self, checked: bool) -> None:
        """Waits for a click into a vertebra, or no longer."""
        if checked and self.panel.desk is not None:
            self._placing.start(self.panel.desk.owner.GetScene())
        else:
            self._placing.stop()

    def on_placed(self, point: tuple[float, float, float]) -> None:
        """A person clicked: the chosen level's seed is there. The next one's level is to be chosen anew."""
        desk = self.panel.desk
        if desk is None or not self._level:
            return
        if desk.parameters.seeds is None:
            desk.parameters.seeds = new_seeds(desk.owner.GetScene(), desk.folder)
        put_seed(desk.parameters.seeds, self._level, point)
        self.ui.seedLevelComboBox.currentIndex = 0
        self.show_seeds()

    def on_placing_ended(self) -> None:
        """No click is waited for any more."""
        self.ui.placeSeedButton.checked = False

    def on_seed_clicked(self, row: int, column: int) -> None:
        """The slice views go to a seed."""
        seeds = seeds_in(self.panel.desk.parameters.seeds) if self.panel.desk is not None else ()
        if row < len(seeds):
            self.panel.jump_to(seeds[row].place)

    def on_remove(self, checked: bool) -> None:
        """The chosen seed goes."""
        number, desk = chosen_row(self.ui.seedsTable), self.panel.desk
        if number is not None and desk is not None and desk.parameters.seeds is not None:
            take_seed(desk.parameters.seeds, number)
            self.show_seeds()

    def on_segment(self, checked: bool) -> None:
        """Segments the CT in a child process."""
        self._placing.stop()
        self.panel.segment()

    def on_correct(self, checked: bool) -> None:
        """Opens the Segment Editor on the case's segmentation and CT."""
        desk = self.panel.desk
        if desk is None:
            return
        with self.panel.told():
            if desk.parameters.segmentation is None:
                raise CaseError(_("there is no segmentation to correct: choose one, or segment the CT"))
            edit(desk.parameters.segmentation, desk.parameters.volume)

    def on_accept(self, checked: bool) -> None:
        """A person says that the segmentation is right as it is."""
        desk = self.panel.desk
        if desk is not None:
            with self.panel.told():
                desk.accept_segmentation()

    @property
    def _level(self) -> str:
        """The level chosen for the next seed; empty before there is one."""
        return str(self.ui.seedLevelComboBox.itemData(self.ui.seedLevelComboBox.currentIndex) or "")


def edit(segmentation: Any, volume: Any) -> None:
    """Opens Slicer's Segment Editor on a segmentation; volume: what it paints on, or None."""
    import slicer

    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentation)
    if volume is not None:
        editor.setSourceVolumeNode(volume)
