"""What `room` tells of a strut agrees with its table; what cannot be measured is refused."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib import cli
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Axis, Plan


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The exit code of `room` for a plan, and the table's place."""
    monkeypatch.setattr(
        "SpinalStrutDesignerLib.case.read.read_case", lambda *given, seeds=None, progress=None: shared_phantom()
    )

    def room(plan: Plan) -> tuple[int, Path]:
        file, table = tmp_path / "plan.json", tmp_path / "room.csv"
        file.write_text(plan_to_json(plan), encoding="utf-8")
        command = ["room", "ct.nrrd", "--labels", "l.nrrd", "--plan", str(file), "--out", str(table)]
        return cli.main([*command, "--progress", "json"]), table

    return room


def test_words_and_table_tell_the_same_room(told, capsys) -> None:
    code, table = told(phantom_plan())
    assert code == 0
    lines = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["lines"]
    least = re.fullmatch(r"least room (\d\.\d) mm: (.*), (\d+) mm below C4 \(of the strut; .*\)", lines[0])
    assert least is not None
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert float(least[1]) == pytest.approx(min(float(row["room mm"]) for row in rows), abs=0.06)
    widest = re.search(
        r"the stoutest round strut .*: (\d+\.\d) mm, limited by .* \(none above (\d+\.\d) mm can\)", lines[1]
    )
    assert widest is not None and 5.0 < float(widest[1]) <= float(widest[2]) < 30.0
    for row in rows:
        free = float(row["free width mm"]) >= float(row["width mm"])
        assert free == (float(row["room mm"]) >= 0.0) or abs(float(row["room mm"])) < 0.02


def test_a_plan_without_an_axis_is_refused_and_nothing_is_written(told, capsys) -> None:
    code, table = told(phantom_plan().with_(axis=Axis()))
    assert code == 1
    message = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["message"]
    assert "axis" in message and not table.exists()
