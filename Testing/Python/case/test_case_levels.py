"""Level names: every accepted spelling, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.levels import LEVELS, VERSE, is_above, level_of, levels_between
from SpinalStrutDesignerLib.errors import CaseError

SPELLINGS = ("{}", "vertebrae_{}", "vertebra_{}", "Vertebra {}", "VERTEBRAE_{}", "{} vertebra", " {} ")


@given(st.sampled_from(LEVELS), st.sampled_from(SPELLINGS), st.booleans())
def test_every_spelling_of_a_level_is_understood(level: str, spelling: str, lower: bool) -> None:
    name = spelling.format(level)
    assert level_of(name.lower() if lower else name) == level


@given(st.sampled_from(LEVELS), st.text(alphabet="abcdefgmnosuwx_- 0123456789", min_size=1, max_size=8))
def test_a_name_with_more_in_it_is_no_level_or_another_one(level: str, more: str) -> None:
    found = level_of(level + more)
    # Only digits directly behind (T1 -> T12) or blanks, or the word vertebra may follow.
    if found is not None:
        assert found == (level + more).strip().upper() or more.strip(" _-").startswith("vertebra")


@pytest.mark.parametrize(
    "name",
    ["T2 screw", "C4_disc", "C0", "C8", "T14", "L7", "S1", "", "4", "19", "other_bone", "vertebrae", "T", "C4C5"],
)
def test_other_names_are_no_levels(name: str) -> None:
    assert level_of(name) is None


def test_order_runs_from_head_to_feet() -> None:
    assert (LEVELS[0], LEVELS[6], LEVELS[7]) == ("C1", "C7", "T1")
    assert is_above("C7", "T1") and is_above("T12", "L1") and not is_above("T2", "C4") and not is_above("C4", "C4")


def test_levels_between_leave_out_the_rare_ones() -> None:
    assert levels_between("C4", "T2") == ("C5", "C6", "C7", "T1")
    assert levels_between("T11", "L2") == ("T12", "L1")


def test_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(CaseError, match=r"'C9' is no vertebral level.*C1 to C7"):
        is_above("C9", "T1")


def test_verse_numbers_are_those_of_the_challenge() -> None:
    assert (VERSE[1], VERSE[7], VERSE[8], VERSE[19], VERSE[20], VERSE[25], VERSE[28]) == (
        *("C1", "C7", "T1", "T12", "L1", "L6", "T13"),
    )
