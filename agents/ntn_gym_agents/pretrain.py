"""Begin with what a heuristic knows: imitate it, then go on by reinforcement.

A network that starts from nothing may first learn never to hand over, because a random handover costs more than it
gives. Imitation starts it where a rule already is. The actor learns the teacher's decisions (behaviour cloning, see
`ntn_gym_agents.lessons`); the critic is fitted to the discounted returns that the noisy teacher got.

Of continuous actions the mean is learned and the spread stays as ``policy_kwargs.log_std_init`` says: with a wide one
(0, SB3's default, is the whole range of an action) the first rollouts lose again what was imitated; -1.5 keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.task import Task
from ntn_gym_agents.lessons import Lessons, watch

EPOCHS = 10
BATCH = 2048
LEARNING_RATE = 3e-3
VALUE_WEIGHT = 0.5
"""Of the critic's squared error, as a share of the variance of the returns."""

Rules = Mapping[str, HeuristicSpec]


@dataclass(frozen=True)
class Imitation:
    """How well it went: decisions seen, and how pupil and teacher compare in the last epoch.

    ``agreement`` is the share of equal decisions of agents (discrete), or the root mean square difference of the
    components of their actions (continuous).
    """

    teacher: str
    decisions: int
    agreement: float
    continuous: bool = False

    def describe(self) -> str:
        """One line for people."""
        found = f"{self.agreement:.3f} apart (rms)" if self.continuous else f"{self.agreement:.1%} alike"
        return f"imitated {self.decisions:,} decisions of {self.teacher}: {found}"


def check_pretrain(task: Task, rules: Rules, teacher: str) -> None:
    """Refuse what cannot be imitated.

    Raises:
        ValueError: If there is no such heuristic, or the actions are neither Discrete nor a Box.
    """
    if teacher not in rules:
        raise ValueError(f"pretrain: unknown heuristic {teacher!r}; known are {', '.join(rules)}")
    if not isinstance(task.agent_action_space, spaces.Discrete | spaces.Box):
        raise ValueError(f"pretrain: actions must be Discrete or a Box, not {task.agent_action_space}")


def imitate(
    model: BaseAlgorithm,
    env: VecEnv,
    task: Task,
    rules: Rules,
    teacher: str,
    n_decisions: int,
    seed: int,
    *,
    central: bool = False,
    team: float = 0.0,
    params: Mapping[str, Any] | None = None,
) -> Imitation:
    """Train the networks of ``model`` to decide as a heuristic does.

    Args:
        model: PPO or MaskablePPO, not trained yet.
        env: Its environment. Where it scales rewards, it learns the scale from the teacher's.
        task: The decision problem.
        rules: Its heuristics.
        teacher: Name of the heuristic.
        n_decisions: At least so many decisions are seen, in whole episodes.
        seed: Decides worlds, noise and the order of the lessons.
        central: The model decides for all agents of a world at once.
        team: Share of the mean reward of all agents in what each learns from.
        params: Its parameters; None: those it recommends.
    """
    rng = np.random.default_rng([seed, *b"imitation"])
    rule = rules[teacher].factory(task, params or {})
    lessons = watch(task, rule, n_decisions, model.gamma, rng, central=central, team=team)
    scale = 1.0
    if isinstance(env, VecNormalize) and env.norm_reward:
        env.ret_rms.update(lessons.earned)
        scale = float(np.sqrt(env.ret_rms.var + env.epsilon))
    agreement = _fit(model, lessons, scale, rng)
    continuous = isinstance(task.agent_action_space, spaces.Box)
    return Imitation(teacher, len(lessons.decisions), agreement, continuous)


def _fit(model: BaseAlgorithm, lessons: Lessons, scale: float, rng: np.random.Generator) -> float:
    """Imitate the decisions, fit the returns; return the agreement in the last epoch."""
    policy = model.policy
    policy.set_training_mode(True)
    # An optimiser of its own: the moments that PPO's Adam begins with belong to PPO's loss.
    optimizer = th.optim.Adam(policy.parameters(), lr=LEARNING_RATE)
    continuous = isinstance(policy.action_space, spaces.Box)
    returns = lessons.returns / scale
    weight = VALUE_WEIGHT / max(float(returns[lessons.counted].var()), 1e-12) if lessons.counted.any() else 0.0
    agreed: list[float] = []
    n = len(lessons.decisions)
    for _ in range(EPOCHS):
        agreed.clear()
        for chosen in np.array_split(rng.permutation(n), max(1, n // BATCH)):
            observation, decision, target, counts = (
                th.as_tensor(array[chosen], device=model.device)
                for array in (lessons.observations, lessons.decisions, returns, lessons.counted)
            )
            compare = _differences if continuous else _log_probabilities
            loss, alike = compare(policy.get_distribution(observation), decision)
            value = policy.predict_values(observation).flatten()
            loss = loss + weight * ((value - target).square() * counts).mean()
            optimizer.zero_grad()
            loss.backward()
            th.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()
            agreed.append(alike * len(chosen))
    policy.set_training_mode(False)
    mean = sum(agreed) / n
    return float(np.sqrt(mean)) if continuous else mean


def _differences(distribution: Any, decision: th.Tensor) -> tuple[th.Tensor, float]:
    """Squared difference of the mean action to a continuous decision: loss, and the same as a number."""
    error = (distribution.distribution.mean - decision).square().mean()
    return error, float(error.detach())


def _log_probabilities(distribution: Any, decision: th.Tensor) -> tuple[th.Tensor, float]:
    """Cross-entropy to the decisions of one or several agents, and the share that would be decided alike."""
    parts = getattr(distribution, "distributions", None) or distribution.distribution
    parts = parts if isinstance(parts, list) else [parts]
    each = decision.reshape(len(decision), len(parts)).unbind(dim=1)
    log_prob = th.stack([part.log_prob(one) for part, one in zip(parts, each, strict=True)])
    alike = th.stack([part.logits.argmax(dim=1) == one for part, one in zip(parts, each, strict=True)])
    # What the network may never do (an empty slot) it cannot learn either.
    return -(log_prob * (log_prob > -1e6)).mean(), float(alike.float().mean())
