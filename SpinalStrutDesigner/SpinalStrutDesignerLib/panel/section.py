"""A step of the panel: a collapsible section that shows its part of the case and where it stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from LatticeGeneratorLib.panel.standing import Standing, State
from slicer.i18n import tr as _

from ..errors import CaseError

if TYPE_CHECKING:
    from .desk import Desk
    from .panel import Panel


class Section(ABC):
    """One step. button: the name of its collapsible button in the panel's .ui file; title: its name."""

    button: ClassVar[str]

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.ui = panel.ui

    @property
    def desk(self) -> Desk:
        """The case at work. Raises CaseError where there is none."""
        if self.panel.desk is None:
            raise CaseError(_("there is no case at work: choose one"))
        return self.panel.desk

    @property
    @abstractmethod
    def title(self) -> str:
        """The step's name."""

    @abstractmethod
    def show(self, desk: Desk) -> None:
        """Shows the case as it now is."""

    @abstractmethod
    def standing(self, desk: Desk) -> Standing:
        """Where the step stands."""

    def put_away(self) -> None:
        """The case leaves the desk: waiting for clicks, watching nodes and measuring end. Most steps do none of it."""
        return

    def head(self, desk: Desk | None) -> None:
        """Writes the step's state into its header."""
        standing = self.standing(desk) if desk is not None else Standing(State.NOTHING, _("nothing yet"))
        getattr(self.ui, self.button).text = standing.head(self.title)


def of_plan(desk: Desk, words: str) -> Standing:
    """The standing of a step that shows a part of the plan: nothing, out of date with the case, or ready."""
    if desk.plan is None or not desk.plan.axis.control_points:
        return Standing(State.NOTHING, _("nothing yet"))
    if not desk.plan_is_of_this_case:
        return Standing(State.STALE, _("out of date: the anatomy was edited"))
    return Standing(State.READY, words)
