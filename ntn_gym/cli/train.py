"""``ntn-gym train``: train an agent; the same command resumes a training that was stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tyro

from ntn_gym.core.registry import find_entry, resolve

# By name, so that this module can be imported, and can explain itself, without torch.
TRAIN_JOB = "ntn_gym_agents.jobs:TrainJob"
PLAN = "ntn_gym_agents.planning:plan"
TRAIN = "ntn_gym_agents.training:train"


def run(
    env: tyro.conf.Positional[str],
    /,
    *,
    preset: str | None = None,
    algo: str = "ppo",
    seed: int = 0,
    steps: int | None = None,
    out: Path | None = None,
    n_worlds: int | None = None,
    config: Path | None = None,
    control: Literal["shared", "central"] | None = None,
    pretrain: str | None = None,
    pretrain_steps: int = 60_000,
    eval_every: int = 50_000,
    eval_worlds: int = 32,
    checkpoint_every: int = 50_000,
    device: str = "cpu",
    progress: bool = True,
) -> None:
    """Train a Stable-Baselines3 agent with the hyperparameters of configs/train. A stopped run resumes.

    Discrete actions: ppo, maskable-ppo, recurrent-ppo, dqn. Continuous actions: ppo, recurrent-ppo, sac.
    Several agents in a world share one policy (control: shared) or obey one that decides for all (control: central;
    ppo, maskable-ppo, recurrent-ppo, sac). A configuration names the network: MlpPolicy, the slot scorer where actions
    are slots, or the agent set for central control. agents/zoo/README.md says which for what.

    Args:
        env: Name or id of the environment, e.g. Handover.
        preset: Preset; the environment's default one if not given.
        algo: Configuration to use, e.g. ppo, ppo-mlp, maskable-ppo, recurrent-ppo, dqn, sac: the name of a file of
            the environment in configs/train, or with --config any name that begins with an algorithm.
        seed: Training seed, 0 to 999999: weights, exploration and worlds follow from it.
        steps: Decisions of the policy: steps of all worlds together, times their agents if these share it; as the
            configuration says if not given.
        out: Folder of the run; runs/ENV/PRESET/ALGO-seedN if not given. A stopped run in it is resumed.
        n_worlds: Train on this many fixed worlds instead of an endless stream: faster resets, less variety.
        config: YAML file of your own in place of the shipped configuration, in the format of rl-zoo3.
        control: Several agents: shared (each decides by itself with the same policy) or central (one decides for all);
            as the configuration says if not given.
        pretrain: Heuristic to imitate before the reinforcement learning begins.
        pretrain_steps: Decisions of that heuristic to imitate.
        eval_every: Steps between two evaluations on validation worlds; 0 for never.
        eval_worlds: Number of validation worlds.
        checkpoint_every: Steps between two checkpoints.
        device: Device of torch.
        progress: Show a progress bar, if this is a terminal.
    """
    job_type, plan, train = _agents()
    entry = find_entry(env)
    overrides: dict[str, Any] = {} if control is None else {"control": control}
    if pretrain:
        overrides["pretrain"] = {"heuristic": pretrain, "steps": pretrain_steps}
    folder = out or Path("runs") / entry.name.lower() / (preset or entry.default_preset) / f"{algo}-seed{seed}"
    job = job_type(
        environment=entry.id,
        out=str(folder),
        preset=preset,
        algorithm=algo,
        config=None if config is None else str(config),
        seed=seed,
        steps=steps,
        n_worlds=n_worlds,
        overrides=overrides,
        eval_every=eval_every,
        eval_worlds=eval_worlds,
        checkpoint_every=checkpoint_every,
        device=device,
        progress=progress and sys.stderr.isatty(),
    )
    plan(job)  # whatever is wrong with it is said before anything else
    print(f"training in {folder}; watch it with: tensorboard --logdir {folder / 'tensorboard'}", flush=True)
    try:
        result = train(job)
    except OSError as error:
        if isinstance(error, (FileNotFoundError, FileExistsError)):
            raise
        # A full disk is no bug: say what to do instead of showing a traceback.
        raise SystemExit(f"ntn-gym train: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(
            f"\nntn-gym train: stopped; the same command resumes at the last checkpoint in {folder}"
        ) from None
    validation = "" if result.validation_return is None else f", validation return {result.validation_return:.2f}"
    print(f"policy after {result.policy_steps:,} of {result.steps:,} steps{validation}: {result.policy}")
    print(
        f"{result.steps_per_second:,.0f} steps/s over {result.seconds:.0f} s; "
        f"{result.env_share:.0%} of that time went into the environment"
    )


def _agents() -> tuple[type[Any], Callable[[Any], Any], Callable[[Any], Any]]:
    """Import what trains: the job, the check of a job, the training.

    Raises:
        ValueError: If the extra is not installed.
    """
    try:
        return resolve(TRAIN_JOB), resolve(PLAN), resolve(TRAIN)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'training needs the extra `agents` ({error}): pip install "ntn-gym[agents]", '
            'or pip install --editable ".[agents]" in a clone'
        ) from None
