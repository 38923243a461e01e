"""The catalogue of printers: package data, or a hospital's own file of the same form."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from ..cells import CELLS
from ..errors import GeometryError
from .printer import AsBuilt, Limit, Printer

_FORMAT = 1
_PARTS = ("pore", "strut")


def load_printers(path: str | PathLike[str] | None = None) -> dict[str, Printer]:
    """Printers by name; path: a hospital's own file. Raises GeometryError naming the file, the field and the value."""
    place = "printers" if path is None else str(path)
    own = files(__package__).joinpath("printers.json")
    try:
        table = json.loads(own.read_text("utf-8") if path is None else Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GeometryError(f"{place}: cannot be read as a catalogue of printers: {error}") from error
    if not isinstance(table, dict) or table.get("schema") != _FORMAT:
        raise GeometryError(f"{place}: not a catalogue of printers; it needs an object with 'schema': {_FORMAT}")
    rows = table.get("entries")
    if not isinstance(rows, list) or not rows:
        raise GeometryError(f"{place}: no entries; it needs a list 'entries' with at least one printer")
    printers: dict[str, Printer] = {}
    for i, row in enumerate(rows):
        printer = _printer(row, f"{place}: entries.{i}")
        if printer.name in printers:
            raise GeometryError(f"{place}: entries.{i}.name: '{printer.name}' is given more than once")
        printers[printer.name] = printer
    return printers


@functools.cache
def default_printer() -> Printer:
    """The first printer of the package's own catalogue."""
    return next(iter(load_printers().values()))


def printer_named(name: str) -> Printer:
    """A printer of the package's own catalogue, the first for an empty name. Raises GeometryError with those it has."""
    printers = load_printers()
    if name and name not in printers:
        raise GeometryError(f"there is no printer '{name}' in the catalogue: choose one of {', '.join(printers)}")
    return printers[name] if name else default_printer()


def _printer(row: Any, place: str) -> Printer:
    _has_fields(row, ("name", "least_strut", "coupon_strut", "least_wall", "as_built"), place)
    name = _text(row["name"], f"{place}.name")
    place = f"{place} ('{name}')"
    limits = {key: _limit(row[key], f"{place}.{key}") for key in ("least_strut", "coupon_strut", "least_wall")}
    if limits["coupon_strut"].mm < limits["least_strut"].mm:
        raise GeometryError(
            f"{place}.coupon_strut.mm: {limits['coupon_strut'].mm} is below least_strut, {limits['least_strut'].mm}: "
            "struts from there up need no coupon, so it cannot be the smaller"
        )
    if not isinstance(row["as_built"], list):
        raise GeometryError(f"{place}.as_built: {row['as_built']!r} is not a list; give [] where nothing was measured")
    built = tuple(_as_built(entry, f"{place}.as_built.{i}") for i, entry in enumerate(row["as_built"]))
    named = [cell for entry in built for cell in entry.cells]
    for cell in named:
        if named.count(cell) > 1:
            raise GeometryError(f"{place}.as_built: '{cell}' is given more than once")
    return Printer(name, as_built=built, **limits)


def _limit(row: Any, place: str) -> Limit:
    _has_fields(row, ("mm", "source"), place)
    mm = _number(row["mm"], f"{place}.mm")
    # Lattices of struts above 10 mm, or a limit given in µm, are a slip.
    if not 0.0 < mm <= 10.0:
        raise GeometryError(f"{place}.mm: {mm} is not a thickness in mm above 0, at most 10")
    return Limit(mm, _text(row["source"], f"{place}.source"))


def _as_built(row: Any, place: str) -> AsBuilt:
    _has_fields(row, ("cells", "part", "least_um", "most_um", "source"), place)
    known = [key for cell in CELLS.values() for key in (cell.name, cell.family, cell.kind)]
    cells = row["cells"]
    if not isinstance(cells, list) or not cells or any(cell not in known for cell in cells):
        raise GeometryError(f"{place}.cells: {cells!r} is not a list of {', '.join(dict.fromkeys(known))}")
    if row["part"] not in _PARTS:
        raise GeometryError(f"{place}.part: {row['part']!r} is neither of {', '.join(_PARTS)}")
    least, most = (_number(row[key], f"{place}.{key}") for key in ("least_um", "most_um"))
    if not -1000.0 <= least <= most <= 1000.0:
        raise GeometryError(f"{place}.least_um, most_um: {least} to {most} must ascend, within ±1000 µm")
    return AsBuilt(tuple(cells), row["part"], least, most, _text(row["source"], f"{place}.source"))


def _has_fields(row: Any, fields: Iterable[str], place: str) -> None:
    if not isinstance(row, dict):
        raise GeometryError(f"{place}: {row!r} is not an object with {', '.join(fields)}")
    # A default of another machine must never complete a hospital's entry.
    for name in fields:
        if name not in row:
            raise GeometryError(f"{place}.{name}: missing; an entry gives every field")
    for name in row:
        if name not in fields:
            raise GeometryError(f"{place}.{name}: no such field; there are {', '.join(fields)}")


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise GeometryError(f"{place}: {value!r} is not a number")
    return float(value)


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise GeometryError(f"{place}: {value!r} is not a text; say what it is or where it comes from")
    return value
