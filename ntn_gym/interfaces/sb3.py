"""A batch of worlds as a Stable-Baselines3 ``VecEnv``; the only module here that needs that library.

Stable-Baselines3 cannot take a Gymnasium vector environment, and its ``DummyVecEnv`` steps worlds one by one. This
adapter steps them together. Put ``VecMonitor`` on top for episode statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Unpack

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from ntn_gym.core.result import StepResult, weighted_sum
from ntn_gym.core.task import Outcome, Task
from ntn_gym.interfaces.actions import central_action_space, central_observation_space
from ntn_gym.interfaces.build import CommonArguments, build, reject_unknown
from ntn_gym.interfaces.face import Face
from ntn_gym.interfaces.infos import Info, agent_mean, legal_actions


class NTNVecEnv(Face, VecEnv):
    """B worlds for Stable-Baselines3: ended worlds restart in the same step, rewards are float32.

    With ``agents_as_envs=True`` every agent of every world is an environment of its own (parameter sharing):
    environment ``w * A + a`` is agent a of world w, with its own observation, action, reward and KPIs.

    Attributes:
        outcome: Reward terms and KPIs of the last step, arrays [B, A, n]; None before the first one.
    """

    _clocks = ("_seeds", "reset_infos", "_running")
    _kept = ("action_space", "observation_space")

    def __init__(
        self,
        environment: str,
        n_envs: int = 1,
        *,
        agents_as_envs: bool = False,
        random_start: bool = False,
        full_infos: bool = True,
        **arguments: Unpack[CommonArguments],
    ) -> None:
        """Build the environment.

        Args:
            environment: Name or id.
            n_envs: Number of worlds B.
            agents_as_envs: Show every agent as an environment; ``num_envs`` is then B times the agents.
            random_start: Begin the first episode after `seed` at a random step, so that the episodes of a training
                batch do not end together. For training only: that episode is shorter than the others.
            full_infos: Put KPIs, reward terms and masks into every info. False: only into those that end an episode,
                which is what ``VecMonitor`` reads; everything is in ``outcome`` and `action_masks` anyway, as arrays.
                A thousand dictionaries cost several times as much as the step itself.
            **arguments: See `CommonArguments`.

        Raises:
            TypeError: If an argument is unknown.
            ValueError: If an argument is outside its range.
        """
        reject_unknown("NTNVecEnv", arguments)
        if arguments.get("vector_reward"):
            raise ValueError("vector_reward = True: Stable-Baselines3 has no vector rewards; leave it out")
        if arguments.get("render_mode") == "human":
            raise ValueError("render_mode = 'human': use 'rgb_array', which Stable-Baselines3 shows by itself")
        self._arguments = {
            "environment": environment,
            "n_envs": n_envs,
            "agents_as_envs": agents_as_envs,
            "random_start": random_start,
            "full_infos": full_infos,
            **arguments,
        }
        self._built = build(environment, n_envs, random_start=random_start, **arguments)
        self.task: Task = self._built.task
        self.outcome: Outcome | None = None
        self._full_infos = full_infos
        self._agents_as_envs = agents_as_envs
        self._per_world = self.task.n_agents if agents_as_envs else 1
        self._running = False
        self._actions: NDArray[Any] | None = None
        # The base class asks for "render_mode" while it is built.
        self._attributes = {
            "render_mode": arguments.get("render_mode"),
            "spec": gym.spec(self._built.entry.id),
            "task": self.task,
        }
        if agents_as_envs:
            observation, action = self.task.agent_observation_space, self.task.agent_action_space
        else:
            observation, action = central_observation_space(self.task), central_action_space(self.task)
        super().__init__(n_envs * self._per_world, observation, action)

    # ------------------------------------------------------------------ reset and step

    def reset(self) -> NDArray[np.float32]:
        """Start episodes in all worlds: those of `seed`, or else the next ones."""
        engine = self._built.engine
        n_worlds = engine.n_parallel
        seeds: list[int | None] | None = self._seeds[:n_worlds]
        if seeds[0] is None:
            seeds = None
            if not engine.started:
                first = int(np.random.SeedSequence().generate_state(1)[0])
                seeds = [first + i for i in range(n_worlds)]
        engine.reset(seeds=seeds)
        self._running = True
        self._reset_seeds()
        self._reset_options()
        if self._built.recorder is not None:
            self._built.recorder.restart()
        self._note_reset(np.arange(n_worlds))
        return self._shaped(engine.observe())

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step.

        Raises:
            ValueError: If one is not in its space.
        """
        if not self._running:
            raise gym.error.ResetNeeded("call reset() before step()")
        reader, n_worlds = self._built.actions, self._built.engine.n_parallel
        self._actions = (
            reader.read_agents(actions, n_worlds) if self._agents_as_envs else reader.read(actions, n_worlds)
        )

    def step_wait(self) -> VecEnvStepReturn:
        """Step all worlds; see Stable-Baselines3 for the meaning of what is returned."""
        built, engine = self._built, self._built.engine
        assert self._actions is not None, "step_async() comes first"
        result = engine.step(self._actions)
        if built.recorder is not None:
            built.recorder.record(self._actions, result)
        self.outcome = result.outcome
        ended = result.terminated | result.truncated
        observation = engine.observe()
        infos = self._step_infos(result)
        if ended.any():
            worlds = np.flatnonzero(ended)
            last = self._shaped(observation[worlds])
            for k, i in enumerate(self._environments_of(worlds)):
                infos[i]["terminal_observation"] = last[k].copy()
            engine.reset(worlds)
            if built.recorder is not None:
                built.recorder.restart(worlds)
            observation[worlds] = engine.observe(worlds)
            self._note_reset(worlds)
        if self._agents_as_envs:
            reward = result.reward.reshape(-1)
        else:
            reward = weighted_sum(agent_mean(result.outcome.reward_terms), result.weights)
        done = np.repeat(ended, self._per_world)
        return self._shaped(observation), reward.astype(np.float32), done, infos

    def _shaped(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """Observations [B, A, obs] as one row per environment."""
        return observation.reshape(len(observation) * self._per_world, -1)

    def _environments_of(self, worlds: NDArray[np.intp]) -> list[int]:
        return [int(w) * self._per_world + a for w in worlds for a in range(self._per_world)]

    def _mask_rows(self, worlds: NDArray[np.intp] | None = None) -> NDArray[np.bool_] | None:
        """Legal actions as one row [n] or matrix [A, n] per environment."""
        mask = legal_actions(self._built.engine, worlds)
        if mask is None:
            return None
        if self._agents_as_envs:
            return mask.reshape(-1, mask.shape[-1])
        return mask if self.task.n_agents > 1 else mask[:, 0]

    def _step_infos(self, result: StepResult) -> list[Info]:
        timed_out = np.repeat(result.truncated & ~result.terminated, self._per_world).tolist()
        if self._full_infos:
            return self._told(result, None, timed_out)
        infos: list[Info] = [{"TimeLimit.truncated": flag} for flag in timed_out]
        ended = np.flatnonzero(result.terminated | result.truncated)
        if len(ended):
            environments = self._environments_of(ended)
            told = self._told(result, ended, [timed_out[i] for i in environments])
            for i, info in zip(environments, told, strict=True):
                infos[i] = info
        return infos

    def _told(self, result: StepResult, worlds: NDArray[np.intp] | None, timed_out: list[bool]) -> list[Info]:
        """Full infos of some worlds (None: of all)."""
        chosen = slice(None) if worlds is None else worlds
        kpis, terms = result.outcome.kpis[chosen], result.outcome.reward_terms[chosen]
        if self._agents_as_envs:
            kpis, terms = kpis.reshape(-1, kpis.shape[-1]), terms.reshape(-1, terms.shape[-1])
        else:
            kpis, terms = agent_mean(kpis), agent_mean(terms)
        more = {"TimeLimit.truncated": timed_out}
        return self._built.infos.steps(kpis, terms, self._mask_rows(worlds), more)

    def _note_reset(self, worlds: NDArray[np.intp]) -> None:
        masks = self._mask_rows(worlds)
        for k, i in enumerate(self._environments_of(worlds)):
            self.reset_infos[i] = self._built.infos.reset(None if masks is None else masks[k])

    # ------------------------------------------------------------------ what wrappers and algorithms ask for

    def action_masks(self) -> NDArray[np.bool_]:
        """Legal actions of every environment, [num_envs, n] or [num_envs, A * n].

        Raises:
            AttributeError: If the actions are continuous.
        """
        masks = self._mask_rows()
        if masks is None:
            raise AttributeError(f"{self.action_space} is continuous: there are no action_masks")
        return masks.reshape(self.num_envs, -1).copy()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Attribute of the worlds: ``action_masks``, ``render_mode``, ``spec``, or an attribute of the task.

        Raises:
            AttributeError: If there is none of this name.
        """
        chosen = list(self._get_indices(indices))
        if attr_name == "action_masks" and self._mask_rows_exist:
            return [partial(self._mask_of, i) for i in chosen]
        if attr_name in self._attributes:
            return [self._attributes[attr_name]] * len(chosen)
        if attr_name in ("action_space", "observation_space", "metadata"):
            return [getattr(self, attr_name)] * len(chosen)
        if attr_name.startswith("_") or not hasattr(self.task, attr_name):
            raise AttributeError(f"the worlds have no attribute {attr_name!r}")
        return [getattr(self.task, attr_name)] * len(chosen)

    @property
    def _mask_rows_exist(self) -> bool:
        return self._built.actions.n_actions is not None

    def _mask_of(self, environment: int) -> NDArray[np.bool_]:
        return self.action_masks()[environment]

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the worlds: ``action_masks`` or ``render``.

        Raises:
            AttributeError: If there is none of this name.
        """
        chosen = list(self._get_indices(indices))
        if method_name == "action_masks":
            masks = self.action_masks()
            return [masks[i] for i in chosen]
        if method_name == "render" and self._built.recorder is not None:
            return [self._picture(i) for i in chosen]
        raise AttributeError(f"the worlds have no method {method_name!r}; they have action_masks and render")

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuse: the worlds of a batch share one immutable task.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(
            f"{attr_name!r} cannot be set: the worlds share one task; build another NTNVecEnv with another scenario"
        )

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """No world is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def _picture(self, environment: int) -> Any:
        recorder = self._built.recorder
        assert recorder is not None
        return recorder.draw(environment // self._per_world, recorder.mode)  # type: ignore[arg-type]

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """One picture per environment."""
        if self._built.recorder is None:
            return [None] * self.num_envs
        return [self._picture(i) for i in range(self.num_envs)]
