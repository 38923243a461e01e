"""The part of the axis' step for the room along the strut: what limits it where, as words, as a chart, as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from ..plan.plan import Plan
from ..scene.preview_nodes import SOLID, color_by_slack, is_colored
from ..scene.room_plot import clear_room, empty_room, show_room
from ..verify.along import TOLD_MM, Limit, Profile
from .chart_beside import ChartBeside
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel

# Of the stretches told in words, mm: where one limit takes over from another, a third may for a station or two.
_SHORTEST_MM = 3.0


class Room:
    """Words, a chart beside the scene and the strut's colours, as the preview has them."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown: tuple[Profile | None, bool] | None = None
        self._beside = ChartBeside()
        self.ui.slackColorsCheckBox.connect("toggled(bool)", self.on_colored)

    def show(self, desk: Desk) -> None:
        """Shows the room of the plan's strut, where it is the one that is previewed."""
        self.follow(desk, desk.plan, self.panel.live.room_of(desk.plan))
        box = self.ui.slackColorsCheckBox
        box.enabled = desk.belongings.get(SOLID) is not None
        was = box.blockSignals(True)
        box.checked = is_colored(desk.owner)
        box.blockSignals(was)

    def follow(self, desk: Desk, plan: Plan | None, profile: Profile | None) -> None:
        """Shows the room of a strut that may be dragged at this moment; None: it is not known."""
        wanted = bool(desk.parameters.roomVisible)
        if self._shown == (profile, wanted):
            return
        self._shown = profile, wanted  # first: new nodes belong to the case, and the panel shows it anew at once
        self.ui.roomLabel.text = room_words(profile, plan.upper) if plan is not None and profile is not None else ""
        if not wanted:
            self._take_away(desk)
        elif plan is None or profile is None:
            empty_room(desk.owner)
        else:
            self._beside.show(show_room(desk.owner, desk.folder, plan, profile))

    def put_away(self) -> None:
        """The case leaves the desk; its chart and colours stay as they are."""
        self._shown = None
        self._beside.forget()

    def on_colored(self, colored: bool) -> None:
        """A person wants the strut's colours, or metal."""
        if self.panel.desk is not None:
            color_by_slack(self.panel.desk.owner, colored)

    def _take_away(self, desk: Desk) -> None:
        clear_room(desk.owner)
        self._beside.take_away()


def room_words(profile: Profile, upper: str) -> str:
    """What leaves least room, and what limits the strut where, from above to below."""
    tightest = profile.tightest
    if tightest is None:
        return _("no structure has a rule")
    if not tightest.near:
        return _("More than {slack:.0f} mm of room everywhere").format(slack=TOLD_MM)
    words = _("Least room {slack:.1f} mm: {structure}, {at:.0f} mm below {level}")
    if tightest.slack_mm < 0.0:
        words = _("Short of room by {lacking:.1f} mm: {structure}, {at:.0f} mm below {level}")
    first = words.format(
        slack=tightest.slack_mm, lacking=-tightest.slack_mm, structure=_spoken(tightest), at=tightest.at_mm, level=upper
    )
    near = [limit for limit in profile.limits if limit.near and limit.to_mm - limit.from_mm >= _SHORTEST_MM]
    stretches = [
        _("{structure} {first:.0f} to {last:.0f} mm ({slack:.1f} mm)").format(
            structure=_spoken(limit), first=limit.from_mm, last=limit.to_mm, slack=limit.slack_mm
        )
        for limit in near
    ]
    if len(stretches) < 2:
        return first
    return first + "\n" + _("From {level} down: {stretches}").format(level=upper, stretches=", ".join(stretches))


def _spoken(limit: Limit) -> str:
    return limit.structure.replace("_", " ")
