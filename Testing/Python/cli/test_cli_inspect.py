"""What `inspect` tells of a whole case, against its truth."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from SpinalStrutDesignerLib import cli


def test_inspect_of_a_real_case_finds_its_endplates(data, tmp_path, capsys):
    folder = data / "synthetic" / "case2_c4_t2"
    command = [
        "inspect",
        str(folder / "ct.nrrd"),
        "--labels",
        str(folder / "labels.nrrd"),
        "--from",
        "C4",
        "--to",
        "T2",
    ]
    command += ["--roles", str(folder / "labels.csv"), "--out", str(tmp_path / "seen"), "--progress", "json"]
    assert cli.main(command) == 0
    lines = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["lines"]
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    assert any("missing from C4 to T2: nothing" in line for line in lines)
    told = "\n".join(lines)
    assert re.search(r"\n  C4 inferior: .* mm, centre R .* ± \d\.\d mm, normal ± \d\.\d°, no body stands", told)
    assert re.search(r"\n  greatest coronal \(Cobb\) angle: \d\.\d ± \d\.\d° from ", told)
    chord = re.search(r"\n  chord from centre to centre: (\d+\.\d) ± ", told)
    assert float(chord[1]) == pytest.approx(truth["docking"]["distance_mm"], abs=1.0)
    longer = re.search(r"\n  variant \+3 mm: (\d+\.\d) mm; ", told)
    assert float(longer[1]) == pytest.approx(float(chord[1]) + 3.0, abs=0.11)
    found = {
        p["level"] + p["face"]: p for p in json.loads((tmp_path / "seen" / "case.json").read_text("utf-8"))["endplates"]
    }
    for key, place in (("C4inferior", "upper_centre"), ("T2superior", "lower_centre")):
        lps = np.array(truth["docking"][place])
        np.testing.assert_allclose(found[key]["centre"], lps * [-1.0, -1.0, 1.0], atol=1.0)
    assert sorted(p.name for p in (tmp_path / "seen" / "images").iterdir()) == [
        "anterior.png",
        "lateral.png",
        "oblique.png",
    ]
