"""The implant while it is dragged: the solid that `build` will make, coarser, within a few hundredths of a second.

One field on one fixed lattice, as in `solid`, and one surface of it. What an edit does not touch is kept: the situation
with the fields of its bone, each end without strut and screws, and the strut. A preview shows what it can: bone may cut
the strut apart, and no edge is looked at that the printer could not make; the finished design decides.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy import ndimage

from ..case.model import Case
from ..errors import PlanError
from ..plan.curve import AxisCurve, axis_curve
from ..plan.plan import Plan, Screw
from .blocks import block_points, blocks_holding
from .design import End, Situation
from .end import EndShape
from .preview_end import (
    HELD_MM,
    EndGround,
    FootRows,
    decided,
    end_bone,
    end_ground,
    foot_rows,
    material,
    off_bone,
    off_docking,
    outreach,
    room_for,
    section_on,
)
from .preview_ground import BESIDE_MM, FAR_MM, STEP_MM, Ground, Survey, ground_on, survey_of
from .preview_layer import layer_block
from .screws import BEYOND_TIP_MM, DRIVER_WAY_MM
from .solid import FLANGE_BLEND_MM

T = TypeVar("T")
ENDS: tuple[End, ...] = ("upper", "lower")

# Blocks of lattice points in which it is tried whether the strut is near, coarse ones first.
_BLOCKS = (16, 4, 2)
# Samples of the curve, mm: between two of them a bend of 20 mm radius departs by spacing² / (8 r) = 0.006 mm.
_SPACING_MM = 1.0
# Blocks of bone held for each end, so that a strut that is dragged to and fro across a border does not wait each time.
_BLOCKS_KEPT = 3
# A piece that bone has cut off is shown if it is larger than this, mm³; smaller ones are chips that `build` drops too.
_CHIP_MM3 = 20.0


@dataclass(frozen=True, eq=False)
class Shown:
    """A previewed implant. solid: one closed mesh, drilled, without pores; blocks: the porous layers' regions, each
    closed; inside: (n, 3) RAS mm, points in the solid STEP_MM apart; pieces: bodies that the solid consists of, more
    than one where bone cuts it apart (`build` will then refuse, or drop what holds no foot)."""

    solid: Mesh
    blocks: tuple[Mesh, ...]
    curve: AxisCurve
    inside: np.ndarray
    pieces: int


@dataclass(frozen=True, eq=False)
class _Strut:
    """A strut on the lattice. sections: (m, 2) its ends on their plates; tube: (n,) numbers of the points near it;
    values: (n,) mm, its field there."""

    curve: AxisCurve
    sections: dict[End, np.ndarray]
    tube: np.ndarray
    values: np.ndarray


class _Latest(Generic[T]):
    """The latest values and what they were made for."""

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self._made: dict[Hashable, T] = {}

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value for a key: one that is held if it was made for an equal key, else made anew."""
        if key in self._made:
            value = self._made.pop(key)
        else:
            value = make()
            while len(self._made) >= self._count:
                self._made.pop(next(iter(self._made)))
        self._made[key] = value
        return value

    def holds(self, key: Hashable) -> bool:
        """Whether a value for an equal key is held."""
        return key in self._made


