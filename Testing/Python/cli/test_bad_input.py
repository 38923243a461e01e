"""What a hospital may send that cannot be used, through the command: one readable line, exit 1, nothing written.

The rooms' own tests go through every message; these show that each kind reaches the person at the command line whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import sphere
from LatticeGeneratorLib.mesh.stl import write_stl
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from SpinalStrutDesignerLib import cli
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.presets import preset

UID = "1.2.826.0.1.3680043.8.498."
TABLE = "value,name,role\n1,C4,bone\n2,T2,bone\n7,trachea,keepout_critical\n"
ORIGIN = (-10.0, 20.0, 300.0)  # LPS
MIDDLE = np.array([0.0, -30.0, 307.0])  # RAS


@dataclass(frozen=True)
class Files:
    """A small scan in a folder of its own, whole unless a test spoils it. hu, labels: (k, j, i), voxels of 1 mm."""

    folder: Path
    hu: np.ndarray
    labels: np.ndarray

    def image(self, name: str, voxels: np.ndarray, origin: tuple[float, float, float] = ORIGIN) -> Path:
        """Writes voxels as an image."""
        picture = sitk.GetImageFromArray(voxels)
        picture.SetOrigin(origin)
        sitk.WriteImage(picture, str(self.folder / name))
        return self.folder / name

    def text(self, name: str, content: str) -> Path:
        """Writes a text."""
        (self.folder / name).write_text(content, encoding="utf-8")
        return self.folder / name

    def stl(self, name: str, mesh: Mesh) -> Path:
        """Writes a surface."""
        write_stl(self.folder / name, mesh)
        return self.folder / name

    def series(self, change: Callable[[Dataset, int], None] = lambda slab, k: None, number: int = 1) -> Path:
        """Writes the scan as a DICOM series, less slices whose Rows change takes away, and gives its folder."""
        folder = self.folder / "dicom"
        folder.mkdir(exist_ok=True)
        for k, voxels in enumerate(self.hu):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
            meta.MediaStorageSOPInstanceUID = f"{UID}{number}.{k}"
            slab = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
            slab.SOPClassUID, slab.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            slab.Modality, slab.SeriesInstanceUID, slab.SeriesNumber = "CT", f"{UID}{number}", number
            slab.Rows, slab.Columns = voxels.shape
            slab.PixelSpacing, slab.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
            slab.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + k]
            slab.SamplesPerPixel, slab.PhotometricInterpretation = 1, "MONOCHROME2"
            slab.BitsAllocated, slab.BitsStored, slab.HighBit, slab.PixelRepresentation = 16, 16, 15, 0
            slab.RescaleSlope, slab.RescaleIntercept, slab.RescaleType = 1, -1024, "HU"
            slab.PixelData = (voxels + 1024).astype("<u2").tobytes()
            change(slab, k)
            if slab.get("Rows"):
                slab.save_as(folder / f"S{number}_{k:02d}.dcm", enforce_file_format=True)
        return folder


@pytest.fixture
def files(tmp_path: Path) -> Files:
    hu = np.full((14, 20, 20), 40, np.int16)
    hu[:, :3] = -1000
    labels = np.zeros(hu.shape, np.uint8)
    labels[9:13, 8:15, 5:15], labels[1:5, 8:15, 5:15], labels[5:9, 4:7, 8:12] = 1, 2, 7
    hu[(labels == 1) | (labels == 2)] = 700
    (tmp_path / "files").mkdir()
    made = Files(tmp_path / "files", hu, labels)
    made.image("ct.nrrd", hu)
    made.image("labels.nrrd", labels)
    made.text("labels.csv", TABLE)
    return made


@pytest.fixture
def told(files: Files, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `spinal-strut design` says about these files with some options replaced (None takes one out), having seen to
    it that it says that alone, ends with 1 and writes nothing."""

    def run(ct: Path | None = None, *more: str, **options: object) -> str:
        given = {"labels": files.folder / "labels.nrrd", "roles": files.folder / "labels.csv", "from": "C4", "to": "T2"}
        given.update(options)
        pairs = [(f"--{name}", str(value)) for name, value in given.items() if value is not None]
        command = [str(ct or files.folder / "ct.nrrd"), *more, *(word for pair in pairs for word in pair)]
        before = sorted(tmp_path.rglob("*"))
        capfd.readouterr()
        assert cli.main(["design", *command, "--out", str(tmp_path / "out")]) == 1
        said = capfd.readouterr()
        lines = [line for line in said.err.splitlines() if not re.match(r" *\d+ %  ", line)]  # the progress bar's
        assert said.out == "" and len(lines) == 1, said
        assert lines[0].startswith("spinal-strut: ") and "not foreseen" not in lines[0]
        assert sorted(tmp_path.rglob("*")) == before
        return lines[0].removeprefix("spinal-strut: ")

    return run


