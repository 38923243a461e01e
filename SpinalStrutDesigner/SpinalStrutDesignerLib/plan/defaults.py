"""A hospital's own defaults: the decisions of a plan that do not depend on the patient, as JSON, and back."""

from __future__ import annotations

import json

from ..errors import PlanError
from .json import migrated, parsed, plan_from_data, plan_to_data
from .plan import SCHEMA, Plan

# What is decided once and used again; the rest of a plan is about one patient.
DEFAULT_FIELDS = (
    "section", "upper_foot", "lower_foot", "interface", "variants", "rules", "screw_rules", "budget", "material",
    "printer", "loads",
)  # fmt: skip


def defaults_to_json(plan: Plan) -> str:
    """The plan's decisions that other patients can share; the weight stays out."""
    data = plan_to_data(plan)
    kept = {name: data[name] for name in DEFAULT_FIELDS}
    kept["loads"] = {key: value for key, value in kept["loads"].items() if key != "patient_weight_kg"}
    return json.dumps({"schema": SCHEMA, "defaults": kept}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def with_defaults(plan: Plan, text: str) -> Plan:
    """The plan with these defaults; what they do not name, and the patient's weight, stay as they are.

    Raises PlanError naming the field on anything that is no default, unknown or out of range.
    """
    record = parsed(text, "defaults")
    if not isinstance(record, dict) or not isinstance(record.get("defaults"), dict):
        raise PlanError("defaults: not a file of defaults; give one that was saved with Save defaults")
    given = migrated({"schema": record.get("schema"), **record["defaults"]})
    given.pop("schema")
    for name in given:
        if name not in DEFAULT_FIELDS:
            raise PlanError(f"defaults: '{name}' is no default; they are {', '.join(DEFAULT_FIELDS)}")
    data = plan_to_data(plan)
    weight = data["loads"]["patient_weight_kg"]
    data |= given
    if "loads" in given:
        data["loads"] = {**given["loads"], "patient_weight_kg": weight}
    return plan_from_data(data)
