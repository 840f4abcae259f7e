"""Train one agent: native batched environment, logs, validation, checkpoints, resume.

A run is a folder:

    job.json            what was asked for, with the whole configuration
    progress.csv        the log of Stable-Baselines3; the same in tensorboard/
    evaluations.csv     the learning curve on validation worlds
    checkpoints/        the newest two, until the training is finished
    best/ last/         policy with the highest return on validation, and after the last step
    policy.zip          the exported policy (best; last where nothing was evaluated) ...
    manifest.json       ... and what it is. It is written last: a folder that has it is finished
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch as th
from sb3_contrib import MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize

from ntn_gym.core.registry import resolve
from ntn_gym.core.seeding import TRAINING_SEEDS, VALIDATION_SEEDS
from ntn_gym.evaluation.files import write_whole
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.provenance import environment_folder, versions
from ntn_gym.evaluation.tuned import read_tuned
from ntn_gym_agents import checkpoints as store
from ntn_gym_agents.callbacks import Checkpoints, KpiLog, Validation
from ntn_gym_agents.fitting import policy_spaces
from ntn_gym_agents.jobs import TrainJob, TrainResult
from ntn_gym_agents.logs import CsvLog, training_logger
from ntn_gym_agents.planning import Plan, plan
from ntn_gym_agents.pretrain import imitate
from ntn_gym_agents.snapshots import MODEL_FILE, model_files, restore
from ntn_gym_agents.training_env import TrainingVecEnv
from ntn_gym_agents.zoo import POLICY_FILE, describe_space, policy_class, resolved_policy_kwargs

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {
    "ppo": PPO,
    "maskable-ppo": MaskablePPO,
    "recurrent-ppo": RecurrentPPO,
    "dqn": DQN,
    "sac": SAC,
}
KEPT_CHECKPOINTS = 2
LOG_STEPS = 8192
"""DQN and SAC log once in about so many steps; PPO logs once per rollout."""

Say = Callable[[str], None]


def to_stderr(text: str) -> None:
    """Print a message beside the results."""
    print(text, file=sys.stderr)


def train(job: TrainJob, say: Say = to_stderr) -> TrainResult:
    """Train an agent, resume a training that was stopped, or return the result of one that is finished.

    torch gets one thread: these networks are too small to be divided, and other trainings may need the cores.

    Args:
        job: What to do.
        say: Takes messages for people.

    Returns:
        What was reached; the policy is in the folder of the job.

    Raises:
        ValueError: If something in the job is wrong, or its folder holds another run; nothing was changed.
        FileExistsError: If the folder holds something else.
        OSError: If the disk is full; the checkpoints before are intact.
    """
    planned = plan(job)
    out = Path(job.out)
    _claim(out, planned.identity)
    if (out / store.MANIFEST).is_file():
        try:
            return TrainResult.from_dict(store.read_manifest(out)["result"])
        except ValueError as error:
            say(f"{error}; the policy is exported again")
    if (out / "last").is_dir():  # all steps are made
        try:
            return _finish(out)
        except ValueError as error:
            say(f"{error}; training goes on from the newest checkpoint, if there is one")
    write_whole(out / "job.json", json.dumps(planned.identity, indent=1) + "\n")
    th.set_num_threads(1)
    checkpoint = store.newest_whole(out / "checkpoints", say)
    done = 0 if checkpoint is None else checkpoint.steps
    if checkpoint is not None:
        say(f"resuming {out} at step {done:,} of {planned.total_steps:,}")
    with _environment(planned, done) as (env, inner):
        model = _model(planned, env, _derived_seed(job.seed, done, "model"))
        env.seed(_derived_seed(job.seed, done, "worlds") % (len(TRAINING_SEEDS) - planned.n_parallel))
        if checkpoint is not None:
            restore(model, env, checkpoint, planned.total_steps)
        pretrain = planned.config.pretrain
        if checkpoint is None and pretrain is not None:
            rules = resolve(planned.entry.heuristics)
            tuned = read_tuned(environment_folder(planned.entry), planned.preset).get(pretrain.heuristic)
            imitation = imitate(
                model,
                env,
                planned.task,
                rules,
                pretrain.heuristic,
                pretrain.steps,
                job.seed,
                central=planned.control == "central",
                team=planned.config.team or 0.0,
                params=None if tuned is None else tuned.params,
            )
            say(imitation.describe())
        seconds = _learn(planned, model, env, inner, out, done)
        steps = model.num_timesteps
        sitting = {
            "out": job.out,
            "policy": str(out / POLICY_FILE),
            "steps": steps,
            "resumed_from": None if checkpoint is None else done,
            "seconds": seconds,
            "steps_per_second": (steps - done) / seconds,
            "env_share": inner.seconds / seconds,
        }
        _save_policy(planned, model, out / "last", steps, {"sitting": sitting})
    return _finish(out)


# ---------------------------------------------------------------------------------------------- folder


def _claim(out: Path, identity: Mapping[str, Any]) -> None:
    """Make sure that a folder is free or holds this very run."""
    stored = out / "job.json"
    if stored.is_file():
        try:
            before = json.loads(stored.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{stored} is not readable ({error}); choose another folder or delete this one") from None
        different = sorted(key for key in {*before, *identity} if before.get(key) != identity.get(key))
        if different:
            changes = "; ".join(f"{key}: {before.get(key)!r} there, {identity.get(key)!r} here" for key in different)
            raise ValueError(f"{out} holds another run ({changes}); choose another folder or delete this one")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists and is no training run; choose another folder")


def _policy_facts(planned: Plan, steps: int) -> dict[str, Any]:
    observation, action = policy_spaces(planned.task, planned.control)
    return {
        "environment": planned.entry.id,
        "preset": planned.preset,
        "scenario": planned.scenario,
        "algorithm": planned.algorithm,
        "configuration": planned.job.algorithm,
        "policy": planned.config.policy,
        "policy_kwargs": planned.policy_kwargs,
        "control": planned.control,
        "n_agents": planned.task.n_agents,
        "observation_size": int(observation.shape[0]),
        "action_space": describe_space(action),
        "seed": planned.job.seed,
        "steps": steps,
        "versions": versions("torch", "stable-baselines3", "sb3-contrib"),
    }


def _save_policy(planned: Plan, model: BaseAlgorithm, folder: Path, steps: int, facts: Mapping[str, Any]) -> None:
    files = {POLICY_FILE: model_files(model)[MODEL_FILE]}
    store.write_folder(folder, files, {**_policy_facts(planned, steps), **facts})


def _finish(out: Path) -> TrainResult:
    """Export the best policy, or the last one where nothing was evaluated; then the run is finished."""
    sitting = store.read_manifest(out / "last")["sitting"]
    source = out / "best" if (out / "best").is_dir() else out / "last"
    manifest = store.read_manifest(source)
    validation = manifest.get("validation", {})
    result = TrainResult(**sitting, policy_steps=manifest["steps"], validation_return=validation.get("return_mean"))
    store.publish(source, out, POLICY_FILE, {"result": result.as_dict()})
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return result


# ---------------------------------------------------------------------------------------------- learning


def _derived_seed(seed: int, steps: int, purpose: str) -> int:
    """A seed for one purpose of one sitting: neighbouring jobs share no worlds, a resumed one repeats none."""
    words = [seed, steps, *purpose.encode()]
    return int(np.random.SeedSequence(words).generate_state(1)[0])


@contextmanager
def _environment(planned: Plan, done: int) -> Iterator[tuple[VecEnv, TrainingVecEnv]]:
    inner = TrainingVecEnv(
        planned.entry.name,
        planned.n_parallel,
        preset=planned.preset,
        scenario=planned.scenario or None,
        n_worlds=planned.job.n_worlds,
        agents_as_envs=planned.control == "shared" and planned.task.n_agents > 1,
        team=planned.config.team or 0.0,
    )
    env: VecEnv = VecMonitor(inner)
    if planned.config.normalize:
        gamma = planned.config.gamma
        env = VecNormalize(
            env,
            norm_obs=False,
            norm_reward=planned.config.normalize.norm_reward,
            **({} if gamma is None else {"gamma": gamma}),
        )
    try:
        yield env, inner
    finally:
        env.close()


def _linear(text: str) -> LinearSchedule:
    """``lin_1e-3``: from there to zero over the training."""
    return LinearSchedule(float(text.removeprefix("lin_")), 0.0, 1.0)


def _model(planned: Plan, env: VecEnv, seed: int) -> BaseAlgorithm:
    arguments = {
        key: _linear(value) if isinstance(value, str) and value.startswith("lin_") else value
        for key, value in planned.config.hyperparameters().items()
    }
    with warnings.catch_warnings():
        # The last minibatch of an epoch may be a smaller one; with many agents per world it can hardly be
        # avoided.
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        return ALGORITHMS[planned.algorithm](
            policy_class(planned.algorithm, planned.config.policy),
            env,
            policy_kwargs=resolved_policy_kwargs(planned.policy_kwargs),
            seed=seed,
            device=planned.job.device,
            **arguments,
        )


def _learn(planned: Plan, model: BaseAlgorithm, env: VecEnv, inner: TrainingVecEnv, out: Path, done: int) -> float:
    """Train to the end; return the seconds it took."""
    job = planned.job

    def save(steps: int) -> None:
        facts = {"steps": steps, "versions": versions("torch", "stable-baselines3")}
        files = model_files(model, env)
        store.write_folder(store.checkpoint_folder(out / "checkpoints", steps), files, facts)
        store.prune(out / "checkpoints", KEPT_CHECKPOINTS)

    def keep_best(steps: int, numbers: dict[str, float]) -> None:
        _save_policy(planned, model, out / "best", steps, {"validation": numbers})

    callbacks: list[Any] = [KpiLog(inner)]
    if job.eval_every:
        first = VALIDATION_SEEDS.start
        pool = WorldPool(planned.task, range(first, first + job.eval_worlds), purpose="validation")
        curve = CsvLog(out / "evaluations.csv", keep_until=done)
        callbacks.append(Validation(pool, planned.control, curve, job.eval_every, keep_best))
    callbacks.append(Checkpoints(job.checkpoint_every, save, done))
    logger = training_logger(out, done)
    model.set_logger(logger)
    # What learns from a replay buffer counts episodes here, the others rollouts.
    episodes = max(1, round(LOG_STEPS / planned.task.episode_steps))
    log_interval = episodes if isinstance(model, OffPolicyAlgorithm) else 1
    begun = perf_counter()
    try:
        model.learn(
            planned.total_steps - done,
            callback=callbacks,
            log_interval=log_interval,
            reset_num_timesteps=done == 0,
            progress_bar=job.progress,
        )
    finally:
        logger.close()
    return perf_counter() - begun
