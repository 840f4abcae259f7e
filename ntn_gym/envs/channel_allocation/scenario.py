"""Everything that can be set in a ChannelAllocation scenario, with units and legal ranges."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Cells(_Part):
    """The spot beams of the platform: a hexagonal grid, and the channels they share."""

    rows: int = Field(7, ge=1, le=64)
    columns: int = Field(7, ge=1, le=64, description="Cells per row; rows x columns is at most 64.")
    reuse_distance: int = Field(
        3, ge=1, le=8, description="A channel may be used again in a cell this many steps away (1: in every cell)."
    )
    channels: int = Field(70, ge=1, le=126)
    radius_m: float = Field(5e3, ge=100, le=100e3, description="Corner radius of a cell on the ground.")

    @model_validator(mode="after")
    def _fits_in_64_bits(self) -> Cells:
        if self.rows * self.columns > 64:
            raise ValueError(f"rows x columns = {self.rows * self.columns} cells: allowed are at most 64")
        return self


class Hotspot(_Part):
    """A crowd that moves on a circle around the centre of the grid, faster than a day so that an episode sees it."""

    peak_erlang: float = Field(12.0, gt=0, le=200, description="Load added at its centre.")
    width_cells: float = Field(1.5, gt=0, le=10, description="Standard deviation, in distances of cells.")
    orbit_cells: float = Field(2.6, ge=0, le=10, description="Radius of its way, in distances of cells.")
    period_s: float = Field(3600.0, gt=0, description="Time of one round; where it begins is random.")


class Load(_Part):
    """Calls: Poisson arrivals, exponential times."""

    offered_erlang: float = Field(
        7.5, gt=0, le=200, description="New calls that begin within the mean holding time, per cell on average."
    )
    holding_s: float = Field(180.0, gt=0, description="Mean time until a call ends or changes its cell.")
    handover_share: float = Field(
        0.0, ge=0, le=0.9, description="Probability that a call then moves on to a neighbouring cell instead of ending."
    )
    gradient: float = Field(
        0.0, ge=0, le=1, description="Load of the first and last column: 1 - gradient and 1 + gradient of the mean."
    )
    hotspot: Hotspot | None = None


class Drift(_Part):
    """The platform is blown away by wind above its airspeed, and its cells with it: hand-overs come in bursts."""

    airspeed_m_s: float = Field(18.0, ge=0, le=100, description="Wind up to here is compensated.")
    gust_m_s: float = Field(4.0, ge=0, le=30, description="Root-mean-square gust per horizontal component.")
    gust_memory_s: float = Field(60.0, gt=0, le=3600)
    pressure_pa: float = Field(5000.0, ge=5000, le=14000, description="Flight level: pressure level of the wind data.")
    min_wind_m_s: float = Field(0.0, ge=0, le=15, description="Days with less mean wind are left out.")


class Reward(_Part):
    """Prices, in calls of mean holding time."""

    form: Literal["integral", "lump"] = Field(
        "integral",
        description="integral: carried less offered traffic over time; lump: -1 for each refused call at once.",
    )
    dropped_handover_calls: float = Field(0.0, ge=0, le=100, description="Price of a hand-over that is dropped.")


class Scenario(_Part):
    """One ChannelAllocation problem: cells, calls, what may be moved, and prices."""

    name: str = "custom"
    description: str = ""
    steps: int = Field(2000, ge=2, le=200_000, description="Events of an episode.")
    moves: Literal["none", "one"] = Field(
        "one", description="one: when a channel falls free, one call of that cell may move to it."
    )
    start: Literal["fixed", "empty"] = Field(
        "fixed",
        description="What the episode finds: the calls that fixed assignment would be carrying, or none.",
    )
    cells: Cells = Cells()
    load: Load = Load()
    drift: Drift | None = None
    reward: Reward = Reward()

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.cells.rows * self.cells.columns

    @property
    def largest_load_erlang(self) -> float:
        """The most that is offered to any cell, hand-overs included."""
        load = self.load
        peak = load.offered_erlang * (1 + load.gradient) + (load.hotspot.peak_erlang if load.hotspot else 0.0)
        return peak / (1 - load.handover_share)

    @property
    def calls_per_cell(self) -> int:
        """Places for offered calls of one cell: ten standard deviations above the largest mean."""
        return math.ceil(self.largest_load_erlang + 10 * math.sqrt(self.largest_load_erlang) + 10)
