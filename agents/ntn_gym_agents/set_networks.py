"""Networks that treat all agents of a world alike: renumbering agents renumbers their actions, nothing else.

A network on the concatenated observations of all agents has to learn for every agent anew what to do, and knows
nothing once their number changes. Here one encoder looks at one agent at a time; what an agent has to know of the
others comes pooled (maximum and mean), after one layer of attention if wanted; one head decides for each agent, and
the value of the situation is read from the pooled part. The number of parameters does not depend on the number of
agents.

Source: M. Zaheer et al., "Deep Sets", NeurIPS 2017, section 3.1 and lemma 3 (equivariant layers); attention among a
set without positions as in J. Lee et al., "Set Transformer", ICML 2019, equation 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch as th
from gymnasium import spaces
from torch import nn

from ntn_gym.core.registry import make_task
from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.layout import Layout, observation_size, read_layout
from ntn_gym_agents.slot_networks import SlotPool, SlotScorer, exclude_empty, hidden_layers, split


@dataclass(frozen=True)
class AgentShape:
    """How central spaces divide into agents.

    Attributes:
        n_agents: Number of agents A.
        observation_size: Numbers that one agent sees.
        n_outputs: Actions to choose from (discrete), or components of the action (continuous).
        continuous: Whether actions are continuous.
    """

    n_agents: int
    observation_size: int
    n_outputs: int
    continuous: bool


def agent_shape(agents: int | str, observation_space: spaces.Space, action_space: spaces.Space) -> AgentShape:
    """Divide the spaces of a central controller.

    Args:
        agents: Number of agents; or the name of an environment, whose number then follows from the action space, so
            that one configuration serves all presets.
        observation_space: Observations of all agents, one after the other.
        action_space: MultiDiscrete with equal parts, or a Box with the components of all agents one after the other.

    Raises:
        ValueError: If the spaces do not divide so.
    """
    if isinstance(action_space, spaces.Discrete):
        found, n_outputs = 1, int(action_space.n)
    elif isinstance(action_space, spaces.MultiDiscrete) and len(set(np.ravel(action_space.nvec).tolist())) == 1:
        found, n_outputs = len(action_space.nvec), int(action_space.nvec[0])
    elif isinstance(action_space, spaces.Box) and len(action_space.shape) == 1:
        width = action_space.shape[0]
        found = _agents_in_box(agents, width)
        n_outputs = width // found
    else:
        raise ValueError(f"{action_space} is no action space of several agents that are alike")
    if not isinstance(agents, str) and agents != found:
        raise ValueError(f"agents = {agents}, but the action space {action_space} is that of {found} agent(s)")
    total = observation_space.shape[0] if observation_space.shape else 0
    if len(observation_space.shape or ()) != 1 or total % found:
        raise ValueError(f"an observation of shape {observation_space.shape} does not divide among {found} agents")
    return AgentShape(found, total // found, n_outputs, isinstance(action_space, spaces.Box))


def _agents_in_box(agents: int | str, width: int) -> int:
    if not isinstance(agents, str):
        if agents < 1 or width % agents:
            raise ValueError(f"agents = {agents}: {width} components of the action do not divide among them")
        return agents
    space = make_task(agents).agent_action_space
    if not isinstance(space, spaces.Box) or width % space.shape[0]:
        raise ValueError(f"agents = {agents!r}: its agents have {space}, which is no part of {width} components")
    return width // int(space.shape[0])


class AgentEncoder(nn.Module):
    """Embeds every agent with shared layers and pools over the agents: maximum and mean.

    Attributes:
        width: Numbers per embedded agent; the context has twice as many.
    """

    def __init__(
        self,
        shape: AgentShape,
        width: int,
        activation_fn: type[nn.Module],
        attention: bool,
        layout: SlotLayout | None = None,
    ) -> None:
        super().__init__()
        self.width = width
        self.layout = layout
        self.pool = None if layout is None else SlotPool(layout, width, activation_fn)
        size = shape.observation_size if self.pool is None else self.pool.size
        self.embed = nn.Sequential(nn.Linear(size, width), activation_fn(), nn.Linear(width, width), activation_fn())
        self.attention = nn.MultiheadAttention(width, 1, batch_first=True) if attention else None

    def forward(self, agents: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Encode agents [n, A, obs]: embedded ones [n, A, width] and the context of each world [n, 2 * width]."""
        seen = agents
        if self.pool is not None and self.layout is not None:
            seen = self.pool(*split(self.layout, agents.flatten(0, 1))).unflatten(0, agents.shape[:2])
        embedded = self.embed(seen)
        if self.attention is not None:
            embedded = embedded + self.attention(embedded, embedded, embedded, need_weights=False)[0]
        return embedded, th.cat((embedded.amax(dim=1), embedded.mean(dim=1)), dim=1)


