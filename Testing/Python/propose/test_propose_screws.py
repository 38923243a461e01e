"""The proposed screws against the voxels of the label maps and the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from SpinalStrutDesignerLib.build.end import end_shape, flange_field
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_field
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Screw


@pytest.fixture(params=["case2", "case1", "chest"])
def any_case(request):
    """Each case with its name."""
    return request.param, request.getfixturevalue(request.param)


def thread(screw: Screw, share: float = 1.0) -> np.ndarray:
    """(n, 3) points on the thread's outer surface and axis, from under the head to a share of the length."""
    entry, way = np.array(screw.entry), np.array(screw.direction)
    side = np.cross(way, np.eye(3)[int(np.argmin(np.abs(way)))])
    side /= np.linalg.norm(side)
    angle = np.arange(0.0, 2.0 * np.pi, np.pi / 6.0)[:, None]
    ring = 0.5 * screw.type.diameter_mm * (np.cos(angle) * side + np.sin(angle) * np.cross(way, side))
    ring = np.concatenate([ring, [[0.0, 0.0, 0.0]]])
    along = np.arange(screw.type.head_radius_mm, share * screw.length_mm, 0.5)
    return (entry + along[:, None, None] * way + ring).reshape(-1, 3)


def test_screws_as_the_presets_publish_them(case2, case1):
    sizes = [(s.level, s.type.diameter_mm) for s in case2.plan.screws]
    assert sizes == [("C4", 3.5), ("C4", 3.5), ("T2", 6.5)]
    sizes = [(s.level, s.type.diameter_mm) for s in case1.plan.screws]
    assert sizes == [("C6", 3.5), ("C6", 3.5), ("T11", 3.5), ("T11", 6.5)]


def test_lengths_come_from_the_catalogue(any_case):
    _, proposed = any_case
    for screw in proposed.plan.screws:
        assert screw.length_mm in screw.type.lengths_mm
        assert np.linalg.norm(screw.direction) == pytest.approx(1.0, abs=1e-3)


def test_screws_stay_out_of_the_canal(any_case):
    name, proposed = any_case
    canal = ("spinal_cord",) if name == "chest" else ("spinal_cord", "dural_sac")
    for screw in proposed.plan.screws:
        for structure in canal:
            # 2 mm and the 1.4 mm by which an entry may be off (clinical facts).
            assert proposed.labels.distance(structure, thread(screw)).min() > 2.0, (screw.level, structure)


def test_screws_stay_out_of_what_must_not_be_hit(any_case):
    name, proposed = any_case
    vessels = {
        "case2": ("trachea_airway", "carotids", "jugulars", "vertebral_arteries", "great_vessels", "metal"),
        "case1": ("trachea_airway", "carotids", "jugulars", "vertebral_arteries", "great_vessels", "heart", "metal"),
        "chest": ("trachea", "aorta", "heart", "esophagus"),
    }[name]
    for screw in proposed.plan.screws:
        for structure in vessels:
            assert proposed.labels.distance(structure, thread(screw)).min() > 1.0, (screw.level, structure)


def test_a_screw_placed_as_badly_as_the_budget_says_meets_no_organ(any_case):
    """From where it enters bone: 1.4 mm at the entry, 6.7 degrees, and 0.8 mm of segmentation (clinical facts)."""
    name, proposed = any_case
    organs = {
        "case2": ("trachea_airway", "oesophagus", "carotids", "jugulars", "vertebral_arteries"),
        "case1": ("oesophagus", "carotids", "jugulars", "vertebral_arteries", "great_vessels"),
        "chest": ("aorta", "heart", "esophagus"),
    }[name]
    stairs = 0.5 * float(proposed.labels.spacing.max())  # a point is read in the voxel that holds it
    for screw in proposed.plan.screws:
        label = f"vertebrae_{screw.level}" if name == "chest" else screw.level
        depth = np.arange(0.0, screw.length_mm, 0.5)
        axis = np.array(screw.entry) + depth[:, None] * np.array(screw.direction)
        first = int(proposed.labels.inside(label, axis).argmax())
        axis, depth = axis[first:], depth[first:]
        astray = np.sqrt(0.8**2 + 1.4**2 + (depth * np.tan(np.deg2rad(6.7))) ** 2)
        for organ in organs:
            left = proposed.labels.distance(organ, axis) - 0.5 * screw.type.diameter_mm - astray
            assert left.min() > -stairs, (screw.level, organ)


def test_case1_flange_keeps_off_the_vertebral_arteries(case1):
    """3 mm and 0.8 mm of budget round the sides of the body too, where the flange wraps it."""
    plan = case1.plan
    where = situation(case1.case, plan)
    shape = end_shape(where, axis_curve(plan.axis, plan.section), "upper")
    flange = plan.upper_flange
    assert flange is not None
    ticks = np.arange(-20.0, 20.1, 0.4)
    local = np.stack(np.meshgrid(ticks, ticks, np.arange(-12.0, 3.0, 0.4), indexing="ij"), axis=-1).reshape(-1, 3)
    metal = where.upper.to_ras(local[flange_field(shape, flange, local) < 0.0])
    assert len(metal) > 1000
    arteries = next(s for s in where.case.structures if s.name == "vertebral_arteries")
    assert arteries.distance(metal).min() >= 3.8


