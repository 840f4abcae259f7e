"""The permutation-equivariant slot scorer as policies of Stable-Baselines3 and sb3-contrib.

For every environment whose action names one of K slots (or is one of a few that stand for no slot, such as waiting):
`SlotScorerPolicy` for PPO,
`MaskableSlotScorerPolicy` for MaskablePPO, `SlotQPolicy` for DQN. They take the arguments of SB3's own
policies, ``activation_fn`` also by its name, and two more:

``layout``
    Where slots and user are found in the observation: a `SlotLayout`, its values as a mapping, or the
    name of an environment (``NTN/Handover-v0``), which then declares it.
``context``
    Whether a slot's score also depends on the other slots through a pooled embedding (default: no).

Empty slots are never chosen; if all are empty, every choice is open, since the environment defines what an
illegal action does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn

from ntn_gym_agents.layout import Layout, plain, resolve_layout
from ntn_gym_agents.slot_networks import ACTIVATIONS, DuelingSlots, SlotActorCritic, exclude_empty

DEFAULT_HIDDEN = (32, 32)


def chosen_activation(activation_fn: str | type[nn.Module] | None, default: type[nn.Module]) -> type[nn.Module]:
    """Take an activation function or its name, which is what a configuration can hold."""
    if isinstance(activation_fn, str):
        if activation_fn not in ACTIVATIONS:
            raise ValueError(f"activation_fn = {activation_fn!r}: allowed are {', '.join(ACTIVATIONS)}")
        return ACTIVATIONS[activation_fn]
    return activation_fn or default


def hidden_sizes(net_arch: Any, branch: str) -> list[int]:
    """Read ``net_arch`` as SB3 does: a list for both branches, or ``{"pi": [...], "vf": [...]}``."""
    sizes = net_arch[branch] if isinstance(net_arch, Mapping) else net_arch
    if not sizes or any(int(size) < 1 for size in sizes):
        raise ValueError(f"net_arch = {net_arch}: every branch needs at least one layer, of size 1 or more")
    return [int(size) for size in sizes]


class _SlotActorCriticMixin:
    """What PPO's and MaskablePPO's policies share: SB3 builds the rest from ``mlp_extractor``."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        layout: Layout,
        context: bool = False,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: str | type[nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        self.layout = resolve_layout(layout, observation_space, action_space)
        self.context = context
        hidden = list(DEFAULT_HIDDEN) if net_arch is None else net_arch
        chosen = chosen_activation(activation_fn, nn.Tanh)
        super().__init__(observation_space, action_space, lr_schedule, net_arch=hidden, activation_fn=chosen, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        self.mlp_extractor = SlotActorCritic(
            self.layout,
            hidden_sizes(self.net_arch, "pi"),
            hidden_sizes(self.net_arch, "vf"),
            self.activation_fn,
            self.context,
        )
        # A linear layer from logits to logits, as SB3 would add, would tell the slots apart again.
        self.action_net = nn.Identity()
        self.value_net = nn.Linear(self.mlp_extractor.latent_dim_vf, 1)
        if self.ortho_init:
            # Gains as in SB3: sqrt(2) inside, a nearly uniform policy and an unscaled value at the start.
            for module, gain in (
                (self.mlp_extractor, np.sqrt(2)),
                *((head, 0.01) for head in self.mlp_extractor.scorer.heads),
                (self.value_net, 1.0),
            ):
                module.apply(lambda layer, gain=gain: self.init_weights(layer, gain=gain))
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"layout": plain(self.layout), "context": self.context}


class SlotScorerPolicy(_SlotActorCriticMixin, ActorCriticPolicy):
    """Slot scorer for PPO and A2C."""


class MaskableSlotScorerPolicy(_SlotActorCriticMixin, MaskableActorCriticPolicy):
    """Slot scorer for MaskablePPO: the mask of the environment on top of the valid bits."""


class SlotQNetwork(QNetwork):
    """Action values of the slots.

    Values of empty slots exist, because a replay buffer may hold such choices (the environment defines their
    effect) and their error must be finite. ``excludes_empty`` leaves them out of the maximum, as the target
    network needs it.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Discrete,
        features_extractor: BaseFeaturesExtractor,
        features_dim: int,
        layout: Layout,
        context: bool = False,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        normalize_images: bool = True,
    ) -> None:
        hidden = list(DEFAULT_HIDDEN) if net_arch is None else net_arch
        super().__init__(
            observation_space,
            action_space,
            features_extractor,
            features_dim,
            [],
            activation_fn,
            normalize_images,
        )
        self.net_arch = hidden
        self.layout = resolve_layout(layout, observation_space, action_space)
        self.context = context
        self.excludes_empty = False
        self.q_net = DuelingSlots(self.layout, hidden_sizes(hidden, "pi"), activation_fn, context)

    def forward(self, obs: PyTorchObs) -> th.Tensor:
        """Return action values [n, K + E]."""
        values, valid = self.q_net(self.extract_features(obs, self.features_extractor))
        return exclude_empty(self.layout, values, valid) if self.excludes_empty else values

    def _predict(self, observation: PyTorchObs, deterministic: bool = True) -> th.Tensor:
        values, valid = self.q_net(self.extract_features(observation, self.features_extractor))
        return exclude_empty(self.layout, values, valid).argmax(dim=1)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"layout": plain(self.layout), "context": self.context}


class SlotQPolicy(DQNPolicy):
    """Slot scorer for DQN, with a dueling head."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        layout: Layout,
        context: bool = False,
        net_arch: list[int] | None = None,
        activation_fn: str | type[nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        self.layout = resolve_layout(layout, observation_space, action_space)
        self.context = context
        hidden = list(DEFAULT_HIDDEN) if net_arch is None else net_arch
        chosen = chosen_activation(activation_fn, nn.ReLU)
        super().__init__(observation_space, action_space, lr_schedule, net_arch=hidden, activation_fn=chosen, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.q_net_target.excludes_empty = True

    def make_q_net(self) -> SlotQNetwork:
        """Build the online or the target network."""
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        return SlotQNetwork(layout=self.layout, context=self.context, **arguments).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"layout": plain(self.layout), "context": self.context}