class AgentTrunk(nn.Module):
    """Features of every agent from what it sees and the context, [n, A, size]."""

    def __init__(self, encoder: AgentEncoder, hidden: Sequence[int], activation_fn: type[nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.own = nn.Linear(encoder.width, hidden[0])
        self.common = nn.Linear(2 * encoder.width, hidden[0], bias=False)
        self.hidden = hidden_layers(hidden, activation_fn)
        self.size = hidden[-1]

    def forward(self, agents: th.Tensor) -> th.Tensor:
        """Return features [n, A, size] of agents [n, A, obs]."""
        embedded, context = self.encoder(agents)
        return self.hidden(self.own(embedded) + self.common(context)[:, None, :])


class AgentHeads(nn.Module):
    """One output per agent, or scores of its actions, one agent after the other: [n, A * n_outputs]."""

    def __init__(
        self, shape: AgentShape, hidden: Sequence[int], activation_fn: type[nn.Module], attention: bool
    ) -> None:
        super().__init__()
        self.trunk = AgentTrunk(AgentEncoder(shape, hidden[0], activation_fn, attention), hidden, activation_fn)
        self.last = nn.Linear(self.trunk.size, shape.n_outputs)
        self.heads = [self.last]

    def forward(self, agents: th.Tensor) -> th.Tensor:
        """Decide for agents [n, A, obs]."""
        return self.last(self.trunk(agents)).flatten(1)


class AgentSlotHeads(nn.Module):
    """Scores of the slots of every agent, where the context of the other agents counts as part of the user."""

    def __init__(
        self,
        shape: AgentShape,
        layout: SlotLayout,
        hidden: Sequence[int],
        activation_fn: type[nn.Module],
        attention: bool,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.encoder = AgentEncoder(shape, hidden[0], activation_fn, attention, layout)
        informed = replace(layout, user_size=layout.user_size + 3 * hidden[0])
        self.scorer = SlotScorer(informed, hidden, activation_fn)
        self.heads = self.scorer.heads

    def forward(self, agents: th.Tensor) -> th.Tensor:
        """Score the actions of agents [n, A, obs]; those of empty slots are excluded."""
        embedded, context = self.encoder(agents)
        slots, user, valid = split(self.layout, agents.flatten(0, 1))
        everybody = context.repeat_interleave(agents.shape[1], dim=0)
        scores = self.scorer(slots, th.cat((user, embedded.flatten(0, 1), everybody), dim=1), valid)
        return exclude_empty(self.layout, scores, valid).reshape(len(agents), -1)


class AgentSetValue(nn.Module):
    """Features of the whole world, the same for any numbering of the agents."""

    def __init__(self, encoder: AgentEncoder, hidden: Sequence[int], activation_fn: type[nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.first = nn.Linear(2 * encoder.width, hidden[0])
        self.hidden = hidden_layers(hidden, activation_fn)
        self.size = hidden[-1]

    def forward(self, agents: th.Tensor) -> th.Tensor:
        """Return features [n, size] of agents [n, A, obs]."""
        return self.hidden(self.first(self.encoder(agents)[1]))


class AgentSetActorCritic(nn.Module):
    """Takes the place of SB3's ``MlpExtractor``: the actor's output already is one logit per action, or the mean."""

    def __init__(
        self,
        shape: AgentShape,
        layout: Layout | None,
        actor_hidden: Sequence[int],
        critic_hidden: Sequence[int],
        activation_fn: type[nn.Module],
        attention: bool,
    ) -> None:
        super().__init__()
        self.shape = shape
        slots = None if layout is None else checked_layout(layout, shape)
        self.actor: AgentHeads | AgentSlotHeads
        if slots is None:
            self.actor = AgentHeads(shape, actor_hidden, activation_fn, attention)
        else:
            self.actor = AgentSlotHeads(shape, slots, actor_hidden, activation_fn, attention)
        encoder = AgentEncoder(shape, critic_hidden[0], activation_fn, attention, slots)
        self.value = AgentSetValue(encoder, critic_hidden, activation_fn)
        self.latent_dim_pi = shape.n_agents * shape.n_outputs
        self.latent_dim_vf = self.value.size

    def forward(self, observation: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Return logits or means [n, A * n_outputs] and value features [n, latent_dim_vf]."""
        return self.forward_actor(observation), self.forward_critic(observation)

    def forward_actor(self, observation: th.Tensor) -> th.Tensor:
        """Return logits or means [n, A * n_outputs]."""
        return self.actor(self._agents(observation))

    def forward_critic(self, observation: th.Tensor) -> th.Tensor:
        """Return value features [n, latent_dim_vf]."""
        return self.value(self._agents(observation))

    def _agents(self, observation: th.Tensor) -> th.Tensor:
        return observation.reshape(len(observation), self.shape.n_agents, self.shape.observation_size)


def checked_layout(layout: Layout, shape: AgentShape) -> SlotLayout:
    """Return the slot layout of one agent.

    Raises:
        ValueError: If it does not fit what the agent sees and chooses from.
    """
    if shape.continuous:
        raise ValueError("layout: slots are chosen by discrete actions, here they are continuous; leave it out")
    found = read_layout(layout, shape.n_outputs, shape.observation_size)
    if found.n_actions != shape.n_outputs or observation_size(found) != shape.observation_size:
        raise ValueError(
            f"layout: {found} has {found.n_actions} actions and {observation_size(found)} numbers; an agent has "
            f"{shape.n_outputs} actions and sees {shape.observation_size} numbers"
        )
    return found
