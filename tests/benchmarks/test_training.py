"""How much of the time of a training is the environment's."""

from __future__ import annotations

from time import perf_counter, process_time
from typing import Any

import numpy as np
import pytest

from .drive import mode_arguments
from .ledger import Ledger
from .rows import MODES, Row

WORLDS = 256
ROLLOUT, ROLLOUTS, MINIBATCH = 60, 5, 1920
"""Five rollouts of 60 steps: every world is played for one episode of 300 steps and reset once."""
TARGET_PERCENT = 15.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("policy", "infos"),
    [("MlpPolicy 64x64", "full infos"), ("MlpPolicy 64x64", "lean infos"), ("slot scorer", "lean infos")],
)
def test_share_of_ppo(ledger: Ledger, policy: str, infos: str, mode: str) -> None:
    """``ntn-gym train`` uses lean infos: KPIs and masks stay in arrays."""
    torch = pytest.importorskip("torch")
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecEnvWrapper

    from ntn_gym.interfaces.sb3 import NTNVecEnv
    from ntn_gym_agents.slot_scorer import SlotScorerPolicy

    class Stopwatch(VecEnvWrapper):
        """Adds up the time of steps."""

        seconds = 0.0

        def reset(self) -> np.ndarray:
            return self.venv.reset()

        def step_async(self, actions: np.ndarray) -> None:
            begun = perf_counter()
            self.venv.step_async(actions)
            self.seconds += perf_counter() - begun

        def step_wait(self) -> Any:
            begun = perf_counter()
            result = self.venv.step_wait()
            self.seconds += perf_counter() - begun
            return result

    arguments = mode_arguments("beams", mode)
    inner = NTNVecEnv("Handover", WORLDS, random_start=True, full_infos=infos == "full infos", **arguments)
    env = Stopwatch(inner)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these networks are too small for more
    try:
        chosen: dict[str, Any] = {"policy": "MlpPolicy"}
        if policy == "slot scorer":
            chosen = {"policy": SlotScorerPolicy, "policy_kwargs": {"layout": inner.task.slot_layout}}
        model = PPO(env=env, n_steps=ROLLOUT, batch_size=MINIBATCH, device="cpu", seed=0, **chosen)
        model.learn(ROLLOUT * WORLDS)  # warms up, and the first worlds are drawn
        env.seconds = 0.0
        begun, cpu_begun = perf_counter(), process_time()
        model.learn(ROLLOUTS * ROLLOUT * WORLDS, reset_num_timesteps=False)
        wall_s, cpu_s = perf_counter() - begun, process_time() - cpu_begun
    finally:
        torch.set_num_threads(threads)
    steps = ROLLOUTS * ROLLOUT * WORLDS
    assert model.num_timesteps == steps + ROLLOUT * WORLDS
    work = f"PPO, {policy}, Handover beams, {infos}"
    share = 100.0 * env.seconds / wall_s
    assert 0 < share < 100
    ledger.add(Row(f"{work}: time in the environment", "NTNVecEnv", WORLDS, mode, "%", TARGET_PERCENT), 0, share)
    ledger.add(Row(f"{work}: speed", "NTNVecEnv", WORLDS, mode), 0, steps / wall_s, steps / cpu_s)
