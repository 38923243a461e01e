"""Default keep-out rules, the names they understand, and what must be given beside each level."""

from __future__ import annotations

import csv
from itertools import pairwise

import pytest
from SpinalStrutDesignerLib.case.levels import LEVELS
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.catalogue import read_table
from SpinalStrutDesignerLib.plan.plan import KeepoutRule, Plan
from SpinalStrutDesignerLib.plan.rules import default_rules, expected_critical, group_of, plain_name, rule_for


@pytest.mark.parametrize(
    ("name", "kind", "warn", "limit"),
    [
        ("great_vessels", "clearance", 5, 5),
        ("aorta", "clearance", 5, 5),
        ("superior_vena_cava", "clearance", 5, 5),
        ("brachiocephalic_vein_left", "clearance", 5, 5),
        ("Subclavian artery (right)", "clearance", 5, 5),
        ("pulmonary_vein", "clearance", 5, 5),
        ("carotids", "clearance", 5, 5),
        ("common_carotid_artery_left", "clearance", 5, 5),
        ("jugulars", "clearance", 5, 5),
        ("vertebral_arteries", "clearance", 3, 3),
        ("dural_sac", "clearance", 3, 3),
        ("spinal_cord", "clearance", 3, 3),
        ("heart", "clearance", 5, 5),
        ("atrial_appendage_left", "clearance", 5, 5),
        ("metal", "clearance", 2, 2),
        ("oesophagus", "displacement", 3, 5),
        ("esophagus", "displacement", 3, 5),
        ("trachea_airway", "displacement", 2, 2),
        ("trachea", "displacement", 2, 2),
    ],
)
def test_the_published_and_stated_limits(name: str, kind: str, warn: float, limit: float):
    rule = rule_for(Plan("C4", "T2"), name)
    assert (rule.kind, rule.warn_mm, rule.limit_mm) == (kind, warn, limit)
    assert "verify locally" in rule.source


def test_soft_structures_may_be_moved_further_than_the_airway():
    plan = Plan("C4", "T2")
    for name in ("lungs", "lung_upper_lobe_left", "larynx_cartilage", "thyroid_gland"):
        rule = rule_for(plan, name)
        assert rule.kind == "displacement" and rule.limit_mm > rule_for(plan, "trachea").limit_mm


@pytest.mark.parametrize("name", ["aort", "my aorta stent", "muscle", "", "vertebrae_C4", "left"])
def test_an_unknown_name_has_no_rule_and_is_never_guessed(name: str):
    assert rule_for(Plan("C4", "T2"), name) is None


def test_the_plan_s_own_rule_comes_before_its_group_s():
    own = KeepoutRule("Aorta", "clearance", 8.0, 9.0, "surgeon's wish")
    plan = Plan("T4", "T9", rules=(own, *default_rules()))
    assert rule_for(plan, "aorta") == own
    assert rule_for(plan, "superior_vena_cava").limit_mm == 5.0
    assert rule_for(Plan("T4", "T9", rules=(own,)), "superior_vena_cava") is None
    spelt = KeepoutRule("esophagus", "displacement", 4.0, 2.0, "surgeon's wish")
    assert rule_for(Plan("T4", "T9", rules=(spelt,)), "oesophagus") == spelt


def test_every_name_means_one_group_only():
    groups: dict[str, str] = {}
    for row in read_table("rules")["rules"]:
        for name in {plain_name(name) for name in (row["structure"], *row["names"])}:
            assert groups.setdefault(name, row["structure"]) == row["structure"], name


def test_sides_words_and_spelling_do_not_matter():
    assert plain_name("Common Carotid artery (left)") == plain_name("common_carotid_artery_right")
    assert group_of("Oesophagus") == group_of("ESOPHAGUS") == "oesophagus"


def test_every_keepout_of_the_synthetic_cases_has_a_rule(data):
    plan = Plan("C4", "T2")
    tables = sorted((data / "synthetic").glob("*/labels.csv"))
    assert tables
    for table in tables:
        for row in csv.DictReader(table.open(encoding="utf-8")):
            if row["role"] in ("keepout_critical", "keepout_soft", "metal"):
                assert rule_for(plan, row["name"]) is not None, row["name"]


def test_every_vessel_and_organ_of_a_real_label_table_has_a_rule(data):
    plan = Plan("T5", "T9")
    names = [row["structure"] for row in csv.DictReader((data / "real" / "lidc0001_label_names.csv").open())]
    wanted = ("artery", "vein", "vena", "aorta", "trunk", "heart", "atrial", "trachea", "esophagus", "cord", "lung")
    named = [name for name in names if any(word in name for word in wanted)]
    assert len(named) > 20
    assert [name for name in named if rule_for(plan, name) is None] == []


@pytest.mark.parametrize(
    ("span", "wanted", "unwanted"),
    [
        (("C4", "T2"), {"spinal cord or dura", "airway", "oesophagus or pharynx", "carotid arteries",
                        "vertebral arteries", "great vessels of the upper thorax"}, {"heart", "aorta"}),
        (("C6", "T11"), {"vertebral arteries", "aorta", "heart", "airway"}, {"inferior vena cava"}),
        (("T5", "T9"), {"aorta", "heart", "spinal cord or dura", "oesophagus or pharynx"},
         {"carotid arteries", "vertebral arteries"}),
        (("T9", "T12"), {"aorta", "heart"}, {"airway", "inferior vena cava"}),
        (("T1", "T4"), {"vertebral arteries", "aorta", "heart", "airway"}, {"carotid arteries"}),
        (("T12", "L3"), {"aorta", "inferior vena cava", "spinal cord or dura"}, {"airway", "heart"}),
    ],
)  # fmt: skip
def test_what_lies_beside_the_levels_is_expected(span, wanted, unwanted):
    names = {expected.name for expected in expected_critical(*span)}
    assert wanted <= names and not unwanted & names


def test_expected_structures_are_recognised_in_both_naming_schemes():
    by_name = {expected.name: expected for expected in expected_critical("C3", "L3")}
    synthetic = [
        "dural_sac",
        "trachea_airway",
        "oesophagus",
        "great_vessels",
        "carotids",
        "vertebral_arteries",
        "heart",
    ]
    assert [name for name, expected in by_name.items() if not expected.covered_by(synthetic)] == []
    segmented = ["spinal_cord", "trachea", "esophagus", "aorta", "common_carotid_artery_left", "heart"]
    absent = [name for name, expected in by_name.items() if not expected.covered_by(segmented)]
    assert absent == ["vertebral arteries", "inferior vena cava"]
    assert not by_name["aorta"].covered_by(["pulmonary_vein", "inferior_vena_cava"])


def test_the_cord_is_expected_at_every_level_and_unknown_levels_are_refused():
    for upper, lower in pairwise(LEVELS):
        assert "spinal cord or dura" in {expected.name for expected in expected_critical(upper, lower)}
    with pytest.raises(PlanError, match="upper: 'X1' is no vertebra"):
        expected_critical("X1", "T2")
