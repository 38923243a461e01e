"""What is written on each part: words in the order in which they are read, and what is left out where room is short."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from ..plan.plan import Plan
from .design import End, Situation
from .sleeves import Sleeve

# Words that may stand on lines of their own, as many lines as need be; spaces in a word may be broken too, all at once.
Wording = tuple[str, ...]
# The same text in ever fewer words: the first that fits is written.
Wordings = tuple[Wording, ...]

# Stands in a wording for an arrow towards the head (proximal), which turns with the text.
PROXIMAL = "↑"
ENDS: dict[End, str] = {"upper": "PROX", "lower": "DIST"}
_SIDES = {"right": "R", "left": "L"}
# Sleeves this far apart sideways, mm, are told apart as right and left. Engineering judgement.
_SIDEWAYS_MM = 5.0
_MOST_LINES = 3


def implant_wordings(situation: Situation) -> Wordings:
    """Of an implant or a trial of it: case code, how much longer a variant is, design version, which way is up; then
    without the version, then without the arrow."""
    plan = situation.plan
    longer = (f"+{situation.amount_mm:g}",) if situation.amount_mm else ()
    side = _side(plan, "upper") if plan.upper_foot.approach == plan.lower_foot.approach else ()
    named = (plan.case_code, *longer, *side)
    return _each_once((*named, _version(plan), PROXIMAL), (*named, PROXIMAL), named, (plan.case_code, *longer))


def end_wordings(plan: Plan, end: End) -> Wordings:
    """Of a guide for one end: proximal or distal, the side it comes from, case code, design version; then without the
    version, then the end alone."""
    named = (ENDS[end], *_side(plan, end))
    return _each_once((*named, plan.case_code, _version(plan)), (*named, plan.case_code), named, (ENDS[end],))


def guide_wordings(situation: Situation, end: End, sleeves: Sequence[Sleeve]) -> tuple[Wordings, Wordings]:
    """Of a drill guide: its drills and depth stops, and its end's words."""
    plate = situation.upper if end == "upper" else situation.lower
    return drill_wordings(sleeves, plate.right), end_wordings(situation.plan, end)


def drill_wordings(sleeves: Sequence[Sleeve], right: np.ndarray) -> Wordings:
    """Of a drill guide: drill and depth stop of each sleeve, once where they are all alike; then of ever fewer. right:
    (3,) RAS, the patient's right, by which sleeves are told apart; else by their screws' numbers."""
    told = [f"{s.drill_mm:g} STOP {s.stop_mm:g}" for s in sleeves]
    if len(set(told)) == 1:
        return ((told[0],),)
    aside = [float(np.dot(s.entry, right)) for s in sleeves]
    names = [f"S{s.screw}" for s in sleeves]
    if len(aside) == 2 and abs(aside[0] - aside[1]) >= _SIDEWAYS_MM:
        names = ["R", "L"] if aside[0] > aside[1] else ["L", "R"]
    whole = tuple(f"{name} {words}" for name, words in zip(names, told))
    return tuple(whole[:count] for count in range(len(whole), 0, -1))


def layouts(wording: Wording) -> tuple[tuple[str, ...], ...]:
    """The wording on one line, two and three, each broken, between words or after a hyphen, where its longest line is
    shortest; and each word with spaces in it on two lines of its own."""
    pieces = [piece for word in wording for piece in (*re.findall(r"[^-]+-+(?=.)|.+", word), " ")][:-1]
    made = [_broken(pieces, count) for count in range(1, _MOST_LINES + 1)]
    if any(" " in word for word in wording):
        spaced = [re.split("( )", word) for word in wording]
        made.append(tuple(line for word in spaced for line in _broken(word, min(2, len(word)))))
    return tuple(dict.fromkeys(made))


def _broken(pieces: Sequence[str], count: int) -> tuple[str, ...]:
    """Pieces on so many lines, or on as many as there can be, where the longest is shortest."""
    between = [n for n in range(1, len(pieces)) if pieces[n] != " "]
    cuts = [(0, *inner, len(pieces)) for inner in combinations(between, min(count, len(between) + 1) - 1)]
    broken = [tuple("".join(pieces[a:b]).strip() for a, b in pairwise(cut)) for cut in cuts]
    return min(broken, key=lambda lines: max(len(line) for line in lines))


def left_out(full: Sequence[str], written: Sequence[str]) -> tuple[str, ...]:
    """The words of the full text that were not written."""
    return tuple(word for word in full if word not in written)


def _side(plan: Plan, end: End) -> tuple[str, ...]:
    """Of an approach from the side: which; none from the front."""
    approach = (plan.upper_foot if end == "upper" else plan.lower_foot).approach
    return (_SIDES[approach],) if approach in _SIDES else ()


def _version(plan: Plan) -> str:
    version = plan.design_version
    return version if version.upper().startswith("V") else f"V{version}"


def _each_once(*wordings: Wording) -> Wordings:
    return tuple(dict.fromkeys(wordings))
