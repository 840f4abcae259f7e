"""What the contract tests share: ways to build an environment, to run it, and to compare exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from ntn_gym.core.registry import EnvEntry, find_entry, make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays, Now
from ntn_gym.interfaces.env import NTNEnv
from ntn_gym.interfaces.parallel import NTNParallelEnv
from ntn_gym.interfaces.vector import NTNVectorEnv


@dataclasses.dataclass(frozen=True)
class Case:
    """One environment with one preset."""

    name: str
    preset: str

    @property
    def entry(self) -> EnvEntry:
        return find_entry(self.name)

    def task(self) -> Any:
        return make_task(self.name, self.preset)

    def env(self, **arguments: Any) -> NTNEnv:
        return NTNEnv(self.name, preset=self.preset, **arguments)

    def vector(self, num_envs: int, **arguments: Any) -> NTNVectorEnv:
        return NTNVectorEnv(self.name, num_envs, preset=self.preset, **arguments)

    def parallel(self, **arguments: Any) -> NTNParallelEnv:
        return NTNParallelEnv(self.name, preset=self.preset, **arguments)

    def draw(self, task: Any, seeds: Sequence[int], n_slices: int | None = None) -> Arrays:
        """Raw arrays of whole episodes."""
        world = task.make_world()
        state = world.begin([WorldKey(seed) for seed in seeds])
        return world.advance(state, task.episode_steps + 1 if n_slices is None else n_slices)[1]


def in_space(rng: np.random.Generator, space: spaces.Space, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform actions of one agent's space for any number of agents; the mask plays no part."""
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.n, size=shape)
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high, (*shape, *space.shape)).astype(np.float32)


def central_actions(rng: np.random.Generator, task: Any, n_steps: int) -> np.ndarray:
    """A sequence of actions of the central decision maker of one world."""
    actions = in_space(rng, task.agent_action_space, (n_steps, task.n_agents))
    if task.n_agents == 1 and isinstance(task.agent_action_space, spaces.Discrete):
        return actions[:, 0]
    return actions.reshape(n_steps, -1)


@dataclasses.dataclass
class History:
    """What happened at each step of some worlds: lists of arrays."""

    observations: list[np.ndarray] = dataclasses.field(default_factory=list)
    masks: list[np.ndarray | None] = dataclasses.field(default_factory=list)
    outcomes: list[Any] = dataclasses.field(default_factory=list)


def play(task: Any, arrays: Arrays, actions: np.ndarray) -> History:
    """Run actions [B, T, A, ...] on packed arrays without any engine, the plainest way there is."""
    n_worlds = len(actions)
    rows = np.arange(n_worlds)

    def now(step: int) -> Now:
        return Now(arrays, rows, np.full(n_worlds, step))

    history = History()
    state = task.initial(now(0))
    for step in range(actions.shape[1]):
        history.observations.append(task.observe(state, now(step)))
        history.masks.append(task.action_mask(state, now(step)))
        state, outcome = task.step(state, actions[:, step], now(step))
        history.outcomes.append(outcome)
    return history


def plain(value: Any) -> Any:
    """Infos as nested mappings of plain numbers and arrays, whatever form a face gives them."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        masks = all(isinstance(item, np.ndarray) and item.dtype == np.int8 for item in value)
        return np.array(value) if masks else [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def assert_same(first: Any, second: Any, path: str = "") -> None:
    """Exact equality of nested data; the message says where it ends."""
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        assert type(first) is type(second), path
        for field in dataclasses.fields(first):
            assert_same(getattr(first, field.name), getattr(second, field.name), f"{path}.{field.name}")
    elif isinstance(first, Mapping):
        assert first.keys() == second.keys(), f"{path}: {sorted(first)} != {sorted(second)}"
        for key in first:
            assert_same(first[key], second[key], f"{path}[{key!r}]")
    elif isinstance(first, np.ndarray) and first.dtype != object:
        assert isinstance(second, np.ndarray), f"{path}: {type(second)}"
        assert first.dtype == second.dtype and first.shape == second.shape, (
            f"{path}: {first.dtype}{first.shape} != {second.dtype}{second.shape}"
        )
        different = np.argwhere(first != second)
        assert not len(different), f"{path}: {len(different)} values differ, the first at {different[0].tolist()}"
    elif isinstance(first, np.random.Generator):
        assert_same(first.bit_generator.state, second.bit_generator.state, path)
    elif isinstance(first, list | tuple | np.ndarray):
        assert len(first) == len(second), path
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            assert_same(one, other, f"{path}[{index}]")
    else:
        assert type(first) is type(second) and first == second, f"{path}: {first!r} != {second!r}"


def assert_differs(first: Any, second: Any) -> None:
    """Some value differs."""
    try:
        assert_same(first, second)
    except AssertionError:
        return
    raise AssertionError("everything is equal, although something should differ")
