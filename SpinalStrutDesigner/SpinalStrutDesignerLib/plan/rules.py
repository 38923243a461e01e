"""The default rule for every keep-out, which names mean which structure, and what must be there to be checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ..case.levels import LEVELS
from .catalogue import read_table
from .check import record_from
from .entries import KeepoutRule, RetractionRule
from .limits import Level
from .plan import Plan

_SIDES = {"left", "right", "l", "r", "lt", "rt", "bilateral"}
_SPELLING = {"esophagus": "oesophagus"}


@dataclass(frozen=True)
class Expected:
    """A critical structure that must be given where a span includes its levels.

    groups: any structure of these will do; names: any structure of exactly these names will do.
    """

    name: str
    groups: tuple[str, ...]
    names: tuple[str, ...]
    first: str
    last: str

    def covered_by(self, structure_names: Iterable[str]) -> bool:
        """Whether one of these structures is it."""
        return any(group_of(name) in self.groups or plain_name(name) in self.names for name in structure_names)


@cache
def default_rules() -> tuple[KeepoutRule, ...]:
    """The rules shipped with the program; each says where it comes from."""
    fields = ("structure", "kind", "limit_mm", "warn_mm", "source")
    rows = read_table("rules")["rules"]
    return tuple(record_from(KeepoutRule, {f: row[f] for f in fields}, f"rules.{i}") for i, row in enumerate(rows))


@cache
def default_retractions() -> tuple[RetractionRule, ...]:
    """How far structures may be held aside during insertion, as shipped; each says where it comes from."""
    rows = read_table("retractions")["retractions"]
    return tuple(record_from(RetractionRule, row, f"retractions.{i}") for i, row in enumerate(rows))


def retraction_for(plan: Plan, structure_name: str) -> RetractionRule | None:
    """The plan's rule for holding a structure aside: of its own name, else of its group; None: it must not be moved."""
    own, group = plain_name(structure_name), group_of(structure_name)
    rules = plan.insertion.retractions
    named = next((rule for rule in rules if plain_name(rule.structure) == own), None)
    return named or next((rule for rule in rules if group is not None and rule.structure == group), None)


def rule_for(plan: Plan, structure_name: str) -> KeepoutRule | None:
    """The plan's rule for a structure: one of its own name, else of its group ("aorta" is one of "great_vessels").

    None where the plan has no rule for it, or the name is not known: it is never guessed. Metal of any name is asked
    for as "metal".
    """
    own = plain_name(structure_name)
    for rule in plan.rules:
        if plain_name(rule.structure) == own:
            return rule
    group = group_of(structure_name)
    return next((rule for rule in plan.rules if group is not None and rule.structure == group), None)


def group_of(structure_name: str) -> str | None:
    """The group a structure's name belongs to ("esophagus" to "oesophagus"), or None."""
    return _groups().get(plain_name(structure_name))


@cache
def plain_name(structure_name: str) -> str:
    """A name in small letters, words joined by _, sides left out: "Common Carotid artery (left)" and the like."""
    words = re.split(r"[^a-z0-9]+", structure_name.lower())
    return "_".join(_SPELLING.get(word, word) for word in words if word and word not in _SIDES)


def expected_critical(upper: str, lower: str) -> tuple[Expected, ...]:
    """The critical structures that lie beside the levels from upper to lower, both included.

    Each must be given, or be shown as not evaluated. Raises PlanError on a name that is no level.
    """
    for name, level in (("upper", upper), ("lower", lower)):
        Level().checked(level, name)
    top, bottom = LEVELS.index(upper), LEVELS.index(lower)
    return tuple(e for e in _expected() if LEVELS.index(e.first) <= bottom and LEVELS.index(e.last) >= top)


@cache
def _groups() -> dict[str, str]:
    rows = read_table("rules")["rules"]
    return {plain_name(name): row["structure"] for row in rows for name in (row["structure"], *row["names"])}


@cache
def _expected() -> tuple[Expected, ...]:
    rows = read_table("rules")["expected"]
    return tuple(
        Expected(row["name"], tuple(row["groups"]), tuple(row["names"]), row["from"], row["to"]) for row in rows
    )