class Preview:
    """Previews of one case's plans. What is shown depends on the plan alone, not on what was shown before.

    preview = Preview(case)
    for words, fraction in preview.prepare(plan): ...   # seconds; `of` does the same where it was left out
    shown = preview.of(plan)                            # tens of milliseconds
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._survey: _Latest[Survey] = _Latest()
        self._ground: _Latest[Ground] = _Latest()
        self._bone: dict[End, _Latest[EndShape]] = {end: _Latest(_BLOCKS_KEPT) for end in ENDS}
        self._ends: dict[End, _Latest[EndGround]] = {end: _Latest() for end in ENDS}
        self._strut: _Latest[_Strut] = _Latest()
        self._feet: dict[End, _Latest[FootRows]] = {end: _Latest() for end in ENDS}

    def prepare(self, plan: Plan) -> Iterator[tuple[str, float]]:
        """Makes what every preview of the plan stands on: before each step what it does and how far it is, 0 to 1.

        Raises as `of`.
        """
        if self.prepared(plan):
            return
        yield from self.prepare_ground(plan)
        yield "first preview", 0.8
        self.of(plan)

    def prepare_ground(self, plan: Plan) -> Iterator[tuple[str, float]]:
        """As `prepare`, up to the plan's situation. Another pose of what is surveyed takes tenths of a second."""
        if not self.surveyed(plan):
            survey = yield from survey_of(self._case, plan)
            self._survey.of(_survey_key(plan), lambda: survey)
        if not self.prepared(plan):
            yield "posture", 0.8
            self._grounded(plan)

    def surveyed(self, plan: Plan) -> bool:
        """Whether all is measured that does not hang on the plan's pose."""
        return self._survey.holds(_survey_key(plan))

    def prepared(self, plan: Plan) -> bool:
        """Whether what the plan's previews stand on is made, so that `of` is quick."""
        return self._ground.holds(_ground_key(plan))

    def situation(self, plan: Plan) -> Situation:
        """The plan's surroundings, near its span: structures are cut to it."""
        return replace(self._grounded(plan).situation, plan=plan)

    def of(self, plan: Plan) -> Shown:
        """The implant of a plan. Raises PlanError where the axis has too few points, folds, or lies out of reach;
        CaseError where an endplate is missing; GeometryError where margins leave no foot, or bone no implant."""
        ground = self._grounded(plan)
        feet = plan.upper_foot, plan.lower_foot
        strut = self._strut.of((ground, plan.axis, plan.section, feet), lambda: _strut(ground, plan))
        ends = [self._end(ground, plan, strut, end) for end in ENDS]
        return _shown(ground, plan, strut, ends)

    def _grounded(self, plan: Plan) -> Ground:
        return self._ground.of(_ground_key(plan), lambda: ground_on(self._surveyed(plan), plan))

    def _surveyed(self, plan: Plan) -> Survey:
        return self._survey.of(_survey_key(plan), lambda: _finished(survey_of(self._case, plan)))

    def _end(self, ground: Ground, plan: Plan, strut: _Strut, end: End) -> tuple[EndGround, FootRows]:
        """The end without its screws. Its bone is measured anew where the strut or a decision leaves the block, what
        does not depend on the strut where a decision changes."""
        section, lattice = strut.sections[end], ground.lattice
        rectangle = outreach(ground.situation.upper if end == "upper" else ground.situation.lower, section)
        own = decided(plan, end)
        room = room_for(*own)
        bone = self._bone[end].of((ground, rectangle, room), lambda: end_bone(ground, plan, end, rectangle, room))
        key = (bone, own, plan.interface, plan.screw_rules.under_head_mm, _widest_gap(plan))
        made = self._ends[end].of(key, lambda: end_ground(bone, plan, lattice))
        foot = self._feet[end].of((made, strut), lambda: foot_rows(made, strut.curve, section, strut.tube, lattice))
        return made, foot


def _ground_key(plan: Plan) -> Hashable:
    """What the situation depends on."""
    return _survey_key(plan), plan.pose


def _survey_key(plan: Plan) -> Hashable:
    """What the anatomy as measured depends on."""
    return plan.upper, plan.lower, plan.corrections, plan.resections


def _finished(steps: Generator[object, None, T]) -> T:
    """What steps return when all are done."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made


def _widest_gap(plan: Plan) -> float:
    """The gap to bone away from the feet, mm."""
    return max(plan.upper_foot.fit_gap_mm, plan.lower_foot.fit_gap_mm)


def _strut(ground: Ground, plan: Plan) -> _Strut:
    """The strut's field near it. Raises PlanError where it cannot be, or leaves the lattice."""
    curve, lattice = axis_curve(plan.axis, plan.section, _SPACING_MM), ground.lattice
    plates = {"upper": ground.situation.upper, "lower": ground.situation.lower}
    feet = ((plates["upper"], plan.upper_foot), (plates["lower"], plan.lower_foot))

    def margin(points: np.ndarray) -> np.ndarray:
        """(n,) mm about the strut in which its field is needed: farther where a foot or flange blends into it."""
        far = np.full(len(points), HELD_MM)
        for plate, foot in feet:
            out = (points - plate.centre) @ plate.normal
            far[out < foot.height_mm + HELD_MM] = max(foot.blend_mm, FLANGE_BLEND_MM)
        return far

    def may_hold(centres: np.ndarray, radius: float) -> np.ndarray:
        near: np.ndarray = curve.field(centres) < radius + margin(centres)
        return near

    widest = max(HELD_MM, FLANGE_BLEND_MM, *(foot.blend_mm for _, foot in feet))
    reach = 0.5 * float(np.hypot(curve.widths.max(), curve.depths.max())) + widest
    low, high = curve.points.min(axis=0) - reach, curve.points.max(axis=0) + reach
    first, last = lattice.bounds
    if np.any(low < first) or np.any(high > last):
        raise PlanError(
            f"axis.control_points: the strut lies more than {BESIDE_MM:g} mm from both docking endplates;"
            " move the control points towards the spine"
        )
    grid, start = lattice.sub(low, high)
    places, points = block_points(grid, blocks_holding(grid, _BLOCKS, may_hold), _BLOCKS[-1])
    values = curve.field(points)
    near = np.flatnonzero(values < margin(points))
    sections = {end: section_on(plates[end], curve, end) for end in ENDS}
    return _Strut(curve, sections, lattice.numbers(grid, start, places[near]), values[near])


