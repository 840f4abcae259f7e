"""A fixed seed and a fixed list of actions give the same rewards as when the version was made.

One file per environment in the folder ``golden``. After a change that is meant to change numbers, raise the version in
``entry.py`` and write the file anew::

    NTN_WRITE_GOLDEN=1 python -m pytest tests/contract/test_golden.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from .cases import Case, central_actions

FOLDER = Path(__file__).parent / "golden"
STEPS = 24


def _rollout(case: Case) -> list[float]:
    env = case.env()
    env.reset(seed=1234)
    rewards = []
    for action in central_actions(np.random.default_rng(99), env.task, STEPS):
        _, reward, terminated, truncated, _ = env.step(action)
        rewards.append(reward)
        if terminated or truncated:
            env.reset()
    return rewards


def test_rewards_are_those_of_the_version(case: Case) -> None:
    path = FOLDER / f"{case.entry.id.replace('/', '-')}.json"
    rewards = _rollout(case)
    if os.environ.get("NTN_WRITE_GOLDEN"):
        known = json.loads(path.read_text()) if path.exists() else {}
        known["numpy"] = np.__version__
        known.setdefault("rewards", {})[case.preset] = [round(reward, 6) for reward in rewards]
        FOLDER.mkdir(exist_ok=True)
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    if not path.exists():
        pytest.fail(f"{path.name} is missing: write it with NTN_WRITE_GOLDEN=1 (see the docstring of this file)")
    known = json.loads(path.read_text())
    # Six decimals: other builds of numpy may round the last bits of float32 arithmetic differently.
    np.testing.assert_allclose(
        rewards, known["rewards"][case.preset], rtol=1e-5, atol=1e-5, err_msg=f"written with numpy {known['numpy']}"
    )
