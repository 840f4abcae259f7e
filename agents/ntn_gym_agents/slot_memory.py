"""The slot scorer with a memory per slot, as a policy for RecurrentPPO of sb3-contrib.

One LSTM follows every slot through time, with the same weights for all of them; what it remembers of a slot joins the
numbers of that slot, and the slot scorer judges the longer slots. The network thus stays equivariant: renumbering the
slots (and their memories) renumbers the scores. The memory of an episode ends with it.

`RecurrentSlotScorerPolicy` takes the arguments of `SlotScorerPolicy` and ``lstm_hidden_size``, the memory per slot.

Source: S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997; RecurrentPPO as in
sb3-contrib.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.layout import Layout, observation_size, plain, resolve_layout, slots_end
from ntn_gym_agents.slot_networks import SlotActorCritic
from ntn_gym_agents.slot_scorer import DEFAULT_HIDDEN, chosen_activation, hidden_sizes

States = tuple[th.Tensor, th.Tensor]


def remembering(layout: SlotLayout, memory: int) -> SlotLayout:
    """Layout of an observation in which so many numbers of memory follow the numbers of every slot."""
    return replace(layout, slot_size=layout.slot_size + memory)


class SlotMemory(nn.Module):
    """Looks like an ``nn.LSTM`` on observations whose output is the observation with the memory of every slot in it.

    Its states [1, n, K * memory] hold the memories of all K slots one after the other.
    """

    num_layers = 1

    def __init__(self, layout: SlotLayout, memory: int) -> None:
        super().__init__()
        self.layout = layout
        self.memory = memory
        self.input_size = observation_size(layout)
        self.hidden_size = layout.n_slots * memory
        self.lstm = nn.LSTM(layout.slot_size, memory)

    def forward(self, observations: th.Tensor, states: States) -> tuple[th.Tensor, States]:
        """Follow the slots over observations [T, n, obs]; return [T, n, longer obs] and the states after them."""
        n_steps, n = observations.shape[:2]
        k, end = self.layout.n_slots, slots_end(self.layout)
        slots = observations[:, :, :end].reshape(n_steps, n * k, self.layout.slot_size)
        before = tuple(state.reshape(1, n * k, self.memory).contiguous() for state in states)
        remembered, after = self.lstm(slots, before)
        longer = th.cat((slots, remembered), dim=2).reshape(n_steps, n, -1)
        h, c = (state.reshape(1, n, self.hidden_size) for state in after)
        return th.cat((longer, observations[:, :, end:]), dim=2), (h, c)


def whole_sequences(process: Callable[..., Any]) -> Callable[..., Any]:
    """Let an LSTM run over whole sequences where episodes begin with a sequence only.

    The rollout buffer of RecurrentPPO cuts sequences where episodes begin, but its policy then still goes through them
    step by step, which takes several times as long. Forgetting once before the first step is the same.
    """

    def processed(features: th.Tensor, states: States, episode_starts: th.Tensor, lstm: Any) -> Any:
        n = states[0].shape[1]
        starts = episode_starts.reshape(n, -1)
        if starts[:, 1:].any():
            return process(features, states, episode_starts, lstm)
        keep = (1.0 - starts[:, 0]).reshape(1, n, 1)
        return process(features, (keep * states[0], keep * states[1]), th.zeros_like(episode_starts), lstm)

    return processed


class RecurrentSlotScorerPolicy(RecurrentActorCriticPolicy):
    """Slot scorer with memory for RecurrentPPO; actor and critic remember separately."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        layout: Layout,
        context: bool = False,
        lstm_hidden_size: int = 16,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: str | type[nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        self.layout = resolve_layout(layout, observation_space, action_space)
        self.context = context
        self.memory = lstm_hidden_size
        hidden = list(DEFAULT_HIDDEN) if net_arch is None else net_arch
        chosen = chosen_activation(activation_fn, nn.Tanh)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch=hidden,
            activation_fn=chosen,
            lstm_hidden_size=lstm_hidden_size,
            **kwargs,
        )
        # SB3 has built one LSTM on the whole observation for each of the two; ours take their place.
        self.lstm_actor = SlotMemory(self.layout, self.memory)
        self.lstm_critic = SlotMemory(self.layout, self.memory)
        self.lstm_hidden_state_shape = (1, 1, self.lstm_actor.hidden_size)
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    _process_sequence = staticmethod(whole_sequences(RecurrentActorCriticPolicy._process_sequence))

    def _build(self, lr_schedule: Schedule) -> None:
        self.mlp_extractor = SlotActorCritic(
            remembering(self.layout, self.memory),
            hidden_sizes(self.net_arch, "pi"),
            hidden_sizes(self.net_arch, "vf"),
            self.activation_fn,
            self.context,
        )
        # A linear layer from logits to logits, as SB3 would add, would tell the slots apart again.
        self.action_net = nn.Identity()
        self.value_net = nn.Linear(self.mlp_extractor.latent_dim_vf, 1)
        if self.ortho_init:
            for module, gain in (
                (self.mlp_extractor, np.sqrt(2)),
                *((head, 0.01) for head in self.mlp_extractor.scorer.heads),
                (self.value_net, 1.0),
            ):
                module.apply(partial(self.init_weights, gain=gain))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        ours = {"layout": plain(self.layout), "context": self.context, "lstm_hidden_size": self.memory}
        return super()._get_constructor_parameters() | ours
