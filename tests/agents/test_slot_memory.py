"""The slot scorer with a memory per slot: symmetric in the slots, and it learns what needs memory."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.layout import observation_size, plain, slots_end
from ntn_gym_agents.slot_memory import RecurrentSlotScorerPolicy, SlotMemory

LAYOUT = SlotLayout(n_slots=4, slot_size=3, user_size=2, valid_index=0, serving_index=1)
SPACE = spaces.Box(-3.0, 3.0, (observation_size(LAYOUT),), np.float32)
ACTIONS = spaces.Discrete(4)
MEMORY = 3


def schedule(_: float) -> float:
    return 1e-3


def randomised(module: Any) -> Any:
    generator = th.Generator().manual_seed(1)
    with th.no_grad():
        for parameter in module.parameters():
            parameter.copy_(th.randn(parameter.shape, generator=generator) * 0.5)
    return module.eval()


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    slots = rng.uniform(-1, 1, (*shape, LAYOUT.n_slots, LAYOUT.slot_size))
    slots[..., 0] = rng.random(slots.shape[:-1]) < 0.8
    slots[..., 1] = np.arange(LAYOUT.n_slots) == rng.integers(0, LAYOUT.n_slots, (*shape, 1))
    user = rng.uniform(-1, 1, (*shape, 2))
    return np.concatenate((slots.reshape(*shape, -1), user), axis=-1).astype(np.float32)


def renumbered(observation: np.ndarray, order: np.ndarray) -> np.ndarray:
    end = slots_end(LAYOUT)
    slots = observation[..., :end].reshape(*observation.shape[:-1], LAYOUT.n_slots, LAYOUT.slot_size)[..., order, :]
    return np.concatenate((slots.reshape(*observation.shape[:-1], -1), observation[..., end:]), axis=-1)


def zeros(n: int, size: int) -> tuple[th.Tensor, th.Tensor]:
    return th.zeros((1, n, size)), th.zeros((1, n, size))


def logits_over_time(policy: Any, observations: np.ndarray) -> np.ndarray:
    """Log-probabilities [T, n, K] of an episode from its first step."""
    n_steps, n = observations.shape[:2]
    states, rows = zeros(n, policy.lstm_actor.hidden_size), []
    for t in range(n_steps):
        start = th.full((n,), float(t == 0))
        distribution, states = policy.get_distribution(th.as_tensor(observations[t]), states, start)
        rows.append(distribution.distribution.logits.detach().numpy())
    return np.stack(rows)


def test_the_memory_of_a_slot_is_an_lstm_that_sees_that_slot_only() -> None:
    module = randomised(SlotMemory(LAYOUT, MEMORY))
    observations = draw(6, 2)
    longer, (h, _) = module(th.as_tensor(observations), zeros(2, module.hidden_size))
    slots = observations[..., : slots_end(LAYOUT)].reshape(6, 2, LAYOUT.n_slots, LAYOUT.slot_size)
    parts = longer[..., : LAYOUT.n_slots * (LAYOUT.slot_size + MEMORY)].reshape(6, 2, LAYOUT.n_slots, -1)
    for world in range(2):
        for slot in range(LAYOUT.n_slots):
            alone, (last, _) = module.lstm(th.as_tensor(slots[:, world, slot]))
            got = parts[:, world, slot].detach().numpy()
            np.testing.assert_array_equal(got[:, : LAYOUT.slot_size], slots[:, world, slot])
            np.testing.assert_allclose(got[:, LAYOUT.slot_size :], alone.detach(), atol=1e-6)
            here = h.reshape(2, LAYOUT.n_slots, MEMORY)[world, slot].detach()
            np.testing.assert_allclose(here, last[0].detach(), atol=1e-6)
    np.testing.assert_array_equal(longer[..., -2:].detach(), observations[..., -2:])


def test_renumbering_slots_renumbers_the_scores_over_a_whole_episode() -> None:
    policy = randomised(
        RecurrentSlotScorerPolicy(SPACE, ACTIONS, schedule, layout=LAYOUT, lstm_hidden_size=MEMORY, net_arch=[8, 6])
    )
    observations, order = draw(10, 7), np.array([2, 0, 3, 1])
    logits = logits_over_time(policy, observations)
    other = logits_over_time(policy, renumbered(observations, order))
    np.testing.assert_allclose(other, logits[..., order], rtol=1e-4, atol=1e-5)
    # The last decision depends on what was seen before.
    past = observations.copy()
    past[:5] = draw(5, 7, seed=3)
    assert np.abs(logits_over_time(policy, past)[-1] - logits[-1]).max() > 1e-4


def test_whole_sequences_give_what_step_by_step_gives() -> None:
    """Also where episodes begin inside a sequence, which is then gone through step by step."""
    policy = randomised(RecurrentSlotScorerPolicy(SPACE, ACTIONS, schedule, layout=LAYOUT, lstm_hidden_size=MEMORY))
    n, length = 3, 6
    rows = th.as_tensor(draw(n, length).reshape(n * length, -1))
    generator = th.Generator().manual_seed(4)
    states = tuple(th.randn((1, n, policy.lstm_actor.hidden_size), generator=generator) for _ in range(2))
    for starts in (
        [[1, 0, 0, 0, 0, 0], [0] * 6, [1, 0, 0, 0, 0, 0]],
        [[1, 0, 0, 1, 0, 0], [0] * 6, [0, 1, 0, 0, 0, 0]],
    ):
        flags = th.tensor(starts, dtype=th.float32).flatten()
        mine, after = policy._process_sequence(rows, states, flags, policy.lstm_actor)
        plainly, after_plainly = RecurrentActorCriticPolicy._process_sequence(rows, states, flags, policy.lstm_actor)
        np.testing.assert_allclose(mine.detach(), plainly.detach(), atol=1e-6)
        for a, b in zip(after, after_plainly, strict=True):
            np.testing.assert_allclose(a.detach(), b.detach(), atol=1e-6)


def test_every_parameter_learns() -> None:
    policy = RecurrentSlotScorerPolicy(SPACE, ACTIONS, schedule, layout=LAYOUT, lstm_hidden_size=MEMORY)
    n = 12
    state = zeros(n, policy.lstm_actor.hidden_size)
    states = RNNStates(tuple(s + 0.1 for s in state), tuple(s + 0.1 for s in state))
    observation = th.as_tensor(draw(n))
    best = th.as_tensor(draw(n)[:, : slots_end(LAYOUT)].reshape(n, 4, 3)[..., 0].argmax(axis=1))
    values, log_prob, entropy = policy.evaluate_actions(observation, best, states, th.zeros(n))
    (values.mean() - log_prob.mean() - 0.01 * entropy.mean()).backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None and th.isfinite(parameter.grad).all() and parameter.grad.abs().max() > 0, name
    learned = {id(parameter) for group in policy.optimizer.param_groups for parameter in group["params"]}
    assert learned == {id(parameter) for parameter in policy.parameters()}


class Rising(gym.Env):
    """Three steps long: the first shows a number per slot, the others nothing; at the last the largest slot pays 1."""

    observation_space = SPACE
    action_space = ACTIONS

    def _show(self, numbers: np.ndarray) -> np.ndarray:
        slots = np.zeros((LAYOUT.n_slots, LAYOUT.slot_size))
        slots[:, 0], slots[:, 2] = 1.0, numbers
        return np.concatenate((slots.ravel(), [self._t / 2, 0.0])).astype(np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._t = 0
        self._numbers = self.np_random.uniform(-1, 1, LAYOUT.n_slots)
        return self._show(self._numbers), {}

    def step(self, action):
        self._t += 1
        if self._t < 3:
            return self._show(np.zeros(LAYOUT.n_slots)), 0.0, False, False, {}
        reward = float(action == self._numbers.argmax())
        return self._show(np.zeros(LAYOUT.n_slots)), reward, True, False, {}


def test_it_learns_what_needs_memory_and_survives_save_and_load(tmp_path) -> None:
    th.set_num_threads(1)
    model = RecurrentPPO(
        RecurrentSlotScorerPolicy, DummyVecEnv([Rising] * 16), n_steps=24, batch_size=96, n_epochs=8,
        learning_rate=1e-2, gamma=0.9, seed=0, device="cpu",
        policy_kwargs={"layout": plain(LAYOUT), "lstm_hidden_size": 4, "net_arch": [16]},
    )  # fmt: skip
    model.learn(384 * 8)
    env, state, won = DummyVecEnv([Rising] * 200), None, 0.0
    env.seed(99)
    observation, start = env.reset(), np.ones(200, dtype=bool)
    for _ in range(3):
        action, state = model.predict(observation, state=state, episode_start=start, deterministic=True)
        observation, reward, start, _ = env.step(action)
        won += reward.sum()
    # Without memory no policy can win more often than every fourth time on average.
    assert won / 200 > 0.6, won / 200
    model.save(tmp_path / "model.zip")
    again = RecurrentPPO.load(tmp_path / "model.zip", device="cpu")
    rows = draw(20)
    expected, (memory, _) = model.policy.predict(rows, deterministic=True)
    got, (other, _) = again.policy.predict(rows, deterministic=True)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(other, memory)
    assert isinstance(model.policy, nn.Module) and memory.shape == (1, 20, 16)


def test_several_agents_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="must be Discrete"):
        RecurrentSlotScorerPolicy(SPACE, spaces.MultiDiscrete([4, 4]), schedule, layout=LAYOUT)