def test_case1_upper_end_lets_the_oesophagus_aside(case1):
    """It lies on the front of C6: 5 mm less 0.8 mm of budget is as far as it may be pushed, some way in the plane."""
    plan = case1.plan
    where = situation(case1.case, plan)
    axis = axis_curve(plan.axis, plan.section)
    shape = SolidShape(where, axis, (end_shape(where, axis, "upper"), end_shape(where, axis, "lower")))
    low, high, step = np.array([-24.0, -4.0, -14.0]), np.array([26.0, 26.0, 20.0]), 0.5
    ticks = [np.arange(a, b, step) for a, b in zip(low, high)]
    local = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1)
    field = solid_field(shape, where.upper.to_ras(local.reshape(-1, 3))).reshape(local.shape[:3])
    labels = case1.labels
    k, j, i = np.nonzero(labels.voxels == labels.values["oesophagus"])
    voxels = where.upper.to_local((labels.origin + np.column_stack([i, j, k]) * labels.spacing) * [-1.0, -1.0, 1.0])
    voxels = voxels[(np.abs(voxels[:, 2]) < 12.0)]

    def meets(way: np.ndarray, shift: float) -> bool:
        index = ((voxels + shift * way - low) / step).T
        return bool((map_coordinates(field, index, order=1, cval=9.0) < 0.0).any())

    turns = np.arange(0.0, 2.0 * np.pi, np.pi / 12.0)
    ways = [np.array([np.cos(turn), np.sin(turn), 0.0]) for turn in turns]
    assert meets(ways[0], 0.0), "it does lie in the way"
    assert any(not meets(way, 5.0 - 0.8) for way in ways)


def test_tips_end_inside_their_vertebra(any_case):
    name, proposed = any_case
    for screw in proposed.plan.screws:
        tip = np.array(screw.entry) + screw.length_mm * np.array(screw.direction)
        label = f"vertebrae_{screw.level}" if name == "chest" else screw.level
        assert proposed.labels.inside(label, tip[None]).all(), screw.level


def test_screws_hold_in_bone(any_case):
    name, proposed = any_case
    for screw in proposed.plan.screws:
        label = f"vertebrae_{screw.level}" if name == "chest" else screw.level
        along = np.arange(0.0, screw.length_mm, 0.25)
        axis = np.array(screw.entry) + along[:, None] * np.array(screw.direction)
        assert proposed.labels.inside(label, axis).sum() * 0.25 > 6.0


def test_screws_of_a_level_do_not_meet(any_case):
    _, proposed = any_case
    screws = proposed.plan.screws
    for i, one in enumerate(screws):
        for other in screws[i + 1 :]:
            if one.level == other.level:
                radii = 0.5 * (one.type.diameter_mm + other.type.diameter_mm)
                share = np.linspace(0.0, 1.0, 200)[:, None]
                a = np.array(one.entry) + share * one.length_mm * np.array(one.direction)
                b = np.array(other.entry) + share * other.length_mm * np.array(other.direction)
                assert np.linalg.norm(a[:, None] - b, axis=2).min() - radii >= 2.0


def test_case2_heads_spare_the_oesophagus(case2):
    """The boss around each head pushes it by no more than what passes, 3 mm less 0.8 mm."""
    for screw in case2.plan.screws:
        entry, way = np.array(screw.entry), np.array(screw.direction)
        side = np.cross(way, np.eye(3)[int(np.argmin(np.abs(way)))])
        side /= np.linalg.norm(side)
        angle = np.arange(0.0, 2.0 * np.pi, np.pi / 12.0)[:, None]
        ring = np.cos(angle) * side + np.sin(angle) * np.cross(way, side)
        boss = entry + (0.5 * screw.type.head_diameter_mm + 1.2) * np.concatenate([ring, 0.5 * ring, 0.0 * ring[:1]])
        assert case2.labels.distance("oesophagus", boss).min() >= -(3.0 - 0.8)
        assert case2.labels.distance("trachea_airway", boss).min() > 0.0


def test_access_follows_the_approach(any_case):
    """Screws point away from the surgeon: backwards from the front, to the left from the right side."""
    _, proposed = any_case
    plan = proposed.plan
    for screw in plan.screws:
        foot = plan.upper_foot if screw.level == plan.upper else plan.lower_foot
        way = np.array(
            {"anterior": (0.0, -1.0, 0.0), "right": (-1.0, 0.0, 0.0), "left": (1.0, 0.0, 0.0)}[foot.approach]
        )
        assert float(way @ screw.direction) > np.cos(np.deg2rad(70.0))
