"""One controller for all agents of a world that treats them alike, for SAC: see `ntn_gym_agents.agent_set`."""

from __future__ import annotations

from typing import Any

import torch as th
from gymnasium import spaces
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.sac.policies import Actor, SACPolicy
from torch import nn

from ntn_gym_agents.agent_set import DEFAULT_HIDDEN
from ntn_gym_agents.set_networks import AgentEncoder, AgentSetValue, AgentShape, AgentTrunk, agent_shape
from ntn_gym_agents.slot_scorer import chosen_activation, hidden_sizes


class _Trunk(nn.Module):
    """`AgentTrunk` on the observation of a world."""

    def __init__(self, shape: AgentShape, hidden: list[int], activation_fn: type[nn.Module], attention: bool) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = AgentTrunk(AgentEncoder(shape, hidden[0], activation_fn, attention), hidden, activation_fn)

    def forward(self, observation: th.Tensor) -> th.Tensor:
        """Return features [n, A, size]."""
        return self.trunk(observation.reshape(-1, self.shape.n_agents, self.shape.observation_size))


class _Head(nn.Linear):
    """The same linear layer for every agent, outputs one agent after the other."""

    def forward(self, features: th.Tensor) -> th.Tensor:
        """Map features [n, A, size] to [n, A * n_outputs]."""
        return super().forward(features).flatten(1)


class AgentSetActor(Actor):
    """SAC's actor: mean and spread of every agent's action."""

    def __init__(self, shape: AgentShape, attention: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_pi = _Trunk(shape, self.net_arch, self.activation_fn, attention)
        self.mu = _Head(self.net_arch[-1], shape.n_outputs)
        self.log_std = _Head(self.net_arch[-1], shape.n_outputs)


class _QValue(nn.Module):
    """Value of the actions of all agents; each agent is embedded together with its action."""

    def __init__(self, shape: AgentShape, hidden: list[int], activation_fn: type[nn.Module], attention: bool) -> None:
        super().__init__()
        self.shape = shape
        both = AgentShape(shape.n_agents, shape.observation_size + shape.n_outputs, 1, continuous=True)
        encoder = AgentEncoder(both, hidden[0], activation_fn, attention)
        self.value = AgentSetValue(encoder, hidden, activation_fn)
        self.last = nn.Linear(self.value.size, 1)

    def forward(self, observation_and_actions: th.Tensor) -> th.Tensor:
        """Return values [n, 1]."""
        a, size = self.shape.n_agents, self.shape.observation_size
        observation, actions = observation_and_actions.split([a * size, a * self.shape.n_outputs], dim=1)
        agents = th.cat((observation.unflatten(1, (a, size)), actions.unflatten(1, (a, -1))), dim=2)
        return self.last(self.value(agents))


class AgentSetCritic(ContinuousCritic):
    """SAC's critics."""

    def __init__(self, shape: AgentShape, attention: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.q_networks = []
        for i in range(self.n_critics):
            network = _QValue(shape, kwargs["net_arch"], kwargs["activation_fn"], attention)
            setattr(self, f"qf{i}", network)  # in place of the one that SB3 has built
            self.q_networks.append(network)


class AgentSetSacPolicy(SACPolicy):
    """All agents at once for SAC."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Box,
        lr_schedule: Schedule,
        agents: int | str,
        attention: bool = False,
        net_arch: list[int] | None = None,
        activation_fn: str | type[nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        self.shape = agent_shape(agents, observation_space, action_space)
        self.attention = attention
        hidden = hidden_sizes(list(DEFAULT_HIDDEN) if net_arch is None else net_arch, "pi")
        chosen = chosen_activation(activation_fn, nn.ReLU)
        super().__init__(observation_space, action_space, lr_schedule, net_arch=hidden, activation_fn=chosen, **kwargs)

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> AgentSetActor:
        """Build the actor."""
        arguments = self._update_features_extractor(self.actor_kwargs, features_extractor)
        return AgentSetActor(self.shape, self.attention, **arguments).to(self.device)

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> AgentSetCritic:
        """Build the critics, online or target."""
        arguments = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return AgentSetCritic(self.shape, self.attention, **arguments).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"agents": self.shape.n_agents, "attention": self.attention}
