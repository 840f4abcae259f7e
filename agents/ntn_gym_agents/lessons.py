"""What a heuristic does in training worlds, as lessons for a network that shall imitate it.

Source: behaviour cloning with noise on the teacher's actions, so that the pupil also sees how the teacher recovers
(M. Laskey et al., "DART: Noise Injection for Robust Imitation Learning", CoRL 2017).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, log
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.engine import Engine
from ntn_gym.core.policy import Policy
from ntn_gym.core.seeding import TRAINING_SEEDS
from ntn_gym.core.task import Task

NOISE = 0.1
"""Share of the teacher's decisions that are replaced by random legal ones (its own decision stays the lesson)."""
REMAINDER = 0.05
"""A return counts for the critic if less than this share of its horizon lies beyond the end of the episode."""
MAX_WORLDS = 64


@dataclass(frozen=True)
class Lessons:
    """What a teacher did, N decisions of one agent each, or of all agents of a world (``central``).

    Attributes:
        observations: [N, obs], or [N, A * obs].
        decisions: [N] (discrete), [N, m] (continuous); central: [N, A] or [N, A * m].
        returns: Discounted sum of the rewards that followed, [N].
        counted: Whether that sum is not cut short by the end of the episode, [N].
        earned: Discounted sum of the rewards up to the decision's own, [N]: what a running reward scale is made of.
    """

    observations: NDArray[np.float32]
    decisions: NDArray[Any]
    returns: NDArray[np.float32]
    counted: NDArray[np.bool_]
    earned: NDArray[np.float64]


def watch(
    task: Task,
    teacher: Policy,
    n_decisions: int,
    gamma: float,
    rng: np.random.Generator,
    *,
    central: bool = False,
    team: float = 0.0,
) -> Lessons:
    """Play training worlds with a noisy teacher and note what it would have done.

    Args:
        task: The decision problem.
        teacher: Any policy.
        n_decisions: At least so many lessons, in whole episodes.
        gamma: Discount factor of the returns.
        rng: Decides worlds and noise.
        central: One lesson for all agents of a world, whose reward is their mean; else one for every agent.
        team: Share of that mean in the reward of an agent.
    """
    per_world = task.episode_steps * (1 if central else task.n_agents)
    n_worlds = max(1, ceil(n_decisions / per_world))
    parts = []
    for first in range(0, n_worlds, MAX_WORLDS):
        n_parallel = min(MAX_WORLDS, n_worlds - first)
        engine = Engine(task, n_parallel)
        engine.reset(seeds=rng.choice(len(TRAINING_SEEDS), n_parallel, replace=False).tolist())
        parts.append(_watch_batch(engine, teacher, gamma, rng, central, team))
    joined = (np.concatenate([getattr(part, field.name) for part in parts], axis=1) for field in fields(Lessons))
    return Lessons(*(array.reshape(-1, *array.shape[3:]) for array in joined))


def _watch_batch(
    engine: Engine, teacher: Policy, gamma: float, rng: np.random.Generator, central: bool, team: float
) -> Lessons:
    """Lessons of a batch of worlds, every array with the axes [T, B, A] (A = 1 where all agents are one) in front."""
    task, n_steps = engine.task, engine.episode_steps
    teacher.reset(engine.n_parallel)
    restarted = np.ones(engine.n_parallel, dtype=bool)
    ended = np.zeros(engine.n_parallel, dtype=bool)
    observations, decisions, rewards, endings = [], [], [], []
    for _ in range(n_steps):
        observation, mask = engine.observe(), engine.action_mask()
        decision = np.asarray(teacher.act(observation, mask, restarted))
        result = engine.step(_disturbed(task, decision, mask, rng))
        ended = ended | result.terminated
        observations.append(observation)
        decisions.append(decision)
        rewards.append(result.reward)
        endings.append(ended)
        restarted = np.zeros(engine.n_parallel, dtype=bool)
    seen, chosen, reward = np.stack(observations), np.stack(decisions), np.stack(rewards)
    everybody = reward.mean(axis=2, keepdims=True)
    if central:
        seen, chosen = (array.reshape(*array.shape[:2], 1, -1) for array in (seen, chosen))
        reward = everybody
    else:
        reward = reward + team * (everybody - reward)
    over = np.broadcast_to(np.stack(endings)[:, :, None], reward.shape)
    returns, earned = _discounted(reward, over, gamma)
    # Near the end by time the return is cut short, except where the episode had really ended.
    horizon = ceil(log(REMAINDER) / log(gamma)) if 0 < gamma < 1 else n_steps
    whole = np.arange(n_steps)[:, None, None] < n_steps - horizon
    return Lessons(seen, chosen, returns.astype(np.float32), whole | over[-1], earned)


def _disturbed(
    task: Task, decision: NDArray[Any], mask: NDArray[np.bool_] | None, rng: np.random.Generator
) -> NDArray[Any]:
    """Replace some decisions [B, A, ...] by random legal ones."""
    space, agents = task.agent_action_space, decision.shape[:2]
    if isinstance(space, spaces.Discrete):
        legal = np.ones((*agents, int(space.n)), dtype=bool) if mask is None else mask
        random: NDArray[Any] = np.argmax(np.where(legal, rng.random(legal.shape), -1.0), axis=-1)
        return np.where(rng.random(agents) < NOISE, random, decision)
    assert isinstance(space, spaces.Box)
    random = rng.uniform(space.low, space.high, (*agents, *space.shape))
    return np.where(rng.random(agents)[..., None] < NOISE, random, decision).astype(np.float32)


def _discounted(
    rewards: NDArray[np.float64], ended: NDArray[np.bool_], gamma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Discounted sums of rewards [T, ...] from each step on, and up to each step."""
    after, before = np.zeros(rewards.shape[1:]), np.zeros(rewards.shape[1:])
    returns, earned = np.zeros_like(rewards), np.zeros_like(rewards)
    for step in reversed(range(len(rewards))):
        after = rewards[step] + gamma * after * ~ended[step]
        returns[step] = after
    for step in range(len(rewards)):
        before = gamma * before + rewards[step]
        earned[step] = before
    return returns, earned
