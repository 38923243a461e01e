"""Regions to fill against exact volumes and distances."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_shapes import rigid, trimesh_of
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.order import Order, deliver, order_from_json
from LatticeGeneratorLib.infill.region import Region, Shell, Whole, Within, region_from_record
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.pieces import pieces_of
from LatticeGeneratorLib.mesh.solids import box, sphere


def _within(matrix: np.ndarray, size: tuple[float, float, float]) -> Within:
    return Within(tuple(tuple(float(v) for v in row) for row in matrix), size)


@pytest.mark.parametrize("depth", [0.5, 1.0, 2.5])
def test_the_shell_of_a_ball_is_the_ball_without_a_smaller_one(depth: float) -> None:
    ball = sphere(np.array([10.0, -20.0, 30.0]), 5.0, 128)
    shell = Shell(depth).of(ball)
    assert closed_manifold_fault(shell) is None
    exact = 4.0 / 3.0 * np.pi * (5.0**3 - (5.0 - depth) ** 3)
    assert shell.volume == pytest.approx(exact, rel=0.003)  # the ball's 128 segments lack 0.1 % of its volume
    inner = shell.vertices[len(ball.vertices) :]
    away = np.linalg.norm(inner - [10.0, -20.0, 30.0], axis=1)
    assert np.abs(away - (5.0 - depth)).max() < 0.02


def test_the_shell_of_a_block_has_its_outer_face_and_the_wanted_depth() -> None:
    block = box([0.0] * 3, [8.0, 7.0, 6.0])
    shell = Shell(1.5).of(block)
    assert shell.volume == pytest.approx(8.0 * 7.0 * 6.0 - 5.0 * 4.0 * 3.0, rel=0.005)
    assert np.array_equal(shell.faces[: len(block.faces)], block.faces)
    inner = shell.vertices[len(block.vertices) :]
    depth = np.minimum(inner, np.array([8.0, 7.0, 6.0]) - inner).min(axis=1)
    assert np.abs(depth - 1.5).max() < 0.06 and np.median(np.abs(depth - 1.5)) < 1e-4


def test_a_thin_body_is_all_shell() -> None:
    plate = box([0.0] * 3, [9.0, 9.0, 1.9])
    assert Shell(1.0).of(plate) is plate
    with pytest.raises(GeometryError, match="depth above 0 mm"):
        Shell(0.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_turned_box_cuts_a_turned_block(seed: int) -> None:
    """Box and block turned alike: what they share is known whatever the turn."""
    turn = rigid(seed)
    block = box([-3.0] * 3, [3.0] * 3).transformed(turn)
    shift = np.eye(4)
    shift[:3, 3] = 2.0, 0.0, 0.0
    region = _within(turn @ shift, (4.0, 2.0, 10.0)).of(block)
    assert region.volume == pytest.approx(3.0 * 2.0 * 6.0)
    assert closed_manifold_fault(region) is None


def test_a_box_beside_the_body_or_without_volume_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"no part of the body can be cut out.*move it"):
        _within(np.eye(4), (2.0, 2.0, 2.0)).of(box([5.0] * 3, [7.0] * 3))
    with pytest.raises(GeometryError, match=r"no volume \(2 × 0 × 2 mm\)"):
        _within(np.eye(4), (2.0, 0.0, 2.0))


@pytest.mark.parametrize("region", [Whole(), Shell(1.25), _within(rigid(3), (1.0, 2.0, 3.0))])
def test_an_order_comes_back_from_its_text(region: Region) -> None:
    order = Order(LatticeSpec("bcc", 0.65, 0.8), region)
    assert order_from_json(order.to_json()) == order
    assert region_from_record(region.record(), {}) == region


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"spec": {"pores": 1}, "region": {"where": "whole"}}'])
def test_a_text_that_is_no_order_is_refused(text: str) -> None:
    with pytest.raises(GeometryError, match="order of a lattice cannot be read"):
        order_from_json(text)


@pytest.mark.parametrize("record", [{"where": "box"}, {"where": "shell", "depth_mm": "deep"}, {"where": "half"}])
def test_a_record_that_is_no_region_is_refused(record: dict) -> None:
    with pytest.raises(GeometryError, match=r"cannot be read|is not known"):
        region_from_record(record, {})


def test_the_lattice_of_a_shell_stays_in_it_and_is_one_piece() -> None:
    block = box([0.0] * 3, [5.0] * 3)
    delivery = deliver(block, Order(LatticeSpec(pore_mm=0.9), Shell(1.4)))
    mesh = delivery.lattice.mesh
    assert trimesh_of(mesh).body_count == 1 and (pieces_of(mesh).volumes > 0.0).all()
    # The core is 2.2 mm wide; its edges are bevelled by less than a step of its grid.
    assert not (np.abs(mesh.vertices - 2.5) < 1.1 - 0.14).all(axis=1).any()
    assert mesh.volume / (125.0 - 2.2**3) == pytest.approx(0.30, abs=0.01)
