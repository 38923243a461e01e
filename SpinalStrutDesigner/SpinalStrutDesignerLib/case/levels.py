"""The vertebrae's names: one spelling inside (`C4`), those of TotalSegmentator and VerSe understood at the door."""

from __future__ import annotations

import re

from ..errors import CaseError

# T13 and L6 exist in some people and have numbers of their own in VerSe; where absent the order simply closes up.
LEVELS: tuple[str, ...] = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 14)),
    *(f"L{n}" for n in range(1, 7)),
)

# VerSe (Sekuboyina et al., Med Image Anal 2021;73:102166): C1–C7 = 1–7, T1–T12 = 8–19, L1–L6 = 20–25, sacrum 26,
# coccyx 27, T13 28.
VERSE: dict[int, str] = {
    **{n: f"C{n}" for n in range(1, 8)},
    **{7 + n: f"T{n}" for n in range(1, 13)},
    **{19 + n: f"L{n}" for n in range(1, 7)},
    26: "sacrum",
    27: "coccyx",
    28: "T13",
}

_NAME = re.compile(r"(?:vertebrae?[\s_-]*)?([CTL])0?([1-9][0-9]?)(?:[\s_-]*vertebrae?)?", re.IGNORECASE)


def level_of(name: str) -> str | None:
    """The level a structure's name means: "C4", "vertebrae_C4", "Vertebra T02", "L1 vertebra"; None if it is no level.

    A name with anything more in it ("T2 screw", "C4_disc") is no level, and a bare number is none either: numbers
    mean levels only where a table says which numbering it uses.
    """
    found = _NAME.fullmatch(name.strip())
    if not found:
        return None
    level = f"{found[1].upper()}{int(found[2])}"
    return level if level in LEVELS else None


def is_above(upper: str, lower: str) -> bool:
    """Whether `upper` lies nearer the head than `lower`. Raises CaseError on a name that is no level."""
    return _rank(upper) < _rank(lower)


def levels_between(upper: str, lower: str) -> tuple[str, ...]:
    """The levels strictly between two, T13 and L6 left out (they are there only if a case has them)."""
    first, last = _rank(upper), _rank(lower)
    return tuple(level for level in LEVELS[first + 1 : last] if level not in ("T13", "L6"))


def _rank(level: str) -> int:
    if level not in LEVELS:
        raise CaseError(f"'{level}' is no vertebral level; levels are written C1 to C7, T1 to T12, L1 to L5")
    return LEVELS.index(level)
