"""The distance field against solids whose distance is known exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.distance import distance_field
from SpinalStrutDesignerLib.case.model import Mask
from SpinalStrutDesignerLib.errors import CaseError

Solid = Callable[[np.ndarray], np.ndarray]
FINE = (0.6, 0.6, 1.0)
THICK = (0.7, 0.7, 2.5)


def sphere(radius: float) -> Solid:
    return lambda p: np.linalg.norm(p - [0.13, 0.21, 0.37], axis=1) - radius


def cylinder(radius: float, axis: tuple[float, float, float]) -> Solid:
    direction = np.array(axis) / np.linalg.norm(axis)

    def distance(points: np.ndarray) -> np.ndarray:
        offset = points - [0.1, 0.2, 0.3]
        return np.linalg.norm(offset - (offset @ direction)[:, None] * direction, axis=1) - radius

    return distance


def half_space(normal: tuple[float, float, float]) -> Solid:
    unit = np.array(normal) / np.linalg.norm(normal)
    return lambda p: p @ unit - 0.17


def voxelised(
    solid: Solid, reach: float, spacing: tuple[float, float, float], rotation: np.ndarray | None = None
) -> Mask:
    """Voxels whose centres the solid holds, in a cube of half side reach."""
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if rotation is None else rotation) @ np.diag(spacing)
    count = np.ceil(2 * reach / np.array(spacing)).astype(int) + 1
    matrix[:3, 3] = -matrix[:3, :3] @ ((count - 1) / 2)
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in count), indexing="ij"), axis=-1).reshape(-1, 3)
    inside = solid(ijk @ matrix[:3, :3].T + matrix[:3, 3]) <= 0
    return Mask(inside.reshape(count).transpose(2, 1, 0), matrix)


def errors(solid: Solid, mask: Mask, reach: float, nearest: float, farthest: float) -> np.ndarray:
    """Measured less true distance at random points whose true distance lies between nearest and farthest."""
    points = np.random.default_rng(0).uniform(-reach, reach, (200_000, 3))
    true = solid(points)
    wanted = (true > nearest) & (true < farthest)
    assert wanted.sum() > 1000
    return mask.field.at(points[wanted]) - true[wanted]


@pytest.mark.parametrize(
    "solid, reach, within",
    [
        (sphere(15), 18, 18),
        (sphere(6), 9, 9),
        (half_space((1, 1, 1)), 20, 10),
        (half_space((0.3, 0.9, 0.2)), 20, 10),
        (half_space((0.1, 1, 0.3)), 20, 10),
        (cylinder(4, (0.2, 0.3, 1)), 18, 10),
        (cylinder(1.5, (0.2, 0.3, 1)), 18, 10),
        (cylinder(1, (0.2, 0.3, 1)), 18, 10),
    ],
)
def test_near_the_surface_of_fine_scans(solid: Solid, reach: float, within: float) -> None:
    wrong = errors(solid, voxelised(solid, reach, FINE), within, -2.0, 2.0)
    assert np.abs(wrong).mean() < 0.08
    assert np.percentile(np.abs(wrong), 95) < 0.25


@pytest.mark.parametrize("solid", [sphere(15), sphere(6), cylinder(4, (0.2, 0.3, 1)), half_space((1, 1, 1))])
def test_thick_slices_err_by_less_than_a_quarter_of_a_slice(solid: Solid) -> None:
    wrong = errors(solid, voxelised(solid, 18, THICK), 10, -2.0, 2.0)
    assert np.abs(wrong).mean() < 0.2
    assert np.percentile(np.abs(wrong), 95) < 0.625


@pytest.mark.parametrize("radius", [15.0, 6.0, 3.0])
def test_a_curved_surface_is_not_shifted(radius: float) -> None:
    solid = sphere(radius)
    assert abs(errors(solid, voxelised(solid, radius + 3, FINE), radius + 1, -0.3, 0.3).mean()) < 0.05


@pytest.mark.parametrize("near, far, worst", [(2, 5, 0.3), (5, 10, 0.45), (10, 20, 0.7)])
def test_farther_off(near: float, far: float, worst: float) -> None:
    solid = sphere(6)
    wrong = errors(solid, voxelised(solid, 9, FINE), 22, near, far)
    assert np.abs(wrong).mean() < 0.15
    assert wrong.max() < worst


def test_no_stairs_on_a_tilted_plane() -> None:
    """A voxel's stairs would have normals along the axes; these follow the plane's within a few degrees."""
    unit = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)
    field = voxelised(half_space((1, 1, 1)), 15, FINE).field
    rng = np.random.default_rng(1)
    points = rng.uniform(-6, 6, (2000, 3))
    points -= ((points @ unit) - 0.17)[:, None] * unit
    step = 0.3
    slope = np.stack(
        [field.at(points + step * axis) - field.at(points - step * axis) for axis in np.eye(3)], axis=1
    ) / (2 * step)
    angle = np.degrees(np.arccos(np.clip(slope @ unit / np.linalg.norm(slope, axis=1), -1, 1)))
    assert np.percentile(angle, 95) < 10
    assert np.abs(field.at(points)).max() < 0.12


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(1, 8)] * 3), min_size=1, max_size=12, unique=True),
    st.tuples(*[st.floats(0.3, 3.0)] * 3),
)
def test_nothing_vanishes(voxels: list[tuple[int, int, int]], spacing: tuple[float, float, float]) -> None:
    """Each voxel centre of the mask is inside, each other one outside, however thin the thing is."""
    inside = np.zeros((10, 10, 10), dtype=bool)
    inside[tuple(np.array(voxels).T)] = True
    mask = Mask(inside, np.diag([*spacing, 1.0]))
    kji = np.argwhere(np.ones_like(inside))
    distance = mask.field.at(kji[:, ::-1] * np.array(spacing))
    assert ((distance < 0) == inside.ravel()).all()


def test_a_thread_one_voxel_thick_is_never_farther_than_its_voxels_core() -> None:
    inside = np.zeros((30, 9, 9), dtype=bool)
    inside[:, 4, 4] = True
    mask = Mask(inside, np.diag([*FINE, 1.0]))
    points = np.random.default_rng(2).uniform([0, 0, 5], [4.8, 4.8, 25], (5000, 3))
    from_centre_line = np.linalg.norm(points[:, :2] - 2.4, axis=1)
    assert (mask.field.at(points) <= from_centre_line + 0.05).all()


def test_beyond_the_padding_a_lower_bound_is_given() -> None:
    mask = voxelised(sphere(5), 8, FINE)
    points = np.array([[60.0, 0, 0], [-45, 50, 10], [0, 0, -300]])
    true = sphere(5)(points)
    measured = mask.field.at(points)
    assert (measured <= true + 0.5).all()
    assert (measured > true - 5).all()


def test_an_oblique_block_measures_the_same() -> None:
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_euler("xyz", [25, -40, 65], degrees=True).as_matrix()
    for turn in (rotation, rotation @ np.diag([1.0, 1.0, -1.0])):
        wrong = errors(sphere(6), voxelised(sphere(6), 9, FINE, turn), 9, -2.0, 2.0)
        assert np.abs(wrong).mean() < 0.09


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(CaseError, match="holds no voxel"):
        distance_field(Mask(np.zeros((3, 3, 3), dtype=bool), np.eye(4)))


def test_a_mask_that_fills_its_block_has_a_surface() -> None:
    field = distance_field(Mask(np.ones((5, 5, 5), dtype=bool), np.eye(4)))
    assert field.at(np.array([[2.0, 2, 2]]))[0] == pytest.approx(-2.5, abs=0.6)
    assert field.at(np.array([[7.5, 2, 2]]))[0] == pytest.approx(3.0, abs=0.25)
