"""Networks that treat all slots alike: renumbering the slots renumbers the scores and changes nothing else.

A network on the raw observation has to learn for every slot anew what a good candidate looks like. Here one
small network looks at one slot at a time, so that everything learned from one slot holds for all of them; the
value of the situation is pooled over the slots (a "deep set").

Source: M. Zaheer et al., "Deep Sets", NeurIPS 2017, theorem 2 and section 3.1 (pooling is invariant, a shared
map equivariant); dueling heads as in Z. Wang et al., "Dueling Network Architectures", ICML 2016, equation 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch as th
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.layout import slots_end

# Low enough that exp() of it is exactly zero, high enough that gradients stay finite; sb3-contrib uses the
# same.
EXCLUDED = -1e8


ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "silu": nn.SiLU}


def hidden_layers(sizes: Sequence[int], activation_fn: type[nn.Module]) -> nn.Sequential:
    """Activation of the (separate) first layer, then further layers of the given sizes."""
    layers: list[nn.Module] = [activation_fn()]
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), activation_fn()]
    return nn.Sequential(*layers)


def split(layout: SlotLayout, observation: th.Tensor) -> tuple[th.Tensor, th.Tensor, th.Tensor]:
    """Split observations [n, obs] into slots [n, K, slot], user [n, user] and the valid bits [n, K]."""
    slots = observation[:, : slots_end(layout)].reshape(-1, layout.n_slots, layout.slot_size)
    if layout.valid_index is None:
        valid = th.ones(slots.shape[:2], dtype=th.bool, device=slots.device)
    else:
        valid = slots[:, :, layout.valid_index] > 0.5
    return slots, observation[:, slots_end(layout) :], valid


def in_order_of_actions(layout: SlotLayout, slots: th.Tensor, extra: th.Tensor) -> th.Tensor:
    """Put what belongs to slots [n, K] and to the other actions [n, E] into the order of the actions, [n, K + E]."""
    before = layout.first_slot_action
    return th.cat((extra[:, :before], slots, extra[:, before:]), dim=1)


def selectable(layout: SlotLayout, valid: th.Tensor) -> th.Tensor:
    """Actions [n, K + E] that may be chosen: valid slots and what is no slot, or all where there is nothing."""
    extra = valid.new_ones((len(valid), layout.n_extra_actions))
    possible = in_order_of_actions(layout, valid, extra)
    return possible | ~possible.any(dim=1, keepdim=True)


def exclude_empty(layout: SlotLayout, scores: th.Tensor, valid: th.Tensor) -> th.Tensor:
    """Give empty slots a score so low that they are never chosen."""
    return scores.masked_fill(~selectable(layout, valid), EXCLUDED)


class SlotPool(nn.Module):
    """Embeds every slot with one shared layer and pools over the valid slots: maximum and mean.

    The result [n, size] has ``2 * width + user_size`` numbers: pooled maximum, pooled mean, user. Without a
    valid slot the pooled part is zero.
    """

    def __init__(self, layout: SlotLayout, width: int, activation_fn: type[nn.Module]) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(layout.slot_size, width), activation_fn())
        self.size = 2 * width + layout.user_size

    def forward(self, slots: th.Tensor, user: th.Tensor, valid: th.Tensor) -> th.Tensor:
        """Pool slots [n, K, slot] and append the user [n, user]."""
        embedded = self.embed(slots)
        some = valid.any(dim=1, keepdim=True)
        highest = embedded.masked_fill(~valid[:, :, None], EXCLUDED).amax(dim=1) * some
        count = valid.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (embedded * valid[:, :, None]).sum(dim=1) / count
        return th.cat((highest, mean, user), dim=1)


class SlotValue(nn.Module):
    """Features of the whole situation, the same for any numbering of the slots."""

    def __init__(self, layout: SlotLayout, hidden: Sequence[int], activation_fn: type[nn.Module]) -> None:
        super().__init__()
        self.pool = SlotPool(layout, hidden[0], activation_fn)
        self.first = nn.Linear(self.pool.size, hidden[0])
        self.hidden = hidden_layers(hidden, activation_fn)
        self.size = hidden[-1]

    def forward(self, slots: th.Tensor, user: th.Tensor, valid: th.Tensor) -> th.Tensor:
        """Return features [n, size]."""
        return self.hidden(self.first(self.pool(slots, user, valid)))


class SlotScorer(nn.Module):
    """One number per action: slots from [slot, serving slot, user] and, with ``context``, the pooled other slots.

    Without a serving slot its part is zero. The first layer acts on the parts that all slots share once per
    user and not once per slot; the result is that of a network on the concatenation. Actions that are no slot are
    scored from the user and all slots pooled.
    """

    def __init__(
        self, layout: SlotLayout, hidden: Sequence[int], activation_fn: type[nn.Module], context: bool = False
    ) -> None:
        super().__init__()
        self.layout = layout
        self.pool = SlotPool(layout, hidden[0], activation_fn) if context else None
        common_size = layout.user_size if self.pool is None else self.pool.size
        if layout.serving_index is not None:
            common_size += layout.slot_size
        self.first = nn.Linear(layout.slot_size + common_size, hidden[0])
        self.hidden = hidden_layers(hidden, activation_fn)
        self.last = nn.Linear(hidden[-1], 1)
        self.extra: SlotValue | None = None
        if layout.n_extra_actions:
            self.extra = SlotValue(layout, hidden, activation_fn)
            self.last_extra = nn.Linear(self.extra.size, layout.n_extra_actions)

    @property
    def heads(self) -> list[nn.Linear]:
        """The layers whose output is a score."""
        return [self.last] if self.extra is None else [self.last, self.last_extra]

    def forward(self, slots: th.Tensor, user: th.Tensor, valid: th.Tensor) -> th.Tensor:
        """Score the actions from slots [n, K, slot]: [n, K + E]."""
        common = user if self.pool is None else self.pool(slots, user, valid)
        if self.layout.serving_index is not None:
            serving = slots[:, :, self.layout.serving_index, None]
            common = th.cat(((slots * serving).sum(dim=1), common), dim=1)
        weight = self.first.weight
        per_slot = nn.functional.linear(slots, weight[:, : self.layout.slot_size], self.first.bias)
        per_user = nn.functional.linear(common, weight[:, self.layout.slot_size :])
        scores = self.last(self.hidden(per_slot + per_user[:, None, :])).squeeze(-1)
        if self.extra is None:
            return scores
        return in_order_of_actions(self.layout, scores, self.last_extra(self.extra(slots, user, valid)))


class SlotActorCritic(nn.Module):
    """Takes the place of SB3's ``MlpExtractor``: the actor's output already is one logit per action."""

    def __init__(
        self,
        layout: SlotLayout,
        actor_hidden: Sequence[int],
        critic_hidden: Sequence[int],
        activation_fn: type[nn.Module],
        context: bool,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.scorer = SlotScorer(layout, actor_hidden, activation_fn, context)
        self.value = SlotValue(layout, critic_hidden, activation_fn)
        self.latent_dim_pi = layout.n_actions
        self.latent_dim_vf = self.value.size

    def forward(self, observation: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Return logits [n, K + E] and value features [n, latent_dim_vf]."""
        parts = split(self.layout, observation)
        return exclude_empty(self.layout, self.scorer(*parts), parts[2]), self.value(*parts)

    def forward_actor(self, observation: th.Tensor) -> th.Tensor:
        """Return logits [n, K + E]; those of empty slots are `EXCLUDED`."""
        parts = split(self.layout, observation)
        return exclude_empty(self.layout, self.scorer(*parts), parts[2])

    def forward_critic(self, observation: th.Tensor) -> th.Tensor:
        """Return value features [n, latent_dim_vf]."""
        return self.value(*split(self.layout, observation))


class DuelingSlots(nn.Module):
    """Action values Q(s, k) = V(s) + A(s, k) - mean of A over the actions that may be chosen."""

    def __init__(
        self, layout: SlotLayout, hidden: Sequence[int], activation_fn: type[nn.Module], context: bool
    ) -> None:
        super().__init__()
        self.layout = layout
        self.advantage = SlotScorer(layout, hidden, activation_fn, context)
        self.value = SlotValue(layout, hidden, activation_fn)
        self.last = nn.Linear(self.value.size, 1)

    def forward(self, observation: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Return action values [n, K + E], of empty slots too, and the valid bits of the slots [n, K]."""
        slots, user, valid = split(self.layout, observation)
        advantage = self.advantage(slots, user, valid)
        chosen = selectable(self.layout, valid)
        mean = (advantage * chosen).sum(dim=1, keepdim=True) / chosen.sum(dim=1, keepdim=True)
        return self.last(self.value(slots, user, valid)) + advantage - mean, valid
