"""Planned screws of every case: as strong as brute force finds them, and safe among the true structures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from brute_screws import best_by_force, purchase
from brute_whole import Pushing
from designs import cases, cut, started
from row import Row
from SpinalStrutDesignerLib.build.design import End, Situation
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.model import Structure
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError, GeometryError, PlanError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Screw
from SpinalStrutDesignerLib.plan.rules import group_of
from SpinalStrutDesignerLib.propose.propose import complete_plan
from SpinalStrutDesignerLib.propose.screw_end import planned_at, screw_end
from SpinalStrutDesignerLib.propose.screw_plan import planned_end
from SpinalStrutDesignerLib.verify.placement import breach_probability

_LEAST_PERCENT = 99.0  # of the pull-out that brute force finds
_CANAL = ("dural_sac", "spinal_cord")
_ENDS: tuple[End, End] = ("upper", "lower")


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """The labels of these cases are the truth: screws are planned in them and measured against them."""
    given_cases = cases(data)
    for given in (*given_cases, cut(given_cases[-1])):
        case = read_case(given.ct, given.labels, given.roles)
        try:
            plan = complete_plan(case, started(case, given))
        except (CaseError, GeometryError) as error:
            yield Row(given.name, f"no plan: {error}", 1.0, most=0.0)
            continue
        where = situation(case, plan)
        for end in _ENDS:
            yield from _end_rows(given.name, where, end)


def _end_rows(name: str, where: Situation, which: End) -> Iterator[Row]:
    end = screw_end(where, axis_curve(where.plan.axis, where.plan.section), which)
    holes = planned_at(where.plan, end.level)
    pushing = Pushing(end)
    forced = best_by_force(end, holes, pushing) or best_by_force(end.tolerant(), holes, pushing)
    try:
        found = planned_end(where, which).best
    except PlanError as error:
        held = 0.0 if forced is None else forced[0]
        yield Row(name, f"{end.level} refused ({error}): brute force finds", held, "N", most=0.0)
        return
    planned = sum(purchase(end, screw) for screw in found.screws)
    what = f"{end.level}: {planned:.0f} N planned, of brute force's"
    if forced is None:
        yield Row(name, f"{end.level}: {planned:.0f} N planned, brute force finds none", planned, "N", least=1.0)
    else:
        yield Row(name, f"{what} {forced[0]:.0f} N", 100.0 * planned / forced[0], "%", least=_LEAST_PERCENT)
    for number, screw in enumerate(found.screws, 1):
        yield from _screw_rows(name, f"{end.level} screw {number}", where, screw)


def _screw_rows(name: str, which: str, where: Situation, screw: Screw) -> Iterator[Row]:
    """One screw among true structures, by points on its thread alone."""
    case, rules, bone = where.case, where.plan.screw_rules, where.case.structure(screw.level)
    canal = [s for s in case.structures if group_of(s.name) in _CANAL]
    thread = _thread(screw)
    yield Row(name, f"{which} to the canal", _least(canal, thread), "mm", least=rules.canal_mm)
    metal = case.having("metal")
    if metal:
        yield Row(name, f"{which} to metal", _least(metal, thread), "mm", least=rules.metal_mm)
    tip = np.array(screw.entry) + screw.length_mm * np.array(screw.direction)
    inside = -float(bone.distance(tip[None])[0])
    yield Row(name, f"{which}'s tip inside its vertebra", inside, "mm", least=None if screw.bicortical else 0.0)
    held = thread[bone.distance(thread) < 0.0]
    for organ in case.having("keepout_critical"):
        if group_of(organ.name) not in _CANAL and (away := _least([organ], held)) < 10.0:
            yield Row(name, f"{which} in bone to {organ.name}", away, "mm", least=0.0)
    depths = np.arange(screw.type.head_radius_mm, screw.length_mm + 0.25, 0.5)
    plate = where.upper if screw.level == where.upper.level else where.lower
    likely = breach_probability(
        np.array(screw.entry), np.array(screw.direction), depths, 0.5 * screw.type.diameter_mm,
        lambda points: case.distance(canal, points), where.plan.budget, plate.normal,
    )  # fmt: skip
    yield Row(name, f"{which}'s canal breach probability", 100.0 * likely, "%", most=rules.canal_breach_percent)


def _thread(screw: Screw) -> np.ndarray:
    """(n, 3) on the thread's surface, and its axis, from under the head to the tip."""
    way = np.array(screw.direction)
    side = np.cross(way, np.eye(3)[int(np.argmin(np.abs(way)))])
    side /= np.linalg.norm(side)
    turns = np.arange(16)[:, None] * 2.0 * np.pi / 16
    ring = 0.5 * screw.type.diameter_mm * (np.cos(turns) * side + np.sin(turns) * np.cross(way, side))
    depth = np.linspace(screw.type.head_radius_mm, screw.length_mm, 4 * round(screw.length_mm))
    axis = np.array(screw.entry) + depth[:, None, None] * way
    return (axis + np.concatenate([ring, np.zeros((1, 3))])).reshape(-1, 3)


def _least(structures: list[Structure] | tuple[Structure, ...], points: np.ndarray) -> float:
    return min((float(one.distance(points).min()) for one in structures), default=np.inf)
