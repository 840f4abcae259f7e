"""How observations with slots are laid out, for networks that treat all slots alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """An observation of ``n_slots * slot_size`` numbers, slot after slot, then ``user_size`` numbers.

    Attributes:
        n_slots: Number of slots, which is also the number of actions.
        slot_size: Numbers per slot.
        user_size: Numbers of the user.
        valid_index: Which number of a slot says that it holds something (1) or is empty (0).
        serving_index: Which number of a slot says that it is the chosen one at present.
    """

    n_slots: int
    slot_size: int
    user_size: int
    valid_index: int
    serving_index: int
