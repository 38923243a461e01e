"""DICOM segmentation objects as highdicom writes them: geometry, overlaps, empty frames, frames of reference."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError
from test_case_dicom import write_series

FOUR = Code("5329002", "SCT", "C4 vertebra")
CORD = Code("2748008", "SCT", "Spinal cord")
BLOB = Code("4147007", "SCT", "Mass")


@pytest.fixture
def hd():
    return pytest.importorskip("highdicom")


def write_seg(hd, series: Path, masks: np.ndarray, terms: list[tuple[str, Code]], path: Path, kind="BINARY") -> Path:
    """masks: (k, j, i, segment) in the order of the CT's slices; terms: (label, type) of each."""
    slices = [pydicom.dcmread(p) for p in series.glob("*.dcm")]
    normal = np.cross(slices[0].ImageOrientationPatient[:3], slices[0].ImageOrientationPatient[3:])
    slices.sort(key=lambda s: float(np.dot(normal, s.ImagePositionPatient)))
    for one in slices:
        one.PatientID = one.PatientName = one.PatientBirthDate = one.PatientSex = one.AccessionNumber = ""
        one.StudyID = one.StudyDate = one.StudyTime = one.ReferringPhysicianName = ""
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=n,
            segment_label=label,
            segmented_property_category=Code("123037004", "SCT", "Anatomical Structure"),
            segmented_property_type=term,
            algorithm_type="MANUAL",
        )
        for n, (label, term) in enumerate(terms, start=1)
    ]
    seg = hd.seg.Segmentation(
        source_images=slices,
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=hd.UID(),
        series_number=9,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=True,
    )
    seg.save_as(path)
    return path


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_overlapping_segments_lie_where_they_were_drawn(hd, scan, turned, tmp_path, oblique, kind) -> None:
    if oblique:
        scan = turned(scan)
    series = write_series(scan, tmp_path / "ct")
    four = scan.labels == 1
    cord = np.zeros_like(four)
    cord[1:4, 9:12, 8:12] = cord[9:12, 9:12, 8:12] = True  # overlaps C4, and misses frames in its middle
    blob = scan.labels == 7
    # A left-handed CT is turned over slice by slice by whoever sorts along the normal.
    masks = np.stack([four, cord, blob], axis=-1)
    sign = -1 if np.linalg.det(np.array(scan.direction, dtype=float).reshape(3, 3)) < 0 else 1
    path = write_seg(
        hd, series, masks[::sign].astype(float if kind == "FRACTIONAL" else np.uint8),
        [("upper", FOUR), ("my cord", CORD), ("something", BLOB)], tmp_path / "spine.dcm", kind,
    )  # fmt: skip
    case = read_case(series, path)
    assert [(s.name, s.role, s.level) for s in case.structures] == [
        ("upper", "bone", "C4"), ("my cord", "keepout_critical", None)
    ]  # fmt: skip
    assert case.unknown == (f"'something', {int(blob.sum())} voxels",)
    for name, drawn in (("C4", four), ("my cord", cord)):
        expected = np.array([scan.ras(int(i), int(j), int(k)) for k, j, i in np.argwhere(drawn)])
        found = case.structure(name).mask.points
        np.testing.assert_allclose(np.sort(found, axis=0), np.sort(expected, axis=0), atol=1e-3)
    # The same on the CT as one file, which tells no frame of reference.
    assert len(read_case(scan.write("ct.nrrd", scan.hu), path).structures) == 2


def test_a_role_table_names_what_no_term_does(hd, scan, tmp_path) -> None:
    series = write_series(scan, tmp_path / "ct")
    path = write_seg(hd, series, (scan.labels == 7)[..., None].astype(np.uint8), [("x", BLOB)], tmp_path / "s.dcm")
    table = tmp_path / "roles.csv"
    table.write_text("name,role\nx,keepout_soft\n")
    assert [s.role for s in read_case(series, path, table).structures] == ["keepout_soft"]


def test_another_frame_of_reference_is_refused(hd, scan, tmp_path) -> None:
    series = write_series(scan, tmp_path / "ct")
    path = write_seg(hd, series, (scan.labels == 1)[..., None].astype(np.uint8), [("C4", FOUR)], tmp_path / "s.dcm")
    other = pydicom.dcmread(path)
    other.FrameOfReferenceUID = "1.2.3.4"
    other.save_as(path)
    with pytest.raises(CaseError, match=r"frame of reference '1\.2\.3\.4', the CT is in '1\.2\.826.*second image"):
        read_case(series, path)


def test_a_segmentation_that_lies_elsewhere_is_refused(hd, scan, tmp_path) -> None:
    series = write_series(scan, tmp_path / "ct")
    path = write_seg(hd, series, (scan.labels == 1)[..., None].astype(np.uint8), [("C4", FOUR)], tmp_path / "s.dcm")
    moved = pydicom.dcmread(path)
    for frame in moved.PerFrameFunctionalGroupsSequence:
        place = frame.PlanePositionSequence[0]
        place.ImagePositionPatient = [place.ImagePositionPatient[0] + 300, *place.ImagePositionPatient[1:]]
    moved.save_as(path)
    with pytest.raises(CaseError, match="reaches out of the CT"):
        read_case(series, path)


def test_slices_that_make_no_volume_are_refused(hd, scan, tmp_path) -> None:
    series = write_series(scan, tmp_path / "ct")
    path = write_seg(hd, series, (scan.labels == 1)[..., None].astype(np.uint8), [("C4", FOUR)], tmp_path / "s.dcm")
    uneven = pydicom.dcmread(path)
    place = uneven.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
    place.ImagePositionPatient = [*place.ImagePositionPatient[:2], place.ImagePositionPatient[2] + 0.4]
    uneven.save_as(path)
    with pytest.raises(CaseError, match=r"the segment 'C4' of .* is no regular volume.*export it again"):
        read_case(series, path)


def test_without_highdicom_the_remedy_is_told(scan, tmp_path, monkeypatch) -> None:
    from SpinalStrutDesignerLib.case.dicom_seg import structures_of_dicom_seg

    monkeypatch.setitem(sys.modules, "highdicom", None)
    monkeypatch.setitem(sys.modules, "highdicom.seg", None)
    ct = read_case(scan.write("ct.nrrd", scan.hu)).ct
    with pytest.raises(CaseError, match=r"needs the package highdicom.*pip install.*\.seg\.nrrd"):
        structures_of_dicom_seg(tmp_path / "s.dcm", ct, None, None)