def _without(*slices: int) -> Callable[[Dataset, int], None]:
    def change(slab: Dataset, k: int) -> None:
        if k in slices:
            del slab.Rows

    return change


def _turned(slab: Dataset, k: int) -> None:
    if k == 4:
        slab.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]


def _tilted(slab: Dataset, k: int) -> None:
    slab.ImagePositionPatient = [ORIGIN[0], ORIGIN[1] + 0.2 * k, ORIGIN[2] + k]


def _in_other_units(slab: Dataset, k: int) -> None:
    if k == 6:
        slab.RescaleType = "US"


def _without_units(slab: Dataset, k: int) -> None:
    del slab.RescaleSlope


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without(5), ("1 slice missing", "'S1_04.dcm' and 'S1_06.dcm'", "export the whole series")),
        (_turned, ("1 of 14 images are of another orientation", "S1_04.dcm", "choose a series of one orientation")),
        (_tilted, ("tilted gantry", "'S1_00.dcm' to 'S1_13.dcm'", "11.3°", "resample")),
        (_in_other_units, ("not in Hounsfield units (RescaleType US)", "S1_06.dcm", "export")),
        (_without_units, ("14 of 14 images are without rescale slope", "S1_00.dcm", "Hounsfield")),
    ],
)
def test_dicom_that_is_no_straight_ct_is_refused_with_its_files(files, told, change, words):
    said = told(files.series(change))
    assert all(word in said for word in words), said


def test_of_several_series_one_must_be_chosen(files, told):
    files.series(number=1)
    folder = files.series(number=2)
    said = told(folder)
    assert "holds 2 series; choose one by its UID or number" in said
    assert f"{UID}1 (number 1" in said and f"{UID}2 (number 2" in said
    assert "holds no series '7'" in told(folder, series="7")
    # With a choice the command goes on, to the next thing that cannot be: these bones have no endplates.
    assert "series" not in told(folder, series="2")


def test_surfaces_must_be_closed_and_lie_in_the_ct_s_frame(files, told):
    ball = sphere(MIDDLE, 3.0)
    whole = files.stl("whole.stl", ball)
    torn = files.stl("torn.stl", Mesh(ball.vertices, ball.faces[1:]))
    mirrored = files.stl("mirrored.stl", sphere(MIDDLE * [-1.0, -1.0, 1.0], 3.0))
    said = told(None, "--surface", f"aorta={torn}")
    assert "torn.stl' is not closed (" in said and "close its holes, or give a label map instead" in said
    said = told(None, "--surface", f"aorta={mirrored}")
    assert (
        "mirrored.stl' lies outside the CT: it reaches from [" in said and "names the wrong frame (LPS or RAS)" in said
    )
    assert "there is no surface file" in told(None, "--surface", f"aorta={files.folder / 'gone.stl'}")
    assert "surface" not in told(None, "--surface", f"aorta={whole}")


def test_a_label_map_with_another_frame_is_refused(files, told):
    moved = files.image("moved.nrrd", files.labels, (-10.0, 20.0, 301.0))
    said = told(labels=moved)
    assert "moved.nrrd' does not lie on the CT's grid" in said
    assert "from [10.0, -20.0, 301.0] RAS" in said and "from [10.0, -20.0, 300.0] RAS" in said and "resample" in said


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TABLE + "9,rod,steel\n", "labels.csv', row 5: 'rod' has the role 'steel'; roles are bone, disc, keepout_crit"),
        (TABLE + "2,T3,bone\n", "labels.csv', row 5: the value 2 is there twice"),
        ("name,role\nC4,bone\n", "labels.csv' has no column 'value'"),
    ],
)
def test_a_role_table_that_is_none_is_refused_by_row(files, told, table, words):
    files.text("labels.csv", table)
    assert words in told()


