"""Margins and roots of feet on bodies whose answer is known, and the feet of the cases against their label maps."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, FootPlan, Loads, Plan, Section
from SpinalStrutDesignerLib.propose.margins import Bed, foot_bed, held_margins, with_rules
from SpinalStrutDesignerLib.propose.strength import root_reserve, strut_reserve

STAIRS_MM = 0.35
SIDE = 16.0  # half a block's side


def solid(name: str, role: str, inside, level: str | None = None) -> Structure:
    """A structure of half-millimetre voxels where inside(x, y, z) holds, within 30 mm of the origin."""
    ticks = np.arange(-30.0, 30.1, 0.5)
    z, y, x = np.meshgrid(ticks, ticks, ticks, indexing="ij")
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = -30.0
    return Structure(name, role, Mask(inside(x, y, z), matrix), level=level)


def block(x, y, z):
    """A body 32 mm wide and deep under the plane z = 0."""
    return (np.abs(x) < SIDE) & (np.abs(y) < SIDE) & (z < 0.0) & (z > -20.0)


def plate() -> Endplate:
    """The block's upper face."""
    at = np.linspace(-SIDE, SIDE, 24, endpoint=False)
    edge = np.full(24, SIDE)
    sides = [(at, -edge), (edge, at), (-at, edge), (-edge, -at)]
    outline = np.concatenate([np.column_stack([*side, np.zeros(24)]) for side in sides])
    x, y, z = np.eye(3)
    return Endplate("T11", "superior", np.zeros(3), z, y, x, 2 * SIDE, 2 * SIDE, outline, outline)


def case(*beside: Structure) -> Case:
    volume = Volume(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4))
    bone = solid("T11", "bone", block, "T11")
    return Case("block", volume, (bone, *beside), ScanQuality((0.5, 0.5, 0.5), 0.5, 0.0))


def bed(patient: Case, foot: FootPlan, plan: Plan, right_mm: float = 0.0) -> Bed:
    """The bed of a foot under a straight strut that ends so far right of the middle."""
    section = Section(shape="ellipse", width_mm=10.0, depth_mm=10.0)
    points = tuple((right_mm, 0.0, z) for z in (80.0, 40.0, 4.0))
    return foot_bed(patient, plan, plate(), foot, axis_curve(Axis(points), section), -1)


def chosen(patient: Case, foot: FootPlan, plan: Plan) -> FootPlan:
    return held_margins(with_rules(bed(patient, foot, plan), patient, plan, foot), foot)


FOOT = FootPlan()
PLAN = Plan("C6", "T11")


def test_nothing_near_changes_nothing():
    assert chosen(case(), FOOT, PLAN) == FOOT


def test_vessel_in_front_is_kept_off_by_margins_alone():
    """A vessel 4 mm before the front rim asks for 5.8 mm: 1.8 mm of margin and little more."""
    vessel = solid("great_vessels", "keepout_critical", lambda x, y, z: (y > 20.0) & (y < 26.0) & (np.abs(x) < 9.0))
    foot = chosen(case(vessel), FOOT, PLAN)
    assert foot.fit_gap_mm == FOOT.fit_gap_mm
    assert foot.posterior_margin_mm == FOOT.posterior_margin_mm
    assert 1.8 <= foot.ring_margin_mm <= 3.0


def test_vessel_beside_the_bridge_is_kept_off_without_loss_of_contact():
    """A vessel beside the way from the plate to a strut at its right, too near to a bridge from the whole foot."""
    vessel = solid("great_vessels", "keepout_critical", lambda x, y, z: (y > 13.2) & (y < 20) & (x > 23) & (x < 27))
    foot = FootPlan(approach="right", height_mm=4.0)
    patient = case(vessel)
    there = with_rules(bed(patient, foot, PLAN, right_mm=26.0), patient, PLAN, foot)
    assert there.missing(foot).max() > 1.0
    made = held_margins(there, foot)
    assert there.missing(made).max() == 0.0
    assert made.with_(bridge_mm=foot.bridge_mm) == foot
    assert 3.0 <= made.bridge_mm < 16.0


