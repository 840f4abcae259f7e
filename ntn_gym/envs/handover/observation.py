"""What a user knows: the layout of the observation, its scaling, and how to read it back in engineering units.

An observation is ``slots * n`` numbers per slot, slot after slot, followed by the numbers of the user. Empty slots
are zero. Heuristics decode the same vector that a network sees, so that nobody knows more than anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SINR_CENTRE_DB = 2.0
SINR_SCALE_DB = 12.0
SINR_LOW, SINR_HIGH = -1.3, 2.0
PREDICTED_HIGH = 4.0
REMAINING_SHORT_S = 30.0
AGE_SCALE_S = 8.0
ELEVATION_RATE_SCALE = 2.0
SINCE_LONG_S = 20.0
SINCE_SHORT_S = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the observation: name, meaning, unit of the scaled value and its range."""

    name: str
    meaning: str
    unit: str
    low: float
    high: float


SLOT_ENTRIES = (
    Entry("valid", "a pass occupies the slot", "0/1", 0.0, 1.0),
    Entry("serving", "this slot serves the user", "0/1", 0.0, 1.0),
    Entry("elevation", "predicted elevation", "90 deg", 0.0, 1.0),
    Entry("elevation_rate", "predicted rate of the elevation", "0.5 deg/s", -1.0, 1.0),
    Entry("sinr", "filtered measured SINR, as (SINR - 2 dB)/12 dB", "12 dB", SINR_LOW, SINR_HIGH),
    Entry("age", "age of that measurement; 1 also means never measured", "8 s", 0.0, 1.0),
    Entry("utility", "utility expected from measured SINR and broadcast load", "1", -0.2, 1.0),
    Entry("remaining", "predicted time until the pass sets", "horizon", 0.0, 1.0),
    Entry("remaining_short", "the same on a short scale", "30 s", 0.0, 1.0),
    Entry("load", "load of the cell as last broadcast", "share", 0.0, 1.0),
    Entry("sinr_slow", "slowly filtered SINR, scaled as sinr", "12 dB", SINR_LOW, SINR_HIGH),
    Entry("azimuth_sin", "sine of the predicted azimuth", "1", -1.0, 1.0),
    Entry("azimuth_cos", "cosine of the predicted azimuth", "1", -1.0, 1.0),
    Entry(
        "predicted_snr",
        "clear-sky SNR from ephemeris and beam, scaled as sinr",
        "12 dB",
        SINR_LOW,
        PREDICTED_HIGH,
    ),
    Entry("attached", "users served by this slot in the last step", "share", 0.0, 1.0),
)
USER_ENTRIES = (
    Entry("connected", "a slot serves the user", "0/1", 0.0, 1.0),
    Entry("reestablishing", "remaining share of the re-establishment", "share", 0.0, 1.0),
    Entry("t310", "out-of-sync steps over the T310 limit", "share", 0.0, 1.0),
    Entry("since_long", "time since the last handover or connection", "20 s", 0.0, 1.0),
    Entry("since_short", "the same on a short scale", "5 s", 0.0, 1.0),
    Entry("service_average", "running average of the service utility (weight 0.2)", "1", -1.0, 1.0),
    Entry("idle", "the user may choose a slot to connect to", "0/1", 0.0, 1.0),
)
SLOT = {entry.name: index for index, entry in enumerate(SLOT_ENTRIES)}
USER = {entry.name: index for index, entry in enumerate(USER_ENTRIES)}
SLOT_SIZE = len(SLOT_ENTRIES)
USER_SIZE = len(USER_ENTRIES)


def observation_size(n_slots: int) -> int:
    """Length of the observation of one user."""
    return n_slots * SLOT_SIZE + USER_SIZE


def bounds(n_slots: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value of every entry of the observation."""
    low = [entry.low for entry in SLOT_ENTRIES] * n_slots + [entry.low for entry in USER_ENTRIES]
    high = [entry.high for entry in SLOT_ENTRIES] * n_slots + [entry.high for entry in USER_ENTRIES]
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


@dataclass(frozen=True)
class View:
    """An observation [B, U, obs] read back in engineering units; slot arrays are [B, U, K], user arrays [B, U]."""

    observation: NDArray[np.float32]
    remaining_horizon_s: float

    @property
    def n_slots(self) -> int:
        """Number of slots K."""
        return (self.observation.shape[-1] - USER_SIZE) // SLOT_SIZE

    def slot(self, name: str) -> NDArray[np.float32]:
        """Scaled value of a slot entry, [B, U, K]."""
        n_slots = self.n_slots
        slots = self.observation[..., : n_slots * SLOT_SIZE]
        return slots.reshape(*slots.shape[:-1], n_slots, SLOT_SIZE)[..., SLOT[name]]

    def user(self, name: str) -> NDArray[np.float32]:
        """Scaled value of a user entry, [B, U]."""
        return self.observation[..., USER[name] - USER_SIZE]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Slots that hold a pass."""
        return self.slot("valid") > 0.5

    @property
    def serving(self) -> NDArray[np.bool_]:
        """The serving slot, as a mask."""
        return self.slot("serving") > 0.5

    @property
    def connected(self) -> NDArray[np.bool_]:
        """Users with a serving slot."""
        return self.user("connected") > 0.5

    @property
    def idle(self) -> NDArray[np.bool_]:
        """Users that may connect."""
        return self.user("idle") > 0.5

    @property
    def sinr_db(self) -> NDArray[np.float32]:
        """Filtered measured SINR, clipped to [-13.6, 26] dB."""
        return self.slot("sinr") * np.float32(SINR_SCALE_DB) + np.float32(SINR_CENTRE_DB)

    @property
    def predicted_snr_db(self) -> NDArray[np.float32]:
        """Clear-sky SNR that ephemeris and beam predict."""
        return self.slot("predicted_snr") * np.float32(SINR_SCALE_DB) + np.float32(SINR_CENTRE_DB)

    @property
    def elevation_deg(self) -> NDArray[np.float32]:
        """Predicted elevation."""
        return self.slot("elevation") * np.float32(90.0)

    @property
    def elevation_rate_deg_s(self) -> NDArray[np.float32]:
        """Predicted rate of the elevation, clipped to +-0.5 deg/s."""
        return self.slot("elevation_rate") / np.float32(ELEVATION_RATE_SCALE)

    @property
    def remaining_s(self) -> NDArray[np.float32]:
        """Predicted time until the pass sets, clipped to the horizon; exact to a step below 30 s."""
        short = self.slot("remaining_short")
        long_s = self.slot("remaining") * np.float32(self.remaining_horizon_s)
        return np.where(short < 1.0, short * np.float32(REMAINING_SHORT_S), long_s)

    @property
    def utility(self) -> NDArray[np.float32]:
        """Utility expected from the measured SINR and the broadcast load."""
        return self.slot("utility")

    @property
    def load(self) -> NDArray[np.float32]:
        """Load as last broadcast."""
        return self.slot("load")
