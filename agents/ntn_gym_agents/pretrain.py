"""Begin with what a heuristic knows: imitate it, then go on by reinforcement.

A network that starts from nothing may first learn never to hand over, because a random handover costs more than it
gives. Imitation starts it where a rule already is.

Source: behaviour cloning with noise on the teacher's actions, so that the pupil also sees how the teacher recovers
(M. Laskey et al., "DART: Noise Injection for Robust Imitation Learning", CoRL 2017); the critic is fitted to the
discounted returns that the noisy teacher got.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm

from ntn_gym.core.engine import Engine
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.seeding import TRAINING_SEEDS
from ntn_gym.core.task import Task

NOISE = 0.1
"""Share of the teacher's decisions that are replaced by random legal ones (its own decision stays the lesson)."""
EPOCHS = 10
BATCH = 2048
LEARNING_RATE = 3e-3
VALUE_WEIGHT = 0.05
"""Returns are tens of times larger than log-probabilities."""
REMAINDER = 0.05
"""A return counts for the critic if less than this share of its horizon lies beyond the end of the episode."""
MAX_WORLDS = 64


@dataclass(frozen=True)
class Imitation:
    """How well it went: decisions seen, and on how many of the last epoch pupil and teacher agreed."""

    teacher: str
    decisions: int
    agreement: float

    def describe(self) -> str:
        """One line for people."""
        return f"imitated {self.decisions:,} decisions of {self.teacher}: {self.agreement:.1%} alike"


@dataclass(frozen=True)
class Lessons:
    """What a teacher did: observations [N, obs], decisions [N], discounted returns [N] and which of these count [N]."""

    observations: NDArray[np.float32]
    decisions: NDArray[np.int64]
    returns: NDArray[np.float32]
    counted: NDArray[np.bool_]


Rules = Mapping[str, HeuristicSpec]


def check_pretrain(task: Task, rules: Rules, teacher: str) -> None:
    """Refuse what cannot be imitated.

    Raises:
        ValueError: If there is no such heuristic, or the actions are not Discrete.
    """
    if teacher not in rules:
        raise ValueError(f"pretrain: unknown heuristic {teacher!r}; known are {', '.join(rules)}")
    if not isinstance(task.agent_action_space, spaces.Discrete):
        raise ValueError(f"pretrain: actions must be Discrete, not {task.agent_action_space}")


def imitate(model: BaseAlgorithm, task: Task, rules: Rules, teacher: str, n_decisions: int, seed: int) -> Imitation:
    """Train the networks of ``model`` to decide as a heuristic does.

    Args:
        model: PPO or MaskablePPO, not trained yet.
        task: The decision problem.
        rules: Its heuristics.
        teacher: Name of the heuristic; its tuned parameters are used.
        n_decisions: At least so many decisions are seen, in whole episodes.
        seed: Decides worlds, noise and the order of the lessons.
    """
    rng = np.random.default_rng([seed, *b"imitation"])
    lessons = watch(task, rules[teacher].factory(task, {}), n_decisions, model.gamma, rng)
    agreement = _fit(model, lessons, rng)
    return Imitation(teacher, len(lessons.decisions), agreement)


def watch(task: Task, teacher: Policy, n_decisions: int, gamma: float, rng: np.random.Generator) -> Lessons:
    """Play training worlds with a noisy teacher and note what it would have done."""
    n_worlds = max(1, ceil(n_decisions / (task.episode_steps * task.n_agents)))
    parts = []
    for first in range(0, n_worlds, MAX_WORLDS):
        n_parallel = min(MAX_WORLDS, n_worlds - first)
        engine = Engine(task, n_parallel)
        engine.reset(seeds=rng.choice(len(TRAINING_SEEDS), n_parallel, replace=False).tolist())
        parts.append(_watch_batch(engine, teacher, gamma, rng))
    joined = [np.concatenate([part[i] for part in parts], axis=1) for i in range(4)]
    observations, decisions, returns, counted = joined
    return Lessons(
        observations.reshape(-1, observations.shape[-1]), decisions.ravel(), returns.ravel(), counted.ravel()
    )


def _watch_batch(
    engine: Engine, teacher: Policy, gamma: float, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Observations [T, B, A, obs], decisions, returns and whether these count, [T, B, A]."""
    shape = (engine.episode_steps, engine.n_parallel, engine.task.n_agents)
    teacher.reset(engine.n_parallel)
    restarted = np.ones(engine.n_parallel, dtype=bool)
    observations, decisions = [], []
    rewards = np.zeros(shape)
    ended = np.zeros(shape, dtype=bool)
    for step in range(shape[0]):
        observation, mask = engine.observe(), engine.action_mask()
        decision = teacher.act(observation, mask, restarted)
        legal = np.ones((*shape[1:], engine.task.agent_action_space.n), dtype=bool) if mask is None else mask
        random = np.argmax(np.where(legal, rng.random(legal.shape), -1.0), axis=-1)
        result = engine.step(np.where(rng.random(shape[1:]) < NOISE, random, decision))
        observations.append(observation)
        decisions.append(decision)
        rewards[step] = result.reward
        ended[step] = (ended[step - 1] if step else False) | result.terminated[:, None]
        restarted = np.zeros(engine.n_parallel, dtype=bool)
    returns = np.zeros(shape, dtype=np.float32)
    after = np.zeros(shape[1:])
    for step in reversed(range(shape[0])):
        after = rewards[step] + gamma * after * ~ended[step]
        returns[step] = after
    # Near the end by time the return is cut short, except where the episode had really ended.
    horizon = ceil(log(REMAINDER) / log(gamma)) if 0 < gamma < 1 else shape[0]
    whole = np.arange(shape[0])[:, None, None] < shape[0] - horizon
    return np.stack(observations), np.stack(decisions), returns, whole | ended[-1]


def _fit(model: BaseAlgorithm, lessons: Lessons, rng: np.random.Generator) -> float:
    """Cross-entropy to the decisions, squared error to the returns; return the agreement in the last epoch."""
    policy = model.policy
    policy.set_training_mode(True)
    # An optimiser of its own: the moments that PPO's Adam begins with belong to PPO's loss.
    optimizer = th.optim.Adam(policy.parameters(), lr=LEARNING_RATE)
    agreed = 0.0
    n = len(lessons.decisions)
    for _ in range(EPOCHS):
        agreed = 0.0
        for chosen in np.array_split(rng.permutation(n), max(1, n // BATCH)):
            observation = th.as_tensor(lessons.observations[chosen], device=model.device)
            decision = th.as_tensor(lessons.decisions[chosen], device=model.device)
            target = th.as_tensor(lessons.returns[chosen], device=model.device)
            counts = th.as_tensor(lessons.counted[chosen], device=model.device)
            value, log_prob, _ = policy.evaluate_actions(observation, decision)
            # What the network may never do (an empty slot) it cannot learn either.
            possible = log_prob > -1e6
            loss = -(log_prob * possible).mean() + VALUE_WEIGHT * ((value.flatten() - target).square() * counts).mean()
            optimizer.zero_grad()
            loss.backward()
            th.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()
            with th.no_grad():
                alike = policy.get_distribution(observation).get_actions(deterministic=True) == decision
            agreed += float(alike.sum())
    policy.set_training_mode(False)
    return agreed / n
