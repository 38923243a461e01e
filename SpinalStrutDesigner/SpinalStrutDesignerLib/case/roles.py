"""Which label value is which structure, and what part a structure plays: role tables and known anatomical names."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from ..errors import CaseError
from .levels import VERSE, level_of
from .model import ROLES, Role

_ASK = (
    "say what they are with a role table, a CSV with the columns value, name and role, or by naming their numbering, "
    "totalsegmentator or verse (on the command line: --roles FILE.csv, --roles totalsegmentator or --roles verse)"
)


@dataclass(frozen=True)
class Meaning:
    """What a label stands for. role is None where the name is not known, value None where there is only a name.

    error_mm: how uncertain its place is, for one that a second image gave.
    """

    name: str
    role: Role | None
    level: str | None = None
    value: int | None = None
    error_mm: float = 0.0


def meaning_of(name: str, role: str = "", where: str = "", value: int | None = None) -> Meaning:
    """The level and role of a name; a role given wins over the known one. where: the place, for the error.

    Raises CaseError for a role that does not exist, and for a vertebra that is given another role than bone.
    """
    name, role = name.strip(), role.strip().lower()
    if not name:
        raise CaseError(f"{where}: a structure has no name; give it one")
    if role and role not in ROLES:
        raise CaseError(f"{where}: '{name}' has the role '{role}'; roles are {', '.join(ROLES)}")
    level = level_of(name)
    if level and role not in ("", "bone"):
        raise CaseError(f"{where}: '{name}' is a vertebra and has the role '{role}'; give it 'bone' or another name")
    known: Role | None = "bone" if level else known_role(name)
    return Meaning(name, cast(Role, role) if role else known, level, value)


def known_role(name: str) -> Role | None:
    """The role of a known anatomical name, None for a name not in `roles.csv`; never guessed from a part of it."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return next((role for pattern, role in _known_roles() if fnmatchcase(plain, pattern)), None)


def role_table(roles: str | Path | None) -> dict[int, Meaning]:
    """Label value to meaning, from a CSV or a numbering's name.

    The CSV has the columns value, name and role (role may be missing or empty where the name is a known one), or those
    of TotalSegmentator's own table, id and structure. Raises CaseError naming file, row and remedy.
    """
    if roles is None:
        raise CaseError(f"a label map's values say nothing by themselves: {_ASK}")
    if str(roles).lower() == "verse":
        return {value: meaning_of(name, value=value) for value, name in VERSE.items()}
    if str(roles).lower() == "totalsegmentator":
        return _table(files(__package__).joinpath("totalsegmentator.csv").read_text(), "TotalSegmentator's classes")
    path = Path(roles)
    return _table(_text(path), f"role table '{path}'")


def names_table(roles: str | Path) -> dict[str, Meaning]:
    """Name to meaning, for segments and surfaces that carry names: a CSV with the columns name and role, and error_mm
    where a second image gave the structure."""
    path = Path(roles)
    where = f"role table '{path}'"
    table: dict[str, Meaning] = {}
    for number, row in _rows(_text(path), where, ("name", "structure")):
        meaning = meaning_of(_name(row), row.get("role", ""), f"{where}, row {number}")
        meaning = replace(meaning, error_mm=_error(row.get("error_mm", ""), f"{where}, row {number}"))
        if meaning.name in table:
            raise CaseError(f"{where}, row {number}: '{meaning.name}' is there twice; keep one row")
        table[meaning.name] = meaning
    return table


def _table(text: str, where: str) -> dict[int, Meaning]:
    table: dict[int, Meaning] = {}
    names: set[str] = set()
    for number, row in _rows(text, where, ("value", "id"), ("name", "structure")):
        given = row.get("value", row.get("id", ""))
        try:
            value = int(given)
        except ValueError:
            raise CaseError(f"{where}, row {number}: the value '{given}' is no whole number") from None
        if value == 0:
            continue
        meaning = meaning_of(_name(row), row.get("role", ""), f"{where}, row {number}", value)
        if value in table:
            raise CaseError(f"{where}, row {number}: the value {value} is there twice; keep one row for each value")
        if meaning.name in names:
            raise CaseError(f"{where}, row {number}: the name '{meaning.name}' is there twice; names must differ")
        table[value] = meaning
        names.add(meaning.name)
    return table


def _rows(text: str, where: str, *needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """(line number, row) with lower-case column names; needed: columns of which one of each group must be there."""
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines())
    columns = [(c or "").strip().lower() for c in reader.fieldnames or ()]
    for group in needed:
        if not set(group) & set(columns):
            there = ", ".join(columns)
            raise CaseError(f"{where} has no column '{group[0]}' (it has: {there}); needed: value,name,role")
    reader.fieldnames = columns
    rows = [(reader.line_num, {k: (v or "").strip() for k, v in row.items() if isinstance(v, str)}) for row in reader]
    return [(number, row) for number, row in rows if any(row.values())]


def _error(text: str, where: str) -> float:
    try:
        error = float(text or 0.0)
    except ValueError:
        raise CaseError(f"{where}: the error_mm '{text}' is no number of millimetres") from None
    if not 0.0 <= error < 100.0:
        raise CaseError(f"{where}: the error_mm {text} is none that a registration has; give 0 or more, in millimetres")
    return error


def _name(row: dict[str, str]) -> str:
    return row.get("name", row.get("structure", ""))


def _text(path: Path) -> str:
    if not path.is_file():
        raise CaseError(f"the role table '{path}' is not a file; {_ASK}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"the role table '{path}' is no text in UTF-8: save it as CSV again") from error


@cache
def _known_roles() -> tuple[tuple[str, Role], ...]:
    text = files(__package__).joinpath("roles.csv").read_text()
    return tuple((row["name"], cast(Role, row["role"])) for row in csv.DictReader(text.splitlines()))
