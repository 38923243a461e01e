"""Step 2, the axis: a curve to drag, coloured by what is left beyond the rules, and the nearest structures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_choices, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS, WORST_FIRST, verdict_words
from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.curve import axis_curve
from ..plan.plan import Axis, Plan
from ..plan.plan import Section as StrutSection
from ..scene.slices import lie_across, lie_along, slice_nodes, stand_straight
from ..verify.preview import Clearance
from .desk import Desk
from .room import Room
from .section import Section, Standing, State, of_plan

# Rows of the live table: more do not help while a point is dragged.
NEAREST = 6
# The attribute of a slice view that this module has laid somewhere, so that it can be set straight again.
_FOLLOWS = "SpinalStrutDesigner.Follows"


class AxisStep(Section):
    """Where the strut runs."""

    button = "axisButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self.room = Room(panel)
        ui = self.ui
        dress_table(ui.clearanceTable, 1)
        fill_choices(ui.followedViewComboBox, [(name, name) for name in ("Red", "Green", "Yellow")])
        ui.addPointButton.connect("clicked(bool)", self.on_add_point)
        ui.removePointButton.connect("clicked(bool)", self.on_remove_point)
        ui.clearanceTable.connect("cellClicked(int,int)", self.on_clearance_clicked)
        self._clearances: tuple[Clearance, ...] = ()

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Axis")

    def standing(self, desk: Desk) -> Standing:
        """By the worst clearance of the preview."""
        standing = of_plan(desk, _("ready"))
        if standing.state is not State.READY:
            return standing
        verdicts = [row.verdict for row in self.panel.live.clearances_of(desk.plan)]
        if not verdicts:
            return Standing(State.READY, _("planned, clearances not measured"))
        for verdict, state in (("fail", State.FAILED), ("not_evaluated", State.WARNING), ("warn", State.WARNING)):
            if verdict in verdicts:
                words = {
                    "fail": _("rules broken: {n} (preview)"), "warn": _("rules nearly broken: {n} (preview)"),
                    "not_evaluated": _("structures without a rule: {n}"),
                }[verdict]  # fmt: skip
                return Standing(state, words.format(n=verdicts.count(verdict)))
        return standing

    def show(self, desk: Desk) -> None:
        """Shows the curve's length and what the preview measured."""
        plan = desk.plan
        there = plan is not None and bool(plan.axis.control_points)
        for name in ("addPointButton", "removePointButton"):
            getattr(self.ui, name).enabled = there and not desk.locked
        if plan is not None and there:
            self.ui.removePointButton.enabled = len(plan.axis.control_points) > 3 and not desk.locked
        self.ui.axisLabel.text = curve_words(plan) if plan is not None and there else ""
        self.show_clearances(self.panel.live.clearances_of(plan))
        self.room.show(desk)
        self._follow(desk)

    def put_away(self) -> None:
        """The next case has its own room."""
        self.room.put_away()

    def follow(self, desk: Desk, plan: Plan) -> None:
        """Shows what is measured on a plan while it is dragged."""
        self.show_clearances(self.panel.live.clearances)
        self.room.follow(desk, plan, self.panel.live.room)

    def show_clearances(self, clearances: Sequence[Clearance]) -> None:
        """Fills the live table, the tightest first."""
        self._clearances = tuple(sorted(clearances, key=_room)[:NEAREST])
        table, words = self.ui.clearanceTable, verdict_words()
        table.setRowCount(len(self._clearances))
        for number, row in enumerate(self._clearances):
            measured = "" if row.measured_mm is None else f"{row.measured_mm:.1f} mm"
            texts = [words[row.verdict], row.structure.replace("_", " "), measured, rule_words(row)]
            fill_row(table, number, texts, VERDICT_COLORS[row.verdict])

    def on_clearance_clicked(self, row: int, column: int) -> None:
        """The slice views go where the structure is nearest."""
        if row < len(self._clearances):
            x, y, z = (float(value) for value in self._clearances[row].place)
            self.panel.jump_to((x, y, z))

    def on_add_point(self, checked: bool) -> None:
        """A control point more, on the curve, in the middle of its longest part."""
        self._decide(with_point_added, _("axis point added"))

    def on_remove_point(self, checked: bool) -> None:
        """A control point less: the inner one whose neighbours lie nearest together."""
        self._decide(with_point_removed, _("axis point removed"))

    def _decide(self, change: Any, words: str) -> None:
        with self.panel.told():
            plan = self.desk.needed_plan()
            self.panel.decide(plan.with_(axis=change(plan.axis)), words)

    def _follow(self, desk: Desk) -> None:
        """Lays the chosen slice view across the axis or along the chosen screw; the others stand straight."""
        following, view = desk.parameters.following, desk.parameters.followedView
        plan = desk.plan
        self.ui.followSlider.enabled = following == "axis"
        for node in slice_nodes(desk.owner.GetScene()):
            lies = node.GetAttribute(_FOLLOWS) == desk.owner.GetID()
            if following == "none" or node.GetLayoutName() != view or plan is None or not plan.axis.control_points:
                if lies:
                    stand_straight(node)
                    node.RemoveAttribute(_FOLLOWS)
                continue
            number = chosen_row(self.ui.screwTable)
            if following == "axis":
                with suppress(PlanError):  # told in the label: along this axis no strut can run
                    lie_across(node, axis_curve(plan.axis, plan.section), desk.parameters.followPosition / 100.0)
            elif number is not None and number < len(plan.screws):
                lie_along(node, plan.screws[number])
            else:
                continue
            node.SetAttribute(_FOLLOWS, desk.owner.GetID())


