"""Seeds as markups, the command made of them, and the segmentation that comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.case.write import write_case
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.scene.belongings import Belongings
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.case_nodes import case_from_nodes, volume_of
from SpinalStrutDesignerLib.scene.job import segment_job
from SpinalStrutDesignerLib.scene.seeds import needed_seeds, new_seeds, put_seed, seeds_in, take_seed
from SpinalStrutDesignerLib.scene.segmented import (
    ROLE,
    contents,
    made_from,
    read_segmented,
    remove_superseded,
    show_segmented,
)
from SpinalStrutDesignerLib.scene.tissue_colors import color_of, opacity_of

MADE_FROM = (("T1", (-8.0, -18.0, 33.25)), ("T2", (0.0, 1.5, -20.0)))
MATRIX = np.array([[0.5, 0.0, 0.0, -10.0], [0.0, 0.5, 0.0, -20.0], [0.0, 0.0, 0.8, 30.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture
def case() -> Case:
    """Three balls of a few millimetres; T1 and the airway share a voxel layer, the metal overlaps T1."""

    def ball(name: str, role: Any, low: tuple[int, int, int], level: str | None = None) -> Structure:
        k, j, i = np.indices((9, 9, 9)) - 4
        matrix = MATRIX.copy()
        matrix[:3, 3] += MATRIX[:3, :3] @ np.array(low[::-1], dtype=float)
        return Structure(name, role, Mask(k**2 + j**2 + i**2 <= 16, matrix), level=level)

    structures = (
        ball("T1", "bone", (2, 2, 2), "T1"), ball("airway", "keepout_critical", (14, 14, 14)),
        ball("metal", "metal", (4, 4, 4)),
    )  # fmt: skip
    voxels = np.arange(30 * 28 * 26, dtype=np.int16).reshape(30, 28, 26) - np.int16(1024)
    return Case("toy", Volume(voxels, MATRIX), structures, ScanQuality((0.5, 0.5, 0.8), 0.8, 0.0))


def taken_in(path: Path) -> Any:
    """What reading gives when all its steps are done."""
    steps = read_segmented(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _folder(owner: Any) -> int:
    return case_folder(owner, None, "Strut")


@pytest.fixture
def made(owner: Any, case: Case, tmp_path: Path) -> Any:
    """A segmentation node as made from a file."""
    return show_segmented(owner, taken_in(write_case(case, tmp_path)[1]), _folder(owner), MADE_FROM)


# Seeds


def test_seeds_are_read_in_the_world(scene: Any, owner: Any, nodes: Any, turn: np.ndarray) -> None:
    node = new_seeds(scene, case_folder(owner, None, "Strut"))
    put_seed(node, "T2", (1.0, 2.0, 3.0))
    put_seed(node, "C4", (4.0, 5.0, 60.0))
    put_seed(node, "T2", (1.0, 2.0, 4.0))
    assert [(seed.level, seed.place) for seed in seeds_in(node)] == [
        ("T2", (1.0, 2.0, 4.0)), ("C4", (4.0, 5.0, 60.0)),
    ]  # fmt: skip
    node.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    places = needed_seeds(node)
    assert list(places) == ["C4", "T2"]  # from top to bottom
    assert places["T2"] == pytest.approx(tuple(turn[:3, :3] @ [1.0, 2.0, 4.0] + turn[:3, 3]))
    put_seed(node, "T2", (7.0, 8.0, 9.0))
    assert needed_seeds(node)["T2"] == pytest.approx((7.0, 8.0, 9.0))
    take_seed(node, 1)
    assert [seed.level for seed in seeds_in(node)] == ["T2"]


@pytest.mark.parametrize("labels, words", [
    ((), "press 'Place seed'"), (("C4",), "only C4 has a seed"), (("C4", "F-2"), "'F-2' names no vertebra"),
    (("C4", "T2", "vertebrae_C4"), "C4 has two seeds"),
])  # fmt: skip
def test_seeds_that_do_not_suffice_are_told(scene: Any, labels: tuple[str, ...], words: str) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    for number, label in enumerate(labels):
        node.AddControlPointWorld((0.0, 0.0, float(number)), label)
    with pytest.raises(CaseError, match=words):
        needed_seeds(node)
    with pytest.raises(CaseError, match="press 'Place seed'"):
        needed_seeds(None)


def test_the_command_has_the_ct_and_every_seed(nodes: Any, turn: np.ndarray, tmp_path: Path) -> None:
    import SimpleITK as sitk

    voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) * np.int16(10) - np.int16(500)
    node = nodes.volume(voxels, MATRIX)
    node.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    job = segment_job(volume_of(node), {"C4": (-1.25, 2.0, 3.0), "T2": (4.0, 5.0, -60.0004)}, tmp_path)
    assert job.arguments == (
        "-m", "SpinalStrutDesignerLib.cli", "segment", str(tmp_path / "ct.nrrd"), "--seed", "C4=-1.250,2.000,3.000",
        "--seed", "T2=4.000,5.000,-60.000", "--out", str(job.output), "--progress", "json",
    )  # fmt: skip
    assert job.output.name.endswith(".seg.nrrd") and job.written == (0,)
    image = sitk.ReadImage(str(tmp_path / "ct.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    x, y, z = image.TransformIndexToPhysicalPoint((1, 2, 3))
    assert (-x, -y, z) == pytest.approx(tuple((turn @ MATRIX @ [1.0, 2.0, 3.0, 1.0])[:3]))


# What comes back


def test_what_was_written_is_taken_in_whole(made: Any, case: Case, nodes: Any) -> None:
    read = case_from_nodes(nodes.volume(case.ct.voxels, MATRIX), made)
    assert [s.name for s in read.structures] == ["T1", "airway", "metal"] and read.levels == ("T1",)
    for structure in case.structures:
        mine = read.structure(structure.name).mask
        assert set(map(tuple, np.round(mine.points, 3))) == set(map(tuple, np.round(structure.mask.points, 3)))
    assert made.GetSegmentation().ContainsRepresentation("Closed surface")
    for number, structure in enumerate(case.structures):
        segment = made.GetSegmentation().GetNthSegment(number)
        assert segment.GetColor() == pytest.approx(color_of(structure.name, structure.role, structure.level))
        bounds = np.array(segment.GetRepresentation("Closed surface").GetBounds()).reshape(3, 2)
        np.testing.assert_allclose(bounds.mean(axis=1), structure.mask.points.mean(axis=0), atol=0.3)


def test_what_is_given_up_half_way_leaves_nothing(scene: Any, owner: Any, case: Case, tmp_path: Path) -> None:
    before = scene.GetNumberOfNodes()
    steps = read_segmented(write_case(case, tmp_path)[1])
    next(steps)
    next(steps)
    steps.close()
    assert scene.GetNumberOfNodes() == before and Belongings(owner).get(ROLE) is None


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5])
def test_a_broken_file_is_refused_and_ends_nothing(scene: Any, case: Case, tmp_path: Path, kept: float) -> None:
    path = write_case(case, tmp_path)[1]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(CaseError, match=r"labels.seg.nrrd' holds no segmentation"):
        taken_in(path)


def test_a_label_map_without_segments_is_refused(scene: Any, case: Case, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"ct.nrrd' holds no segmentation"):
        taken_in(write_case(case, tmp_path)[0])


def test_made_ones_are_told_from_others_and_follow_one_another(
    scene: Any, owner: Any, made: Any, case: Case, nodes: Any, tmp_path: Path
) -> None:
    other = nodes.segmentation({"T1": (np.ones((2, 2, 2)), MATRIX)})
    assert made_from(made) == MADE_FROM and made_from(other) == ()
    second = show_segmented(owner, taken_in(write_case(case, tmp_path)[1]), _folder(owner), MADE_FROM)
    remove_superseded(owner, second)
    assert made.GetScene() is None and second.GetScene() is scene and other.GetScene() is scene
    second.GetSegmentation().GetNthSegment(0).SetName("T2")  # a person's work
    third = show_segmented(owner, taken_in(write_case(case, tmp_path)[1]), _folder(owner), MADE_FROM)
    remove_superseded(owner, third)
    assert second.GetScene() is scene and made_from(second) == made_from(third) == MADE_FROM


def test_contents_change_with_a_voxel_a_name_and_a_place(nodes: Any) -> None:
    voxels = np.zeros((6, 6, 6))
    voxels[2:4, 2:4, 2:4] = 1
    wider = np.zeros((8, 8, 8))
    wider[3:5, 3:5, 3:5] = 1
    back = MATRIX.copy()
    back[:3, 3] -= MATRIX[:3, :3] @ [1.0, 1.0, 1.0]
    base = contents(nodes.segmentation({"T1": (voxels, MATRIX)}))
    assert contents(nodes.segmentation({"T1": (wider, back)})) == base  # the same voxels at the same places
    assert contents(nodes.segmentation({"T2": (voxels, MATRIX)})) != base
    assert contents(nodes.segmentation({"T1": (voxels, back)})) != base
    voxels[2, 2, 2] = 0
    assert contents(nodes.segmentation({"T1": (voxels, MATRIX)})) != base


def test_bone_is_solid_neighbours_differ_and_soft_tissue_is_seen_through() -> None:
    assert color_of("T1", "bone", "T1") != color_of("T2", "bone", "T2") == color_of("C7", "bone", "C7")
    assert opacity_of("bone") == opacity_of("metal") == 1.0 > 0.5 > opacity_of("keepout_critical")
    assert color_of("something", None) == color_of("thyroid", "keepout_soft")
