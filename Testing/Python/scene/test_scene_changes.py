"""The report of what a later CT changes, as a table node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.propose.changes import Change, changes_table
from SpinalStrutDesignerLib.scene.changes_table import changes_in, show_changes

REPORT = (
    Change("span.length", "Span C4 to T2", 67.812, 70.0, "mm", 2.188, 'said "twice", with a comma'),
    Change("structure.aorta", "aorta", "given", "not given"),
)


def test_each_change_is_a_row_and_the_next_report_replaces_it(scene: Any, tmp_path: Path) -> None:
    report = tmp_path / "changes.csv"
    report.write_text(changes_table(REPORT), encoding="utf-8")
    node = show_changes(scene, report)
    assert [tuple(row.values()) for row in changes_in(node)] == [
        ("span.length", "Span C4 to T2", "67.81", "70.00", "mm", "+2.19", 'said "twice", with a comma'),
        ("structure.aorta", "aorta", "given", "not given", "", "", ""),
    ]
    report.write_text(changes_table(REPORT[1:]), encoding="utf-8")
    assert show_changes(scene, report, node) is node and len(changes_in(node)) == 1
    assert changes_in(None) == ()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id,what,before,after,unit,change,meaning\n1,2\n"])
def test_another_file_is_refused(scene: Any, tmp_path: Path, text: str) -> None:
    report = tmp_path / "changes.csv"
    report.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=r"changes.csv' is no report of what changed"):
        show_changes(scene, report)
