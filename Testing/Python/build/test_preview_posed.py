"""A preview stands in the same corrected posture as the finished implant: bone and soft tissue moved alike."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.preview import Preview
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import Pose
from SpinalStrutDesignerLib.verify.posture import posture_in

PLAN = phantom_plan().with_(pose=Pose(distraction_mm=3.0, lordosis_deg=8.0, coronal_deg=-4.0, rotation_deg=3.0))


@cache
def both() -> tuple[Situation, Situation]:
    """What the finished implant stands in, and what its preview does."""
    return situation(shared_phantom(), PLAN), Preview(shared_phantom()).situation(PLAN)


def test_every_structure_lies_where_it_does_for_the_finished_implant() -> None:
    whole, near = both()
    np.testing.assert_allclose(near.upper.centre, whole.upper.centre, atol=1e-9)
    np.testing.assert_allclose(near.lower.normal, whole.lower.normal, atol=1e-9)
    line = np.linspace(whole.upper.centre, whole.lower.centre, 100)
    aside = np.random.default_rng(2).uniform(-20.0, 20.0, (100, 3))
    points = line + aside
    compared = 0
    for structure in near.case.structures:
        truth = whole.case.structure(structure.name).distance(points)
        about = truth < 5.0  # farther off distances are known more coarsely, and what was cut off lies there
        compared += int(about.sum())
        np.testing.assert_allclose(structure.distance(points)[about], truth[about], atol=0.05, err_msg=structure.name)
    assert compared > 40
    unmoved = shared_phantom().structure("oesophagus").distance(points)
    assert np.abs(near.case.structure("oesophagus").distance(points) - unmoved).max() > 1.0


def test_the_cord_is_judged_alike() -> None:
    whole, near = ({f.id: f for f in posture_in(there)} for there in both())
    assert list(near) == list(whole) and len(whole) == 3
    for id, finding in whole.items():
        assert near[id].value == pytest.approx(finding.value, abs=0.1) and near[id].verdict == finding.verdict


def test_a_turn_that_folds_tissue_is_refused_and_the_last_ground_kept() -> None:
    preview, plan = Preview(shared_phantom()), phantom_plan()
    assert preview.of(plan).pieces == 1
    folded = plan.with_(pose=Pose(lordosis_deg=60.0, coronal_deg=60.0))
    with pytest.raises(PlanError, match="turn less"):
        list(preview.prepare(folded))
    assert preview.prepared(plan) and not preview.prepared(folded)
