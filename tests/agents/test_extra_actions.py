"""Actions that are no slot (wait, block, compute here) beside actions that are."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents import layout as layout_module
from ntn_gym_agents.layout import observation_size, plain, resolve_layout, slots_end
from ntn_gym_agents.slot_networks import split
from ntn_gym_agents.slot_scorer import SlotQPolicy, SlotScorerPolicy

# Action 0: extra, 1 to 4: slots, 5: extra. No slot is "the serving one".
LAYOUT = SlotLayout(
    n_slots=4, slot_size=3, user_size=2, valid_index=0, serving_index=None, n_extra_actions=2, first_slot_action=1
)
SPACE = spaces.Box(-3.0, 3.0, (observation_size(LAYOUT),), np.float32)
ACTIONS = spaces.Discrete(6)


def schedule(_: float) -> float:
    return 1e-3


def draw(n: int, seed: int = 0, valid_share: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    slots = rng.uniform(-1, 1, (n, LAYOUT.n_slots, LAYOUT.slot_size))
    slots[..., 0] = rng.random((n, LAYOUT.n_slots)) < valid_share
    slots *= slots[..., :1]
    return np.concatenate((slots.reshape(n, -1), rng.uniform(-1, 1, (n, 2))), axis=1).astype(np.float32)


def slots_of(observation: np.ndarray) -> np.ndarray:
    return observation[:, : slots_end(LAYOUT)].reshape(-1, LAYOUT.n_slots, LAYOUT.slot_size)


@pytest.fixture
def policy() -> nn.Module:
    made = SlotScorerPolicy(SPACE, ACTIONS, schedule, layout=LAYOUT, context=True, net_arch=[8, 7])
    generator = th.Generator().manual_seed(1)
    with th.no_grad():
        for parameter in made.parameters():
            parameter.copy_(th.randn(parameter.shape, generator=generator) * 0.5)
    return made.double().eval()


def test_renumbering_slots_moves_their_scores_and_leaves_the_other_actions(policy: SlotScorerPolicy) -> None:
    observation = draw(100).astype(np.float64)
    order = np.array([2, 0, 3, 1])
    renumbered = np.concatenate((slots_of(observation)[:, order].reshape(100, -1), observation[:, -2:]), axis=1)
    logits = policy.mlp_extractor.forward_actor(th.as_tensor(observation)).detach().numpy()
    other = policy.mlp_extractor.forward_actor(th.as_tensor(renumbered)).detach().numpy()
    np.testing.assert_allclose(other[:, [0, 5]], logits[:, [0, 5]], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(other[:, 1:5], logits[:, 1:5][:, order], rtol=1e-12, atol=1e-12)
    assert np.ptp(logits[:, 0]) > 0.1 and np.ptp(logits[:, 5]) > 0.1, "waiting must depend on the situation"


def test_only_what_is_no_slot_is_left_when_every_slot_is_empty(policy: SlotScorerPolicy) -> None:
    observation = draw(60, valid_share=0.2)
    valid = slots_of(observation)[..., 0] > 0.5
    empty = ~valid.any(axis=1)
    assert empty.any() and (~empty).any()
    probability = policy.float().get_distribution(th.as_tensor(observation)).distribution.probs.detach().numpy()
    assert (probability[:, 1:5][~valid] == 0.0).all() and (probability[:, 1:5][valid] > 0.0).all()
    assert (probability[:, [0, 5]] > 0.0).all()


def test_without_a_valid_bit_every_slot_counts() -> None:
    layout = SlotLayout(2, 2, 0, valid_index=None, serving_index=None)
    observation = th.zeros((3, 4))
    slots, user, valid = split(layout, observation)
    assert valid.all() and user.shape == (3, 0) and slots.shape == (3, 2, 2)
    made = SlotScorerPolicy(spaces.Box(-1, 1, (4,), np.float32), spaces.Discrete(2), schedule, layout=layout)
    np.testing.assert_allclose(made.get_distribution(observation).distribution.probs.detach(), 0.5, atol=1e-6)


class Market(gym.Env):
    """A one-step game: a valid slot pays its second number, an empty one -1; action 0 pays 0, action 5 the user's."""

    observation_space = SPACE
    action_space = ACTIONS

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._now = draw(1, int(self.np_random.integers(2**31)))[0]
        return self._now, {}

    def step(self, action):
        reward = float(pays(self._now[None])[0, action])
        return self.reset()[0], reward, True, False, {}


def pays(observation: np.ndarray) -> np.ndarray:
    slots = slots_of(observation)
    worth = np.where(slots[..., 0] > 0.5, slots[..., 1], -1.0)
    return np.concatenate((np.zeros((len(worth), 1)), worth, observation[:, -1:]), axis=1)


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_it_learns_when_to_choose_no_slot(algorithm: str) -> None:
    th.set_num_threads(1)
    market = DummyVecEnv([Market] * 16)
    kwargs = {"seed": 0, "gamma": 0.0, "learning_rate": 1e-2, "batch_size": 128, "device": "cpu"}
    if algorithm == "ppo":
        network = {"layout": plain(LAYOUT), "context": True}
        model = PPO(SlotScorerPolicy, market, n_steps=16, n_epochs=10, policy_kwargs=network, **kwargs)
    else:
        network = {"layout": plain(LAYOUT)}
        schedule = {"learning_starts": 100, "buffer_size": 5000, "train_freq": 1, "gradient_steps": 8}
        model = DQN(SlotQPolicy, market, policy_kwargs=network, **schedule, **kwargs)
    observation = draw(1000, seed=9)
    paid = pays(observation)

    def regret() -> float:
        action = model.predict(observation, deterministic=True)[0]
        return float((paid.max(axis=1) - paid[np.arange(1000), action]).mean())

    before = regret()
    model.learn(2048 if algorithm == "ppo" else 1200)
    # The best valid slot alone loses 0.22 and the better one of the two other actions alone 0.26.
    assert regret() < 0.12 < before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_extra_actions": 1}, "n_slots = 4 and n_extra_actions = 1, but there are 6 actions"),
        ({"first_slot_action": 3}, "first_slot_action = 3: allowed are 0 to n_extra_actions = 2"),
        ({"valid_index": 3}, "valid_index = 3: .* or null"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve_layout(plain(LAYOUT) | changes, SPACE, ACTIONS)


def test_a_name_serves_presets_with_other_numbers_of_slots_and_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default preset declares the layout above; this one has three slots and five numbers of the user."""
    monkeypatch.setattr(layout_module, "make_task", lambda name: SimpleNamespace(slot_layout=LAYOUT))
    found = resolve_layout("NTN/Some-v0", spaces.Box(-1, 1, (3 * 3 + 5,)), spaces.Discrete(5))
    assert found == replace(LAYOUT, n_slots=3, user_size=5)
    with pytest.raises(ValueError, match="-3 of the user make 12"):
        resolve_layout("NTN/Some-v0", spaces.Box(-1, 1, (12,)), spaces.Discrete(7))


def test_plain_values_leave_out_what_is_not_used() -> None:
    """Policies that were stored before there were such actions have exactly these keys."""
    layout = SlotLayout(8, 15, 7, 0, 1)
    assert set(plain(layout)) == {"n_slots", "slot_size", "user_size", "valid_index", "serving_index"}
    assert resolve_layout(plain(LAYOUT), SPACE, ACTIONS) == LAYOUT
