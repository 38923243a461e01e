"""Requirements and risks with the findings that speak for them; the worst verdict stands for the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from ..verify.finding import Finding, Verdict
from .page import Html, joined, tag, text

# What weighs most, first: one finding decides for all that speak for the same requirement.
_WEIGHT: tuple[Verdict, ...] = ("fail", "not_evaluated", "warn", "waived", "pass")
_MOST_NAMED = 6


@dataclass(frozen=True)
class Requirement:
    """What the device must do. findings: beginnings of ids, with * for anything between."""

    id: str
    requirement: str
    variables: str
    findings: tuple[str, ...]
    person: str
    source: str


@dataclass(frozen=True)
class Risk:
    """A hazard with its controls; what is estimated is left to people."""

    id: str
    hazard: str
    situation: str
    harm: str
    requirements: tuple[str, ...]
    control: str
    type: str
    new_risks: str


@cache
def requirements() -> tuple[Requirement, ...]:
    """The device's requirements."""
    return tuple(Requirement(**{**row, "findings": tuple(row["findings"])}) for row in _rows("requirements"))


@cache
def risks() -> tuple[Risk, ...]:
    """The risks to start from."""
    return tuple(Risk(**{**row, "requirements": tuple(row["requirements"])}) for row in _rows("risks"))


def speaking_for(requirement: Requirement, findings: Iterable[Finding], variants: Sequence[str]) -> list[Finding]:
    """The findings that verify a requirement, variants' (whose ids begin with one of variants) included."""
    return [f for f in findings if any(fnmatchcase(_own_id(f, variants), p + "*") for p in requirement.findings)]


def state_of(findings: Sequence[Finding]) -> Html:
    """The worst verdict of these findings, how many there are, and which are not passed; nothing is never a pass."""
    if not findings:
        return tag("span", "not evaluated", "tag not_evaluated")
    worst = min((f.verdict for f in findings), key=_WEIGHT.index)
    counts = ", ".join(f"{n} {v.replace('_', ' ')}" for v in _WEIGHT if (n := sum(f.verdict == v for f in findings)))
    named = [f for f in findings if f.verdict in ("fail", "not_evaluated")]
    ids = joined(Html(f"<br><code>{text(f.id)}</code>") for f in named[:_MOST_NAMED])
    if len(named) > _MOST_NAMED:
        ids = joined((ids, Html("<br>"), f"and {len(named) - _MOST_NAMED} more"))
    return joined((tag("span", worst.replace("_", " "), f"tag {worst}"), counts, ids))


def _own_id(finding: Finding, variants: Sequence[str]) -> str:
    for prefix in variants:
        if finding.id.startswith(prefix):
            return finding.id[len(prefix) :]
    return finding.id


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(files(__package__).joinpath(f"{name}.json").read_text("utf-8"))["entries"]
    return rows
