"""One world as a PettingZoo parallel environment: every agent sees, decides and earns for itself."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec
from pettingzoo.utils.env import AECEnv

from ntn_gym.core.task import Task
from ntn_gym.interfaces.actions import central_observation_space
from ntn_gym.interfaces.build import CommonArguments, build, reject_unknown
from ntn_gym.interfaces.face import Face
from ntn_gym.interfaces.infos import Info, legal_actions
from ntn_gym.interfaces.pictures import RENDER_FPS, RENDER_MODES

AgentInfos = dict[str, Info]


class NTNParallelEnv(Face, ParallelEnv[str, NDArray[np.float32], Any]):
    """One world whose agents act apart: ``user_0``, ``user_1``, ... after ``task.agent_name``.

    All agents live until the episode ends for all. Each gets its own reward, KPIs, reward terms and action mask;
    `state` gives the observations of all, for centralised training. The mean of the agents' rewards is the reward
    of `NTNEnv` on the same seed and actions.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "ntn_gym",
        "render_modes": list(RENDER_MODES),
        "render_fps": RENDER_FPS,
        "is_parallelizable": True,
    }
    _clocks = ("agents", "max_cycles")
    _kept = ("action_spaces", "observation_spaces")

    def __init__(self, environment: str, max_cycles: int | None = None, **arguments: Unpack[CommonArguments]) -> None:
        """Build the environment.

        Args:
            environment: Name or id.
            max_cycles: PettingZoo's name of ``max_episode_steps``; give one of them.
            **arguments: See `CommonArguments`.

        Raises:
            TypeError: If an argument is unknown.
            ValueError: If an argument is outside its range.
        """
        reject_unknown("NTNParallelEnv", arguments)
        self._arguments = {"environment": environment, "max_cycles": max_cycles, **arguments}
        if max_cycles is not None:
            if arguments.get("max_episode_steps") is not None:
                raise ValueError("give max_cycles or max_episode_steps, not both: they mean the same")
            arguments["max_episode_steps"] = max_cycles
        self._built = build(environment, 1, **arguments)
        self.task: Task = self._built.task
        self.metadata = {**type(self).metadata, "name": self._built.entry.id}
        self.render_mode = arguments.get("render_mode")
        # PettingZoo's tests set this attribute; the engine's own limit stays the upper one.
        self.max_cycles = self._built.engine.episode_steps
        self.possible_agents = [f"{self.task.agent_name}_{i}" for i in range(self.task.n_agents)]
        self.agents: list[str] = []
        # One object per agent: users seed and sample the spaces of the agents independently.
        observation, action = self.task.agent_observation_space, self.task.agent_action_space
        self.observation_spaces = {agent: _copy_of(observation) for agent in self.possible_agents}
        self.action_spaces = {agent: _copy_of(action) for agent in self.possible_agents}
        self.state_space = central_observation_space(self.task)

    def observation_space(self, agent: str) -> spaces.Box:
        """Observation space of an agent: the same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Action space of an agent: the same object each time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], AgentInfos]:
        """Start an episode; ``options`` has no effect."""
        engine, recorder = self._built.engine, self._built.recorder
        if seed is None and not engine.started:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        engine.reset(seeds=None if seed is None else [seed])
        self.agents = list(self.possible_agents)
        if recorder is not None:
            recorder.restart()
            if recorder.mode == "human":
                recorder.render()
        mask, layout = legal_actions(engine), self._built.infos
        infos = {agent: layout.reset(None if mask is None else mask[0, i]) for i, agent in enumerate(self.agents)}
        return self._observe(), infos

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any], dict[str, bool], dict[str, bool], AgentInfos]:
        """Apply one action per agent.

        Raises:
            ValueError: If an agent has no action, or one that is not in its space.
            gymnasium.error.ResetNeeded: If the episode has ended.
        """
        if not self.agents:
            raise gym.error.ResetNeeded("the episode has not begun or has ended: call reset()")
        if actions.keys() != set(self.agents):
            raise ValueError(f"actions are for {sorted(actions)}, the agents are {self.agents}: one for each")
        built, engine = self._built, self._built.engine
        checked = built.actions.read_agents([actions[agent] for agent in self.agents], 1)
        result = engine.step(checked)
        if built.recorder is not None:
            built.recorder.record(checked, result)
            if built.recorder.mode == "human":
                built.recorder.render()
        terms = result.outcome.reward_terms[0]
        rewards: list[Any] = list(terms.astype(np.float32)) if built.vector_reward else result.reward[0].tolist()
        mask = legal_actions(engine)
        rows = zip(self.agents, result.outcome.kpis[0].tolist(), terms.tolist(), strict=True)
        infos = {
            agent: built.infos.step(kpis, values, None if mask is None else mask[0, i])
            for i, (agent, kpis, values) in enumerate(rows)
        }
        terminated = bool(result.terminated[0])
        truncated = bool(result.truncated[0] or engine.steps[0] >= self.max_cycles)
        step = (
            self._observe(),
            dict(zip(self.agents, rewards, strict=True)),
            dict.fromkeys(self.agents, terminated),
            dict.fromkeys(self.agents, truncated),
            infos,
        )
        if terminated or truncated:
            self.agents = []
        return step

    def _observe(self) -> dict[str, NDArray[np.float32]]:
        observation = self._built.engine.observe()[0]
        return dict(zip(self.possible_agents, observation, strict=True))

    def state(self) -> NDArray[np.float32]:
        """Observations of all agents, one after the other, float32."""
        return self._built.engine.observe().reshape(-1)

    def render(self) -> Any:
        """Picture, text, or None (window, or no render mode)."""
        recorder = self._built.recorder
        return None if recorder is None else recorder.render()


def _copy_of(space: Any) -> Any:
    """An equal space with a random stream of its own."""
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(int(space.n))
    return spaces.Box(space.low, space.high, dtype=space.dtype)


def turn_based(**arguments: Any) -> AECEnv[str, NDArray[np.float32], Any]:
    """Return the environment in PettingZoo's turn-based form; the world moves when all agents have chosen."""
    return parallel_to_aec(NTNParallelEnv(**arguments))
