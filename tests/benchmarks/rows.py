"""What is measured: the rows of the speed table and the targets they must meet.

Targets are for two cores of a current server and stand beside a peer, mobile-env's large scenario, which makes
`PEER_STEPS_PER_S` on such a machine. On another or a busy machine the ratio to the peer in the same run decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ntn_gym.core.registry import entries

PEER_STEPS_PER_S = 50.0
"""Speed of mobile-env's large scenario where the targets were set: 15,000 steps/s were asked for as 300 times it."""
FRESH, POOL = "fresh", "pool"
MODES = (FRESH, POOL)
"""``fresh``: an endless stream of worlds, each drawn at its reset. ``pool``: a fixed pool (``n_worlds``)."""
POOL_WORLDS = 32


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        work: What is done.
        face: Through what.
        n_parallel: Worlds stepped together.
        mode: Where the worlds come from; empty where it does not matter.
        unit: Of the value. Rates (``.../s``) should be high, everything else low.
        target: Value to reach; None is shown without a judgement.
        links_per_step: Samples of a link drawn for one env-step, for rates.
        links_target: Link samples/s that count as reaching the target, too.
    """

    work: str
    face: str
    n_parallel: int
    mode: str
    unit: str = "env-steps/s"
    target: float | None = None
    links_per_step: int | None = None
    links_target: float | None = None

    @property
    def is_rate(self) -> bool:
        """Whether a higher value is better."""
        return self.unit.endswith("/s")


PEER = Row("mobile-env mobile-large-central-v0, 30 users x 13 stations", "gym.make", 1, "")
SMALL_PEER = Row("mobile-env mobile-small-central-v0, 5 users x 3 stations", "gym.make", 1, "")


@dataclass(frozen=True)
class Load:
    """A speed to measure, in every mode: environment, preset (None: the default one), face, worlds, target."""

    environment: str
    preset: str | None
    face: str
    n_parallel: int
    target: float | None = None
    links_target: float | None = None

    def __str__(self) -> str:
        return f"{self.environment}-{self.preset or 'default'}-{self.face}-{self.n_parallel}"


GYM, VEC, SB3 = "gym.make", "gym.make_vec", "NTNVecEnv"

_OWN_TARGETS = [
    Load("Handover", "benchmark-30x13", GYM, 1, 15_000),
    Load("Handover", "benchmark-30x13", VEC, 256, 25_000),
    Load("Handover", "benchmark-30x13", SB3, 256, 25_000),
    Load("Handover", "beams", GYM, 1, 25_000),
    Load("Handover", "beams", VEC, 1024, 200_000),
    Load("Handover", "beams", SB3, 1024, 200_000),
]


def loads() -> Iterator[Load]:
    """All speeds to measure: those with a target of their own, then the default preset of every environment."""
    yield from _OWN_TARGETS
    for entry in entries().values():
        if not any(load.environment == entry.name and load.n_parallel == 1 for load in _OWN_TARGETS):
            yield Load(entry.name, None, GYM, 1, 5_000)
        for face in (VEC, SB3):
            yield Load(entry.name, None, face, 256, 20_000, 15e6)


@dataclass(frozen=True)
class Start:
    """A reset to time: environment, preset (None: the default one) and the target in ms."""

    environment: str
    preset: str | None
    target_ms: float

    def __str__(self) -> str:
        return f"{self.environment}-{self.preset or 'default'}"


_CACHED_EPHEMERIS_MS = 20.0
_WALKER_OR_PLACED_MS = 5.0


def starts() -> Iterator[Start]:
    """All resets to time: default presets, and the kinds of sky of Handover."""
    for entry in entries().values():
        yield Start(entry.name, None, _WALKER_OR_PLACED_MS)
    yield Start("Handover", "haps-swing", _WALKER_OR_PLACED_MS)
    yield Start("Handover", "benchmark-30x13", _WALKER_OR_PLACED_MS)
    yield Start("Handover", "iridium-next", _CACHED_EPHEMERIS_MS)
    yield Start("Handover", "starlink", _CACHED_EPHEMERIS_MS)
