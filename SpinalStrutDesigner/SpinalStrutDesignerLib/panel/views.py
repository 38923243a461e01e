"""What the slice and 3D views show of the case: handles to drag, and the preview or the finished implant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import PlanError
from ..scene.handles import Handles
from ..scene.part_nodes import implant_nodes
from .desk import Desk
from .live import set_preview_visible

if TYPE_CHECKING:
    from .panel import Panel


class Views:
    """Keeps the views as the plan is; tells the panel what a person drags.

    What a person shows or hides stays so: visibility is set only where the panel's own choice of it changes.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._handles: Handles | None = None
        self._handled: Any = None
        self._visible: dict[str, bool] = {}
        self._checked: bool | None = None

    def open(self, desk: Desk) -> None:
        """Takes hold of a case's handles."""
        self._handles = Handles(desk.owner, self._on_moved, self._on_dropped, self._on_removed)

    def close(self) -> None:
        """Lets the case go; what the views show stays."""
        if self._handles is not None:
            self._handles.release()
        self._panel.live.stop()
        self._handles, self._handled, self._visible, self._checked = None, None, {}, None

    def forget(self) -> None:
        """Handles may lie elsewhere than the plan says: they are laid anew when it is shown next."""
        self._handled = None

    def show(self, desk: Desk) -> None:
        """Shows handles and preview as the plan is."""
        plan, parameters = desk.plan, desk.parameters
        if plan is None or self._handles is None:
            return
        handled = (plan.axis, plan.screws, desk.locked)
        if handled != self._handled:
            self._handled = handled
            self._handles.show(plan, desk.folder, desk.locked)
        if self._changed("handles", parameters.handlesVisible):
            self._handles.set_visible(parameters.handlesVisible)
        self._change_places(desk)
        case = desk.case_if_ready()
        if parameters.previewVisible and plan.axis.control_points and case is not None:
            self._panel.live.follow(desk.owner, desk.folder, case, plan)
        if self._changed("preview", parameters.previewVisible):
            set_preview_visible(desk.owner, parameters.previewVisible)

    def _change_places(self, desk: Desk) -> None:
        """The finished implant stands in for the preview as long as it is of this plan; a change brings that back."""
        checked = bool(desk.parameters.checked) and desk.parameters.checked == desk.digest()
        before, self._checked = self._checked, checked
        if before is None or before == checked or not implant_nodes(desk.owner):
            return
        for node in implant_nodes(desk.owner):
            node.GetDisplayNode().SetVisibility(checked)
        desk.parameters.previewVisible = not checked

    def _changed(self, what: str, visible: bool) -> bool:
        before = self._visible.get(what, True)
        self._visible[what] = visible
        return before != visible

    def _on_moved(self) -> None:
        """A handle is being dragged: the preview follows, the plan waits until it is let go."""
        panel, desk = self._panel, self._panel.desk
        if desk is None or self._handles is None:
            return
        try:
            plan = self._handles.plan_of(desk.needed_plan())
        except PlanError as error:
            panel.tell(str(error))
            return
        if panel.live.ready and desk.parameters.previewVisible:
            panel.live.show(plan)
            panel.axis_step.follow(desk, plan)
            panel.screw_step.follow(desk, plan)
            panel.tell(panel.live.fault)

    def _on_dropped(self, what: str) -> None:
        desk = self._panel.desk
        if desk is None or self._handles is None:
            return
        with self._panel.told():
            plan = self._handles.plan_of(desk.needed_plan())
            self._handled = None  # lengths snap to what is made: the lines are laid anew
            self._panel.decide(plan, what)

    def _on_removed(self, number: int | None) -> None:
        import qt

        def follow() -> None:
            self._handled = None
            if number is None:
                self._panel.refresh()  # an axis that was deleted is drawn again: the strut cannot do without
            else:
                self._panel.screw_step.delete(number)

        qt.QTimer.singleShot(0, follow)  # once the scene is done with the removal
