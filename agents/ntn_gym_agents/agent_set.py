"""One controller for all agents of a world that treats them alike, as policies of Stable-Baselines3 and sb3-contrib.

For every environment with several agents: `AgentSetPolicy` for PPO (discrete or continuous actions) and
`MaskableAgentSetPolicy` for MaskablePPO; `ntn_gym_agents.agent_set_sac` has the one for SAC. They see the
observations of all agents, one after the other, and decide for all, as ``gym.make`` shows a world. They take the
arguments of SB3's own policies, ``activation_fn`` also by its name, and three more:

``agents``
    How many there are, or the name of an environment (``NTN/HAPSPlacement-v0``); then the action space tells.
``attention``
    Whether agents attend to each other before they are pooled (default: no).
``layout``
    Where an agent's actions are slots: its `SlotLayout`, as for the slot scorer. The network is then equivariant in
    agents and in the slots of each.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.distributions import DiagGaussianDistribution, Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from ntn_gym_agents.layout import Layout, plain
from ntn_gym_agents.set_networks import AgentSetActorCritic, agent_shape, checked_layout
from ntn_gym_agents.slot_scorer import chosen_activation, hidden_sizes

DEFAULT_HIDDEN = (64, 64)


class _AgentSetMixin:
    """What PPO's and MaskablePPO's policies share: SB3 builds the rest from ``mlp_extractor``."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        agents: int | str,
        attention: bool = False,
        layout: Layout | None = None,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: str | type[nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        self.shape = agent_shape(agents, observation_space, action_space)
        self.attention = attention
        self.layout = None if layout is None else checked_layout(layout, self.shape)
        hidden = list(DEFAULT_HIDDEN) if net_arch is None else net_arch
        chosen = chosen_activation(activation_fn, nn.Tanh)
        super().__init__(observation_space, action_space, lr_schedule, net_arch=hidden, activation_fn=chosen, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        self.mlp_extractor = AgentSetActorCritic(
            self.shape,
            self.layout,
            hidden_sizes(self.net_arch, "pi"),
            hidden_sizes(self.net_arch, "vf"),
            self.activation_fn,
            self.attention,
        )
        # A linear layer from all outputs to all outputs, as SB3 would add, would tell the agents apart again.
        self.action_net = nn.Identity()
        if self.shape.continuous:
            # One spread per component, the same for all agents.
            self.log_std = nn.Parameter(th.full((self.shape.n_outputs,), float(self.log_std_init)))
        self.value_net = nn.Linear(self.mlp_extractor.latent_dim_vf, 1)
        if self.ortho_init:
            # Gains as in SB3: sqrt(2) inside, nearly uniform or central actions and an unscaled value at the start.
            for module, gain in (
                (self.mlp_extractor, np.sqrt(2)),
                *((head, 0.01) for head in self.mlp_extractor.actor.heads),
                (self.value_net, 1.0),
            ):
                module.apply(partial(self.init_weights, gain=gain))
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        layout = None if self.layout is None else plain(self.layout)
        ours = {"agents": self.shape.n_agents, "attention": self.attention, "layout": layout}
        return super()._get_constructor_parameters() | ours


class AgentSetPolicy(_AgentSetMixin, ActorCriticPolicy):
    """All agents at once for PPO and A2C, with discrete or continuous actions."""

    def _get_action_dist_from_latent(self, latent_pi: th.Tensor) -> Distribution:
        if isinstance(self.action_dist, DiagGaussianDistribution):
            return self.action_dist.proba_distribution(latent_pi, self.log_std.repeat(self.shape.n_agents))
        return super()._get_action_dist_from_latent(latent_pi)


class MaskableAgentSetPolicy(_AgentSetMixin, MaskableActorCriticPolicy):
    """All agents at once for MaskablePPO: the mask of the environment holds for each agent."""