def test_files_that_are_missing_or_unreadable_are_named(files, told):
    assert "there is no file" in told(files.folder / "gone.nrrd")
    assert "there is no file" in told(labels=files.folder / "gone.nrrd")
    assert "gone.csv' is not a file" in told(roles=files.folder / "gone.csv")
    assert "labels.csv' is no image this program reads" in told(files.folder / "labels.csv")
    broken = files.text("broken.nrrd", "NRRD0004\ntype: short\n\n")
    assert "broken.nrrd' cannot be read as an image" in told(broken)
    windowed = files.image("windowed.nrrd", files.hu + np.int16(1024))
    said = told(windowed)
    assert "windowed.nrrd' has values from 24 to 1724" in said and "not Hounsfield units" in said
    assert "holds no DICOM images" in told(files.folder)
    said = told(roles=None)
    assert "a label map's values say nothing by themselves" in said
    assert "--roles FILE.csv, --roles totalsegmentator or --roles verse" in said


def test_docking_levels_must_be_there_and_in_order(files, told):
    assert "the case has no vertebra C3; labelled are: C4, T2" in told(**{"from": "C3"})
    assert "lower: C4 does not lie below upper, T2" in told(**{"from": "T2", "to": "C4"})
    assert "upper: 'C9' is no vertebra" in told(**{"from": "C9"})
    assert "give the docking levels with --from and --to" in told(**{"from": None})


def test_names_of_levels_that_are_not_known_are_reported_and_never_guessed(files, told, capfd):
    files.text("labels.csv", TABLE.replace("C4,bone", "Cerv4,"))
    case = [str(files.folder / "ct.nrrd"), "--labels", str(files.folder / "labels.nrrd")]
    assert cli.main(["inspect", *case, "--roles", str(files.folder / "labels.csv")]) == 0
    assert "names with no known meaning, used for nothing: 'Cerv4' (value 1)" in capfd.readouterr().out
    assert told() == "the case has no vertebra C4; labelled are: T2"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"width_mm": 10.0', '"width_mm": 400', "section.width_mm: 400 mm is outside 2 to 40 mm"),
        ('"width_mm": 10.0', '"widht_mm": 10', "section.widht_mm: no such field; did you mean width_mm"),
        ('"schema": 2', '"schema": 3', "schema: 3 is newer than 2"),
        ('"lower": "T2"', '"lower": "T2", "lower": "T3"', "the field 'lower' is given more than once"),
        ('"upper": "C4"', '"upper": C4', "plan: not valid JSON"),
    ],
)
def test_a_plan_file_is_refused_by_the_field_s_name(files, told, old, new, words):
    text = plan_to_json(preset("case2", "C4", "T2"))
    assert old in text
    path = files.text("plan.json", text.replace(old, new, 1))
    assert words in told(plan=path, **{"from": None, "to": None})


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("section.width_mm=400", "section.width_mm: 400 mm is outside 2 to 40 mm"),
        ("section.widht_mm=12", "section.widht_mm: no such field; did you mean width_mm"),
        ("section.width_mm=wide", "section.width_mm: 'wide' is not a number"),
        ("width_mm", "'width_mm' is no setting; write field=value"),
    ],
)
def test_a_bad_setting_is_refused_by_name(told, setting, words):
    assert words in told(**{"set": setting})


def _in_two(files: Files) -> None:
    files.labels[3, 8:15, 5:15] = 0


def _hollow(files: Files) -> None:
    files.labels[2:4, 9:14, 6:14] = 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_in_two, "2 pieces, and 33 % of it is loose"), (_hollow, "closed holes of 40 % of its volume")],
)
def test_a_docking_vertebra_whose_label_is_broken_is_refused(files, told, spoil, words):
    spoil(files)
    files.image("labels.nrrd", files.labels)
    said = told()
    assert "the label of T2 is no sound bone" in said and words in said and "Segment Editor" in said
