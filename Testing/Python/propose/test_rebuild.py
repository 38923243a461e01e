"""A plan taken over to a later CT whose place and posture are known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from second_image import middle, motion, moved, rescanned
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.plan import Corrections, EndplateOverride, Plan, Resection, Screw, Waiver
from SpinalStrutDesignerLib.plan.presets import preset, preset_screws
from SpinalStrutDesignerLib.propose.rebuild import Rebuilt, rebuild

FLEXION_DEG = 5.0


@dataclass(frozen=True, eq=False)
class Later:
    """What was known before, what came out, and how each block truly moved (4x4, old CT to new CT)."""

    old: Case
    new: Case
    plan: Plan
    rebuilt: Rebuilt
    upper: np.ndarray
    lower: np.ndarray

    def change(self, name: str):
        return next(c for c in self.rebuilt.changes if c.id == name)


@pytest.fixture(scope="module")
def later(phantom: Case) -> Later:
    old = phantom
    lower = motion((5.0, 3.0, -8.0), (15.0, -12.0, 30.0), middle(old))
    hinge = 0.5 * (old.structure("C6").points.mean(axis=0) + old.structure("C7").points.mean(axis=0))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", -FLEXION_DEG, degrees=True).as_matrix()
    turn[:3, 3] = hinge - turn[:3, :3] @ hinge

    def bent(points: np.ndarray) -> np.ndarray:
        share = np.clip((points[:, 2] - hinge[2]) / 16.0 + 0.5, 0.0, 1.0)
        cos, sin = np.cos(np.deg2rad(-FLEXION_DEG) * share), np.sin(np.deg2rad(-FLEXION_DEG) * share)
        x, y, z = (points - hinge).T
        return np.stack([x, cos * y - sin * z, sin * y + cos * z], axis=1) + hinge

    new = rescanned(old, lower, bent)
    kept = [s for s in new.structures if s.name != "oesophagus"]
    new = new.with_structures(kept)
    plan = made_plan(old)
    return Later(old, new, plan, rebuild(old, plan, new), lower @ np.linalg.inv(turn), lower)


def made_plan(case: Case) -> Plan:
    top, bottom = find_endplate(case, "C4", "inferior"), find_endplate(case, "T2", "superior")
    front = np.array([0.0, 3.0, 0.0])
    points = [top.centre + front, 0.5 * (top.centre + bottom.centre) + 2 * front, bottom.centre + front]
    plan = preset("case2", "C4", "T2")
    screws = []
    for plate, (kind, *_) in zip((top, bottom), preset_screws("case2")):
        entry = plate.centre - 6.0 * plate.normal + 12.0 * plate.anterior
        screws.append(Screw(kind, plate.level, tuple(entry), tuple(-plate.anterior), kind.lengths_mm[0]))
    override = EndplateOverride("T2", "superior", tuple(bottom.centre), tuple(bottom.normal))
    return plan.with_(
        axis=plan.axis.with_(control_points=tuple(tuple(p) for p in points), offset=(0.0, 1.0, 0.0)),
        screws=tuple(screws),
        corrections=Corrections(endplates=(override,), roles=(("oesophagus", "keepout_soft"),)),
        resections=(Resection("C5", tuple(case.structure("C5").points.mean(axis=0)), (0.0, 1.0, 0.0)),),
        waivers=(Waiver("clearance.oesophagus", "A. Surgeon", "retracted"),),
    )


def test_each_end_of_the_plan_goes_where_its_vertebra_went(later: Later) -> None:
    plan, old = later.rebuilt.plan, later.plan
    for screw, before in zip(plan.screws, old.screws):
        truth = later.upper if before.level == "C4" else later.lower
        expected = moved(truth, np.array(before.entry)[None])[0]
        assert np.linalg.norm(np.array(screw.entry) - expected) < 0.4
        turned = truth[:3, :3] @ np.array(before.direction)
        assert np.degrees(np.arccos(np.clip(turned @ np.array(screw.direction), -1, 1))) < 0.7
        assert (screw.type, screw.length_mm, screw.level) == (before.type, before.length_mm, before.level)
    points = np.array(old.axis.control_points) + old.axis.offset
    ends = np.array(plan.axis.control_points)
    assert plan.axis.offset == (0.0, 0.0, 0.0)
    assert np.linalg.norm(ends[0] - moved(later.upper, points[:1])[0]) < 0.4
    assert np.linalg.norm(ends[-1] - moved(later.lower, points[-1:])[0]) < 0.4
    both = [moved(m, points[1:2])[0] for m in (later.upper, later.lower)]
    assert np.linalg.norm(ends[1] - 0.5 * (both[0] + both[1])) < 0.6
    plate = plan.corrections.endplates[0]
    assert (
        np.linalg.norm(
            np.array(plate.centre) - moved(later.lower, np.array(old.corrections.endplates[0].centre)[None])[0]
        )
        < 0.4
    )
    assert (plan.section, plan.interface, plan.rules) == (old.section, old.interface, old.rules)


def test_the_report_says_by_how_much_the_spine_was_bent(later: Later) -> None:
    top = find_endplate(later.old, "C4", "inferior").centre
    bottom = find_endplate(later.old, "T2", "superior").centre
    gone = moved(later.upper, top[None])[0], moved(later.lower, bottom[None])[0]
    truth = np.linalg.norm(gone[0] - gone[1]) - np.linalg.norm(top - bottom)
    assert later.change("span.length").changed == pytest.approx(truth, abs=0.6)
    posture = later.change("span.posture")
    away = np.linalg.norm(moved(np.linalg.inv(later.lower) @ later.upper, top[None])[0] - top)
    assert posture.changed == pytest.approx(away, abs=0.5)
    assert f"turned by {FLEXION_DEG:.1f}" in posture.detail or "turned by 4.9" in posture.detail
    # The plates themselves stayed where they were on their vertebrae: T2's is a person's, C4's is measured again.
    assert later.change("endplate.T2.moved").changed < 0.1
    assert later.change("endplate.C4.moved").changed < 0.6
    assert later.change("endplate.C4.turned").changed < 2.0


def test_the_report_begins_with_how_well_each_vertebra_was_found(later: Later) -> None:
    first, second = later.rebuilt.changes[:2]
    assert (first.id, second.id) == ("registration.C4", "registration.T2")
    assert (first.after, second.after) == (later.rebuilt.upper.error_mm, later.rebuilt.lower.error_mm)


def test_what_came_went_and_must_be_decided_again_is_told(later: Later) -> None:
    told = {c.id: c for c in later.rebuilt.changes}
    assert (told["structure.oesophagus"].before, told["structure.oesophagus"].after) == ("given", "not given")
    assert "clearance.oesophagus" in told["plan.waivers.clearance.oesophagus"].title
    assert later.rebuilt.plan.waivers == () and later.rebuilt.plan.corrections.roles == ()
    assert "plan.corrections.roles.oesophagus" in told
    assert all(c.line for c in later.rebuilt.changes)
    # The vertebrae that both scans show whole kept their volume; the dura's distance is that of the carried strut.
    assert not {"structure.C4.volume", "structure.T2.volume"} & set(told)


def test_distances_of_the_strut_are_those_to_the_new_structures(later: Later) -> None:
    from SpinalStrutDesignerLib.plan.curve import axis_curve

    change = later.change("distance.dural_sac")
    curve = axis_curve(later.rebuilt.plan.axis, later.rebuilt.plan.section)
    # Independently: from the dura's voxel centres to the swept section's own field.
    dura = later.new.structure("dural_sac").points
    assert change.after == pytest.approx(float(curve.field(dura).min()) - 0.4, abs=0.8)


def test_a_missing_docking_level_is_refused(later: Later) -> None:
    without = later.new.with_structures(s for s in later.new.structures if s.level != "T2")
    with pytest.raises(CaseError, match=r"the new case has no T2 to dock on \(it has: C2"):
        rebuild(later.old, later.plan, without)
