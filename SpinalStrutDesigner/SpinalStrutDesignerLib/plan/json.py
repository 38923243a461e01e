"""A plan as text and back: versioned JSON, the same text for the same plan, exact to the last bit of each number."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from ..errors import PlanError
from .check import record_from
from .plan import SCHEMA, Plan
from .record import Record


def _kept_as_it_is(data: dict[str, Any]) -> dict[str, Any]:
    """Before schema 2 a section was of fixed size where it did not say otherwise."""
    section = data.get("section")
    return {**data, "section": {"sizing": "fixed", **section}} if isinstance(section, dict) else data


# From a schema version to the step that makes a plan of that version one of the next.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _kept_as_it_is}


def plan_to_json(plan: Plan) -> str:
    """The plan as JSON text, fields in the plan's own order, schema version first, UTF-8 letters kept."""
    data = plan_to_data(plan)
    data = {"schema": data.pop("schema"), **data}
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plan_from_json(text: str) -> Plan:
    """The plan in a JSON text, migrated from older schemas; fields left out take their defaults.

    Raises PlanError naming the field and value on anything unknown, out of range, of a wrong type or a newer schema.
    """
    data = parsed(text, "plan")
    if not isinstance(data, dict):
        raise PlanError("plan: not a JSON object; give a plan as written by this program")
    return plan_from_data(migrated(data))


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """The plan as objects, lists, numbers and texts."""
    return record_to_data(plan)


def record_to_data(record: Record) -> dict[str, Any]:
    """A record of a plan as objects, lists, numbers and texts."""
    data: dict[str, Any] = _plain(record)
    return data


def plan_from_data(data: dict[str, Any]) -> Plan:
    """The plan from objects, lists, numbers and texts of the present schema."""
    return record_from(Plan, data, "")


def migrated(data: dict[str, Any]) -> dict[str, Any]:
    """A written plan's data brought to the present schema. Raises PlanError where there is no way."""
    version = data.get("schema")
    if isinstance(version, bool) or not isinstance(version, int):
        raise PlanError(f"schema: {version!r} is not a version; a written plan has 'schema': {SCHEMA}")
    if version > SCHEMA:
        raise PlanError(f"schema: {version} is newer than {SCHEMA}, which this program reads; update the program")
    while version < SCHEMA:
        if version not in MIGRATIONS:
            raise PlanError(f"schema: {version} is older than any this program can read; versions 1 to {SCHEMA} can be")
        data = {**MIGRATIONS[version](data), "schema": version + 1}
        version += 1
    return data


def parsed(text: str, place: str) -> Any:
    """JSON text as Python data; place names the text in errors. A field given twice, NaN and infinity are refused."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise PlanError(f"{place}: the field '{twice}' is given more than once in one object")
        return data

    def refused(constant: str) -> Any:
        raise PlanError(f"{place}: {constant} is not a number; give a finite one")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refused)
    except json.JSONDecodeError as error:
        raise PlanError(f"{place}: not valid JSON: {error}") from error
    except RecursionError as error:
        raise PlanError(f"{place}: nested too deeply to be a plan") from error


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
