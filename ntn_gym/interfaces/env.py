"""One world as a Gymnasium environment."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.task import Task
from ntn_gym.interfaces.actions import central_action_space, central_observation_space
from ntn_gym.interfaces.build import CommonArguments, build, reject_unknown
from ntn_gym.interfaces.face import Face
from ntn_gym.interfaces.infos import Info, agent_means, legal_actions
from ntn_gym.interfaces.pictures import RENDER_FPS, RENDER_MODES
from ntn_gym.interfaces.seeds import own_seed


class NTNEnv(Face, gym.Env[NDArray[np.float32], Any]):
    """One world of an environment; several agents are led by one central decision maker.

    - Observation: float32 vector; of several agents one after the other.
    - Action: the agent's own; of several agents ``MultiDiscrete`` or a longer ``Box``.
    - Reward: a float, the mean over the agents; with ``vector_reward=True`` a float32 vector of the reward
      terms, unweighted, as described by ``reward_space`` (the API of MO-Gymnasium). ``reward_weights`` turns it
      into the scalar.
    - ``info``: see `ntn_gym.interfaces.infos`.

    ``reset(seed=s)`` starts world (s, episode 0); a following ``reset()`` world (s, episode 1), and so on.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}
    _clocks = ("_over", "_np_random", "_np_random_seed")
    _kept = ("spec", "action_space", "observation_space")

    def __init__(self, environment: str, **arguments: Unpack[CommonArguments]) -> None:
        """Build the environment.

        Args:
            environment: Name or id.
            **arguments: See `CommonArguments`.

        Raises:
            TypeError: If an argument is unknown.
            ValueError: If an argument is outside its range.
        """
        reject_unknown("NTNEnv", arguments)
        self._arguments = {"environment": environment, **arguments}
        self._built = build(environment, 1, **arguments)
        self.task: Task = self._built.task
        self.action_space = central_action_space(self.task)
        self.observation_space = central_observation_space(self.task)
        self.render_mode = arguments.get("render_mode")
        self.reward_dim = len(self.task.reward_terms)
        self.reward_space = spaces.Box(-np.inf, np.inf, (self.reward_dim,), np.float32)
        self.reward_weights = np.array([term.weight for term in self.task.reward_terms])
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], Info]:
        """Start an episode; ``options`` has no effect."""
        super().reset(seed=seed)
        engine, recorder = self._built.engine, self._built.recorder
        if seed is None and not engine.started:
            seed = own_seed(self)
        engine.reset(seeds=None if seed is None else [seed])
        self._over = False
        if recorder is not None:
            recorder.restart()
            if recorder.mode == "human":
                recorder.render()
        mask = legal_actions(engine)
        layout = self._built.infos
        return engine.observe().reshape(-1), layout.reset(None if mask is None else layout.world_mask(mask[0]))

    def step(self, action: Any) -> tuple[NDArray[np.float32], Any, bool, bool, Info]:
        """Apply an action.

        Raises:
            ValueError: If it is not in ``action_space``. (An action that the mask forbids is, and has an effect.)
            gymnasium.error.ResetNeeded: If the episode has ended.
        """
        if self._over:
            raise gym.error.ResetNeeded("the episode has not begun or has ended: call reset()")
        built = self._built
        engine = built.engine
        actions = built.actions.read(action, None)
        result = engine.step(actions)
        terminated, truncated = bool(result.terminated[0]), bool(result.truncated[0])
        self._over = terminated or truncated
        mean_terms, mean_kpis = agent_means(result.outcome)
        terms: list[float] = mean_terms[0].tolist()
        if built.vector_reward:
            reward: Any = mean_terms[0].astype(np.float32)
        else:
            reward = terms[0] * result.weights[0]
            for k in range(1, len(terms)):  # in the order of `weighted_sum`
                reward += terms[k] * result.weights[k]
        mask = legal_actions(engine)
        info = built.infos.step(
            mean_kpis[0].tolist(),
            terms,
            None if mask is None else built.infos.world_mask(mask[0]),
        )
        if built.recorder is not None:
            built.recorder.record(actions, result)
            if built.recorder.mode == "human":
                built.recorder.render()
        return engine.observe().reshape(-1), reward, terminated, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """Legal actions as sb3-contrib's MaskablePPO wants them: bool, agents one after the other.

        Raises:
            ValueError: If the actions are continuous.
        """
        mask = legal_actions(self._built.engine)
        if mask is None:
            raise ValueError(f"{self.task.agent_action_space} is continuous: there are no masks")
        return mask.reshape(-1).copy()

    def render(self) -> Any:
        """Picture, text, or None (window, or no render mode)."""
        recorder = self._built.recorder
        return None if recorder is None else recorder.render()
