"""How observations with slots are laid out, for networks that treat all slots alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """An observation of ``n_slots * slot_size`` numbers, slot after slot, then ``user_size`` numbers.

    A slot is anything an action can choose and that looks like its neighbours: a beam, a channel, a server, a set of
    stations. Choosing the k-th slot is action ``first_slot_action + k``. All other actions (wait, block, compute
    locally) stand for no slot; a network scores them from the user and from all slots together:

        n_slots = 3, n_extra_actions = 2, first_slot_action = 1:   extra 0, slot 0, slot 1, slot 2, extra 1

    Attributes:
        n_slots: Number of slots.
        slot_size: Numbers per slot.
        user_size: Numbers of the user (of whatever decides); 0 where there are none.
        valid_index: Which number of a slot says that it holds something (1) or is empty (0). An empty slot is never
            chosen by a network. None: every slot always holds something.
        serving_index: Which number of a slot says that it is the chosen one at present. None: there is no such thing.
        n_extra_actions: Number of actions that are no slot; the agent has ``n_slots + n_extra_actions`` actions.
        first_slot_action: Action that chooses the first slot: so many of the extra actions come before the slots.
    """

    n_slots: int
    slot_size: int
    user_size: int
    valid_index: int | None
    serving_index: int | None
    n_extra_actions: int = 0
    first_slot_action: int = 0

    @property
    def n_actions(self) -> int:
        """Number of actions of one agent."""
        return self.n_slots + self.n_extra_actions
