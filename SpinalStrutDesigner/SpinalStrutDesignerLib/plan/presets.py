"""The two published implants as starting points for a plan."""

from __future__ import annotations

from os import PathLike
from typing import Any

from ..errors import PlanError
from .catalogue import chosen, load_screws, read_table
from .check import record_from
from .entries import ScrewType
from .plan import Plan

_DECIDED = {"section", "upper_foot", "lower_foot", "interface", "upper_flange", "lower_flange", "variants"}


def preset_names() -> tuple[str, ...]:
    """The presets there are."""
    return tuple(row["name"] for row in read_table("presets")["entries"])


def preset(name: str, upper: str, lower: str) -> Plan:
    """A plan with the preset's dimensions for these docking levels, without axis points and placed screws."""
    decided = _row(name)["plan"]
    unknown = set(decided) - _DECIDED
    if unknown:
        raise PlanError(f"presets.{name}.plan: {min(unknown)} is no decision of a preset")
    return record_from(Plan, {"upper": upper, "lower": lower, "preset": name, **decided}, "")


def preset_screws(
    name: str, catalogue: str | PathLike[str] | None = None
) -> tuple[tuple[ScrewType, ...], tuple[ScrewType, ...]]:
    """The screw types of the preset's upper and lower level; catalogue: a hospital's own file of screws."""
    row, screws = _row(name), load_screws(catalogue)
    upper, lower = (tuple(chosen(screws, kind) for kind in row[end]) for end in ("upper_screws", "lower_screws"))
    return upper, lower


def preset_title(name: str) -> str:
    """What a preset is for, in a few words."""
    return str(_row(name)["title"])


def preset_source(name: str) -> str:
    """Where the preset's values come from."""
    return _row(name)["source"]


def _row(name: str) -> dict[str, Any]:
    for row in read_table("presets")["entries"]:
        if row["name"] == name:
            return row
    raise PlanError(f"preset: '{name}' is not known; presets are {', '.join(preset_names())}")
