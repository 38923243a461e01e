"""What a preview shows is what a build makes, whatever was shown before."""

from __future__ import annotations

import numpy as np
import pytest
from build_toy import block, off_lower, off_upper, situation
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from preview_patient import dragged, on_blocks, phantom_preview, phantom_solid
from scipy.spatial import cKDTree
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib import threads
from SpinalStrutDesignerLib.build import situation as situations
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.layer import STEP_MM, under_foot
from SpinalStrutDesignerLib.build.preview import Preview, Shown
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Flange, FootPlan, InterfacePlan, Plan, Screw, ScrewType

# By how much a preview's surface may depart from the finished one's, mm: 95 in 100 places, and anywhere but at edges
# that are sharp in the finished part (a bore's rim lies within a step's diagonal of its chamfer).
P95_MM, ANYWHERE_MM = 0.2, 0.8


def surface(mesh: Mesh, count: int, seed: int) -> np.ndarray:
    """(count, 3) points evenly distributed over a mesh."""
    rng = np.random.default_rng(seed)
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
    return a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]


def assert_same(one: Shown, other: Shown) -> None:
    """Both hold the same numbers, to the last bit."""
    for a, b in zip((one.solid, *one.blocks), (other.solid, *other.blocks), strict=True):
        assert np.array_equal(a.vertices, b.vertices)
        assert np.array_equal(a.faces, b.faces)
    assert np.array_equal(np.sort(one.inside, axis=0), np.sort(other.inside, axis=0))
    assert one.pieces == other.pieces


def edited(plan: Plan, rng: np.random.Generator) -> Plan:
    """The plan after one edit by hand: a control point, a screw's end, a slider."""
    by = tuple(float(v) for v in rng.normal(0.0, 0.6, 3))
    kind = rng.integers(6)
    if kind < 2:
        return dragged(plan, int(rng.integers(len(plan.axis.control_points))), by)
    if kind == 2:
        screw = plan.screws[0]
        moved = screw.with_(entry=tuple(np.add(screw.entry, by).tolist()))
        return plan.with_(screws=(moved, *plan.screws[1:]))
    if kind == 3:
        return plan.with_(section=plan.section.with_(width_mm=float(rng.uniform(8.0, 14.0))))
    if kind == 4:
        return plan.with_(upper_foot=plan.upper_foot.with_(height_mm=float(rng.uniform(6.0, 10.0))))
    return plan.with_(upper_flange=plan.upper_flange.with_(height_mm=float(rng.uniform(8.0, 18.0))))


def screwed(**changes: object) -> Plan:
    screw = Screw(ScrewType(), "C4", (0.0, 14.0, 24.0), (0.0, -1.0, 0.0), 14.0)
    return situation(upper_flange=Flange(width_mm=14.0, height_mm=12.0), screws=(screw,), **changes).plan


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_edit_is_shown_as_if_nothing_had_been_shown_before(monkeypatch, seed):
    on_blocks(monkeypatch)
    rng, case, plan = np.random.default_rng(seed), situation().case, screwed()
    kept = Preview(case)
    kept.of(plan)
    for _ in range(8):
        plan = edited(plan, rng)
        shown = kept.of(plan)
    assert_same(shown, Preview(case).of(plan))


def test_what_cannot_be_shown_is_told_and_forgotten(monkeypatch):
    on_blocks(monkeypatch)
    plan, preview = screwed(), Preview(situation().case)
    before = preview.of(plan)
    with pytest.raises(PlanError, match="more than 45 mm"):
        preview.of(plan.with_(axis=plan.axis.with_(offset=(0.0, 80.0, 0.0))))
    with pytest.raises(PlanError, match="bends with a radius"):
        preview.of(dragged(plan, 1, (0.0, 14.0, -6.0)))
    assert_same(preview.of(plan), before)


def test_feet_keep_their_gaps_to_bodies_whose_faces_are_known(monkeypatch):
    on_blocks(monkeypatch)
    plan = situation(upper_foot=FootPlan(fit_gap_mm=0.3), lower_foot=FootPlan(fit_gap_mm=0.9)).plan
    solid = Preview(situation().case).of(plan).solid
    assert off_upper(solid.vertices).min() == pytest.approx(0.3, abs=0.1)
    assert off_lower(solid.vertices).min() == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("azimuth", [0.0, 27.0])
def test_the_thinnest_flange_that_is_proposed_has_no_holes(monkeypatch, azimuth):
    on_blocks(monkeypatch)
    made = situation(upper_flange=Flange(azimuth_deg=azimuth, width_mm=14.0, height_mm=10.0, thickness_mm=1.6))
    shown = Preview(made.case).of(made.plan)
    axis = axis_curve(made.plan.axis, made.plan.section)
    built, _ = solid_mesh(SolidShape(made, axis, (end_shape(made, axis, "upper"), end_shape(made, axis, "lower"))))
    assert shown.pieces == 1
    away = cKDTree(surface(shown.solid, 400_000, 1)).query(surface(built, 10_000, 2))[0]
    assert np.percentile(away, 95) < P95_MM
    assert away.max() < ANYWHERE_MM


