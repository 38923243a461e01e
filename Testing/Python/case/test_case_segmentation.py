"""Slicer segmentation files: layers, cropping, names and terminology."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError

CORD = (
    "TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical "
    "Structure~SCT^2748008^Spinal cord~^^~Anatomic codes - DICOM master list~^^~^^|Segmentation.Status:inprogress|"
)


def write_segmentation(scan, layers: list[np.ndarray], segments: list[dict[str, str]], start=(0, 0, 0)) -> Path:
    """A .seg.nrrd laid out as Slicer 5 writes it: layers (k, j, i) from voxel start (i, j, k), fields by segment."""
    stack = np.stack(layers, axis=-1) if len(layers) > 1 else layers[0]
    origin = scan.image(scan.hu).TransformIndexToPhysicalPoint(start)
    di, dj, dk = scan.spacing
    axes = [f"({di},0,0)", f"(0,{dj},0)", f"(0,0,{dk})"]
    sizes = [str(n) for n in stack.shape[2::-1]]
    several = len(layers) > 1
    lines = [
        "NRRD0004",
        "type: unsigned char",
        f"dimension: {3 + several}",
        "space: left-posterior-superior",
        "sizes: " + " ".join([str(len(layers))] * several + sizes),
        "space directions: " + " ".join(["none"] * several + axes),
        "kinds: " + " ".join(["list"] * several + ["domain"] * 3),
        "encoding: raw",
        "space origin: ({},{},{})".format(*origin),
        *(f"Segment{n}_{key}:={value}" for n, fields in enumerate(segments) for key, value in fields.items()),
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
    ]
    path = scan.folder / "spine.seg.nrrd"
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + stack.astype(np.uint8).tobytes())
    return path


def segment(name: str, value: int, layer: int = 0, tags: str = "") -> dict[str, str]:
    return {"ID": f"S_{name}", "Name": name, "LabelValue": str(value), "Layer": str(layer), "Tags": tags}


def test_names_layers_and_terminology(scan) -> None:
    cord = np.zeros_like(scan.labels)
    cord[1:6, 9:12, 8:12] = 1
    path = write_segmentation(
        scan,
        [scan.labels, cord],
        [
            segment("C4", 1),
            segment("my cord", 1, 1, CORD),
            segment("vertebrae_C5", 2),
            segment("blob", 7),
            segment("later", 9),
        ],
    )
    case = read_case(scan.write("ct.nrrd", scan.hu), path)
    assert [(s.name, s.role, s.level) for s in case.structures] == [
        ("C4", "bone", "C4"),
        ("my cord", "keepout_critical", None),
        ("vertebrae_C5", "bone", "C5"),
    ]
    assert case.unknown == ("'blob', 120 voxels",)
    for name, marked in (("C4", scan.labels == 1), ("my cord", cord == 1), ("C5", scan.labels == 2)):
        expected = np.array([scan.ras(int(i), int(j), int(k)) for k, j, i in np.argwhere(marked)])
        np.testing.assert_allclose(case.structure(name).mask.points, expected, atol=1e-9)


def test_a_cropped_segmentation_stays_in_its_place(scan) -> None:
    path = write_segmentation(scan, [scan.labels[1:13, 4:, 6:]], [segment("C4", 1)], start=(6, 4, 1))
    case = read_case(scan.write("ct.nrrd", scan.hu), path)
    expected = np.array([scan.ras(int(i), int(j), int(k)) for k, j, i in np.argwhere(scan.labels == 1)])
    np.testing.assert_allclose(case.structure("C4").mask.points, expected, atol=1e-9)


def test_files_of_old_slicers_have_a_layer_for_each_segment(scan) -> None:
    layers = [scan.labels == 1, scan.labels == 2]
    path = write_segmentation(scan, layers, [{"ID": "S_0", "Name": "C4"}, {"ID": "S_1", "Name": "C5"}])
    case = read_case(scan.write("ct.nrrd", scan.hu), path)
    assert [case.structure(level).mask.voxels.sum() for level in ("C4", "C5")] == [280, 280]


def test_a_table_gives_roles_by_name(scan) -> None:
    path = write_segmentation(scan, [scan.labels], [segment("C4", 1), segment("blob", 7)])
    roles = scan.table("name,role\nblob,keepout_soft\n")
    case = read_case(scan.write("ct.nrrd", scan.hu), path, roles)
    assert case.structure("blob").role == "keepout_soft" and case.unknown == ()


def test_a_segmentation_of_another_scan_is_refused(scan) -> None:
    from dataclasses import replace

    path = write_segmentation(replace(scan, origin=(-40.0, 34.0, 560.0)), [scan.labels], [segment("C4", 1)])
    with pytest.raises(
        CaseError, match=r"spine.seg.nrrd' reaches out of the CT: it has 24×20×14 voxels .* \[40.0, -34"
    ):
        read_case(scan.write("ct.nrrd", scan.hu), path)


@pytest.mark.parametrize(
    "fields, message",
    [
        ([], r"does not say its segments \(Segment0_ID"),
        ([{"ID": "a", "Name": "C4", "LabelValue": "one"}], r"segment 'C4' has LabelValue 'one', which is no number"),
        (
            [{"ID": "a", "Name": "C4", "LabelValue": "1", "Layer": "3"}],
            r"segment 'C4' is in layer 3, but the file has 1",
        ),
        ([segment("C4", 1), segment("C4 vertebra", 2)], r"'C4 vertebra' and 'C4' are both 'C4'"),
    ],
)
def test_a_segmentation_that_contradicts_itself_is_refused(scan, fields: list, message: str) -> None:
    path = write_segmentation(scan, [scan.labels], fields)
    with pytest.raises(CaseError, match=message):
        read_case(scan.write("ct.nrrd", scan.hu), path)