def _shown(ground: Ground, plan: Plan, strut: _Strut, ends: Sequence[tuple[EndGround, FootRows]]) -> Shown:
    """Joins strut, ends and screws, cuts bone and holes away, and makes the surface."""
    lattice, values = ground.lattice, ground.values
    touched, blocks = [strut.tube], []
    middle = ~np.logical_or(*(foot.tube for _, foot in ends))
    try:
        values[strut.tube] = strut.values
        for end, foot in ends:
            screws = [s for s in plan.screws if s.level == end.shape.endplate.level]
            rows = material(end, foot, screws, values, lattice)
            touched.append(end.flat[rows])
            blocks.append(layer_block(end.layers, screws, values, lattice))
            off_docking(end, rows, values)
            off_bone(ground, end.flat[rows], end.gap[rows], values)
        between = strut.tube[middle]
        off_bone(ground, between, np.full(len(between), _widest_gap(plan)), values)
        flat = np.concatenate([between, *touched[1:]])
        flat = flat[values[flat] < HELD_MM]
        points = lattice.points(flat)
        _drill(plan.screws, flat, points, values)
        inside = points[values[flat] < 0.0]
        if not len(inside):
            raise GeometryError("bone leaves nothing of the implant; move the axis away from the bone")
        block, grid = lattice.block(points, values)
    finally:
        for flat in touched:
            values[flat] = FAR_MM
    pieces = _without_chips(block)
    if np.count_nonzero(block < 0.0) < len(inside):
        k, j, i = np.nonzero(block < 0.0)
        inside = np.stack([axis[along] for axis, along in zip(grid.axes(), (i, j, k))]).T
    made = tuple(mesh for mesh in blocks if mesh is not None)
    return Shown(isosurface(block, grid), made, strut.curve, inside, pieces)


def _drill(screws: Sequence[Screw], flat: np.ndarray, points: np.ndarray, values: np.ndarray) -> None:
    """Takes bore, head seat and the driver's way of every screw out of values at points (n, 3), by number (n,)."""
    for screw in screws:
        seat = screw.type.seat_radius_mm
        relative = points - np.asarray(screw.entry)
        square = np.einsum("ij,ij->i", relative, relative)
        x, y, z = np.asarray(screw.direction) / np.linalg.norm(screw.direction)
        along = relative[:, 0] * x + relative[:, 1] * y + relative[:, 2] * z
        square -= along**2
        near = np.flatnonzero(square < (seat + HELD_MM) ** 2)
        along, away = along[near], np.sqrt(np.maximum(square[near], 0.0))
        bore = np.maximum(away - 0.5 * screw.type.clearance_hole_mm, along - screw.length_mm - BEYOND_TIP_MM)
        way = np.maximum(away - seat, -DRIVER_WAY_MM - along)
        # Below the head's flat top its seat is a half ball.
        hole = np.where(along > 0.0, np.minimum(bore, np.hypot(along, away) - seat), way)
        values[flat[near]] = np.maximum(values[flat[near]], -hole)


def _without_chips(block: np.ndarray) -> int:
    """Removes the small pieces that bone has cut off in a block [k, j, i], in place; returns how many remain."""
    pieces, count = ndimage.label(block < 0.0)
    volumes = np.bincount(pieces.ravel())[1:] * STEP_MM**3
    chips = np.flatnonzero((volumes < _CHIP_MM3) & (volumes < volumes.max())) + 1
    if len(chips):
        block[np.isin(pieces, chips)] = FAR_MM
    return count - len(chips)
