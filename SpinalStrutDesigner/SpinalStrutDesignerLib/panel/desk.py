"""What the sections of the panel share: one case in the scene, its plan, and the ways both change.

Nothing is kept here that the scene holds: the plan is the parameter node's text, nodes are found by reference.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from LatticeGeneratorLib.scene.watch import Watch

from ..build.build import input_digest
from ..case.model import Case
from ..case.register import Registration
from ..errors import CaseError, PlanError
from ..plan.curve import axis_curve
from ..plan.json import plan_from_json, plan_to_json
from ..plan.plan import Corrections, Plan
from ..scene.belongings import Belongings
from ..scene.case_folder import case_folder
from ..scene.case_of import ct_case_of
from ..scene.second_image import registration_of, second_nodes, second_wanted, with_second_image
from ..scene.segmented import made_from
from .history import History


class Desk:
    """One case at work. parameters: its wrapped parameter node; on_edit(): the volume or segmentation was edited.

    The case is read from the scene where it is first needed and again after the nodes were edited: Slicer tells of many
    edits where it saves a scene, so what is the same as it was read before is not measured again. A change of the plan
    is told by the parameter node itself.
    """

    def __init__(self, parameters: Any, history: History, on_edit: Callable[[], None]) -> None:
        self.parameters = parameters
        self.owner = parameters.parameterNode
        self.belongings = Belongings(self.owner)
        self.history = history
        self._on_edit = on_edit
        self._case: Case | None = None
        self._ct_case: Case | None = None
        self._read_before: Case | None = None
        self._registration: Registration | None = None
        self._case_fault = self._second_fault = ""
        self._parsed: tuple[str, Plan | None, str] = ("", None, "")
        self._watch = Watch(self._edited)
        self._sources: tuple[Any, ...] = ()
        self.watch_sources()

    # The plan

    @property
    def plan(self) -> Plan | None:
        """The plan as it stands; None before there is one, and while its text cannot be read."""
        return self._read()[1]

    @property
    def plan_fault(self) -> str:
        """Why the plan's text cannot be read; empty where it can."""
        return self._read()[2]

    @property
    def locked(self) -> bool:
        """Whether a person has closed the plan."""
        return bool(self.parameters.locked)

    def needed_plan(self) -> Plan:
        """The plan. Raises PlanError where there is none."""
        if self.plan is None:
            raise PlanError(self.plan_fault or "there is no plan yet: choose the CT, its segmentation and the levels")
        return self.plan

    def decide(self, plan: Plan, what: str) -> None:
        """Makes a plan the present one; what: the decision in words, for undo.

        Raises PlanError while the plan is locked, and for an axis along which no strut can run.
        """
        self._decide(plan, what, self.history.record)

    def move(self, plan: Plan, what: str) -> None:
        """As `decide`, for something that is being dragged: all of a drag is one decision."""
        self._decide(plan, what, self.history.record_move)
        self.history.work_done()

    def _decide(self, plan: Plan, what: str, record: Callable[[str, str], None]) -> None:
        if self.locked:
            raise PlanError("the plan is locked: unlock it before you change it")
        if plan.axis.control_points:
            axis_curve(plan.axis, plan.section)
        text = plan_to_json(plan)
        before = self.parameters.plan
        if text == before:
            return
        self._forget_case_unless_named_alike(self._corrections(), plan.corrections)
        record(before, what)
        self.parameters.plan = text

    def undo(self) -> None:
        """Takes the last decision back; does nothing where there is none or the plan is locked."""
        if self.history.undo_words and not self.locked:
            self._put_back(self.history.undone(self.parameters.plan))

    def redo(self) -> None:
        """Brings the decision last taken back again; does nothing where there is none or the plan is locked."""
        if self.history.redo_words and not self.locked:
            self._put_back(self.history.redone(self.parameters.plan))

    def set_aside_unreadable_plan(self) -> None:
        """Keeps a plan text that cannot be read in a text node, so that a new plan can be started."""
        node = self.owner.GetScene().AddNewNodeByClass("vtkMRMLTextNode", "Unreadable strut plan (kept)")
        node.SetText(self.parameters.plan)
        self.parameters.plan = ""

    # The case

    @property
    def sources(self) -> tuple[Any, Any]:
        """The volume and the segmentation node, None where not chosen."""
        return self.parameters.volume, self.parameters.segmentation

    def ct_case(self) -> Case:
        """The case as the CT and its segmentation have it now. Raises CaseError with the remedy."""
        if self._ct_case is None:
            if self._case_fault:
                raise CaseError(self._case_fault)
            try:
                case = ct_case_of(self.parameters, self._corrections(), self._read_before)
            except CaseError as error:
                self._case_fault = str(error)
                raise
            self._read_before = case
            looked_at = self.parameters.acceptedSegmentation == case.digest
            self._ct_case = case if looked_at else replace(case, seeds=made_from(self.parameters.segmentation))
        return self._ct_case

    def case(self) -> Case:
        """The case with what a second image gives, as the scene has it now. Raises CaseError with the remedy.

        A second image that cannot be used gives nothing: `second_fault` says why, and what it would have given is then
        not evaluated.
        """
        if self._case is None:
            case, self._second_fault, self._registration = self.ct_case(), "", None
            if second_wanted(self.parameters):
                try:
                    self._registration = registration_of(self.parameters, case.ct)
                    case = with_second_image(case, self.parameters, self._registration, self._corrections())
                except CaseError as error:
                    self._second_fault = str(error)
            self._case = case
        return self._case

    @property
    def second_fault(self) -> str:
        """Why nothing of the second image is in the case; empty where there is none, or it is."""
        return self._second_fault if self.case_if_ready() is not None else ""

    @property
    def registration(self) -> Registration | None:
        """How the second image lies to the CT; None where there is none, or it is not known."""
        return self._registration if self.case_if_ready() is not None else None

    def accept_segmentation(self) -> None:
        """A person says that the segmentation is right as it is."""
        self._ct_case, self._case = replace(self.ct_case(), seeds=()), None
        self.parameters.acceptedSegmentation = self._ct_case.digest

    def case_if_ready(self) -> Case | None:
        """The case, or None where it cannot be read."""
        with suppress(CaseError):
            return self.case()
        return None

    @property
    def case_fault(self) -> str:
        """Why there is no case; empty where there is one."""
        try:
            self.case()
        except CaseError as error:
            return str(error)
        return ""

    def digest(self) -> str:
        """What the findings of a check are true of: the case, the plan but its waivers, and the algorithm.

        Empty where there is no case or plan. A waiver changes no measurement; that a person looked at what the program
        found in the CT is a finding.
        """
        case, plan = self.case_if_ready(), self.plan
        if case is None or plan is None:
            return ""
        return input_digest(case, plan.with_(waivers=())) + (" unseen" if case.seeds else "")

    @property
    def plan_is_of_this_case(self) -> bool:
        """Whether the case is as it was when the plan was proposed, or when a person last said that it holds."""
        case = self.case_if_ready()
        return case is None or not self.parameters.plannedOn or self.parameters.plannedOn == case.digest

    def keep_plan_for_case(self) -> None:
        """A person says that the plan holds for the case as it is now."""
        self.parameters.plannedOn = self.case().digest

    @property
    def folder(self) -> int:
        """The case's folder in the subject hierarchy."""
        plan = self.plan
        name = f"Strut {plan.upper} to {plan.lower}" if plan else "Strut"
        return case_folder(self.owner, self.parameters.volume, name)

    # Watching

    def watch_sources(self) -> None:
        """Watches the nodes that the case is read from, so that edits of them are noticed."""
        sources = (*self.sources, *second_nodes(self.parameters))
        if self._sources != sources:
            self._sources = sources
            self._forget_case()
            self._watch.watch(sources)

    def release(self) -> None:
        """Stops watching."""
        self._watch.release()

    def _put_back(self, text: str) -> None:
        after = plan_from_json(text).corrections if text else Corrections()
        self._forget_case_unless_named_alike(self._corrections(), after)
        self.parameters.plan = text

    def _forget_case_unless_named_alike(self, before: Corrections, after: Corrections) -> None:
        """A correction may say what an unknown segment is; one of an endplate changes nothing of what is read."""
        if (before.levels, before.roles) != (after.levels, after.roles):
            self._forget_case()

    def _edited(self) -> None:
        if self._ct_case is not None or self._case_fault:
            self._forget_case()
            self._on_edit()

    def _corrections(self) -> Corrections:
        return self.plan.corrections if self.plan else Corrections()

    def _forget_case(self) -> None:
        self._ct_case = self._case = None
        self._case_fault = self._second_fault = ""

    def _read(self) -> tuple[str, Plan | None, str]:
        text = self.parameters.plan
        if text != self._parsed[0]:
            try:
                self._parsed = (text, plan_from_json(text) if text else None, "")
            except PlanError as error:
                self._parsed = (text, None, str(error))
        return self._parsed
