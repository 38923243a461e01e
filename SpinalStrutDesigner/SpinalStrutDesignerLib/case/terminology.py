"""What a coded term means: SNOMED CT codes of vertebrae and of what lies about them, whatever language names them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .levels import level_of
from .roles import Meaning, meaning_of


@dataclass(frozen=True)
class Term:
    """A coded term, as DICOM and Slicer write it."""

    scheme: str
    code: str
    meaning: str


def meaning_of_segment(
    name: str, kind: Term | None, region: Term | None, table: dict[str, Meaning], where: str
) -> Meaning:
    """What a segment is: by the table, else by its name, else by what kind of thing its term says it is.

    region, where it lies, counts only for bone: "bone, at the fourth cervical vertebra" is C4, but a tumour at the
    spinal cord is not the cord.
    """
    meaning = table.get(name) or meaning_of(name, where=where)
    if meaning.role is not None or kind is None:
        return meaning
    by_kind = _meaning_of_term(kind, where)
    if by_kind is None:
        return meaning
    if by_kind.role == "bone" and by_kind.level is None and region is not None:
        there = _meaning_of_term(region, where)
        if there is not None and there.level is not None:
            return there
    return by_kind


def _meaning_of_term(term: Term, where: str) -> Meaning | None:
    """By its code if that is a known one, else by the words beside it."""
    known = _codes().get((term.scheme.upper(), term.code))
    if known is None and not term.meaning:
        return None
    found = meaning_of(known or term.meaning, where=where)
    if found.level is not None and known is not None and level_of(term.meaning) not in (None, found.level):
        return None  # code and words name two vertebrae: neither is believed
    return found if found.role is not None else None


@cache
def _codes() -> dict[tuple[str, str], str]:
    """Scheme and code to the program's own name.

    Read from pydicom's concept dictionary (DICOM PS3.16 context groups, CID 7603 and others) and from Slicer's
    terminologies "Slicer General Anatomy" and "DICOM Master".
    """
    text = files(__package__).joinpath("terminology.csv").read_text(encoding="utf-8")
    return {(row["scheme"], row["code"]): row["name"] for row in csv.DictReader(text.splitlines())}
