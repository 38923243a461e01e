"""Transform files: which way they go, in which frame, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.case.transform import read_transform, turn_degrees
from SpinalStrutDesignerLib.errors import CaseError

TURN = Rotation.from_euler("xyz", [12, -20, 35], degrees=True)


@pytest.mark.parametrize("suffix", ["tfm", "txt", "h5"])
@pytest.mark.parametrize("kind", ["euler", "affine"])
def test_a_file_of_slicer_goes_from_the_ct_to_the_second_image_in_lps(tmp_path, suffix, kind) -> None:
    if kind == "euler":
        transform = sitk.Euler3DTransform((3.0, -8.0, 20.0), 0.2, -0.3, 0.5, (5.0, 6.0, -7.0))
    else:
        transform = sitk.AffineTransform(TURN.as_matrix().ravel().tolist(), (5.0, 6.0, -7.0), (1.0, 2.0, 3.0))
    path = tmp_path / f"second.{suffix}"
    sitk.WriteTransform(transform, str(path))
    matrix = read_transform(path)
    for lps in ((0.0, 0.0, 0.0), (10.0, -30.0, 90.0)):
        in_second = np.array(transform.TransformPoint(lps)) * [-1, -1, 1]
        back = matrix[:3, :3] @ in_second + matrix[:3, 3]
        np.testing.assert_allclose(back, np.array(lps) * [-1, -1, 1], atol=1e-5)


def test_sixteen_numbers_are_the_matrix_as_shown_in_slicer(tmp_path) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN.as_matrix()
    matrix[:3, 3] = (4.0, 5.0, 6.0)
    path = tmp_path / "matrix.txt"
    np.savetxt(path, matrix)
    np.testing.assert_allclose(read_transform(path), matrix)
    assert turn_degrees(matrix) == pytest.approx(np.degrees(TURN.magnitude()))


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.diag([1.0, 1.0, 1.02, 1.0]), r"scales or shears \(by \[1.02"),
        (np.diag([-1.0, 1.0, 1.0, 1.0]), "mirrors the patient"),
        (np.diag([1.0, 1.0, 1.0, 2.0]), "last row 0 0 0 1"),
    ],
)
def test_what_is_not_rigid_is_refused(tmp_path, matrix, words) -> None:
    path = tmp_path / "matrix.txt"
    np.savetxt(path, matrix)
    with pytest.raises(CaseError, match=words):
        read_transform(path)


def test_bent_missing_and_unreadable_files_are_refused(tmp_path) -> None:
    bent = tmp_path / "bent.tfm"
    sitk.WriteTransform(sitk.BSplineTransform(3, 3), str(bent))
    with pytest.raises(CaseError, match="bends space"):
        read_transform(bent)
    spoilt = tmp_path / "spoilt.tfm"
    spoilt.write_text("nothing")
    with pytest.raises(CaseError, match="cannot be read as a transform"):
        read_transform(spoilt)
    with pytest.raises(CaseError, match="there is no transform file"):
        read_transform(tmp_path / "none.tfm")
    (tmp_path / "a.xyz").write_text("nothing")
    with pytest.raises(CaseError, match="no transform this program reads"):
        read_transform(tmp_path / "a.xyz")
