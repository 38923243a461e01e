"""What is decided about holes, guides and marks: numbers of manufacture rather than of anatomy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .record import Record


@dataclass(frozen=True)
class HolePlan(Record):
    """What is left for the mill at every screw hole: how much smaller its bore is printed than finished, in diameter,
    and how much metal is left on its seat."""

    _place: ClassVar[str] = "holes"

    undersize_mm: float = 0.5
    seat_stock_mm: float = 0.5


@dataclass(frozen=True)
class GuidePlan(Record):
    """The printed guides. drill: what a drill guide sits on, the bone's face or the finished implant's holes.

    Three numbers that are never one: fit_gap between guide and bone (or implant), tool_clearance added to a drill's
    diameter, print_tolerance of the plastic. insert_diameter: of a metal sleeve that leads the drill, None for none;
    stop_step: a drill's depth stop is set in such steps; zone_diameter: of contact zones on bone, and how far a saddle
    over an implant's face reaches past the sleeves; window 0: none, on bone alone; grip 0: none.
    """

    _place: ClassVar[str] = "guides"

    docking: Literal["none", "made"] = "made"
    drill: Literal["none", "bone", "implant"] = "bone"
    fit_gap_mm: float = 0.2
    tool_clearance_mm: float = 0.35
    print_tolerance_mm: float = 0.3
    sleeve_length_mm: float = 15.0
    sleeve_wall_mm: float = 2.0
    insert_diameter_mm: float | None = None
    stop_step_mm: float = 1.0
    base_thickness_mm: float = 3.0
    zone_diameter_mm: float = 5.0
    window_mm: float = 3.0
    grip_mm: float = 45.0


@dataclass(frozen=True)
class MarkPlan(Record):
    """What is written on parts and guides, and how: the case's code, proximal or distal, drill, design version."""

    _place: ClassVar[str] = "marks"

    style: Literal["engraved", "embossed", "none"] = "engraved"
    plastic_height_mm: float = 3.0
    plastic_depth_mm: float = 1.0
    metal_height_mm: float = 2.0
    metal_depth_mm: float = 0.3