def test_cord_behind_is_kept_off_by_the_posterior_margin():
    """The cord 1 mm behind the rear rim asks for 3.8 mm; where a vessel cannot be avoided it still does."""
    cord = solid("spinal_cord", "keepout_critical", lambda x, y, z: (y < -17.0) & (y > -26.0) & (np.abs(x) < 6.0))
    foot = chosen(case(cord), FOOT, PLAN)
    assert foot.fit_gap_mm == FOOT.fit_gap_mm
    assert foot.ring_margin_mm == FOOT.ring_margin_mm
    assert 3.0 <= foot.posterior_margin_mm <= 4.0
    close = solid("spinal_cord", "keepout_critical", lambda x, y, z: (y < -14.5) & (y > -26.0) & (np.abs(x) < 6.0))
    over = solid("great_vessels", "keepout_critical", lambda x, y, z: (z > 3.0) & (z < 9.0) & (np.hypot(x, y) < 4.0))
    foot = chosen(case(close, over), FOOT, PLAN)
    assert foot.fit_gap_mm == FOOT.fit_gap_mm, "a wider gap cures nothing there"
    assert foot.posterior_margin_mm >= 5.3


def test_gap_grows_only_for_what_no_margin_can_cure():
    """Old screws 2.5 mm under both halves of the plate (voxel for voxel) ask for 2.8 mm: 0.3 mm of gap and a little."""
    screws = solid("metal", "metal", lambda x, y, z: (np.abs(np.abs(x) - 8.0) < 3.0) & (z < -2.6) & (z > -5.0))
    foot = chosen(case(screws), FOOT, PLAN)
    assert 0.4 <= foot.fit_gap_mm <= 0.6
    deep = solid("metal", "metal", lambda x, y, z: (np.abs(np.abs(x) - 8.0) < 3.0) & (z < -0.5) & (z > -5.0))
    assert chosen(case(deep), FOOT, PLAN).fit_gap_mm == FOOT.fit_gap_mm, "half a millimetre would not hold the rule"


def test_strut_reserve_is_the_column_formula():
    """A round strut 20 mm off its load: sigma = F/A + 32 F e / (pi d³)."""
    section = Section(shape="ellipse", width_mm=12.0, depth_mm=12.0)
    axis = Axis(((20.0, 0.0, 60.0), (20.0, 0.0, 30.0), (20.0, 0.0, 0.0)))
    ends = [plate() for _ in range(2)]
    top = Endplate(**{**vars(ends[0]), "centre": np.array([0.0, 0.0, 60.0])})
    stress = 2000.0 / (np.pi * 36.0) + 32.0 * 2000.0 * 20.0 / (np.pi * 12.0**3)
    plan = PLAN.with_(loads=Loads(axial_N=1000.0, envelope_N=1000.0))
    reserve = strut_reserve(plan, axis, section, top, ends[1])
    assert reserve == pytest.approx(plan.material.yield_MPa / stress, rel=0.02)


def test_root_of_a_tongue_is_a_cantilever():
    """A slab of even pressure held at its right edge: M = F e about the root, W = b h² / 6 of what is solid."""
    foot = FootPlan(approach="right", height_mm=3.0, ring_margin_mm=1.0, posterior_margin_mm=1.0)
    whole = bed(case(), foot, PLAN, right_mm=20.0)
    reserve = root_reserve(PLAN, whole, foot)
    # At the layer's edge, 2 mm inside the rim: 28 of 30 mm of the contact, their middle 14 mm off. The section is a
    # slab over the porous layer between the two legs of its frame; the block's face is a quarter of a millimetre down.
    layer, frame, face = PLAN.interface.depth_mm, PLAN.interface.frame_mm, foot.fit_gap_mm - 0.25
    areas = np.array([30.0 * (foot.height_mm - face - layer), 2.0 * frame * layer])
    middles = np.array([0.5 * (foot.height_mm + face + layer), face + 0.5 * layer])
    centre = (areas @ middles) / areas.sum()
    heights = np.array([foot.height_mm - face - layer, layer])
    inertia = float((areas * (heights**2 / 12.0 + (middles - centre) ** 2)).sum())
    stress = 1980.0 * 28.0 / 30.0 * 14.0 * (centre - face) / inertia
    assert reserve == pytest.approx(PLAN.material.yield_MPa / stress, rel=0.4)


