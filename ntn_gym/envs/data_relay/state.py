"""What a DataRelay task remembers between two epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.int64]


@dataclass(frozen=True)
class State:
    """State of B worlds with S satellites, H high-altitude ground stations and P classes of data.

    Attributes:
        onboard: Bits on board, files of the current slice not yet counted, [B, S, P].
        hags: Bits in each HAGS, [B, H, P].
        share: Which satellites the bits of a HAGS came from: shares of its content, [B, H, S]. It divides rewards.
        pointed: Receiver that the terminal points to, -1 without one, [B, S].
        acquiring_ms: What is left of the acquisition, [B, S].
        refused: Whether the receiver was taken by another satellite in the last epoch, [B, S].
        delivered: Bits on the ground so far, [B, P].
    """

    onboard: Bits
    hags: Bits
    share: NDArray[np.float64]
    pointed: NDArray[np.int64]
    acquiring_ms: Bits
    refused: NDArray[np.bool_]
    delivered: Bits


def initial_state(n_worlds: int, n_satellites: int, n_hags: int, n_classes: int) -> State:
    """Nothing on board, nothing stored, no terminal points anywhere."""
    return State(
        onboard=np.zeros((n_worlds, n_satellites, n_classes), dtype=np.int64),
        hags=np.zeros((n_worlds, n_hags, n_classes), dtype=np.int64),
        share=np.zeros((n_worlds, n_hags, n_satellites)),
        pointed=np.full((n_worlds, n_satellites), -1, dtype=np.int64),
        acquiring_ms=np.zeros((n_worlds, n_satellites), dtype=np.int64),
        refused=np.zeros((n_worlds, n_satellites), dtype=bool),
        delivered=np.zeros((n_worlds, n_classes), dtype=np.int64),
    )
