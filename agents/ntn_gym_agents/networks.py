"""The networks that a configuration can name: for which algorithm, for whom, with which arguments. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["plain", "slots", "agents"]


@dataclass(frozen=True)
class Network:
    """A policy class of one algorithm.

    Attributes:
        reference: Where the class is, ``module:name``.
        kind: ``plain``: any observation. ``slots``: one agent whose actions are slots. ``agents``: all agents of a
            world at once, treated alike.
        arguments: Keys of ``policy_kwargs`` that it takes.
    """

    reference: str
    kind: Kind
    arguments: tuple[str, ...]


_ANY = ("net_arch", "activation_fn")
_ON_POLICY = (*_ANY, "ortho_init")
_LSTM = ("lstm_hidden_size", "n_lstm_layers", "shared_lstm", "enable_critic_lstm")
_SLOTS = ("layout", "context")
_AGENTS = ("agents", "attention")

SB3 = "stable_baselines3"
CONTRIB = "sb3_contrib.common"
OURS = "ntn_gym_agents"

NETWORKS: dict[str, dict[str, Network]] = {
    "ppo": {
        "MlpPolicy": Network(f"{SB3}.common.policies:ActorCriticPolicy", "plain", (*_ON_POLICY, "log_std_init")),
        f"{OURS}.slot_scorer.SlotScorerPolicy": Network(
            f"{OURS}.slot_scorer:SlotScorerPolicy", "slots", (*_ON_POLICY, *_SLOTS)
        ),
        f"{OURS}.agent_set.AgentSetPolicy": Network(
            f"{OURS}.agent_set:AgentSetPolicy", "agents", (*_ON_POLICY, *_AGENTS, "layout", "log_std_init")
        ),
    },
    "maskable-ppo": {
        "MlpPolicy": Network(f"{CONTRIB}.maskable.policies:MaskableActorCriticPolicy", "plain", _ON_POLICY),
        f"{OURS}.slot_scorer.MaskableSlotScorerPolicy": Network(
            f"{OURS}.slot_scorer:MaskableSlotScorerPolicy", "slots", (*_ON_POLICY, *_SLOTS)
        ),
        f"{OURS}.agent_set.MaskableAgentSetPolicy": Network(
            f"{OURS}.agent_set:MaskableAgentSetPolicy", "agents", (*_ON_POLICY, *_AGENTS, "layout")
        ),
    },
    "recurrent-ppo": {
        "MlpLstmPolicy": Network(
            f"{CONTRIB}.recurrent.policies:RecurrentActorCriticPolicy",
            "plain",
            (*_ON_POLICY, "log_std_init", *_LSTM),
        ),
        f"{OURS}.slot_memory.RecurrentSlotScorerPolicy": Network(
            f"{OURS}.slot_memory:RecurrentSlotScorerPolicy", "slots", (*_ON_POLICY, *_SLOTS, "lstm_hidden_size")
        ),
    },
    "dqn": {
        "MlpPolicy": Network(f"{SB3}.dqn.policies:DQNPolicy", "plain", _ANY),
        f"{OURS}.slot_scorer.SlotQPolicy": Network(f"{OURS}.slot_scorer:SlotQPolicy", "slots", (*_ANY, *_SLOTS)),
    },
    "sac": {
        "MlpPolicy": Network(f"{SB3}.sac.policies:SACPolicy", "plain", (*_ANY, "n_critics")),
        f"{OURS}.agent_set_sac.AgentSetSacPolicy": Network(
            f"{OURS}.agent_set_sac:AgentSetSacPolicy", "agents", (*_ANY, *_AGENTS, "n_critics")
        ),
    },
}
"""By algorithm and by the name in a configuration, which is the one that rl-zoo3 imports."""


def network(algorithm: str, policy: str) -> Network:
    """Look a network up; the configuration has been checked."""
    return NETWORKS[algorithm][policy]


def names_of(kind: Kind) -> dict[str, str]:
    """Name of the network of a kind by algorithm, for those that have one."""
    return {
        algorithm: name
        for algorithm, networks in NETWORKS.items()
        for name, found in networks.items()
        if found.kind == kind
    }


SLOT_POLICIES = names_of("slots")
AGENT_SET_POLICIES = names_of("agents")