def test_taller_tongue_has_the_stronger_root():
    roof = solid("T10", "bone", lambda x, y, z: (np.abs(x) < SIDE) & (np.abs(y) < SIDE) & (z > 7.6) & (z < 20.0), "T10")
    low, high = (FootPlan(approach="right", height_mm=mm) for mm in (4.0, 10.0))
    whole = bed(case(roof), high, PLAN, right_mm=22.0)
    assert root_reserve(PLAN, whole, high) > 1.3 * root_reserve(PLAN, whole, low)


def footprint_points(proposed, end: str) -> np.ndarray:
    """(n, 3) RAS points up to 3 mm over the plate, as far inside its outline as the foot's margins ask."""
    where = situation(proposed.case, proposed.plan)
    face, foot = getattr(where, end), getattr(proposed.plan, f"{end}_foot")
    local = face.to_local(face.outline)[:, :2]
    u, v = np.meshgrid(np.arange(-22.0, 22.1, 0.5), np.arange(-22.0, 22.1, 0.5))
    plane = np.column_stack([u.ravel(), v.ravel()])
    away = np.linalg.norm(plane[:, None] - local, axis=2).min(axis=1)
    turn = np.arctan2(local[:, 0], local[:, 1])
    order = np.argsort(turn)
    reach = np.interp(
        np.arctan2(plane[:, 0], plane[:, 1]), turn[order], np.linalg.norm(local, axis=1)[order], period=2.0 * np.pi
    )
    inside = (np.linalg.norm(plane, axis=1) < reach) & (away > foot.ring_margin_mm)
    inside &= plane[:, 1] > local[:, 1].min() + foot.posterior_margin_mm
    return np.concatenate(
        [face.to_ras(np.column_stack([plane[inside], np.full(inside.sum(), h)])) for h in (1.0, 2.0, 3.0)]
    )


@pytest.mark.parametrize("end", ["upper", "lower"])
@pytest.mark.parametrize("name", ["case1", "case2"])
def test_feet_keep_off_vessels_and_dura(request, name, end):
    proposed = request.getfixturevalue(name)
    points = footprint_points(proposed, end)
    assert proposed.labels.distance("dural_sac", points).min() >= 3.8 - STAIRS_MM
    assert proposed.labels.distance("great_vessels", points).min() >= 5.8 - STAIRS_MM


def test_gaps_stay_narrow_where_nothing_stands_in_the_way(case1, case2):
    feet = [case1.plan.upper_foot, case1.plan.lower_foot, case2.plan.upper_foot]
    assert [foot.fit_gap_mm for foot in feet] == [0.3] * 3


def test_a_gap_grows_beside_a_vessel_and_no_farther_than_contact_asks(chest):
    """The aorta lies on T9: within its margins the foot comes as near to it as its rule allows."""
    assert chest.labels.distance("aorta", footprint_points(chest, "lower")).min() < 5.8 + 2.0
    assert 0.3 <= chest.plan.lower_foot.fit_gap_mm < 0.8


def test_in_a_disc_too_narrow_for_a_tongue_the_gap_gives_way_to_the_print_s_error(chest):
    """T5 and T6 stand 1.4 mm apart: a wall of 1 mm and twice 0.3 mm do not fit; Schulze 2024 printed to 0.26 mm."""
    assert find_endplate(chest.case, "T5", "inferior").gap_mm < 1.0 + 2.0 * 0.3
    assert chest.plan.upper_foot.fit_gap_mm == 0.26
