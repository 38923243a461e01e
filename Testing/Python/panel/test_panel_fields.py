"""The binder is strict: a field that does not exist, or a widget that cannot show it, raises. What undo remembers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.panel.history import DEEPEST, History

UI = Path(__file__).parents[3] / "SpinalStrutDesigner" / "Resources" / "UI" / "SpinalStrutDesigner.ui"


@pytest.mark.parametrize("kind, path, message", [
    ("ctkSliderWidget", "section.widht_mm", "the plan has no field 'section.widht_mm'"),
    ("ctkSliderWidget", "sections.width_mm", "the plan has no field 'sections'"),
    ("QLineEdit", "section.width_mm", "a QLineEdit cannot show it"),
    ("QCheckBox", "section.width_mm", "a QCheckBox cannot show it"),
    ("ctkSliderWidget", "section.shape", "a ctkSliderWidget cannot show it"),
    ("ctkSliderWidget", "section.lower_width_mm", "a ctkSliderWidget cannot show it"),
    ("QComboBox", "screws", "a QComboBox cannot show it"),
    ("QCheckBox", "section", "a QCheckBox cannot show it"),
])  # fmt: skip
def test_a_planted_mistake_raises(host: Any, kind: str, path: str, message: str) -> None:
    import ctk
    import qt
    from SpinalStrutDesignerLib.panel.binder import bound

    root = qt.QWidget()
    layout = qt.QVBoxLayout(root)
    widget = getattr(ctk if kind.startswith("ctk") else qt, kind)()
    layout.addWidget(widget)
    widget.setProperty("PlanField", path)
    with pytest.raises(PlanError, match=message):
        bound(root, print, print)


def test_every_field_in_the_panel_is_bound(bench: Any) -> None:
    wanted = [
        p.findtext("string") for w in ElementTree.parse(UI).getroot().iter("widget") for p in w.findall("property")
        if p.get("name") == "PlanField"
    ]  # fmt: skip
    assert sorted(f.field.path for f in bench.panel._fields) == sorted(wanted)
    assert len(set(wanted)) == len(wanted) > 20


@given(st.lists(st.sampled_from(["decide", "undo", "redo"]), max_size=80))
def test_history_is_a_line_of_plans_with_a_place_in_it(steps: list[str]) -> None:
    """Against the plainest model: all plans in a list, and an index."""
    now = iter(range(0, 10_000, 5))
    history = History(clock=lambda: float(next(now)))
    plans, place = ["0"], 0
    for number, step in enumerate(steps, start=1):
        present = plans[place]
        if step == "decide":
            history.record(present, "something")
            plans[place + 1 :] = [str(number)]
            place += 1
        elif step == "undo" and history.undo_words:
            place -= 1
            assert place >= 0 and history.undone(present) == plans[place]
        elif step == "redo" and history.redo_words:
            place += 1
            assert history.redone(present) == plans[place]
        assert bool(history.undo_words) == (place > 0)
        assert bool(history.redo_words) == (place < len(plans) - 1)


def test_history_forgets_only_what_is_very_old() -> None:
    now = iter(range(0, 10**6, 5))
    history = History(clock=lambda: float(next(now)))
    for number in range(DEEPEST + 20):
        history.record(str(number), "width")
    steps = 0
    while history.undo_words:
        history.undone("x")
        steps += 1
    assert steps == DEEPEST >= 50


def test_a_drag_is_one_decision_until_it_rests() -> None:
    moments = iter((0.0, 0.5, 1.4, 3.0))
    history = History(clock=lambda: next(moments))
    for before in ("10", "11", "12", "13"):
        history.record_move(before, "width")
    assert history.undone("14") == "13"  # moved again after a rest
    assert history.undone("13") == "10" and not history.undo_words


def test_the_time_that_a_move_takes_to_be_shown_is_no_rest() -> None:
    now = [0.0]
    history = History(clock=lambda: now[0])
    for before in ("10", "11", "12"):
        history.record_move(before, "width")
        now[0] += 5.0  # a slow machine shows it
        history.work_done()
        now[0] += 0.1
    assert history.undone("13") == "10" and not history.undo_words