def test_a_screw_leaves_its_bore_and_its_seat(monkeypatch):
    on_blocks(monkeypatch)
    plan = screwed()
    vertices = Preview(situation().case).of(plan).solid.vertices
    kind, (x, y, z) = plan.screws[0].type, (vertices - np.array(plan.screws[0].entry)).T
    away, along = np.hypot(x, z), -y
    assert away[np.abs(along) < 5.0].min() > 0.5 * kind.clearance_hole_mm - 0.15
    assert np.hypot(away, along).min() > kind.seat_radius_mm - 0.15
    # The head stands 3.2 mm off the flange: its boss is free of the fillet there, the bore goes on to the bone.
    boss = away[(along > 0.7) & (along < 2.0) & (away > 3.5) & (away < 5.0)]
    assert len(boss) > 20 and np.abs(boss - 0.5 * kind.head_diameter_mm - 1.2).max() < 0.1
    bore = away[(along > 2.8) & (along < 5.2) & (away < 2.5)]
    assert len(bore) > 20 and np.abs(bore - 0.5 * kind.clearance_hole_mm).max() < 0.15


def test_bone_that_cuts_the_strut_apart_is_shown(monkeypatch):
    on_blocks(monkeypatch)
    whole, cut = situation(), situation(block("C6", -2.0, 3.0))
    assert Preview(whole.case).of(whole.plan).pieces == 1
    shown = Preview(cut.case).of(cut.plan)
    assert shown.pieces == 2
    assert closed_manifold_fault(shown.solid) is None
    height = shown.solid.vertices[:, 2]
    assert height[height > 0.5].min() == pytest.approx(3.3, abs=0.1)
    assert height[height < 0.5].max() == pytest.approx(-2.3, abs=0.1)


def test_chips_are_dropped_and_nothing_at_all_is_told(monkeypatch):
    on_blocks(monkeypatch)
    # Between the two blocks a third leaves no more of the strut than a rod 1 mm thick and 1.4 mm long at its front.
    around = (block("C5", 2.0, 6.0), block("C6", -6.0, 0.0), block("fragment", 0.0, 2.0, front=1.2))
    shown = Preview(situation().case.with_structures((*situation().case.structures, *around))).of(situation().plan)
    assert shown.pieces == 2
    for places in (shown.inside, shown.solid.vertices):
        assert not ((places[:, 2] > -6.0) & (places[:, 2] < 6.0)).any()
    buried = situation(block("C5", -15.5, 17.5, back=-12.0, front=14.0))
    with pytest.raises(GeometryError, match="bone leaves nothing"):
        Preview(buried.case).of(buried.plan)


def test_no_thread_is_started(monkeypatch):
    on_blocks(monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threads, "ThreadPoolExecutor", refuse)
    preview = Preview(situation().case)
    words = [step[0] for step in preview.prepare(screwed())]
    assert words[0] == "C4 endplate" and words[-1] == "first preview"
    preview.of(screwed())


def test_the_phantoms_solid_is_the_one_that_is_built():
    shown, built = phantom_preview().of(phantom_plan()), phantom_solid()
    assert shown.pieces == 1
    assert closed_manifold_fault(shown.solid) is None
    assert shown.solid.volume == pytest.approx(built.volume, rel=0.02)
    for one, other in ((shown.solid, built), (built, shown.solid)):
        away = cKDTree(surface(other, 400_000, 1)).query(surface(one, 10_000, 2))[0]
        assert np.percentile(away, 95) < P95_MM
        assert away.max() < ANYWHERE_MM


def test_the_phantoms_points_inside_fill_its_solid():
    shown = phantom_preview().of(phantom_plan())
    step = np.diff(np.unique(np.round(shown.inside[:, 0], 6))).min()
    assert len(shown.inside) * step**3 == pytest.approx(shown.solid.volume, rel=0.02)


def test_porous_layers_are_the_regions_that_are_filled():
    plan = phantom_plan()
    shown, made = phantom_preview().of(plan), situations.situation(shared_phantom(), plan)
    axis = axis_curve(plan.axis, plan.section)
    assert len(shown.blocks) == 2
    for end, block_shown in zip(("upper", "lower"), shown.blocks):
        space = under_foot(end_shape(made, axis, end), axis, plan.interface)
        region = space.on_grid(np.maximum(space.kept, -space.off))
        assert closed_manifold_fault(block_shown) is None
        assert block_shown.volume == pytest.approx((region < 0.0).sum() * STEP_MM**3, rel=0.2)
    assert phantom_preview().of(plan.with_(interface=InterfacePlan(depth_mm=0.0))).blocks == ()


def test_the_situation_is_the_one_that_is_built_in():
    plan = phantom_plan()
    near, whole = phantom_preview().situation(plan), situations.situation(shared_phantom(), plan)
    for one, other in ((near.upper, whole.upper), (near.lower, whole.lower)):
        assert np.array_equal(one.centre, other.centre) and np.array_equal(one.outline, other.outline)
    points = np.vstack([whole.upper.centre, whole.lower.centre]) + np.array([[6.0, 12.0, 0.0]])
    for structure in near.case.structures:
        own = whole.case.structure(structure.name)
        assert structure.distance(points) == pytest.approx(own.distance(points), abs=0.5)
