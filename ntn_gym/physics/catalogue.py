"""Platforms of the near space that were built or planned: what each source says, and where the sources disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from ntn_gym.data import read_json

PlatformKind = Literal["balloon", "tethered balloon", "airship", "solar aircraft"]
ClaimKind = Literal["stated", "flown", "planned", "simulated", "computed"]
Confidence = Literal["high", "medium"]
Quantity = Literal[
    "airspeed_m_s",
    "altitude_m",
    "battery_j",
    "coverage_radius_m",
    "data_rate_bit_s",
    "endurance_s",
    "height_m",
    "length_m",
    "mass_kg",
    "payload_kg",
    "payload_power_w",
    "propulsion_power_w",
    "solar_area_m2",
    "solar_power_w",
    "span_m",
    "volume_m3",
]


@dataclass(frozen=True)
class Claim:
    """What one source says about one quantity of a platform.

    Attributes:
        quantity: Name of the quantity, with its unit.
        low: Lower end of the range; equal to `high` for one value.
        high: Upper end of the range; infinite for "more than".
        source: Where it is from.
        kind: Whether it was flown, planned, simulated, computed, or merely stated.
        confidence: "high" if a source was read that says so, "medium" if it is widely quoted.
        note: What the number means, where that is not plain.
    """

    quantity: Quantity
    low: float
    high: float
    source: str
    kind: ClaimKind
    confidence: Confidence
    note: str = ""

    def __post_init__(self) -> None:
        for field, allowed in (("quantity", Quantity), ("kind", ClaimKind), ("confidence", Confidence)):
            if getattr(self, field) not in get_args(allowed):
                raise ValueError(
                    f"Claim.{field}: got {getattr(self, field)!r}; must be one of {', '.join(get_args(allowed))}"
                )
        if not 0.0 <= self.low <= self.high:
            raise ValueError(
                f"Claim.low: got {self.low} to {self.high} ({self.quantity}); must be 0 or more, ascending"
            )


@dataclass(frozen=True)
class PlatformFacts:
    """A platform and all that is claimed about it.

    Attributes:
        name: Name of the project.
        kind: Balloon, tethered balloon, airship or solar aircraft.
        maker: Who built or planned it.
        country: Where.
        period: When; empty where the sources read do not say.
        status: "flown", "operational", "development", "concept" or "ended"; empty where the sources do not say.
        in_survey_table: Whether it is in Table I of the survey of near-space networks.
        claims: What the sources say.
        notes: What a reader should know before using the numbers.
    """

    name: str
    kind: PlatformKind
    maker: str
    country: str
    period: str
    status: str
    in_survey_table: bool
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]

    def about(self, quantity: Quantity) -> tuple[Claim, ...]:
        """Return the claims about a quantity, in the order of the table."""
        return tuple(claim for claim in self.claims if claim.quantity == quantity)

    def contradictions(self) -> tuple[tuple[Claim, Claim], ...]:
        """Return the pairs of claims about one quantity that cannot both be the whole truth.

        Two claims contradict each other when their ranges differ by more than 10 % at either end. A range that starts
        at 0 ("up to") is compared by its upper end alone, one without an upper end ("more than") by its lower.
        """

        def apart(a: float, b: float) -> bool:
            return abs(a - b) > 0.1 * max(a, b)

        def differ(a: Claim, b: Claim) -> bool:
            open_below = a.low == 0.0 or b.low == 0.0
            open_above = math.isinf(a.high) or math.isinf(b.high)
            return (not open_above and apart(a.high, b.high)) or (not open_below and apart(a.low, b.low))

        return tuple(
            (a, b)
            for i, a in enumerate(self.claims)
            for b in self.claims[i + 1 :]
            if a.quantity == b.quantity and differ(a, b)
        )


def _platform(row: dict[str, Any], sources: dict[str, str]) -> PlatformFacts:
    claims = tuple(
        Claim(
            **(
                claim
                | {"source": sources[claim["source"]], "high": math.inf if claim["high"] is None else claim["high"]}
            )
        )
        for claim in row["claims"]
    )
    if row["kind"] not in get_args(PlatformKind):
        raise ValueError(f"platforms.json, {row['name']}: kind {row['kind']!r} is none of {get_args(PlatformKind)}")
    return PlatformFacts(**(row | {"claims": claims, "notes": tuple(row["notes"])}))


@cache
def platform_catalogue() -> dict[str, PlatformFacts]:
    """Return all platforms by name: the ten of the survey's Table I, then three others.

    Source: X. Liu et al., "Toward Near-Space Communication Network in the 6G and Beyond Era", Table I and section II;
    makers' simulation and trade press where they say otherwise; each claim has its own (`tables/platforms.json`).

    Returns:
        Facts by name, in the order of the table (loaded once; do not change it).
    """
    table = read_json("tables/platforms.json")
    return {row["name"]: _platform(row, table["sources"]) for row in table["platforms"]}


def platform_facts(name: str) -> PlatformFacts:
    """Return one platform.

    Source: as `platform_catalogue`.

    Args:
        name: Name, as in `platform_catalogue`.

    Returns:
        The facts.

    Raises:
        ValueError: If the name is unknown.
    """
    catalogue = platform_catalogue()
    if name not in catalogue:
        raise ValueError(f"platform: got {name!r}; must be one of {', '.join(catalogue)}")
    return catalogue[name]
