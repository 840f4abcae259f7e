"""From the arguments that all faces share to a task, its engine and its renderer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import EnvEntry, find_entry, make_task
from ntn_gym.core.task import Task
from ntn_gym.core.trace import ReplayWorld, Trace
from ntn_gym.interfaces.actions import ActionReader
from ntn_gym.interfaces.infos import InfoLayout
from ntn_gym.interfaces.pictures import Recorder


class CommonArguments(TypedDict, total=False):
    """Keyword arguments of every face: Gymnasium Env and VectorEnv, PettingZoo and SB3.

    Attributes:
        preset: Name of a preset; None takes the environment's default one.
        scenario: Mapping of values that replace those of the preset (nested), or a whole scenario object.
        vector_reward: Give the vector of reward terms, in their units, instead of their weighted sum.
        n_worlds: Draw episodes from this many fixed training worlds instead of an endless stream.
        chunk_steps: Time slices drawn per call; None chooses. It changes no number, only memory and speed.
        trace: A `Trace`, or the path of a trace file, whose worlds are replayed: seed s means world s modulo
            their number. Without preset and scenario, the trace's own scenario is used.
        render_mode: ``"human"``, ``"rgb_array"``, ``"ansi"`` or None.
        max_episode_steps: Truncate earlier than the scenario says.
    """

    preset: str | None
    scenario: Any
    vector_reward: bool
    n_worlds: int | None
    chunk_steps: int | None
    trace: Trace | str | os.PathLike[str] | None
    render_mode: str | None
    max_episode_steps: int | None


@dataclass(frozen=True)
class Built:
    """What a face is a view of."""

    entry: EnvEntry
    task: Task
    engine: Engine
    actions: ActionReader
    infos: InfoLayout
    vector_reward: bool
    recorder: Recorder | None


def build(
    environment: str,
    n_parallel: int,
    *,
    random_start: bool = False,
    preset: str | None = None,
    scenario: Any = None,
    vector_reward: bool = False,
    n_worlds: int | None = None,
    chunk_steps: int | None = None,
    trace: Trace | str | os.PathLike[str] | None = None,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> Built:
    """Build everything behind a face; see `CommonArguments` for the arguments.

    Raises:
        ValueError: If an argument is outside its range, or arguments do not fit each other.
    """
    entry = find_entry(environment)
    loaded = Trace.load(trace) if isinstance(trace, str | os.PathLike) else trace
    if loaded is not None:
        if loaded.environment != entry.name:
            raise ValueError(f"the trace is for {loaded.environment}, this environment is {entry.name}")
        if preset is None and scenario is None:
            scenario = loaded.scenario
    task: Task = make_task(entry.name, preset, scenario)
    world = task.make_world()
    if loaded is not None:
        world = ReplayWorld(loaded, world.fields, task.episode_steps + 1)
    engine = Engine(
        task,
        n_parallel,
        world=world,
        n_worlds=n_worlds,
        chunk_steps=chunk_steps,
        random_start=random_start,
        keep_raw=render_mode is not None,
        episode_steps=max_episode_steps,
    )
    return Built(
        entry=entry,
        task=task,
        engine=engine,
        actions=ActionReader(task),
        infos=InfoLayout(task),
        vector_reward=vector_reward,
        recorder=None if render_mode is None else Recorder(entry, engine, render_mode),
    )


def reject_unknown(face: str, arguments: Mapping[str, Any]) -> None:
    """Say which arguments exist, before Python says less about it.

    Raises:
        TypeError: If an argument is not one of `CommonArguments`.
    """
    unknown = sorted(set(arguments) - set(CommonArguments.__annotations__))
    if unknown:
        known = ", ".join(CommonArguments.__annotations__)
        raise TypeError(f"{face} got unknown arguments {', '.join(unknown)}; besides its own it takes {known}")
