"""What a satellite's operator knows: the layout of the observation, its scaling, and how to read it back.

An observation is ``K * SLOT_SIZE`` numbers, slot after slot, followed by the numbers of the satellite. Empty slots are
zero. Heuristics decode the same vector that a network sees, so that nobody knows more than anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.data_relay.outlook import NEXT_PASSES

REMAINING_S = 600.0
REMAINING_SHORT_S = 120.0
WAIT_S = 24 * 3600.0
GAIN_S = 6 * 3600.0
GAP_S = 3600.0
VOLUME_BITS = 4.8e12
"""A pass of ten minutes at 8 Gbit/s."""
QUEUE_BITS = 8e11
"""A file of 100 GB."""
QUEUE_LOG = 6.0
ACQUISITION_S = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the observation: name, meaning, unit of the scaled value and its range."""

    name: str
    meaning: str
    unit: str
    low: float
    high: float


SLOT_ENTRIES = (
    Entry("valid", "a receiver is in view", "0/1", 0, 1),
    Entry("pointed", "the terminal points to it", "0/1", 0, 1),
    Entry("clear", "clear sky below (1 for a satellite)", "0/1", 0, 1),
    Entry("hags", "it is a high-altitude ground station", "0/1", 0, 1),
    Entry("neighbour", "it is a satellite", "0/1", 0, 1),
    Entry("remaining", "predicted time until the contact ends, clipped", "600 s", 0, 1),
    Entry("remaining_short", "the same on a short scale, clipped", "120 s", 0, 1),
    Entry("rate", "rate under clear sky over that of the modem", "share", 0, 1),
    Entry("fill", "fill of its buffer (0 without one)", "share", 0, 1),
    Entry("taken", "another satellite points to it", "0/1", 0, 1),
    Entry("volume", "bits that the contact can still take: rate x remaining time, or free buffer", "4.8 Tbit", 0, 4),
    Entry("pressure", "bits on board over that volume, clipped", "3", 0, 1),
    Entry("wait", "expected time until a bit sent there is on the ground, clipped", "24 h", 0, 1),
    Entry("gain", "expected time won against waiting, clipped", "6 h", -1, 1),
    Entry("plan", "time until the forecast calls it clear (0 if it is), clipped", "24 h", 0, 1),
    Entry("receiver", "number of the receiver plus one over their count", "share", 0, 1),
    Entry("routine_first", "this slot sends routine data before urgent data", "0/1", 0, 1),
)
USER_ENTRIES = (
    Entry("queue", "log(1 + bits on board / 0.8 Tbit) / 6, clipped", "log", 0, 1),
    Entry("urgent", "urgent share of the bits on board", "share", 0, 1),
    Entry("pointing", "the terminal points to a receiver in view", "0/1", 0, 1),
    Entry("acquiring", "what is left of the acquisition, clipped", "60 s", 0, 1),
    Entry("refused", "the last choice was taken by another satellite", "0/1", 0, 1),
    Entry("elapsed", "length of the last epoch over the longest one", "share", 0, 1),
    Entry("left", "time left over the episode", "share", 0, 1),
    Entry("cutoff", "time to the next cut-off, clipped; 1 also means none", "6 h", 0, 1),
    Entry("decline", "expected wait of data that is not sent now, clipped", "24 h", 0, 1),
    Entry("decline_plan", "the same if the forecast is taken at its word, clipped", "24 h", 0, 1),
    Entry("stored", "fill of all buffers of high-altitude ground stations", "share", 0, 1),
    *(
        entry
        for n in range(NEXT_PASSES)
        for entry in (
            Entry(f"gap_{n}", f"time until coming pass {n} begins, clipped", "3600 s", 0, 1),
            Entry(f"duration_{n}", "how long it lasts, clipped", "600 s", 0, 1),
            Entry(f"chance_{n}", "chance that it is clear", "probability", 0, 1),
            Entry(f"next_hags_{n}", "it is over a high-altitude ground station", "0/1", 0, 1),
        )
    ),
)
SLOT = {entry.name: index for index, entry in enumerate(SLOT_ENTRIES)}
USER = {entry.name: index for index, entry in enumerate(USER_ENTRIES)}
SLOT_SIZE = len(SLOT_ENTRIES)
USER_SIZE = len(USER_ENTRIES)


def observation_size(n_slots: int) -> int:
    """Length of the observation of one satellite."""
    return n_slots * SLOT_SIZE + USER_SIZE


def bounds(n_slots: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value of every entry of the observation."""
    low = [entry.low for entry in SLOT_ENTRIES] * n_slots + [entry.low for entry in USER_ENTRIES]
    high = [entry.high for entry in SLOT_ENTRIES] * n_slots + [entry.high for entry in USER_ENTRIES]
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


@dataclass(frozen=True)
class View:
    """An observation [B, S, obs] read back in engineering units; slot arrays are [B, S, K], others [B, S]."""

    observation: NDArray[np.float32]

    @property
    def n_slots(self) -> int:
        """Number of slots K."""
        return int((self.observation.shape[-1] - USER_SIZE) // SLOT_SIZE)

    def slot(self, name: str) -> NDArray[np.float32]:
        """Scaled value of a slot entry, [B, S, K]."""
        n_slots = self.n_slots
        slots = self.observation[..., : n_slots * SLOT_SIZE]
        return slots.reshape(*slots.shape[:-1], n_slots, SLOT_SIZE)[..., SLOT[name]]

    def user(self, name: str) -> NDArray[np.float32]:
        """Scaled value of an entry of the satellite, [B, S]."""
        return self.observation[..., USER[name] - USER_SIZE]

    def flag(self, name: str) -> NDArray[np.bool_]:
        """A slot entry that is 0 or 1, [B, S, K]."""
        return self.slot(name) > 0.5

    @property
    def remaining_s(self) -> NDArray[np.float32]:
        """Predicted time until the contact ends, at most 600 s."""
        return self.slot("remaining") * np.float32(REMAINING_S)

    @property
    def wait_s(self) -> NDArray[np.float32]:
        """Expected time until a bit sent to the slot is on the ground, at most 24 h."""
        return self.slot("wait") * np.float32(WAIT_S)

    @property
    def decline_s(self) -> NDArray[np.float32]:
        """Expected wait of data that is not sent now, at most 24 h."""
        return self.user("decline") * np.float32(WAIT_S)

    @property
    def volume_bits(self) -> NDArray[np.float32]:
        """Bits that the contact can still take."""
        return self.slot("volume") * np.float32(VOLUME_BITS)

    @property
    def queue_bits(self) -> NDArray[np.float32]:
        """Bits on board."""
        bits: NDArray[np.float32] = np.expm1(self.user("queue") * np.float32(QUEUE_LOG)) * np.float32(QUEUE_BITS)
        return bits

    @property
    def receiver(self) -> NDArray[np.float32]:
        """A number that names the receiver: the same one for all satellites."""
        return self.slot("receiver")
