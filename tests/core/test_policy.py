"""Random play."""

import numpy as np
import pytest
from gymnasium import spaces

from ntn_gym.core.policy import RandomPolicy

OBSERVATION = np.zeros((500, 4, 2), dtype=np.float32)
RESTARTED = np.zeros(500, dtype=bool)


def test_uniform_over_the_legal_actions() -> None:
    mask = np.zeros((500, 4, 6), dtype=bool)
    mask[..., [1, 4]] = True
    chosen = RandomPolicy(0).act(OBSERVATION, mask, RESTARTED)
    assert chosen.shape == (500, 4) and set(np.unique(chosen)) == {1, 4}
    # 2000 fair coins: five standard deviations are 0.056.
    assert abs((chosen == 1).mean() - 0.5) < 0.056


def test_spaces_without_a_mask() -> None:
    discrete = RandomPolicy(0, spaces.Discrete(3)).act(OBSERVATION, None, RESTARTED)
    assert discrete.shape == (500, 4) and set(np.unique(discrete)) == {0, 1, 2}
    box = spaces.Box(np.float32([-1, 0]), np.float32([1, 0.5]))
    continuous = RandomPolicy(0, box).act(OBSERVATION, None, RESTARTED)
    assert continuous.shape == (500, 4, 2) and continuous.dtype == np.float32
    assert (continuous >= box.low).all() and (continuous <= box.high).all()
    assert continuous[..., 1].max() > 0.45 and continuous[..., 0].min() < -0.9
    with pytest.raises(ValueError, match="got no mask and action_space = None"):
        RandomPolicy(0).act(OBSERVATION, None, RESTARTED)


def test_reset_repeats_the_choices() -> None:
    policy = RandomPolicy(3, spaces.Discrete(100))
    first = policy.act(OBSERVATION, None, RESTARTED)
    assert not np.array_equal(policy.act(OBSERVATION, None, RESTARTED), first)
    policy.reset(500)
    assert np.array_equal(policy.act(OBSERVATION, None, RESTARTED), first)
