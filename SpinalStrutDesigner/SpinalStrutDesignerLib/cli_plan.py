"""The plan that the command line's options mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from .case.model import Case
from .cli_options import DEFAULT_PRESET
from .errors import PlanError
from .plan.plan import Plan, Waiver


def given_plan(options: argparse.Namespace) -> Plan | None:
    """The plan file's plan, which other options must not contradict; None where a proposal is asked for."""
    if options.plan is None:
        if options.upper is None or options.lower is None:
            raise PlanError("give the docking levels with --from and --to, or a plan with --plan")
        return None
    if options.preset is not None:
        raise PlanError("--preset starts a proposal, and --plan replaces it: give one of the two")
    plan = plan_in(options.plan)
    for option, asked, has in (("--from", options.upper, plan.upper), ("--to", options.lower, plan.lower)):
        if asked is not None and asked != has:
            raise PlanError(f"{option} {asked} contradicts the plan, which has {has}; leave the option out")
    return plan


def plan_in(file: str) -> Plan:
    from .plan.json import plan_from_json

    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"the plan '{file}' cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return plan_from_json(text)


def check_early(options: argparse.Namespace, given: Plan | None) -> Plan:
    """What is decided before any long work, which refuses what cannot become a plan; axis and screws are only known
    once proposed."""
    from .plan.presets import preset, preset_screws

    start = given or preset(options.preset or DEFAULT_PRESET, options.upper, options.lower)
    if options.screws is not None:
        preset_screws(start.preset, options.screws)  # refuses what cannot be used, before any long work
    settings = options.settings if given else [s for s in options.settings if not s.startswith(("axis.", "screws."))]
    return decided(start, argparse.Namespace(**{**vars(options), "settings": settings}))


def check_levels(case: Case, given: Plan | None, options: argparse.Namespace) -> None:
    """Refuses a docking level that the case has not, before anything is said about the other one's endplate."""
    from .build.situation import corrected
    from .case.vertebra import vertebra_structure

    case = corrected(case, given) if given else case
    for level in (given.upper, given.lower) if given else (options.upper, options.lower):
        vertebra_structure(case, level)


def decided(plan: Plan, options: argparse.Namespace) -> Plan:
    """The plan with what the command line says about it."""
    from .plan.setting import with_settings

    plan = with_settings(plan, options.settings)
    if options.case_code is not None:
        plan = plan.with_(case_code=options.case_code)
    if options.weight is not None:
        plan = plan.with_(loads=plan.loads.with_(patient_weight_kg=options.weight))
    return plan.with_(waivers=(*plan.waivers, *(Waiver(*waiver) for waiver in options.waivers)))
