"""Where an end is porous: against the exact distances to the blocks it is made for."""

from __future__ import annotations

import numpy as np
import pytest
from build_toy import BACK, FRONT, HALF_WIDTH, UPPER_Z, block, off_block, off_upper, situation, tongued
from LatticeGeneratorLib.mesh.boolean import intersection
from LatticeGeneratorLib.mesh.inside import winding_number
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.interface import OVERLAP_MM, PorousLayer, layer_notes, porous_layer
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.plan.curve import axis_curve

VOXEL_MM = 0.15  # a block's faces lie on voxel borders, its distances are read between voxels


def _upper_layer(made: Situation) -> PorousLayer | None:
    axis = axis_curve(made.plan.axis, made.plan.section)
    return porous_layer(end_shape(made, axis, "upper"), axis, made.plan.interface)


@pytest.fixture(scope="module")
def open_layer() -> tuple[Situation, PorousLayer]:
    made = situation()
    layer = _upper_layer(made)
    assert layer is not None
    return made, layer


@pytest.fixture(scope="module")
def flange_layer() -> tuple[Situation, PorousLayer]:
    made = tongued()
    layer = _upper_layer(made)
    assert layer is not None
    return made, layer


def test_over_an_open_span_the_layer_lies_under_the_foot(open_layer):
    made, layer = open_layer
    foot, interface = made.plan.upper_foot, made.plan.interface
    margin = foot.ring_margin_mm + interface.frame_mm
    low, high = layer.domain.bounds
    assert layer.face == "endplate"
    assert np.allclose([low[0], high[0]], [-HALF_WIDTH + margin, HALF_WIDTH - margin], atol=VOXEL_MM)
    assert high[1] == pytest.approx(FRONT - margin, abs=VOXEL_MM)
    assert low[1] == pytest.approx(BACK + foot.posterior_margin_mm + interface.frame_mm, abs=VOXEL_MM)
    assert high[2] == pytest.approx(UPPER_Z - foot.fit_gap_mm, abs=VOXEL_MM)
    assert layer.depth_mm == pytest.approx(interface.depth_mm, abs=0.05)
    assert high[2] - low[2] == pytest.approx(interface.depth_mm, abs=VOXEL_MM)


def test_where_the_tongue_is_too_thin_the_layer_lies_on_the_bone_side_of_the_flange(flange_layer):
    made, layer = flange_layer
    gap, interface, flange = made.plan.upper_foot.fit_gap_mm, made.plan.interface, made.plan.upper_flange
    assert flange is not None
    off = off_upper(layer.domain.vertices)
    low, high = layer.domain.bounds
    assert layer.face == "flange"
    assert off.min() == pytest.approx(gap, abs=VOXEL_MM)
    assert off.max() == pytest.approx(gap + flange.thickness_mm - interface.minimum_solid_mm, abs=VOXEL_MM)
    assert layer.depth_mm == pytest.approx(flange.thickness_mm - interface.minimum_solid_mm, abs=0.1)
    frame = interface.frame_mm
    assert low[1] > FRONT  # nothing of it under the endplate
    assert low[2] == pytest.approx(UPPER_Z + frame, abs=VOXEL_MM)
    assert high[2] == pytest.approx(UPPER_Z + flange.height_mm - frame, abs=VOXEL_MM)
    assert np.allclose([low[0], high[0]], [frame - flange.width_mm / 2, flange.width_mm / 2 - frame], atol=VOXEL_MM)


def test_what_a_screw_head_presses_on_stays_solid(flange_layer):
    made, layer = flange_layer
    (screw,) = made.plan.screws
    axis = np.array([screw.entry[0], screw.entry[2]])
    away = np.linalg.norm(layer.domain.vertices[:, [0, 2]] - axis, axis=1)
    assert away.min() == pytest.approx(screw.type.head_diameter_mm / 2 + made.plan.interface.frame_mm, abs=VOXEL_MM)


def test_solid_metal_stands_behind_and_around_the_flange_layer(flange_layer):
    made, layer = flange_layer
    axis = axis_curve(made.plan.axis, made.plan.section)
    ends = (end_shape(made, axis, "upper"), end_shape(made, axis, "lower"))
    solid, _ = solid_mesh(SolidShape(made, axis, ends))
    least = made.plan.interface.minimum_solid_mm - VOXEL_MM
    deepest = layer.domain.vertices[:, 1].max()
    behind = layer.domain.vertices[layer.domain.vertices[:, 1] > deepest - 0.05][::40]
    assert (winding_number(solid, behind + np.array([0.0, least, 0.0])) > 0.5).all()
    turn = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
    frame = made.plan.interface.frame_mm - VOXEL_MM
    # The screw's hole is bored later, and the head's seat lies within its boss.
    for x, z in frame * np.column_stack([np.cos(turn), np.sin(turn)]):
        assert (winding_number(solid, behind + np.array([x, 0.0, z])) > 0.5).all()


def test_the_lattice_fills_the_layer_from_its_face_to_the_solid(flange_layer):
    made, layer = flange_layer
    off, gap = off_upper(layer.lattice.vertices), made.plan.upper_foot.fit_gap_mm
    assert off.min() == pytest.approx(gap, abs=VOXEL_MM)
    assert off.max() == pytest.approx(gap + layer.depth_mm + OVERLAP_MM, abs=VOXEL_MM)
    metal = intersection(layer.lattice, layer.domain).volume
    assert 1.0 - metal / layer.domain.volume == pytest.approx(made.plan.interface.porosity, abs=0.03)


def test_no_layer_where_tongue_and_flange_are_both_too_thin():
    made = tongued(thickness_mm=1.9)
    assert _upper_layer(made) is None
    assert "no porous layer" in layer_notes(None, made.plan.interface)[0]
    assert layer_notes(None, made.plan.interface.with_(depth_mm=0.0)) == ()


def test_notes_say_where_a_layer_lies_and_that_it_is_shallower_than_wanted(open_layer, flange_layer):
    assert layer_notes(open_layer[1], open_layer[0].plan.interface) == ()
    where, depth = layer_notes(flange_layer[1], flange_layer[0].plan.interface)
    assert "flange" in where
    assert "instead of 1.50 mm" in depth


def test_solid_metal_is_kept_before_a_rib_that_the_flange_gives_way_to():
    """Bone in front of a flange takes metal from its outer side."""
    low, high = UPPER_Z + 6.0, UPPER_Z + 13.0
    rib = (low, high, FRONT + 2.5, FRONT + 6.0)
    layer = _upper_layer(tongued(block("rib", *rib)))
    assert layer is not None
    plan = tongued().plan
    least = plan.upper_foot.fit_gap_mm + plan.interface.minimum_solid_mm
    # The rib's edges are read rounded from its voxels.
    z = layer.domain.vertices[:, 2]
    before = layer.domain.vertices[(z > low + 1.5) & (z < high - 1.5)]
    assert off_block(before, *rib).min() == pytest.approx(least, abs=VOXEL_MM)
