"""Heads push mobile organs aside together with the rest of the implant: the planner keeps the sum within its rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from open_world import solid, voxels
from screw_world import HALF_DEPTH, canal, kind, planned, world
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Plan, Screw
from SpinalStrutDesignerLib.propose.screw_end import ScrewEnd, screw_end
from SpinalStrutDesignerLib.propose.screw_judge import Bound
from SpinalStrutDesignerLib.propose.screw_plan import planned_end
from SpinalStrutDesignerLib.propose.screw_whole import GivingWay, Pushed, Whole, push_left_mm


def upper_end(plan: Plan) -> tuple[Whole, ScrewEnd]:
    where = situation(shared_phantom(), plan)
    return Whole(where), screw_end(where, axis_curve(plan.axis, plan.section), "upper")


def left_mm(whole: Whole, end: ScrewEnd, screws: tuple[Screw, ...]) -> float:
    """Of the oesophagus' rule; infinite where no head touches it."""
    return min((p.bound.left for p in whole.pushed(end, screws) if p.structure.name == "oesophagus"), default=np.inf)


class _RightOnly(Whole):
    """Says that what stands right of the middle in front of the block is pushed by how far right a head lies, beyond
    3 mm too far."""

    def __init__(self) -> None:
        x, y, z = voxels()
        self.organ = solid("oesophagus", "keepout_critical", (x > 0.0) & (y > HALF_DEPTH) & (z < np.inf))

    def ways(self, end: ScrewEnd) -> tuple[tuple[GivingWay, ...], ...]:
        return ()

    def pushed(self, end: ScrewEnd, screws: Sequence[Screw]) -> tuple[Pushed, ...]:
        left = 3.0 - max(screw.entry[0] for screw in screws)
        return (Pushed(self.organ, Bound("organ pushed aside", left, "mm", "rules")),)


def test_heads_that_stand_farther_out_push_as_much_farther() -> None:
    whole, end = upper_end(phantom_plan())
    own = tuple(s for s in phantom_plan().screws if s.level == "C4")
    left = []
    for out in (0.0, 1.0, 2.0, 3.0):
        moved = (s.with_(entry=tuple(np.subtract(s.entry, out * np.array(s.direction)).tolist())) for s in own)
        left.append(left_mm(whole, end, tuple(moved)))
    assert left[0] > left[1] > left[2] > left[3]
    # The oesophagus lies in front: heads come nearer to it by the cosine of their tilt, and not all at once.
    assert 1.5 <= left[0] - left[3] <= 3.0 + 0.2


def test_heads_that_touch_nothing_mobile_ask_for_nothing() -> None:
    whole, end = upper_end(phantom_plan())
    own = end.plan.screws[:2]
    deep = (s.with_(entry=tuple(np.add(s.entry, 8.0 * np.array(s.direction)).tolist())) for s in own)
    assert whole.pushed(end, tuple(deep)) == ()


def test_a_set_that_would_push_too_far_gives_way_to_the_nearest_that_does_not() -> None:
    where = world(planned(kind(10.0, 14.0, 18.0), kind(10.0, 14.0, 18.0)), canal(-14.0))
    free = planned_end(where, "upper").best
    assert max(screw.entry[0] for screw in free.screws) > 3.0 + 0.3  # so that something has to give way
    held = planned_end(where, "upper", _RightOnly())
    for found in held.sets:
        assert max(screw.entry[0] for screw in found.screws) <= 3.0
    assert 0.9 * free.pullout_N < held.best.pullout_N <= free.pullout_N + 1e-6


def test_heads_give_way_together_by_what_the_preview_measures() -> None:
    """What the best direction leaves to the head that needs most is what the whole implant with both leaves."""
    whole, end = upper_end(phantom_plan())
    own = tuple(s for s in phantom_plan().screws if s.level == "C4")
    compared = 0
    for out in (2.0, 3.0, 4.0, 5.0):
        heads = tuple(s.with_(entry=tuple(np.subtract(s.entry, out * np.array(s.direction)).tolist())) for s in own)
        entries, directions = (np.array([getattr(s, name) for s in heads]) for name in ("entry", "direction"))
        for ways in whole.ways(end):
            best = float(push_left_mm(ways, end, heads[0].type, entries, directions).min(axis=1).max())
            measured = {p.structure.name: p.bound.left for p in whole.pushed(end, heads)}
            if np.isfinite(best) and ways[0].structure.name in measured:
                compared += 1
                # Without heads the implant itself may push farther than these: then that is what is measured.
                assert measured[ways[0].structure.name] <= best + 0.35
                if best < 1.0:
                    assert measured[ways[0].structure.name] == pytest.approx(best, abs=0.35)
    assert compared >= 3

