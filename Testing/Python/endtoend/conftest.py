"""Two whole designs for all tests of this folder: the phantom's and the published second case's.

The phantom is planned and built twice, here and by the command in another process; verified and released by the
command alone. The second case is made here from files to folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib.build.build import build
from SpinalStrutDesignerLib.build.design import Design, Foot, Implant
from SpinalStrutDesignerLib.case import phantom as drawn
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.propose.propose import propose_plan
from SpinalStrutDesignerLib.release.release import release
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.verify import verify

sys.path.insert(0, str(Path(__file__).parent))

from independent import LabelMap


@dataclass(frozen=True, eq=False)
class Made:
    """A design as built, and the label map as read without the program."""

    name: str
    case: Case
    plan: Plan
    design: Design
    labels: LabelMap

    def shift(self, implant: Implant) -> np.ndarray:
        """(3,) how far an implant's lower end lies from the nominal one's: its amount along the chord."""
        upper, lower = implant.situation.upper.centre, implant.situation.lower.centre
        return implant.situation.amount_mm * (lower - upper) / np.linalg.norm(lower - upper)

    def moved(self, implant: Implant, foot: Foot) -> np.ndarray:
        """(3,) how far the bone under an implant's foot lies from where the label map has it."""
        return self.shift(implant) if foot.end == "lower" else np.zeros(3)

    def gap(self, foot: Foot) -> float:
        """mm: the fit gap that the plan asks for under a foot."""
        return (self.plan.upper_foot if foot.end == "upper" else self.plan.lower_foot).fit_gap_mm


@dataclass(frozen=True)
class Released:
    """A release folder, its findings, and what the command said that made it and how it ended (if one did)."""

    folder: Path
    findings: tuple[Finding, ...]
    exit_code: int | None = None
    said: str = ""


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made."""
    return tmp_path_factory.mktemp("endtoend")


@pytest.fixture(scope="session")
def _command(places: Path) -> Iterator[subprocess.Popen[str]]:
    """`spinal-strut demo`, started beside the work of this process and ended with it."""
    command = [sys.executable, "-m", "SpinalStrutDesignerLib", "demo", "--out", str(places / "commanded")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def phantom(places: Path, _command: subprocess.Popen[str]) -> Made:
    """The phantom's design, made with the library in this process, while the command makes it in another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "_draw", cache(drawn._draw))  # for the files and for the case alike
        drawn.write_phantom(places / "phantom")
        case = shared_phantom()
    plan = propose_plan(case, "C4", "T2", "case2").with_(case_code="PHANTOM")
    labels = LabelMap.read(places / "phantom" / "labels.nrrd", places / "phantom" / "labels.csv")
    return Made("phantom", case, plan, build(case, plan), labels)


@pytest.fixture(scope="session")
def phantom_released(places: Path, phantom: Made, _command: subprocess.Popen[str]) -> Released:
    """The phantom's design once more, made, verified and released by the command."""
    said, _ = _command.communicate()
    assert _command.returncode in (0, 2), said
    rows = json.loads((places / "commanded" / "findings.json").read_text("utf-8"))
    findings = tuple(Finding(**{field.name: row[field.name] for field in fields(Finding)}) for row in rows)
    return Released(places / "commanded", findings, _command.returncode, said)


@pytest.fixture(scope="session")
def case2(data: Path, planned_case2: tuple[Case, Plan]) -> Made:
    """The second case's design."""
    case, plan = planned_case2
    folder = data / "synthetic" / "case2_c4_t2"
    return Made("case2", case, plan, build(case, plan), LabelMap.read(folder / "labels.nrrd", folder / "labels.csv"))


@pytest.fixture(scope="session")
def case2_released(places: Path, case2: Made) -> Released:
    """The second case, verified and released."""
    findings = verify(case2.case, case2.plan, case2.design)
    return Released(release(case2.case, case2.plan, case2.design, findings, places / "case2"), findings)


@pytest.fixture(scope="session", params=["phantom", "case2"])
def made(request: pytest.FixtureRequest) -> Made:
    """Each of the designs in turn."""
    found: Made = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def released(made: Made, request: pytest.FixtureRequest) -> Released:
    """The release of a design."""
    found: Released = request.getfixturevalue(f"{made.name}_released")
    return found
