"""The state of a training in files, and back. Only arrays of numbers are read; nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from ntn_gym_agents.checkpoints import Checkpoint, Writer

MODEL_FILE = "model.zip"
STATE_FILE = "state.json"
REPLAY_FILE = "replay.npz"
# Of the moment, not of the agent: the environments start anew when a training resumes.
_NOT_SAVED = (
    "_last_obs",
    "_last_episode_starts",
    "_last_original_obs",
    "ep_info_buffer",
    "ep_success_buffer",
)
_REPLAY_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def model_files(model: BaseAlgorithm, env: VecEnv | None = None) -> dict[str, Writer]:
    """Files of a checkpoint by name: weights and optimisers, counters, and the replay buffer of DQN and SAC.

    Args:
        model: The agent in training.
        env: Its environment, for the running scale of rewards; None leaves counters and buffer out.
    """
    files: dict[str, Writer] = {MODEL_FILE: lambda path: model.save(path, exclude=_NOT_SAVED)}
    if env is None:
        return files
    state: dict[str, Any] = {"num_timesteps": model.num_timesteps, "n_updates": model._n_updates}
    state["episodes"] = model._episode_num
    if isinstance(env, VecNormalize):
        scale = env.ret_rms
        state["reward_scale"] = {"mean": float(scale.mean), "var": float(scale.var), "count": float(scale.count)}
    files[STATE_FILE] = lambda path: _write_text(path, json.dumps(state))
    if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
        buffer = model.replay_buffer
        files[REPLAY_FILE] = lambda path: _write_replay(path, buffer)
    return files


def restore(model: BaseAlgorithm, env: VecEnv, checkpoint: Checkpoint, total_steps: int) -> None:
    """Bring a freshly built agent to where a checkpoint was saved.

    Args:
        model: Built with the same arguments as the saved one.
        env: Its environment.
        checkpoint: One whose files verify.
        total_steps: Steps of the whole training, for schedules.
    """
    model.set_parameters(str(checkpoint.folder / MODEL_FILE), exact_match=True, device=model.device)
    _restore_variables(model, checkpoint.folder / MODEL_FILE)
    state = json.loads((checkpoint.folder / STATE_FILE).read_text(encoding="utf-8"))
    model.num_timesteps = state["num_timesteps"]
    model._n_updates = state["n_updates"]
    model._episode_num = state["episodes"]
    model._update_current_progress_remaining(model.num_timesteps, total_steps)
    if isinstance(env, VecNormalize):
        scale = state["reward_scale"]
        env.ret_rms.mean, env.ret_rms.var = np.float64(scale["mean"]), np.float64(scale["var"])
        env.ret_rms.count = scale["count"]
    if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
        _read_replay(checkpoint.folder / REPLAY_FILE, model.replay_buffer)
    if isinstance(model, DQN):
        # It counts its calls to time the target network, and remembers how much it explores.
        model._n_calls = model.num_timesteps // model.n_envs
        model.exploration_rate = model.exploration_schedule(model._current_progress_remaining)


def _restore_variables(model: BaseAlgorithm, path: Path) -> None:
    """Bring back what is learned beside the networks: SAC's temperature."""
    _, _, variables = load_from_zip_file(path, load_data=False, device=model.device)
    for name, value in (variables or {}).items():
        # In place: an optimiser holds the very tensor.
        getattr(model, name).data.copy_(value.data)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_replay(path: Path, buffer: ReplayBuffer) -> None:
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {name: getattr(buffer, name)[:filled] for name in _REPLAY_ARRAYS}
    with path.open("wb") as file:
        np.savez(file, pos=buffer.pos, full=buffer.full, **arrays)


def _read_replay(path: Path, buffer: ReplayBuffer) -> None:
    with np.load(path, allow_pickle=False) as stored:
        for name in _REPLAY_ARRAYS:
            getattr(buffer, name)[: len(stored[name])] = stored[name]
        buffer.pos, buffer.full = int(stored["pos"]), bool(stored["full"])
    # New episodes begin where the running ones were cut: a return over several steps must not reach across.
    last = buffer.pos - 1
    buffer.timeouts[last] = np.logical_or(buffer.timeouts[last], np.logical_not(buffer.dones[last]))
