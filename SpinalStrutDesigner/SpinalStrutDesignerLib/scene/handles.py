"""What a person drags: the axis' curve and the screws' lines. They are views of the plan, read while they move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..plan.plan import Plan
from .axis_curve import axis_of, show_axis
from .belongings import Belongings
from .removal import watch_removal
from .screw_lines import ROLE as SCREW
from .screw_lines import screw_of, show_screws

AXIS = "axis"
_HANDLE_MM = 3.5  # of the balls to drag on the axis


class Handles:
    """The handles of one case, shown from its plan and watched.

    on_move(): a handle is being dragged; on_drop(what): it was let go, or moved by a program; on_removed(number): a
    screw's line was deleted, the axis for number None. None of them is called for what `show` itself changes.
    """

    def __init__(
        self,
        owner: Any,
        on_move: Callable[[], None],
        on_drop: Callable[[str], None],
        on_removed: Callable[[int | None], None],
    ) -> None:
        self._owner, self._belongings = owner, Belongings(owner)
        self._on_move, self._on_drop, self._on_removed = on_move, on_drop, on_removed
        self._watched: list[tuple[Any, int]] = []
        self._dragging = False
        self._showing = False

    def show(self, plan: Plan, folder: int, locked: bool) -> None:
        """Brings the handles where the plan has them, and watches them. locked: none can be dragged."""
        self.release()
        self._showing = True
        try:
            if plan.axis.control_points:
                self._show_axis(plan, folder, locked)
            else:
                self._belongings.removed(AXIS)
            for line, screw in zip(show_screws(self._owner, plan.screws), plan.screws):
                line.SetLocked(locked or screw.locked)
                put_in_folder(line, folder)
        finally:
            self._showing = False
        self._watch()

    def plan_of(self, plan: Plan) -> Plan:
        """The plan as the handles now lie. Raises PlanError where they mean no plan."""
        curve = self._belongings.get(AXIS)
        if curve is not None and plan.axis.control_points:
            axis = axis_of(curve, plan.axis)
            if axis != plan.axis:
                plan = plan.with_(axis=axis)
        lines = self._belongings.all(SCREW)
        if len(lines) == len(plan.screws):
            screws = tuple(screw_of(line, screw) for line, screw in zip(lines, plan.screws))
            if screws != plan.screws:
                plan = plan.with_(screws=screws)
        return plan

    def set_visible(self, visible: bool) -> None:
        """Shows or hides all handles."""
        for node in (self._belongings.get(AXIS), *self._belongings.all(SCREW)):
            if node is not None and node.GetDisplayNode() is not None:
                node.GetDisplayNode().SetVisibility(visible)

    def release(self) -> None:
        """Stops watching."""
        for node, tag in self._watched:
            node.RemoveObserver(tag)
        self._watched = []
        self._dragging = False

    def _show_axis(self, plan: Plan, folder: int, locked: bool) -> None:
        before = self._belongings.get(AXIS)
        curve = show_axis(self._owner.GetScene(), plan.axis, before)
        curve.SetLocked(locked)
        if before is None:
            display = curve.GetDisplayNode()
            display.SetPropertiesLabelVisibility(False)
            display.SetPointLabelsVisibility(False)
            display.SetUseGlyphScale(False)
            display.SetGlyphSize(_HANDLE_MM)
            # It lies inside the implant, not on its surface, and is seen and taken hold of through it.
            display.SetSnapMode(display.SnapModeUnconstrained)
            display.SetOccludedVisibility(True)
            self._belongings.put(AXIS, curve)
        put_in_folder(curve, folder)

    def _watch(self) -> None:
        curve = self._belongings.get(AXIS)
        for node in (curve, *self._belongings.all(SCREW)):
            if node is None:
                continue
            for event, slot in (
                (node.PointStartInteractionEvent, self._start), (node.PointModifiedEvent, self._moved),
                (node.PointEndInteractionEvent, self._dropped), (node.PointAddedEvent, self._dropped),
                (node.PointRemovedEvent, self._dropped),
            ):  # fmt: skip
                self._watched.append((node, node.AddObserver(event, slot)))
        self._watched.append(watch_removal(self._owner.GetScene(), self._removed))

    def _removed(self, node: Any) -> None:
        if self._showing:
            return
        if node is self._belongings.get(AXIS):
            self._on_removed(None)
        lines = self._belongings.all(SCREW)
        if any(node is line for line in lines):
            self._on_removed([line is node for line in lines].index(True))

    def _start(self, caller: Any, event: str) -> None:
        self._dragging = True

    def _moved(self, caller: Any, event: str) -> None:
        if self._showing:
            return
        if self._dragging:
            self._on_move()
        else:
            self._on_drop(_what(caller))

    def _dropped(self, caller: Any, event: str) -> None:
        self._dragging = False
        if not self._showing:
            self._on_drop(_what(caller))


def _what(node: Any) -> str:
    return "axis" if node.IsA("vtkMRMLMarkupsCurveNode") else node.GetName()
