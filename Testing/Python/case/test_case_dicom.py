"""DICOM folders: sorted by position into the same volume as any other form, or refused with the files named."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError

SERIES = "1.2.826.0.1.3680043.8.498.1"
FRAME = "1.2.826.0.1.3680043.8.498.2"


def write_series(scan, folder: Path, change: Callable[[Dataset, int], None] = lambda ds, k: None, uid=SERIES) -> Path:
    """Writes the scan as one file a slice, in an order of names that says nothing about their place."""
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.array(scan.direction, dtype=float).reshape(3, 3)
    for k, slab in enumerate(scan.hu):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[uid, str(k)])
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "CT", uid, 3
        ds.SeriesDescription, ds.FrameOfReferenceUID = "Spine 1.0 bone", FRAME
        ds.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.3"
        ds.Rows, ds.Columns = slab.shape
        ds.PixelSpacing = [scan.spacing[1], scan.spacing[0]]
        ds.SliceThickness = 1.5
        ds.ImageOrientationPatient = [*direction[:, 0].round(8), *direction[:, 1].round(8)]
        position = np.array(scan.image(scan.hu).TransformIndexToPhysicalPoint((0, 0, k)))
        ds.ImagePositionPatient = position.round(5).tolist()
        ds.InstanceNumber = k + 1
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation = 15, 0
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
        ds.PixelData = (slab + 1024).astype("<u2").tobytes()
        change(ds, k)
        if ds.get("Rows"):
            ds.save_as(folder / f"IM{(k * 5) % 14:03d}.dcm", enforce_file_format=True)
    return folder


def drop(*slices: int) -> Callable[[Dataset, int], None]:
    """Leaves these slices out."""

    def change(ds: Dataset, k: int) -> None:
        if k in slices:
            del ds.Rows

    return change


def put(*slices: int, **fields) -> Callable[[Dataset, int], None]:
    """Sets fields (None removes one) in these slices, in all if none are named."""

    def change(ds: Dataset, k: int) -> None:
        if k in slices or not slices:
            for name, value in fields.items():
                if value is None:
                    delattr(ds, name)
                else:
                    setattr(ds, name, value)

    return change


def test_slices_are_sorted_by_place_into_the_same_volume_as_nrrd(scan) -> None:
    dicom, nrrd = read_case(write_series(scan, scan.folder / "series")), read_case(scan.write("ct.nrrd", scan.hu))
    assert np.array_equal(dicom.ct.voxels, nrrd.ct.voxels) and dicom.ct.voxels.dtype == np.int16
    np.testing.assert_allclose(dicom.ct.ijk_to_ras, nrrd.ct.ijk_to_ras, atol=1e-9)
    assert dicom.quality.slice_thickness_mm == 1.5
    assert dicom.name == "series"


def test_oblique_slices_lie_where_simpleitk_says(scan) -> None:
    from dataclasses import replace

    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_euler("xyz", [20, -35, 70], degrees=True).as_matrix()
    turned = replace(scan, direction=tuple(rotation.ravel()))
    case = read_case(write_series(turned, scan.folder / "series"))
    for i, j, k in ((0, 0, 0), (23, 0, 0), (0, 19, 0), (5, 7, 13)):
        np.testing.assert_allclose((case.ct.ijk_to_ras @ [i, j, k, 1])[:3], turned.ras(i, j, k), atol=1e-3)
        assert case.ct.voxels[k, j, i] == scan.hu[k, j, i]


def test_labels_fit_a_dicom_series(scan) -> None:
    case = read_case(write_series(scan, scan.folder / "series"), scan.write("l.nrrd", scan.labels), scan.table())
    assert case.levels == ("C4", "C5")


def test_other_files_in_the_folder_do_not_matter(scan) -> None:
    folder = write_series(scan, scan.folder / "series" / "deep")
    (folder / "readme.txt").write_text("not DICOM")
    (folder.parent / "empty").write_bytes(b"")
    assert read_case(folder.parent).ct.voxels.shape == scan.hu.shape


def test_files_without_a_series_uid_are_one_series(scan) -> None:
    folder = write_series(scan, scan.folder / "series", put(SeriesInstanceUID=""))
    assert np.array_equal(read_case(folder).ct.voxels, scan.hu)


class TestSeveralSeries:
    def folder(self, scan) -> Path:
        folder = scan.folder / "study"
        write_series(scan, folder / "a")
        return write_series(scan, folder / "b", put(SeriesNumber=4, SeriesDescription="Lung 5.0"), SERIES + ".9").parent

    def test_are_listed(self, scan) -> None:
        message = (
            rf"study' holds 2 series; choose one by its UID or number: {SERIES} \(number 3, CT 'Spine 1.0 bone', "
            rf"14 images\); {SERIES}.9 \(number 4, CT 'Lung 5.0', 14 images\)"
        )
        with pytest.raises(CaseError, match=message):
            read_case(self.folder(scan))

    @pytest.mark.parametrize("series", ["3", "4", SERIES, SERIES + ".9"])
    def test_one_is_chosen_by_uid_or_number(self, scan, series: str) -> None:
        assert np.array_equal(read_case(self.folder(scan), series=series).ct.voxels, scan.hu)

    def test_a_choice_that_is_not_there(self, scan) -> None:
        with pytest.raises(CaseError, match=r"holds no series '7'; choose one by its UID: .*number 3.*number 4"):
            read_case(self.folder(scan), series="7")

    def test_a_number_that_two_series_have(self, scan) -> None:
        folder = scan.folder / "study"
        write_series(scan, folder / "a")
        write_series(scan, folder / "b", uid=SERIES + ".9")
        with pytest.raises(CaseError, match=r"holds several series with the number '3'"):
            read_case(folder, series="3")


def tilted(ds: Dataset, k: int) -> None:
    x, y, z = ds.ImagePositionPatient
    ds.ImagePositionPatient = [x, float(y) + k * np.tan(np.radians(12)), z]


def moved(ds: Dataset, k: int) -> None:
    if k == 6:
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, y, float(z) - 0.4]


def doubled(ds: Dataset, k: int) -> None:
    if k == 6:
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, y, float(z) - 1.0]


def spoilt(ds: Dataset, k: int) -> None:
    if k == 4:
        ds.PixelData = ds.PixelData[: len(ds.PixelData) // 2]


@pytest.mark.parametrize(
    "change, message",
    [
        (drop(5), r"1 slice missing: between 'IM006.dcm' and 'IM002.dcm' lie 2 mm, between the others 1; export"),
        (drop(5, 6, 7), r"3 slices missing: between 'IM006.dcm' and 'IM012.dcm' lie 4 mm"),
        (moved, r"uneven slices: between 'IM011.dcm' and 'IM002.dcm' lie 0.6 mm, between the others 1"),
        (doubled, r"'IM002.dcm' and 'IM011.dcm' lie in the same place: two series in one, or copies"),
        (
            put(2, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]),
            r"1 of 14 images are of another orientation: '.*IM010.dcm'; choose a series of one orientation",
        ),
        (tilted, r"tilted gantry: from 'IM000.dcm' to 'IM009.dcm' the slices run 12.0° off their normal; resample"),
        (put(Modality="MR"), r"14 of 14 images are not CT \(Modality MR\): .* and 9 more; choose the CT series"),
        (put(3, RescaleType="US"), r"1 of 14 images are not in Hounsfield units \(RescaleType US\): '.*IM001.dcm'"),
        (
            put(RescaleSlope=None),
            r"14 of 14 images are without rescale slope and intercept: .*not known to be Hounsfield",
        ),
        (
            put(3, RescaleIntercept=0),
            r"1 of 14 images are with another RescaleIntercept .*0.0 against -1024.0\): '.*IM001",
        ),
        (put(NumberOfFrames=2), r"of many frames \(2, enhanced DICOM\).*single-frame"),
        (put(1, ImagePositionPatient=None), r"1 of 14 images are without ImagePositionPatient: '.*IM005.dcm'"),
        (put(1, PixelSpacing=[0.5, 0.5]), r"1 of 14 images are with another PixelSpacing than the rest.*IM005"),
        (put(1, FrameOfReferenceUID="1.2.3"), r"another FrameOfReferenceUID than the rest \(1.2.3 against"),
        (drop(*range(2, 14)), r"the series has only 2 images \('.*IM000.dcm', 'IM005.dcm'\); export all its slices"),
        (spoilt, r"the pixels of 1 of 14 files cannot be read \(Explicit VR Little Endian\): '.*IM006.dcm'; export"),
    ],
)
def test_what_is_no_straight_ct_is_refused_with_its_files(scan, change: Callable, message: str) -> None:
    folder = write_series(scan, scan.folder / "series", change)
    with pytest.raises(CaseError, match=message):
        read_case(folder)


def test_a_file_cut_short_is_refused(scan) -> None:
    folder = write_series(scan, scan.folder / "series")
    path = folder / "IM006.dcm"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CaseError, match=r"the pixels of 1 of 14 files cannot be read .*IM006.dcm'"):
        read_case(folder)


def test_a_folder_without_dicom_is_refused(scan) -> None:
    (scan.folder / "notes.txt").write_text("nothing")
    with pytest.raises(CaseError, match=r"holds no DICOM images; give the folder of the CT series"):
        read_case(scan.folder)


@pytest.fixture(scope="module")
def unpacked(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    with zipfile.ZipFile(data / "synthetic" / "case2_dicom.zip") as archive:
        archive.extractall(folder)
    return folder / "case2_dicom"


def test_the_synthetic_series_equals_its_nrrd_bit_for_bit(data: Path, unpacked: Path) -> None:
    dicom, nrrd = read_case(unpacked), read_case(data / "synthetic" / "case2_c4_t2" / "ct.nrrd")
    assert np.array_equal(dicom.ct.voxels, nrrd.ct.voxels)
    np.testing.assert_allclose(dicom.ct.ijk_to_ras, nrrd.ct.ijk_to_ras, atol=1e-9)


def test_a_slice_taken_out_of_it_is_missed(unpacked: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(unpacked.iterdir())):
        if number != 100:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(CaseError, match=r"1 slice missing: between 'IM0100.dcm' and 'IM0102.dcm' lie 2 mm"):
        read_case(tmp_path)


def test_jpeg_2000_is_decoded(data: Path) -> None:
    folder = data / "real" / "dicom_jpeg2000_t11_t12"
    case = read_case(folder)
    assert case.ct.voxels.shape == (20, 512, 512)
    np.testing.assert_allclose(case.ct.spacing, [0.9765625, 0.9765625, 2.0])
    lowest = min(
        folder.iterdir(), key=lambda p: float(pydicom.dcmread(p, specific_tags=["SliceLocation"]).SliceLocation)
    )
    header = pydicom.dcmread(lowest, stop_before_pixels=True)
    assert case.ct.voxels[0].max() == header.LargestImagePixelValue + header.RescaleIntercept
    assert case.ct.voxels[0].min() == header.SmallestImagePixelValue + header.RescaleIntercept
    assert case.quality.slice_thickness_mm == 3.0
