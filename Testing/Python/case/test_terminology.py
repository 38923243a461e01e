"""Coded terms: the table against the standard's own, and codes in a language nobody here reads."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from pydicom.sr._concepts_dict import concepts
from SpinalStrutDesignerLib.case.levels import level_of
from SpinalStrutDesignerLib.case.roles import meaning_of, role_table
from SpinalStrutDesignerLib.case.segnrrd import segment_meaning
from SpinalStrutDesignerLib.case.terminology import Term, meaning_of_segment

ROWS = list(csv.DictReader(files("SpinalStrutDesignerLib.case").joinpath("terminology.csv").read_text().splitlines()))
STANDARD: dict[str, list[str]] = {}
for entry in concepts["SCT"].values():
    for code, (meaning, _) in entry.items():
        STANDARD.setdefault(code, []).append(meaning.lower())


def test_every_vertebra_from_c1_to_l5_has_the_standards_code() -> None:
    mine = {row["code"]: row["name"] for row in ROWS if level_of(row["name"])}
    theirs = {c: level_of(m) for c, meanings in STANDARD.items() for m in meanings if level_of(m)}
    assert len(mine) == 24 and mine == theirs


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r["code"])
def test_each_code_is_what_the_standard_says(row) -> None:
    words = row["name"].lower().replace("_", " ")
    said = " | ".join(STANDARD[row["code"]])
    stem = {"dura": "dura mater", "thyroid": "thyroid", "lung upper lobe": "upper lobe of lung"}.get(words, words)
    stem = {"lung lower lobe": "lower lobe of lung", "lung middle lobe": "middle lobe of right lung"}.get(stem, stem)
    assert all(word in said for word in stem.split()), said
    assert meaning_of(row["name"]).role is not None


def tags(kind: str, region: str = "^^") -> str:
    return f"TerminologyEntry:General~SCT^123037004^Anatomical Structure~{kind}~^^~Master~{region}~^^|"


@pytest.mark.parametrize(
    ("kind", "region", "role", "level"),
    [
        ("SCT^5329002^vértebra cervical", "^^", "bone", "C4"),
        ("SCT^23215003^T12 vertebra", "^^", "bone", "T12"),
        ("SRT^T-11610^T1 vertebra", "^^", "bone", "T1"),  # no code of ours, but words
        ("SCT^272673000^Bone", "SCT^36054005^C6 vertebra", "bone", "C6"),
        ("SCT^18545000^Hirnhaut", "^^", "keepout_critical", None),
        ("SCT^32849002^Esophagus", "^^", "keepout_critical", None),
        ("SCT^68183006^Bone Screw", "SCT^36054005^C6 vertebra", "metal", None),
        ("SCT^4147007^Mass", "SCT^2748008^Spinal cord", None, None),  # lies at the cord, is not the cord
        ("SCT^5329002^C5 vertebra", "^^", None, None),  # code and words disagree
        ("SCT^51282000^Vertebra", "^^", None, None),  # which one?
    ],
)
def test_a_segment_without_a_telling_name_is_what_its_term_says(kind, region, role, level) -> None:
    found = segment_meaning("Segment_1", tags(kind, region), {}, "file")
    assert (found.role, found.level) == (role, level)


def test_a_name_that_is_known_goes_before_its_term() -> None:
    found = meaning_of_segment("aorta", Term("SCT", "5329002", "C4 vertebra"), None, {}, "file")
    assert (found.role, found.level) == ("keepout_critical", None)


def test_every_class_of_totalsegmentator_and_verse_has_a_role() -> None:
    table = role_table("totalsegmentator")
    assert len(table) == 117 and all(meaning.role for meaning in table.values())
    assert {m.level for m in table.values() if m.level} == {
        *(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))
    }  # fmt: skip
    assert all(meaning.role == "bone" for meaning in role_table("verse").values())
