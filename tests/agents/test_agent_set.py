"""The central network: symmetric in the agents, one spread for all, and a proper policy of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.agent_set import AgentSetPolicy, MaskableAgentSetPolicy
from ntn_gym_agents.agent_set_sac import AgentSetSacPolicy
from ntn_gym_agents.layout import plain
from ntn_gym_agents.set_networks import agent_shape

A, SIZE, N = 4, 3, 5
OBSERVATIONS = spaces.Box(-3.0, 3.0, (A * SIZE,), np.float32)
CHOICES = spaces.MultiDiscrete([N] * A)
VELOCITIES = spaces.Box(-1.0, 1.0, (A * 2,), np.float32)
ORDERS = [np.array([3, 2, 1, 0]), np.array([1, 2, 3, 0])]
# Two slots of two numbers, one number of the user and an action that is no slot; four agents.
LAYOUT = SlotLayout(2, 2, 1, valid_index=0, serving_index=None, n_extra_actions=1)


def schedule(_: float) -> float:
    return 1e-3


def randomised(policy: Any, scale: float = 0.4) -> Any:
    generator = th.Generator().manual_seed(1)
    with th.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(th.randn(parameter.shape, generator=generator) * scale)
    return policy.double().eval()


def draw(n: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, A, size))


def outputs(policy: Any, agents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the actor says of each agent, [n, A, outputs], and the value of the world, [n]."""
    latent, features = policy.mlp_extractor(th.as_tensor(agents.reshape(len(agents), -1)))
    return latent.detach().numpy().reshape(len(agents), A, -1), policy.value_net(features).detach().numpy()[:, 0]


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("space", [CHOICES, VELOCITIES], ids=["discrete", "box"])
def test_renumbering_agents_renumbers_their_actions_and_leaves_the_value(space: Any, attention: bool) -> None:
    policy = randomised(
        AgentSetPolicy(OBSERVATIONS, space, schedule, agents=A, attention=attention, net_arch={"pi": [8, 6], "vf": [7]})
    )
    agents = draw(50)
    action, value = outputs(policy, agents)
    for order in ORDERS:
        other_action, other_value = outputs(policy, agents[:, order])
        np.testing.assert_allclose(other_action, action[:, order], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(other_value, value, rtol=1e-11, atol=1e-12)
    assert value.std() > 0.05 and action.std(axis=0).min() > 0.01, "both must depend on what is seen"
    # What an agent does depends on the others, too: equivariant is not the same as alone.
    changed = agents.copy()
    changed[:, 3] = draw(50, seed=7)[:, 3]
    assert np.abs(outputs(policy, changed)[0][:, 0] - action[:, 0]).max() > 1e-3


def test_with_slots_it_is_equivariant_in_agents_and_in_the_slots_of_each() -> None:
    space = spaces.Box(-3.0, 3.0, (A * 5,), np.float32)
    choices = spaces.MultiDiscrete([3] * A)
    policy = randomised(AgentSetPolicy(space, choices, schedule, agents=A, layout=plain(LAYOUT), net_arch=[8, 6]))
    agents = draw(40, 5)
    agents[..., [0, 2]] = np.random.default_rng(3).random((40, A, 2)) < 0.7  # valid bits
    action, value = outputs(policy, agents)
    for order in ORDERS:
        np.testing.assert_allclose(outputs(policy, agents[:, order])[0], action[:, order], rtol=1e-11, atol=1e-12)
    swapped = agents.copy()
    swapped[:, 1] = agents[:, 1][:, [2, 3, 0, 1, 4]]
    other, other_value = outputs(policy, swapped)
    np.testing.assert_allclose(other[:, 1], action[:, 1][:, [1, 0, 2]], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(other[:, [0, 2, 3]], action[:, [0, 2, 3]], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(other_value, value, rtol=1e-11, atol=1e-12)
    assert (action[agents[..., 0] < 0.5][:, 0] < -1e7).all(), "an empty slot is never chosen"


def test_all_agents_explore_alike() -> None:
    policy = AgentSetPolicy(OBSERVATIONS, VELOCITIES, schedule, agents=A, log_std_init=-1.0)
    assert policy.log_std.shape == (2,)
    with th.no_grad():
        policy.log_std.copy_(th.tensor([-1.0, 0.5]))
    spread = policy.get_distribution(th.zeros((1, A * SIZE))).distribution.stddev.detach().numpy()
    np.testing.assert_allclose(spread[0], np.exp([-1.0, 0.5] * A), rtol=1e-6)


def test_the_number_of_parameters_does_not_depend_on_the_number_of_agents() -> None:
    def size(a: int) -> int:
        observation = spaces.Box(-1, 1, (a * SIZE,), np.float32)
        made = AgentSetPolicy(observation, spaces.MultiDiscrete([N] * a), schedule, agents=a)
        return sum(parameter.numel() for parameter in made.parameters())

    assert size(2) == size(9)


@pytest.mark.parametrize("attention", [False, True])
def test_actor_and_critics_of_sac_are_symmetric(attention: bool) -> None:
    policy = randomised(
        AgentSetSacPolicy(OBSERVATIONS, VELOCITIES, schedule, agents=A, attention=attention, net_arch=[8, 6]), 0.8
    ).float()  # SB3 hands float32 observations to SAC's networks
    agents, actions = draw(30).astype(np.float32), draw(30, 2, seed=5).astype(np.float32)

    def act(agents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, log_std, _ = policy.actor.get_action_dist_params(th.as_tensor(agents.reshape(30, -1)))
        return tuple(part.detach().numpy().reshape(30, A, 2) for part in (mean, log_std))

    def judge(agents: np.ndarray, actions: np.ndarray) -> np.ndarray:
        rows = (th.as_tensor(part.reshape(30, -1)) for part in (agents, actions))
        return th.cat(policy.critic(*rows), dim=1).detach().numpy()

    values = judge(agents, actions)
    assert values.shape == (30, 2) and values.std(axis=0).min() > 0.01
    for order in ORDERS:
        for mine, other in zip(act(agents), act(agents[:, order]), strict=True):
            np.testing.assert_allclose(other, mine[:, order], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(judge(agents[:, order], actions[:, order]), values, rtol=1e-4, atol=1e-5)
    # The actions belong to their agents: exchanging the actions alone is another situation.
    assert np.abs(judge(agents, actions[:, ORDERS[0]]) - values).max() > 1e-3
    target = policy.critic_target
    assert {p.shape for p in target.parameters()} == {p.shape for p in policy.critic.parameters()}


class Rooms(gym.Env):
    """A one-step game for four agents: go to the room that is one's own, but only the one who calls loudest may.

    Each agent sees (loudness, room, noise). The loudest gets 1 for entering its room, the others 1 for staying out
    (action 0). Nobody can know alone whether it is the loudest.
    """

    observation_space = OBSERVATIONS

    def __init__(self, continuous: bool = False) -> None:
        self._continuous = continuous
        self.action_space = VELOCITIES if continuous else CHOICES

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._now = self.np_random.uniform(-1, 1, (A, SIZE))
        return self._now.astype(np.float32).ravel(), {}

    def step(self, action):
        reward = float(score(self._now[None], np.asarray(action).reshape(1, A, -1), self._continuous)[0])
        return self.reset()[0], reward, True, False, {}

    def action_masks(self) -> np.ndarray:
        return np.tile(np.arange(N) < 3, A)  # rooms 3 and 4 are closed


def score(agents: np.ndarray, action: np.ndarray, continuous: bool) -> np.ndarray:
    """Share of agents that do the right thing (discrete), or minus the mean squared error (continuous), [n]."""
    loudest = agents[..., 0] == agents[..., 0].max(axis=1, keepdims=True)
    if continuous:
        wanted = np.where(loudest, 0.8, -0.4)[..., None] * np.ones(2)
        return -np.square(action - wanted).mean(axis=(1, 2))
    room = np.where(agents[..., 1] > 0, 1, 2)
    return (action[..., 0] == np.where(loudest, room, 0)).mean(axis=1)


def test_it_learns_what_no_agent_can_know_alone() -> None:
    th.set_num_threads(1)
    model = MaskablePPO(
        MaskableAgentSetPolicy, DummyVecEnv([Rooms] * 16), n_steps=32, batch_size=128, n_epochs=10,
        learning_rate=5e-3, gamma=0.0, seed=0, policy_kwargs={"agents": A, "net_arch": [32]}, device="cpu",
    )  # fmt: skip
    agents = draw(1000, seed=11)
    mask = np.tile(np.arange(N) < 3, (1000, A))

    def result() -> float:
        rows = agents.reshape(1000, -1).astype(np.float32)
        action, _ = model.predict(rows, deterministic=True, action_masks=mask)
        assert action.max() < 3, "the mask holds for each agent"
        return float(score(agents, action[..., None], False).mean())

    before = result()
    model.learn(2048)
    # Always staying out is right for three of four agents: 0.75.
    assert before < 0.75 and result() > 0.88


@pytest.mark.parametrize(
    ("algorithm", "policy", "arguments"),
    [(PPO, AgentSetPolicy, {"n_steps": 32, "batch_size": 32}), (SAC, AgentSetSacPolicy, {"learning_starts": 16})],
    ids=["ppo", "sac"],
)
def test_it_survives_save_and_load(algorithm: Any, policy: Any, arguments: dict[str, Any], tmp_path) -> None:
    model = algorithm(
        policy, Rooms(continuous=True), seed=0, device="cpu", **arguments,
        policy_kwargs={"agents": A, "net_arch": [8], "attention": True, "activation_fn": "silu"},
    )  # fmt: skip
    model.learn(64)
    model.save(tmp_path / "model.zip")
    rows = draw(20).reshape(20, -1).astype(np.float32)
    expected = model.predict(rows, deterministic=True)[0]
    again = algorithm.load(tmp_path / "model.zip", device="cpu")
    np.testing.assert_array_equal(again.predict(rows, deterministic=True)[0], expected)
    model.policy.save(tmp_path / "policy.pth")
    alone = policy.load(tmp_path / "policy.pth", device="cpu")
    np.testing.assert_array_equal(alone.predict(rows, deterministic=True)[0], expected)
    assert isinstance(model.policy, nn.Module) and expected.shape == (20, 2 * A)


@pytest.mark.parametrize(
    ("agents", "observation", "action", "message"),
    [
        (3, OBSERVATIONS, CHOICES, "agents = 3, but the action space .* is that of 4"),
        (A, spaces.Box(-1, 1, (13,)), CHOICES, "does not divide among 4 agents"),
        (3, OBSERVATIONS, VELOCITIES, "8 components of the action do not divide"),
        (2, OBSERVATIONS, spaces.MultiDiscrete([3, 4]), "no action space of several agents that are alike"),
        ("Handover", OBSERVATIONS, VELOCITIES, "its agents have Discrete"),
    ],
)
def test_spaces_that_do_not_divide_are_refused(agents: Any, observation: Any, action: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        agent_shape(agents, observation, action)


def test_a_layout_that_does_not_fit_an_agent_is_refused() -> None:
    with pytest.raises(ValueError, match="has 3 actions and 5 numbers; an agent has 5 actions and sees 3"):
        AgentSetPolicy(OBSERVATIONS, CHOICES, schedule, agents=A, layout=plain(LAYOUT))
    with pytest.raises(ValueError, match="slots are chosen by discrete actions"):
        AgentSetPolicy(OBSERVATIONS, VELOCITIES, schedule, agents=A, layout=plain(LAYOUT))