def curve_words(plan: Plan) -> str:
    """The axis' curve in a few words, or why no strut can run along it."""
    try:
        curve = axis_curve(plan.axis, plan.section)
    except PlanError as error:
        return str(error)
    bend = float(curve.curvature.max())
    words = _("{length:.1f} mm along the curve, {points} points, tightest radius {radius}")
    return words.format(
        length=curve.length_mm, points=len(plan.axis.control_points),
        radius=f"{1.0 / bend:.0f} mm" if bend > 1e-4 else _("straight"),
    )  # fmt: skip


def with_point_added(axis: Axis) -> Axis:
    """The axis with a control point in the middle of its longest part, on the curve."""
    points = np.asarray(axis.control_points)
    longest = int(np.linalg.norm(np.diff(points, axis=0), axis=1).argmax())
    curve = axis_curve(
        axis.with_(offset=(0.0, 0.0, 0.0)), StrutSection(width_mm=2.0, depth_mm=2.0, corner_radius_mm=0.0)
    )
    ends = [np.linalg.norm(curve.points - points[n], axis=1).argmin() for n in (longest, longest + 1)]
    middle = curve.points[int(sum(ends)) // 2]
    x, y, z = (float(v) for v in middle)
    return axis.with_(
        control_points=(*axis.control_points[: longest + 1], (x, y, z), *axis.control_points[longest + 1 :])
    )


def with_point_removed(axis: Axis) -> Axis:
    """The axis without the inner control point whose neighbours lie nearest together. Raises PlanError at three."""
    points = np.asarray(axis.control_points)
    if len(points) < 4:
        raise PlanError(f"axis.control_points: {len(points)} points; an axis needs at least 3")
    apart = np.linalg.norm(points[2:] - points[:-2], axis=1)
    gone = int(apart.argmin()) + 1
    return axis.with_(control_points=(*axis.control_points[:gone], *axis.control_points[gone + 1 :]))


def rule_words(row: Clearance) -> str:
    """A structure's rule in a few words."""
    if row.limit_mm is None:
        return _("no rule")
    words = _("at least {limit:g} mm") if row.kind == "clearance" else _("pushed at most {limit:g} mm")
    return words.format(limit=row.limit_mm)


def _room(row: Clearance) -> tuple[int, float]:
    """The worse verdict first, then what is left to the limit."""
    rank = WORST_FIRST.index(row.verdict)
    if row.measured_mm is None or row.limit_mm is None:
        return rank, 0.0
    left = row.measured_mm - row.limit_mm
    return rank, left if row.kind == "clearance" else -left
