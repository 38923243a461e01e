"""Reading a CT and a label map: one patient in RAS from any form, and a remedy for whatever cannot be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.roles import known_role
from SpinalStrutDesignerLib.errors import CaseError


def test_a_label_map_becomes_structures(scan) -> None:
    case = read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), scan.table())
    assert case.levels == ("C4", "C5")
    assert [(s.name, s.role, s.value) for s in case.structures] == [
        ("C4", "bone", 1),
        ("C5", "bone", 2),
        ("trachea", "keepout_critical", 7),
    ]
    assert case.unknown == ()
    assert case.name == scan.folder.name
    assert np.array_equal(case.ct.voxels, scan.hu)
    for structure in case.structures:
        kji = np.argwhere(scan.labels == structure.value)
        expected = np.array([scan.ras(int(i), int(j), int(k)) for k, j, i in kji])
        np.testing.assert_allclose(structure.mask.points, expected, atol=1e-9)
    assert case.structure("C4").mask.volume == pytest.approx(4 * 7 * 10 * 0.6 * 0.7 * 1.0)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".nii.gz"])
@pytest.mark.parametrize("oblique", [False, True])
def test_every_format_and_orientation_gives_the_same_ras_points(scan, turned, suffix: str, oblique: bool) -> None:
    scan = turned(scan) if oblique else scan
    case = read_case(scan.write("scan" + suffix, scan.hu))
    for i, j, k in ((0, 0, 0), (23, 0, 0), (0, 19, 0), (0, 0, 13), (5, 7, 11)):
        np.testing.assert_allclose((case.ct.ijk_to_ras @ [i, j, k, 1])[:3], scan.ras(i, j, k), atol=1e-4)
        assert case.ct.sample(scan.ras(i, j, k)[None])[0] == pytest.approx(scan.hu[k, j, i], abs=0.5)


def test_nrrd_in_ras_is_the_same_patient(scan) -> None:
    path = scan.write("lps.nrrd", scan.hu)
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    text = head.decode().replace("left-posterior-superior", "right-anterior-superior")
    ras = scan.folder / "ras.nrrd"
    ras.write_bytes(text.encode() + b"\n\n" + voxels)
    expected = np.diag([-1, -1, 1, 1]) @ read_case(path).ct.ijk_to_ras
    np.testing.assert_allclose(read_case(ras).ct.ijk_to_ras, expected)


@settings(deadline=None)  # speed is judged in the benchmarks
@given(st.permutations([0, 1, 2]), st.tuples(*[st.booleans()] * 3))
def test_storage_order_does_not_matter(order: list[int], flips: tuple[bool, bool, bool]) -> None:
    """The same scan stored along other axes has its structures in the same place."""
    import tempfile

    rng = np.random.default_rng(5)
    hu = rng.integers(-900, 900, (6, 7, 8)).astype(np.int16)
    labels = np.zeros_like(hu, dtype=np.uint8)
    labels[2:4, 1:5, 3:6] = 4
    spacing = (0.5, 0.75, 1.25)

    def points(image: sitk.Image, marks: sitk.Image) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            sitk.WriteImage(image, f"{folder}/a.nrrd")
            sitk.WriteImage(marks, f"{folder}/b.nrrd")
            case = read_case(f"{folder}/a.nrrd", f"{folder}/b.nrrd", "verse")
        found = case.structure("C4").mask.points
        return found[np.lexsort(found.T.round(6))]

    image, marks = sitk.GetImageFromArray(hu), sitk.GetImageFromArray(labels)
    for picture in (image, marks):
        picture.SetSpacing(spacing)
        picture.SetOrigin((3.0, -4.0, 5.0))
    expected = points(image, marks)
    stored = [sitk.Flip(sitk.PermuteAxes(picture, order), flips) for picture in (image, marks)]
    np.testing.assert_allclose(points(*stored), expected, atol=1e-6)


def test_digest_covers_voxels_place_labels_and_roles(scan) -> None:
    ct, labels = scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels)
    base = read_case(ct, labels, scan.table()).digest
    assert read_case(ct, labels, scan.table()).digest == base
    digests = {base, read_case(ct).digest}
    digests.add(read_case(ct, labels, scan.table("value,name,role\n1,C4,bone\n2,C6,bone\n7,trachea,")).digest)
    digests.add(read_case(ct, labels, scan.table("value,name,role\n1,C4,bone\n2,C5,\n7,trachea,keepout_soft")).digest)
    hu, marks = scan.hu.copy(), scan.labels.copy()
    hu[0, 0, 0] += 1
    marks[13, 19, 23] = 2
    digests.add(read_case(scan.write("ct2.nrrd", hu), labels, scan.table()).digest)
    digests.add(read_case(ct, scan.write("labels2.nrrd", marks), scan.table()).digest)
    assert len(digests) == 6
    assert all(len(d) == 64 for d in digests)


def test_the_same_scan_as_nifti_has_the_same_voxels(scan) -> None:
    nrrd, nifti = read_case(scan.write("a.nrrd", scan.hu)), read_case(scan.write("b.nii.gz", scan.hu))
    assert np.array_equal(nrrd.ct.voxels, nifti.ct.voxels) and nifti.ct.voxels.dtype == np.int16


def test_whole_numbers_in_a_float_image_become_int16_and_fractions_stay(scan) -> None:
    assert read_case(scan.write("a.nii.gz", scan.hu.astype(np.float32))).ct.voxels.dtype == np.int16
    fractions = read_case(scan.write("b.nii.gz", scan.hu.astype(np.float32) + 0.25)).ct.voxels
    np.testing.assert_array_equal(fractions, scan.hu + np.float32(0.25))


def test_missing_numbers_and_padding_become_air_and_are_told(scan) -> None:
    hu = scan.hu.astype(np.float32)
    hu[0, :, :2] = np.nan
    case = read_case(scan.write("a.nrrd", hu))
    assert case.ct.voxels[0, 0, 0] == -1024
    assert any("hold no number" in note for note in case.quality.notes)
    padded = scan.hu.copy()
    padded[:, :, 0] = -3024
    case = read_case(scan.write("b.nrrd", padded))
    assert case.ct.voxels.min() == -1024
    assert any("outside the scanned circle" in note for note in case.quality.notes)


class TestRoles:
    def test_totalsegmentators_own_table(self, scan) -> None:
        labels = np.select([scan.labels == 1, scan.labels == 2, scan.labels == 7], [47, 46, 16]).astype(np.uint8)
        table = scan.table(
            "group,original_idx,structure,id\norgans,16,trachea,16\nvertebrae,22,vertebrae_C5,46\n"
            "vertebrae,23,vertebrae_C4,47\norgans,1,spleen,1\n"
        )
        ct, path = scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", labels)
        for roles in (table, "totalsegmentator"):
            case = read_case(ct, path, roles)
            assert case.levels == ("C4", "C5")
            assert case.structure("trachea").role == "keepout_critical"

    def test_verse_numbers(self, scan) -> None:
        labels = np.where(scan.labels == 7, 0, scan.labels) * 7
        case = read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", labels.astype(np.uint8)), "verse")
        assert case.levels == ("C7", "T7")

    def test_unknown_names_are_reported_and_not_used(self, scan) -> None:
        table = scan.table("value,name,role\n1,C4,bone\n7,blob,\n")
        case = read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), table)
        assert [s.name for s in case.structures] == ["C4"]
        assert case.unknown == ("value 2, 280 voxels", "'blob' (value 7), 120 voxels")

    def test_a_role_given_wins_over_the_known_one(self, scan) -> None:
        table = scan.table("value,name,role\n1,C4,\n2,C5,bone\n7,trachea,keepout_soft\n")
        case = read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), table)
        assert case.structure("trachea").role == "keepout_soft"

    @pytest.mark.parametrize(
        "name, role",
        [
            ("vertebrae_S1", "bone"),
            ("rib_left_10", "bone"),
            ("Spinal cord", "keepout_critical"),
            ("trachea_airway", "keepout_critical"),
            ("subclavian_artery_left", "keepout_critical"),
            ("lung_upper_lobe_right", "keepout_soft"),
            ("intervertebral_discs", "disc"),
            ("metal", "metal"),
            ("my notes", None),
            ("not a trachea", None),
        ],
    )
    def test_known_names(self, name: str, role: str | None) -> None:
        assert known_role(name) == role

    def test_every_class_of_totalsegmentator_has_a_role(self) -> None:
        from SpinalStrutDesignerLib.case.roles import role_table

        table = role_table("totalsegmentator")
        assert sorted(table) == list(range(1, 118))
        assert [m.name for m in table.values() if m.role is None] == []
        assert (table[47].level, table[50].level, table[43].level, table[31].level) == ("C4", "C1", "T1", "L1")


class TestRefused:
    @pytest.mark.parametrize(
        "table, message",
        [
            (None, r"role table.*totalsegmentator or verse .*--roles FILE\.csv"),
            ("value,name,role\n1,C4,hard\n", r"labels.csv', row 2: 'C4' has the role 'hard'; roles are bone, disc"),
            ("value,name,role\nx,C4,bone\n", r"row 2: the value 'x' is no whole number"),
            ("value,name,role\n1,C4,bone\n1,C5,bone\n", r"row 3: the value 1 is there twice"),
            ("value,name,role\n1,C4,bone\n2,C4,bone\n", r"row 3: the name 'C4' is there twice"),
            ("value,name,role\n1,C4,bone\n2,vertebrae_C4,bone\n", r"'vertebrae_C4' and 'C4' are both 'C4'"),
            ("value,name,role\n1,C4,keepout_soft\n", r"'C4' is a vertebra and has the role 'keepout_soft'"),
            ("value,name,role\n1,,bone\n", r"row 2: a structure has no name"),
            ("name,role\nC4,bone\n", r"no column 'value' \(it has: name, role\)"),
        ],
    )
    def test_role_tables(self, scan, table: str | None, message: str) -> None:
        roles = scan.table(table) if table else None
        with pytest.raises(CaseError, match=message):
            read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), roles)

    def test_missing_role_table(self, scan) -> None:
        with pytest.raises(CaseError, match=r"'nowhere.csv' is not a file"):
            read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), "nowhere.csv")

    def test_labels_on_another_grid(self, scan, turned) -> None:
        ct = scan.write("ct.nrrd", scan.hu)
        cut = scan.write("cut.nrrd", scan.labels[1:])
        turned_scan = turned(scan)
        oblique = turned_scan.write("oblique.nrrd", scan.labels)
        for labels in (cut, oblique):
            with pytest.raises(CaseError, match=rf"{labels.name}' does not lie on the CT's grid: .*24×20×14.*resample"):
                read_case(ct, labels, "verse")

    def test_labels_with_fractions_or_nothing_in_them(self, scan) -> None:
        ct = scan.write("ct.nrrd", scan.hu)
        with pytest.raises(CaseError, match=r"half.nrrd' holds fractions: resample labels with nearest neighbour"):
            read_case(ct, scan.write("half.nrrd", scan.labels * np.float32(0.5)), "verse")
        with pytest.raises(CaseError, match=r"none.nrrd' is empty"):
            read_case(ct, scan.write("none.nrrd", scan.labels * 0), "verse")
        with pytest.raises(CaseError, match=r"low.nrrd' has values from -7 to 0; labels are 0 to 65535"):
            read_case(ct, scan.write("low.nrrd", -scan.labels.astype(np.int16)), "verse")

    @pytest.mark.parametrize(
        "change, message",
        [
            (lambda hu: hu + 1024, r"has values from 0 to 17\d\d: nothing is below water.*rescale slope and intercept"),
            (
                lambda hu: (hu / 1000).astype(np.float32),
                r"has values from .*: no bone.*without windowing or normalisation",
            ),
            (lambda hu: hu * np.float32(np.nan), r"holds no number at all"),
        ],
    )
    def test_values_that_are_no_hounsfield_units(self, scan, change: Callable, message: str) -> None:
        hu = scan.hu.copy()
        hu[0, 0, 0] = -1024
        with pytest.raises(CaseError, match=r"odd.nrrd' " + message):
            read_case(scan.write("odd.nrrd", change(hu)))

    def test_files_that_are_no_image(self, scan) -> None:
        broken = scan.folder / "broken.nrrd"
        broken.write_bytes(b"NRRD0004\ntype: short\n\n")
        with pytest.raises(CaseError, match=r"broken.nrrd' cannot be read as an image .* export it again"):
            read_case(broken)
        with pytest.raises(CaseError, match=r"there is no file '.*gone.nrrd'"):
            read_case(scan.folder / "gone.nrrd")
        other = scan.folder / "scan.zip"
        other.write_bytes(b"PK")
        with pytest.raises(CaseError, match=r"scan.zip' is no image this program reads: give .nrrd.*DICOM folder"):
            read_case(other)

    def test_more_than_three_dimensions(self, scan) -> None:
        several = sitk.JoinSeries([scan.image(scan.hu), scan.image(scan.hu)])
        sitk.WriteImage(several, str(scan.folder / "4d.nii.gz"))
        with pytest.raises(CaseError, match=r"4d.nii.gz' has 4 dimensions"):
            read_case(scan.folder / "4d.nii.gz")
        colour = sitk.Compose([scan.image(scan.hu)] * 3)
        sitk.WriteImage(colour, str(scan.folder / "rgb.nrrd"))
        with pytest.raises(CaseError, match=r"rgb.nrrd' holds 3 values for each voxel; a CT has one"):
            read_case(scan.folder / "rgb.nrrd")

    def test_an_image_that_does_not_say_how_it_lies(self, scan) -> None:
        path = scan.write("ct.nrrd", scan.hu)
        head, voxels = path.read_bytes().split(b"\n\n", 1)
        for replaced, found in ((b"scanner-xyz", "scanner-xyz"), (None, "none")):
            if replaced:
                text = head.replace(b"left-posterior-superior", replaced)
            else:
                lines = [line for line in head.split(b"\n") if not line.startswith(b"space")]
                text = b"\n".join([*lines, b"spacings: 0.6 0.7 1.0"])
            lost = scan.folder / "lost.nrrd"
            lost.write_bytes(text + b"\n\n" + voxels)
            with pytest.raises(
                CaseError, match=rf"lost.nrrd' does not say how it lies in the patient \(space: {found}"
            ):
                read_case(lost)

    def test_a_nifti_without_a_coordinate_system(self, scan) -> None:
        path = scan.write("ct.nii", scan.hu)
        content = bytearray(path.read_bytes())
        content[252:256] = bytes(4)  # qform_code and sform_code, two bytes each
        path.write_bytes(content)
        with pytest.raises(CaseError, match=r"ct.nii' does not say how it lies .*qform and sform code 0"):
            read_case(path)

    def test_sheared_axes(self, scan) -> None:
        path = scan.write("ct.nrrd", scan.hu)
        path.write_bytes(path.read_bytes().replace(b"(0,0,1)", b"(0,0.3,1)", 1))
        with pytest.raises(CaseError, match=r"ct.nrrd'.* not at right angles \(a tilted gantry\?\)"):
            read_case(path)

    def test_a_series_of_a_file(self, scan) -> None:
        with pytest.raises(CaseError, match=r"series \('1.2.3'\) can be chosen in a DICOM folder only"):
            read_case(scan.write("ct.nrrd", scan.hu), series="1.2.3")


@pytest.mark.parametrize(
    "name, levels", [("case2_c4_t2", "C1 T6"), ("case1_c6_t11", "C3 L1"), ("intact_c1_t5", "C1 T6")]
)
def test_synthetic_cases_agree_with_their_truth(data: Path, name: str, levels: str) -> None:
    folder = data / "synthetic" / name
    case = read_case(folder / "ct.nrrd", folder / "labels.nrrd", folder / "labels.csv")
    assert case.name == name and case.unknown == ()
    assert f"{case.levels[0]} {case.levels[-1]}" == levels
    truth = json.loads((folder / "truth.json").read_text())
    whole = set(case.levels) & set(truth["vertebrae"]) - set(truth["destroyed_levels"]) - {"C1", "C2"}
    assert len(whole) >= 6
    for level in whole:
        centre = np.array(truth["vertebrae"][level]["body_centre"]) * [-1, -1, 1]
        assert case.structure(level).distance(centre[None])[0] < -2, f"{level}'s body centre lies in its mask"


def test_the_real_chest_scan(data: Path) -> None:
    real = data / "real"
    case = read_case(
        real / "lidc0001_spine_ct.nii.gz",
        real / "lidc0001_spine_totalseg_labels.nii.gz",
        real / "lidc0001_label_names.csv",
    )
    assert set(case.levels) >= {"C7", *(f"T{n}" for n in range(1, 13)), "L1", "L2", "L3"}
    critical = {s.name for s in case.having("keepout_critical")}
    assert critical >= {"spinal_cord", "trachea", "esophagus", "aorta", "common_carotid_artery_left", "heart"}
    assert case.unknown == ()
    heights = [case.structure(level).mask.points[:, 2].mean() for level in case.levels]
    assert heights == sorted(heights, reverse=True)
    left = case.structure("lung_upper_lobe_left").mask.points.mean(axis=0)
    right = case.structure("lung_upper_lobe_right").mask.points.mean(axis=0)
    spine = case.structure("T5").mask.points.mean(axis=0)
    heart = case.structure("heart").mask.points.mean(axis=0)
    assert left[0] < spine[0] < right[0], "RAS: the patient's right is positive"
    assert heart[1] > spine[1], "RAS: anterior is positive"
    assert any("slices of 2.5 mm" in note for note in case.quality.notes)
