"""Placement errors as cones about screws, in the scene."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from LatticeGeneratorLib.scene.hierarchy import hierarchy_of
from LatticeGeneratorLib.scene.models import mesh_of
from scipy.special import gamma
from SpinalStrutDesignerLib.plan.plan import ErrorBudget, Screw, ScrewType
from SpinalStrutDesignerLib.scene.error_cones import (
    error_cones,
    error_cones_shown,
    hide_error_cones,
    show_error_cones,
)

SCREW = Screw(ScrewType(), "C4", (1.0, 2.0, 3.0), (0.6, 0.0, -0.8), 14.0)
OTHER = Screw(ScrewType(), "T2", (-5.0, 0.0, 9.0), (0.0, 1.0, 0.0), 20.0)


def test_a_fixed_error_has_cones_by_hand() -> None:
    """A shift that is always 1 mm in any direction, without a tilt: 1 mm beside the thread all along."""
    inner, outer = error_cones(SCREW, ErrorBudget(screw_entry_mm=1.0, screw_entry_sd_mm=0.0, screw_angle_deg=0.0))
    for mesh in (inner, outer):
        away = mesh.vertices - np.array(SCREW.entry)
        along = away @ np.array(SCREW.direction)
        off = np.linalg.norm(away - along[:, None] * np.array(SCREW.direction), axis=1)
        assert (along.min(), along.max()) == pytest.approx((0.0, 14.0))
        assert off.max() == pytest.approx(1.75 + 1.0) and off[off > 1e-9].min() == pytest.approx(1.75 + 1.0)


def _ways(rng: np.random.Generator) -> np.ndarray:
    turn = 2.0 * np.pi * rng.random(400000)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def test_the_measured_error_at_the_head_and_at_the_tip() -> None:
    """At the head the entry alone counts: 1.4 mm on average; at the tip 14 mm × sin of the angle comes with it."""
    inner, outer = error_cones(SCREW, ErrorBudget())
    rng = np.random.default_rng(7)
    # Shapes of Weibull's distribution for deviations of 0.579 and 0.563 of the mean, from a table of its moments.
    shift, tilt = (
        (mean / gamma(1.0 + 1.0 / k) * rng.weibull(k, 400000))[:, None] * _ways(rng)
        for mean, k in ((1.4, 1.787), (np.deg2rad(6.7), 1.843))
    )
    for depth, end in ((0.0, SCREW.entry), (14.0, np.array(SCREW.entry) + 14.0 * np.array(SCREW.direction))):
        off = np.linalg.norm(shift + depth * tilt, axis=1)
        for mesh, wanted in ((inner, off.mean()), (outer, np.quantile(off, 0.95))):
            at_end = np.abs((mesh.vertices - end) @ np.array(SCREW.direction)) < 1e-6
            found = np.linalg.norm(mesh.vertices[at_end] - end, axis=1).max() - 1.75
            assert found == pytest.approx(wanted, rel=0.02)


def test_nodes_follow_the_screws_and_go(scene: Any, owner: Any) -> None:
    tree = hierarchy_of(scene)
    folder = tree.CreateFolderItem(tree.GetSceneItemID(), "Case")
    count = scene.GetNumberOfNodes()
    assert not error_cones_shown(owner)
    two = show_error_cones(owner, folder, (SCREW, OTHER), ErrorBudget())
    assert [node.GetName() for node in two] == ["C4 screw 1 placement error", "T2 screw 2 placement error"]
    one = show_error_cones(owner, folder, (OTHER,), ErrorBudget())
    assert one == two[:1] and error_cones_shown(owner)
    tips = mesh_of(one[0]).vertices[:, 1]
    assert (tips.min(), tips.max()) == pytest.approx((0.0, 20.0))
    assert one[0].GetDisplayNode().GetOpacity() < 0.5
    hide_error_cones(owner)
    assert not error_cones_shown(owner) and scene.GetNumberOfNodes() == count
