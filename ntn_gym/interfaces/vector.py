"""A batch of worlds as a Gymnasium vector environment, in all three autoreset modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ntn_gym.core.result import StepResult, weighted_sum
from ntn_gym.core.task import Task
from ntn_gym.interfaces.actions import central_action_space, central_observation_space
from ntn_gym.interfaces.build import CommonArguments, build, reject_unknown
from ntn_gym.interfaces.face import Face
from ntn_gym.interfaces.infos import Info, agent_mean, agent_means, legal_actions
from ntn_gym.interfaces.pictures import RENDER_FPS
from ntn_gym.interfaces.seeds import own_seed

Step = tuple[NDArray[np.float32], NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], Info]


class NTNVectorEnv(Face, VectorEnv[NDArray[np.float32], NDArray[Any], NDArray[Any]]):
    """B worlds stepped together; each is, bit for bit, the world of `NTNEnv` with the same seed.

    ``reset(seed=s)`` seeds the worlds s, s + 1, ...; a list gives one seed per world. What differs from B single
    environments: rewards are float64 [B] (float32 [B, terms] with ``vector_reward=True``), and the action masks
    of several agents are one array [B, A, n].
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array", "ansi"], "render_fps": RENDER_FPS}
    _clocks = ("_ended", "_np_random", "_np_random_seed")
    _kept = ("spec", "action_space", "observation_space", "single_action_space", "single_observation_space")

    def __init__(
        self,
        environment: str,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **arguments: Unpack[CommonArguments],
    ) -> None:
        """Build the environment.

        Args:
            environment: Name or id.
            num_envs: Number of worlds B.
            autoreset_mode: What happens when an episode ends, see Gymnasium's ``AutoresetMode``: reset by the next
                step (default), reset in the same step with ``final_obs`` and ``final_info`` in the infos, or left
                to ``reset(options={"reset_mask": ...})``.
            **arguments: See `CommonArguments`.

        Raises:
            TypeError: If an argument is unknown.
            ValueError: If an argument is outside its range.
        """
        reject_unknown("NTNVectorEnv", arguments)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        if arguments.get("render_mode") == "human":
            raise ValueError("render_mode = 'human': a batch has no window; allowed are rgb_array, ansi and None")
        self._arguments = {
            "environment": environment,
            "num_envs": num_envs,
            "autoreset_mode": self.autoreset_mode,
            **arguments,
        }
        self._built = build(environment, num_envs, **arguments)
        self.task: Task = self._built.task
        self.num_envs = num_envs
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = arguments.get("render_mode")
        self.single_action_space = central_action_space(self.task)
        self.single_observation_space = central_observation_space(self.task)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.reward_dim = len(self.task.reward_terms)
        self.reward_space = spaces.Box(-np.inf, np.inf, (self.reward_dim,), np.float32)
        self.reward_weights = np.array([term.weight for term in self.task.reward_terms])
        self._ended = np.zeros(num_envs, dtype=np.bool_)

    # ------------------------------------------------------------------ reset

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float32], Info]:
        """Start episodes.

        Args:
            seed: World i gets ``seed + i``, or ``seed[i]`` of a list; None: the next episodes.
            options: ``{"reset_mask": bool [B]}`` restricts the reset to some worlds.

        Raises:
            ValueError: If there are not B seeds or B mask entries, or the mask is empty or comes first.
            TypeError: If the mask is no boolean array.
        """
        engine, recorder = self._built.engine, self._built.recorder
        seeds = self._seeds(seed)
        mask = self._reset_mask(options)
        worlds = np.flatnonzero(mask)
        engine.reset(worlds, None if seeds is None else [seeds[i] for i in worlds])
        self._ended[worlds] = False
        if recorder is not None:
            recorder.restart(worlds)
        return self._observe(), self._built.infos.batch_reset(legal_actions(engine), mask)

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None] | None:
        if seed is None and not self._built.engine.started:
            seed = own_seed(self)
        elif isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
        if seed is None:
            return None
        if isinstance(seed, int | np.integer):
            return [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"got {len(seed)} seeds for {self.num_envs} worlds: give one number or one per world")
        if self._built.engine.started or None not in seed:
            return list(seed)
        first = own_seed(self)
        return [first + i if given is None else given for i, given in enumerate(seed)]

    def _reset_mask(self, options: dict[str, Any] | None) -> NDArray[np.bool_]:
        # Gymnasium's own vector environments take the mask out of the caller's mapping; so does this one.
        mask = options.pop("reset_mask", None) if options else None
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"options['reset_mask'] must be a boolean array, got {mask!r}")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must have shape [{self.num_envs}] and at least one True, got {mask!r}"
            )
        return mask.copy()

    # ------------------------------------------------------------------ step

    def step(self, actions: NDArray[Any]) -> Step:
        """Apply one action per world.

        Raises:
            ValueError: If an action is not in its space.
            gymnasium.error.ResetNeeded: Before the first reset, or if autoreset is disabled and an ended world has
                not been reset.
        """
        built, engine = self._built, self._built.engine
        if not engine.started:
            raise gym.error.ResetNeeded("call reset() before step()")
        checked = built.actions.read(actions, self.num_envs)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and self._ended.any():
            return self._step_and_restart(checked, np.flatnonzero(self._ended))
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            raise gym.error.ResetNeeded(
                f"worlds {np.flatnonzero(self._ended).tolist()} have ended: reset them with "
                "reset(options={'reset_mask': mask})"
            )
        result = engine.step(checked)
        if built.recorder is not None:
            built.recorder.record(checked, result)
        self._ended = result.terminated | result.truncated
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._ended.any():
            observation, info = self._end(result)
            self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        else:
            everybody = np.ones_like(self._ended)
            info = self._info(result, everybody, everybody)
            observation = self._observe()
        return observation, self._reward(result), result.terminated.copy(), result.truncated, info

    def _step_and_restart(self, actions: NDArray[Any], worlds: NDArray[np.intp]) -> Step:
        """Step the running worlds; those that ended in the last step begin their next episode."""
        engine, recorder = self._built.engine, self._built.recorder
        running = ~self._ended
        result = engine.step(actions, restart=worlds)
        if recorder is not None:
            recorder.record(actions, result)
            recorder.restart(worlds)
        self._ended = result.terminated | result.truncated
        info = self._info(result, running, np.ones_like(running))
        reward = self._reward(result)
        reward[worlds] = 0.0
        return self._observe(), reward, result.terminated, result.truncated, info

    def _end(self, result: StepResult) -> tuple[NDArray[np.float32], Info]:
        """Begin the next episodes in the same step, and keep what the ended ones said last."""
        engine = self._built.engine
        ended = self._ended
        worlds = np.flatnonzero(ended)
        observation = self._observe()
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i in worlds:
            final_obs[i] = observation[i].copy()
        final_info = self._info(result, ended, ended)
        engine.reset(worlds)
        if self._built.recorder is not None:
            self._built.recorder.restart(worlds)
        observation[worlds] = engine.observe(worlds).reshape(len(worlds), -1)
        info = self._info(result, ~ended, np.ones_like(ended))
        info["final_obs"], info["_final_obs"] = final_obs, ended.copy()
        info["final_info"], info["_final_info"] = final_info, ended.copy()
        return observation, info

    def _observe(self) -> NDArray[np.float32]:
        return self._built.engine.observe().reshape(self.num_envs, -1)

    def _info(self, result: StepResult, stepped: NDArray[np.bool_], present: NDArray[np.bool_]) -> Info:
        terms, kpis = agent_means(result.outcome)
        return self._built.infos.batch_step(
            kpis,
            terms,
            legal_actions(self._built.engine),
            stepped,
            present,
        )

    def _reward(self, result: StepResult) -> NDArray[Any]:
        terms = agent_mean(result.outcome.reward_terms)
        return terms.astype(np.float32) if self._built.vector_reward else weighted_sum(terms, result.weights)

    # ------------------------------------------------------------------ rest

    def action_masks(self) -> NDArray[np.bool_]:
        """Legal actions of every world, [B, A * n]; the batch form of `NTNEnv.action_masks`.

        Raises:
            ValueError: If the actions are continuous.
        """
        mask = legal_actions(self._built.engine)
        if mask is None:
            raise ValueError(f"{self.task.agent_action_space} is continuous: there are no masks")
        return mask.reshape(self.num_envs, -1).copy()

    def render(self) -> tuple[Any, ...] | None:
        """One picture or text per world."""
        recorder = self._built.recorder
        if recorder is None:
            return None
        return tuple(recorder.draw(i, recorder.mode) for i in range(self.num_envs))  # type: ignore[arg-type]

    def close(self, **kwargs: Any) -> None:
        """Mark the environment as closed; may be called again."""
        self.closed = True
