"""Catalogues of screws, materials and printers: package data, and a hospital's own files of the same form.

A hospital's file says with "mode" what it does: "adds" (unless given) puts its entries beside the package's, and where
both have a name the hospital's holds; "replaces" leaves nothing but its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import PlanError
from .check import hints_of, record_from
from .entries import Material, Printer, ScrewType
from .json import parsed

T = TypeVar("T")
_FORMAT = 1
_MODES = ("adds", "replaces")


@dataclass(frozen=True)
class CatalogueEntry(Generic[T]):
    """A catalogue's record, where its values come from, and which of them must be verified locally."""

    value: T
    source: str
    verify_locally: tuple[str, ...]


def load_screws(path: str | PathLike[str] | None = None) -> dict[str, CatalogueEntry[ScrewType]]:
    """Screw types by name; path: a hospital's own file, which adds to the package's or replaces them.

    Raises PlanError naming the file, the entry, the field, the value and its range.
    """
    return _catalogue(ScrewType, "screws", path)


def load_materials(path: str | PathLike[str] | None = None) -> dict[str, CatalogueEntry[Material]]:
    """Materials by name; path: a hospital's own file."""
    return _catalogue(Material, "materials", path)


def load_printers(path: str | PathLike[str] | None = None) -> dict[str, CatalogueEntry[Printer]]:
    """Printers by name; path: a hospital's own file."""
    return _catalogue(Printer, "printers", path)


def chosen(catalogue: Mapping[str, CatalogueEntry[T]], name: str) -> T:
    """The record of that name. Raises PlanError with the names there are."""
    if name not in catalogue:
        raise PlanError(f"'{name}' is not in the catalogue; it has: {', '.join(catalogue)}")
    return catalogue[name].value


def read_table(name: str, path: str | PathLike[str] | None = None) -> dict[str, Any]:
    """A data file as an object: the package's own by name, or the one at path. Raises PlanError."""
    own = files(__package__).joinpath("data").joinpath(f"{name}.json")
    try:
        text = own.read_text("utf-8") if path is None else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: cannot be read as a table of {name}: {error}") from error
    place = name if path is None else str(path)
    table = parsed(text, place)
    if not isinstance(table, dict) or table.get("schema") != _FORMAT:
        raise PlanError(f"{place}: not a table of {name}; it needs an object with 'schema': {_FORMAT}")
    return table


def _catalogue(cls: type[T], name: str, path: str | PathLike[str] | None) -> dict[str, CatalogueEntry[T]]:
    if path is None:
        return _entries(cls, read_table(name), name)
    table, place = read_table(name, path), str(path)
    mode = table.get("mode", _MODES[0])
    if mode not in _MODES:
        raise PlanError(f"{place}: mode: {mode!r} is not one of {', '.join(_MODES)}; say what the file does")
    given = _entries(cls, table, place)
    return given if mode == "replaces" else {**_entries(cls, read_table(name), name), **given}


def _entries(cls: type[T], table: dict[str, Any], place: str) -> dict[str, CatalogueEntry[T]]:
    rows = table.get("entries")
    if not isinstance(rows, list) or not rows:
        raise PlanError(f"{place}: no entries; it needs a list 'entries' with at least one")
    catalogue: dict[str, CatalogueEntry[T]] = {}
    for i, row in enumerate(rows):
        where = f"{place}: entries.{i}{_called(row)}"
        entry = _entry(cls, row, where)
        key = entry.value.name  # type: ignore[attr-defined]
        if key in catalogue:
            raise PlanError(f"{where}.values.name: '{key}' is given more than once")
        catalogue[key] = entry
    return catalogue


def _called(row: Any) -> str:
    """An entry's own name in brackets, by which a person finds it in the file; nothing where it has none yet."""
    values = row.get("values") if isinstance(row, dict) else None
    name = values.get("name") if isinstance(values, dict) else None
    return f" ('{name}')" if isinstance(name, str) and name.strip() else ""


def _entry(cls: type[T], row: Any, place: str) -> CatalogueEntry[T]:
    if not isinstance(row, dict) or set(row) != {"values", "source", "verify_locally"}:
        raise PlanError(f"{place}: an entry has exactly 'values', 'source' and 'verify_locally'")
    values, source, flagged = row["values"], row["source"], row["verify_locally"]
    absent = [name for name in hints_of(cls) if not isinstance(values, dict) or name not in values]
    if absent:
        # A default of another screw must never complete a hospital's entry.
        raise PlanError(f"{place}.values: missing {', '.join(absent)}; a catalogue entry gives every field")
    if not isinstance(source, str) or not source.strip():
        raise PlanError(f"{place}.source: {source!r} is not a text; say where the values come from")
    if not isinstance(flagged, list) or any(name not in hints_of(cls) for name in flagged):
        raise PlanError(f"{place}.verify_locally: {flagged!r} is not a list of field names of the entry")
    return CatalogueEntry(record_from(cls, values, f"{place}.values"), source, tuple(flagged))
