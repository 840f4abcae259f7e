"""The slot scorer: symmetric in the slots, blind to empty ones, and a proper policy of Stable-Baselines3."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO
from torch import nn

from ntn_gym.core.slots import SlotLayout
from ntn_gym_agents.layout import layout_of_task, plain, resolve_layout, slots_end
from ntn_gym_agents.slot_networks import SlotPool, SlotScorer, split
from ntn_gym_agents.slot_scorer import MaskableSlotScorerPolicy, SlotQPolicy, SlotScorerPolicy

LAYOUT = SlotLayout(n_slots=5, slot_size=4, user_size=3, valid_index=0, serving_index=1)
OBSERVATIONS = spaces.Box(-3.0, 3.0, (slots_end(LAYOUT) + LAYOUT.user_size,), np.float32)
ACTIONS = spaces.Discrete(LAYOUT.n_slots)


def draw(n: int, seed: int = 0, valid_share: float = 0.6) -> np.ndarray:
    """Random observations with valid bits, at most one serving slot and zeros in empty slots."""
    rng = np.random.default_rng(seed)
    slots = rng.uniform(-1, 1, (n, LAYOUT.n_slots, LAYOUT.slot_size))
    slots[..., 0] = rng.random((n, LAYOUT.n_slots)) < valid_share
    slots[..., 1] = np.arange(LAYOUT.n_slots) == rng.integers(0, 2 * LAYOUT.n_slots, (n, 1))
    slots *= slots[..., :1]
    user = rng.uniform(-1, 1, (n, LAYOUT.user_size))
    return np.concatenate((slots.reshape(n, -1), user), axis=1).astype(np.float32)


def permuted(observation: np.ndarray, order: np.ndarray) -> np.ndarray:
    slots = observation[:, : slots_end(LAYOUT)].reshape(-1, LAYOUT.n_slots, LAYOUT.slot_size)[:, order]
    return np.concatenate((slots.reshape(len(slots), -1), observation[:, slots_end(LAYOUT) :]), axis=1)


def schedule(_: float) -> float:
    return 1e-3


def randomise(policy: nn.Module) -> nn.Module:
    """Give all parameters sizeable values, so that nothing is symmetric only because it is nearly zero."""
    generator = th.Generator().manual_seed(1)
    with th.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(th.randn(parameter.shape, generator=generator) * 0.5)
    return policy.double().eval()


@pytest.fixture(params=[False, True], ids=["alone", "context"])
def policy(request: pytest.FixtureRequest) -> SlotScorerPolicy:
    made = SlotScorerPolicy(
        OBSERVATIONS,
        ACTIONS,
        schedule,
        layout=LAYOUT,
        context=request.param,
        net_arch={"pi": [8, 7], "vf": [9, 6]},
    )
    return randomise(made)


ORDERS = [np.array([4, 3, 2, 1, 0]), np.array([1, 2, 3, 4, 0]), np.array([2, 0, 1, 4, 3])]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_permuting_slots_permutes_logits_and_leaves_the_value(policy: SlotScorerPolicy, order: np.ndarray) -> None:
    observation = draw(200).astype(np.float64)
    logits, features = policy.mlp_extractor(th.as_tensor(observation))
    other_logits, other_features = policy.mlp_extractor(th.as_tensor(permuted(observation, order)))
    # Float64 leaves only the order of the sums of the pooled mean: a few units in the last place.
    np.testing.assert_allclose(other_logits.detach(), logits.detach()[:, order], rtol=1e-12, atol=1e-12)
    value = policy.value_net(features).detach().numpy()
    np.testing.assert_allclose(policy.value_net(other_features).detach().numpy(), value, rtol=1e-12, atol=1e-12)
    assert value.std() > 0.1, "the value must depend on the situation"
    alive = logits.detach().numpy()[logits.detach().numpy() > -1e7]
    assert alive.std() > 0.1, "the logits must depend on the slot"


def test_q_values_are_equivariant() -> None:
    made = randomise(SlotQPolicy(OBSERVATIONS, ACTIONS, schedule, layout=LAYOUT, net_arch=[8, 8]))
    observation = draw(100).astype(np.float64)
    values, _ = made.q_net.q_net(th.as_tensor(observation))
    for order in ORDERS:
        others, _ = made.q_net.q_net(th.as_tensor(permuted(observation, order)))
        np.testing.assert_allclose(others.detach(), values.detach()[:, order], rtol=1e-11, atol=1e-12)


def test_the_dueling_head_averages_the_advantages_of_selectable_slots_away() -> None:
    made = randomise(SlotQPolicy(OBSERVATIONS, ACTIONS, schedule, layout=LAYOUT))
    observation = th.as_tensor(draw(100).astype(np.float64))
    head = made.q_net.q_net
    values, valid = head(observation)
    state_value = head.last(head.value(*split(LAYOUT, observation)))[:, 0]
    for row in range(len(observation)):
        chosen = valid[row] if valid[row].any() else th.ones_like(valid[row])
        assert values[row][chosen].mean().item() == pytest.approx(state_value[row].item(), abs=1e-9)


def test_empty_slots_have_zero_probability_and_all_are_open_when_none_is_valid(
    policy: SlotScorerPolicy,
) -> None:
    policy.float()  # SB3 hands float32 observations to its distributions
    observation = draw(300, seed=3, valid_share=0.25)
    valid = observation[:, : slots_end(LAYOUT)].reshape(-1, LAYOUT.n_slots, LAYOUT.slot_size)[..., 0] > 0.5
    nothing = ~valid.any(axis=1)
    assert nothing.any() and (~nothing).any()
    distribution = policy.get_distribution(th.as_tensor(observation)).distribution
    probability = distribution.probs.detach().numpy()
    assert (probability[~valid & ~nothing[:, None]] == 0.0).all()
    assert (probability[valid] > 0.0).all() and (probability[nothing] > 0.0).all()
    assert np.isfinite(distribution.entropy().detach().numpy()).all()


def test_an_excluded_slot_sends_no_gradient_and_the_loss_stays_finite(policy: SlotScorerPolicy) -> None:
    policy.float()
    observation = th.as_tensor(draw(64, seed=4, valid_share=0.3))
    actions = policy.get_distribution(observation).get_actions(deterministic=True)
    values, log_prob, entropy = policy.evaluate_actions(observation, actions)
    (values.mean() - log_prob.mean() - 0.01 * entropy.mean()).backward()
    gradients = [parameter.grad for parameter in policy.parameters()]
    assert all(gradient is not None and th.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_the_split_first_layer_equals_a_network_on_the_concatenation() -> None:
    scorer = randomise(SlotScorer(LAYOUT, [6, 5], nn.Tanh))
    observation = draw(20).astype(np.float64)
    slots = observation[:, : slots_end(LAYOUT)].reshape(-1, LAYOUT.n_slots, LAYOUT.slot_size)
    user = observation[:, slots_end(LAYOUT) :]
    expected = np.zeros((20, LAYOUT.n_slots))
    w1, b1 = scorer.first.weight.detach().numpy(), scorer.first.bias.detach().numpy()
    w2, b2 = scorer.hidden[1].weight.detach().numpy(), scorer.hidden[1].bias.detach().numpy()
    w3, b3 = scorer.last.weight.detach().numpy(), scorer.last.bias.detach().numpy()
    for i in range(20):
        serving = np.zeros(LAYOUT.slot_size)
        for k in range(LAYOUT.n_slots):
            if slots[i, k, LAYOUT.serving_index] == 1:
                serving = slots[i, k]
        for k in range(LAYOUT.n_slots):
            inputs = np.concatenate((slots[i, k], serving, user[i]))
            hidden = np.tanh(w2 @ np.tanh(w1 @ inputs + b1) + b2)
            expected[i, k] = (w3 @ hidden + b3)[0]
    valid = th.as_tensor(slots[..., 0] > 0.5)
    got = scorer(th.as_tensor(slots), th.as_tensor(user), valid).detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_pooling_reads_valid_slots_only() -> None:
    pool = randomise(SlotPool(LAYOUT, 4, nn.Tanh))
    slots = np.random.default_rng(0).uniform(-1, 1, (3, LAYOUT.n_slots, LAYOUT.slot_size))
    valid = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
    user = np.zeros((3, LAYOUT.user_size))
    pooled = pool(th.as_tensor(slots), th.as_tensor(user), th.as_tensor(valid)).detach().numpy()
    weight, bias = pool.embed[0].weight.detach().numpy(), pool.embed[0].bias.detach().numpy()
    embedded = np.tanh(slots @ weight.T + bias)
    np.testing.assert_allclose(pooled[0, :4], embedded[0, [0, 2]].max(axis=0), rtol=1e-12)
    np.testing.assert_allclose(pooled[0, 4:8], embedded[0, [0, 2]].mean(axis=0), rtol=1e-12)
    assert (pooled[1] == 0.0).all()
    np.testing.assert_allclose(pooled[2, :4], embedded[2].max(axis=0), rtol=1e-12)


class SlotMarket(gym.Env):
    """A one-step game: the third number of a slot is its reward if chosen; empty slots pay -1."""

    observation_space = OBSERVATIONS
    action_space = ACTIONS

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._now = draw(1, int(self.np_random.integers(2**31)))[0]
        return self._now, {}

    def step(self, action):
        slot = self._now[: slots_end(LAYOUT)].reshape(LAYOUT.n_slots, LAYOUT.slot_size)[action]
        reward = float(slot[2]) if slot[0] > 0.5 else -1.0
        return self.reset()[0], reward, True, False, {}

    def action_masks(self) -> np.ndarray:
        valid = self._now[: slots_end(LAYOUT)].reshape(LAYOUT.n_slots, LAYOUT.slot_size)[:, 0] > 0.5
        return valid if valid.any() else np.ones(LAYOUT.n_slots, dtype=bool)


def regret(model, n: int = 2000) -> float:
    """Mean loss against the best valid slot, over situations that have one."""
    observation = draw(n, seed=9)
    slots = observation[:, : slots_end(LAYOUT)].reshape(n, LAYOUT.n_slots, LAYOUT.slot_size)
    valid = slots[..., 0] > 0.5
    has_one = valid.any(axis=1)
    action = model.predict(observation, deterministic=True)[0]
    chosen = slots[np.arange(n), action]
    assert (chosen[has_one, 0] > 0.5).all(), "an empty slot was chosen"
    best = np.where(valid, slots[..., 2], -np.inf).max(axis=1)
    return float((best - chosen[:, 2])[has_one].mean())


MODELS = {
    "ppo": lambda env: PPO(
        SlotScorerPolicy, env, n_steps=256, batch_size=128, n_epochs=10, learning_rate=1e-2, gamma=0.0,
        seed=0, policy_kwargs={"layout": plain(LAYOUT)}, device="cpu",
    ),
    "maskable-ppo": lambda env: MaskablePPO(
        MaskableSlotScorerPolicy, env, n_steps=256, batch_size=128, n_epochs=10, learning_rate=1e-2,
        gamma=0.0, seed=0, policy_kwargs={"layout": plain(LAYOUT), "context": True}, device="cpu",
    ),
    "dqn": lambda env: DQN(
        SlotQPolicy, env, learning_rate=1e-2, gamma=0.0, seed=0, learning_starts=100, buffer_size=5000,
        train_freq=8, gradient_steps=4, batch_size=64, policy_kwargs={"layout": plain(LAYOUT)}, device="cpu",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_it_learns_and_survives_save_and_load(name: str, tmp_path) -> None:
    th.set_num_threads(1)
    model = MODELS[name](SlotMarket())
    before = regret(model)
    model.learn(2048)
    after = regret(model)
    # A random valid choice loses about 0.45; the best possible loses nothing.
    assert after < 0.15 < before, (before, after)
    model.save(tmp_path / "model.zip")
    again = type(model).load(tmp_path / "model.zip", device="cpu")
    observation = draw(50, seed=11)
    expected = model.policy.predict(observation, deterministic=True)[0]
    np.testing.assert_array_equal(again.policy.predict(observation, deterministic=True)[0], expected)
    model.policy.save(tmp_path / "policy.pth")
    alone = type(model.policy).load(tmp_path / "policy.pth", device="cpu")
    np.testing.assert_array_equal(alone.predict(observation, deterministic=True)[0], expected)


def test_the_target_network_of_dqn_never_counts_an_empty_slot() -> None:
    made = SlotQPolicy(OBSERVATIONS, ACTIONS, schedule, layout=LAYOUT)
    observation = draw(100, valid_share=0.4)
    valid = observation[:, : slots_end(LAYOUT)].reshape(-1, LAYOUT.n_slots, LAYOUT.slot_size)[..., 0] > 0.5
    some = valid.any(axis=1)
    target = made.q_net_target(th.as_tensor(observation)).detach().numpy()
    online = made.q_net(th.as_tensor(observation)).detach().numpy()
    assert (target[some][~valid[some]] < -1e7).all()
    assert (np.abs(online) < 1e3).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_slots": 4}, "n_slots = 4"),
        ({"slot_size": 5}, "make 28"),
        ({"valid_index": 7}, "valid_index = 7"),
        ({"extra": 1}, "needed are exactly"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SlotScorerPolicy(OBSERVATIONS, ACTIONS, schedule, layout=plain(LAYOUT) | changes)


def test_a_continuous_action_space_is_refused() -> None:
    with pytest.raises(ValueError, match="must be Discrete"):
        resolve_layout(LAYOUT, OBSERVATIONS, spaces.Box(-1.0, 1.0, (2,)))


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        SlotScorerPolicy(OBSERVATIONS, ACTIONS, schedule, layout=LAYOUT, net_arch=[])


def test_a_task_without_slots_has_no_layout() -> None:
    assert layout_of_task(object()) is None
