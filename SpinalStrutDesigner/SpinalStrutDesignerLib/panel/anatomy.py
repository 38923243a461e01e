"""Step 1, anatomy: the CT, its segmentation, what segments are, docking levels and endplates, and the pose."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.panel.tables import cell, dress_table, fill_choices, fill_row
from slicer.i18n import tr as _

from ..case.levels import LEVELS
from ..case.model import ROLES
from ..case.roles import Meaning
from ..plan.plan import Corrections, Plan
from ..plan.presets import preset, preset_names, preset_title
from ..plan.rules import rule_for
from ..scene.case_nodes import segment_meanings
from .desk import Desk
from .endplates import Endplates
from .later import Later
from .posture import Posture
from .second import Second
from .section import Section, Standing, State
from .segmenting import Segmenting
from .spans import Spans

_UNKNOWN = "unknown"
_FIRST_PRESET = "case2"


class Anatomy(Section):
    """What the patient is, and for which levels a plan is wanted."""

    button = "anatomyButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._rows: tuple[Any, ...] = ()
        self.segmenting, self.endplates = Segmenting(panel), Endplates(panel)
        self.second, self.posture, self.later = Second(panel), Posture(panel), Later(panel)
        self.spans = Spans(panel, self.choose_levels)
        ui = self.ui
        dress_table(ui.rolesTable, 2)
        ui.upperLevelComboBox.connect("currentIndexChanged(int)", self.on_level_chosen)
        ui.lowerLevelComboBox.connect("currentIndexChanged(int)", self.on_level_chosen)
        ui.presetComboBox.connect("currentIndexChanged(int)", self.on_preset_chosen)
        ui.proposeButton.connect("clicked(bool)", self.on_propose)
        ui.keepPlanButton.connect("clicked(bool)", self.on_keep_plan)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Anatomy")

    def standing(self, desk: Desk) -> Standing:
        """Nothing without CT and segmentation; failed where they cannot be read; else what they hold."""
        if None in desk.sources:
            return Standing(State.NOTHING, _("nothing yet"))
        if desk.case_fault:
            return Standing(State.FAILED, _("cannot be used"))
        case = desk.case()
        if not desk.plan_is_of_this_case:
            return Standing(State.STALE, _("edited after the plan was proposed"))
        if self.segmenting.to_be_accepted(desk):
            return Standing(State.WARNING, _("segmented from the CT, not accepted yet"))
        if desk.second_fault:
            return Standing(State.WARNING, _("nothing of the second image is used yet"))
        if case.unknown:
            return Standing(State.WARNING, _("segments of unknown meaning: {n}").format(n=len(case.unknown)))
        return Standing(State.READY, _("{n} vertebrae").format(n=len(case.levels)))

    def show(self, desk: Desk) -> None:
        """Shows segments, levels and what can be proposed."""
        ui = self.ui
        case = desk.case_if_ready()
        levels = list(case.levels) if case else []
        plan = desk.plan
        upper = plan.upper if plan else desk.parameters.upperWanted
        lower = plan.lower if plan else desk.parameters.lowerWanted
        for box, level in ((ui.upperLevelComboBox, upper), (ui.lowerLevelComboBox, lower)):
            wanted = [level] if level and level not in levels else []
            fill_choices(box, [("", ""), *((name, name) for name in levels + wanted)], level)
            box.enabled = not desk.locked
        titles = [(preset_title(name), name) for name in preset_names()]
        fill_choices(ui.presetComboBox, titles, plan.preset if plan else _FIRST_PRESET)
        ui.presetComboBox.enabled = not desk.locked
        self._show_meanings(desk)
        self.segmenting.show(desk)
        self.second.show(desk)
        self.endplates.show(desk)
        self.posture.show(desk)
        self.later.show(desk)
        missing = self.missing(desk)
        self.spans.show(desk, missing)
        ui.proposeButton.enabled = not missing and not self.panel.work.busy
        ui.proposeButton.toolTip = missing or _("Searches axis, section, feet and screws. Locked screws are kept.")
        ui.keepPlanButton.visible = plan is not None and not desk.plan_is_of_this_case

    def put_away(self) -> None:
        """Placing, watching and measuring end."""
        self.segmenting.put_away()
        self.endplates.put_away()

    def missing(self, desk: Desk) -> str:
        """What stands in the way of a proposal, as a sentence; empty where nothing does."""
        if desk.locked:
            return _("The plan is locked.")
        if desk.plan_fault:
            return desk.plan_fault
        if desk.case_fault:
            return desk.case_fault
        levels = desk.case().levels
        if desk.plan is None:
            return _("Choose the docking levels.") if len(levels) > 1 else _("Name at least two vertebrae.")
        for level in (desk.plan.upper, desk.plan.lower):
            if level not in levels and level not in dict(desk.plan.corrections.levels).values():
                return _("{level} is not in the segmentation.").format(level=level)
        return ""

    # What a person does

    def on_level_chosen(self, index: int) -> None:
        """Other docking levels: what was planned for those before goes, what is about the patient stays."""
        desk = self.desk
        upper, lower = (
            box.itemData(box.currentIndex) for box in (self.ui.upperLevelComboBox, self.ui.lowerLevelComboBox)
        )
        desk.parameters.upperWanted, desk.parameters.lowerWanted = upper or "", lower or ""
        if upper and lower:
            self.choose_levels(upper, lower)

    def choose_levels(self, upper: str, lower: str) -> None:
        """A plan to propose from, for these docking levels."""
        plan = self.desk.plan
        name = plan.preset if plan else _FIRST_PRESET
        with self.panel.told():
            self.panel.decide(started(plan, name, upper, lower), _("docking levels"))

    def on_preset_chosen(self, index: int) -> None:
        """Another published case to start from."""
        plan = self.desk.plan
        name = self.ui.presetComboBox.itemData(index)
        if plan is not None and name and name != plan.preset:
            with self.panel.told():
                self.panel.decide(started(plan, name, plan.upper, plan.lower), _("preset"))

    def on_meaning_chosen(self, name: str, choice: str) -> None:
        """A person says what a segment is; choosing what its name says takes an earlier correction back."""
        desk = self.desk
        with self.panel.told():
            plan = desk.needed_plan()
            proposed = {m.name: choice_of(m) for m in meanings_of(desk)}
            corrections = without(plan.corrections, name)
            if choice != proposed.get(name):
                corrections = corrected(corrections, name, choice)
            self.panel.decide(plan.with_(corrections=corrections), _("meaning of {name}").format(name=name))

    def on_propose(self, checked: bool) -> None:
        """Proposes axis, section, feet and screws in a child process."""
        self.panel.propose()

    def on_keep_plan(self, checked: bool) -> None:
        """The plan holds for the edited anatomy."""
        with self.panel.told():
            self.desk.keep_plan_for_case()

    def _show_meanings(self, desk: Desk) -> None:
        meanings = meanings_of(desk) if not desk.case_fault else ()
        plan = desk.plan
        corrections = plan.corrections if plan else Corrections()
        rows = (*((m, current(m, corrections)) for m in meanings), plan.rules if plan else (), desk.locked)
        if rows == self._rows:
            return
        self._rows = rows
        table = self.ui.rolesTable
        table.setRowCount(len(meanings))
        for number, meaning in enumerate(meanings):
            fill_row(table, number, [meaning.name, "", _rule_words(plan, meaning, current(meaning, corrections))])
            box = cell(table, number, 1)
            box.enabled = plan is not None and not desk.locked
            fill_choices(box, choices(), current(meaning, corrections))
            box.connect("activated(int)", _chosen(self, meaning.name, box))


def meanings_of(desk: Desk) -> tuple[Meaning, ...]:
    """What every segment is by its name and terminology, those that are drawn on a second image last."""
    drawn = (desk.parameters.segmentation, desk.parameters.secondSegmentation)
    return tuple(meaning for node in drawn if node is not None for meaning in segment_meanings(node))


def started(plan: Plan | None, name: str, upper: str, lower: str) -> Plan:
    """A plan to propose from, for other levels or another preset; what is about patient and hospital is kept."""
    start = preset(name, upper, lower)
    if plan is None:
        return start
    return start.with_(
        case_code=plan.case_code, corrections=plan.corrections, pose=plan.pose, resections=plan.resections,
        rules=plan.rules, screw_rules=plan.screw_rules, budget=plan.budget, material=plan.material,
        printer=plan.printer, loads=plan.loads,
    )  # fmt: skip


def choices() -> list[tuple[str, str]]:
    """What a segment can be: words for people, and the choice."""
    roles = {
        "bone": _("other bone"), "disc": _("disc"), "keepout_critical": _("keep-out, critical"),
        "keepout_soft": _("keep-out, soft"), "metal": _("metal"),
    }  # fmt: skip
    vertebrae = [(level, level) for level in LEVELS]
    return [(_("unknown"), _UNKNOWN), *((roles[role], role) for role in ROLES), *vertebrae]


def choice_of(meaning: Meaning) -> str:
    """A meaning as one of the choices."""
    return meaning.level or meaning.role or _UNKNOWN


def current(meaning: Meaning, corrections: Corrections) -> str:
    """What a segment is taken for: as corrected, else as its name says."""
    return dict(corrections.levels).get(meaning.name) or dict(corrections.roles).get(meaning.name) or choice_of(meaning)


def without(corrections: Corrections, name: str) -> Corrections:
    """The corrections but those of one segment."""
    return corrections.with_(
        levels=tuple(pair for pair in corrections.levels if pair[0] != name),
        roles=tuple(pair for pair in corrections.roles if pair[0] != name),
    )


def corrected(corrections: Corrections, name: str, choice: str) -> Corrections:
    """The corrections with one more. Raises PlanError where the choice says nothing."""
    if choice in LEVELS:
        return corrections.with_(levels=(*corrections.levels, (name, choice)))
    return corrections.with_(roles=(*corrections.roles, (name, choice)))


def _rule_words(plan: Plan | None, meaning: Meaning, choice: str) -> str:
    if plan is None or choice not in ("keepout_critical", "keepout_soft", "metal"):
        return ""
    rule = rule_for(plan, "metal" if choice == "metal" else meaning.name)
    if rule is None:
        return _("no rule: not evaluated")
    if rule.kind == "clearance":
        return _("≥ {limit:g} mm away").format(limit=rule.limit_mm)
    return _("pushed ≤ {limit:g} mm").format(limit=rule.limit_mm)


def _chosen(section: Anatomy, name: str, box: Any) -> Any:
    def chosen(index: int) -> None:
        section.on_meaning_chosen(name, box.itemData(index))

    return chosen
